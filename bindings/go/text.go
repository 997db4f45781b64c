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

// textOf is a text of which the library says how long it is, with its NUL. It may be longer at the second look.
func textOf(capacity C.size_t, what string, read func(buffer *C.char, capacity C.size_t, needed *C.size_t) C.cwire_status) (string, error) {
	for {
		buffer := (*C.char)(C.malloc(capacity))
		var needed C.size_t
		status := read(buffer, capacity, &needed)
		if status == C.CWIRE_E_TOO_BIG {
			C.free(unsafe.Pointer(buffer))
			capacity = needed + needed/16
			continue
		}
		defer C.free(unsafe.Pointer(buffer))
		if err := errorOf(status, what); err != nil {
			return "", err
		}
		return C.GoString(buffer), nil
	}
}

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
