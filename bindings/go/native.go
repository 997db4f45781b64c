package chargewire

// #cgo pkg-config: chargewire
import "C"
