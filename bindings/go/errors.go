package chargewire

// #include "native.h"
import "C"

import (
	"errors"
	"fmt"
)

// Error says what the status means here.
func (status Status) Error() string { return "chargewire: " + status.text() }

// Error is why a call failed, a connection ended, or a message was not sent. errors.Is(err, ErrDial) and its like compare the
// status; errors.As(err, &failure) finds the *Failure, if a connection failed.
type Error struct {
	// Status is the reason in one word.
	Status Status
	// Message is one line: what happened, to which station, why, and what to do. It holds no secret.
	Message string
	// Failure has the same in numbers, where a connection failed; else nil.
	Failure *Failure

	cause error
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Is tells whether target is the status.
func (e *Error) Is(target error) bool { return target == e.Status }

// As finds the Failure.
func (e *Error) As(target interface{}) bool {
	failure, ok := target.(**Failure)
	if !ok || e.Failure == nil {
		return false
	}
	*failure = e.Failure
	return true
}

// Unwrap is the error of the context that ended the waiting, if one did.
func (e *Error) Unwrap() error { return e.cause }

// Error is one line: what failed and why.
func (f *Failure) Error() string {
	if f.message != "" {
		return f.message
	}
	return fmt.Sprintf("%s: %s", f.Phase, f.Status.text())
}

// Is tells whether target is the status.
func (f *Failure) Is(target error) bool { return target == f.Status }

// Name is what OCPP calls it in that version, "InvalidCsmsCertificate" or "InvalidCentralSystemCertificate"; empty for
// SecurityNone. subprotocol is what EventConnected brings, "ocpp1.6"; any other means 2.x.
func (value SecurityEvent) Name(subprotocol string) string {
	text := newText(subprotocol)
	defer text.free()
	return C.GoString(C.cwire_security_event_name(C.int32_t(value), text.native))
}

// errorOf is nil if the status is a success. What is "CP001: send", or whatever was to be done.
func errorOf(status C.cwire_status, what string) error {
	if status >= C.CWIRE_OK {
		return nil
	}
	return &Error{Status: Status(status), Message: what + ": " + Status(status).text()}
}

// toldError is the same where the library said more.
func toldError(status C.cwire_status, what string, told *C.cwire_error) error {
	if status == C.CWIRE_OK || told.message[0] == 0 {
		return errorOf(status, what)
	}
	return &Error{Status: Status(status), Message: C.GoString(&told.message[0])}
}

func newNativeError() C.cwire_error {
	return C.cwire_error{size: C.sizeof_cwire_error}
}

// failureOf is what is known of the failure of an error, or nil.
func failureOf(err error) *Failure {
	var failure *Failure
	errors.As(err, &failure)
	return failure
}

func failureOrNil(native *C.cwire_failure) *Failure {
	if native.status == C.CWIRE_OK {
		return nil
	}
	failure := newFailure(native)
	return &failure
}
