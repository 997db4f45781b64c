package chargewire

// #include "native.h"
import "C"

import (
	"strings"
	"time"
	"unsafe"
)

// text is a string as C takes it, for the time of a call.
type text struct {
	native *C.char
}

func newText(value string) text { return text{C.CString(value)} }

// newOptionalText is NULL for an empty string.
func newOptionalText(value string) text {
	if value == "" {
		return text{}
	}
	return newText(value)
}

func (t text) free() { C.free(unsafe.Pointer(t.native)) }

// checkTexts refuses what C would cut off.
func checkTexts(what string, values ...string) error {
	for _, value := range values {
		if strings.IndexByte(value, 0) >= 0 {
			return &Error{Status: ErrInvalidArgument, Message: what + ": there is a NUL in it"} // not what is in it: it may be a secret
		}
	}
	return nil
}

// timeOf is the zero time for 0.
func timeOf(ns C.int64_t) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(ns))
}
