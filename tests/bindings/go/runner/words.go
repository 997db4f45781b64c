package main

import (
	"errors"
	"fmt"

	"github.com/chargewire/chargewire/bindings/go"
)

// outcome is what all languages call what came of a call.
func outcome(err error) string {
	var failed *chargewire.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &failed):
		return failed.Status.Name()
	default:
		return err.Error()
	}
}

// told is the event as all languages tell it; empty for what is not noted.
func told(event *chargewire.Event) string {
	switch event.Type {
	case chargewire.EventConnected:
		return "CONNECTED " + event.Text() + optional(event.Reconnect(), " reconnect")
	case chargewire.EventMessage:
		return "MESSAGE " + event.Text()
	case chargewire.EventSent:
		return fmt.Sprintf("SENT %d %s", event.Tag, event.Status.Name())
	case chargewire.EventWritable:
		return "WRITABLE"
	case chargewire.EventDisconnected:
		return fmt.Sprintf("DISCONNECTED %s %d", event.Status.Name(), event.Code) + optional(event.Remote(), " remote") + optional(event.WillRetry(), " will_retry")
	case chargewire.EventError:
		return fmt.Sprintf("ERROR %s %s %d", event.Status.Name(), event.Failure.Phase, event.Code) + optional(event.WillRetry(), " will_retry")
	case chargewire.EventClosed:
		return fmt.Sprintf("CLOSED %s %d", event.Status.Name(), event.Code)
	}
	return ""
}

func optional(is bool, text string) string {
	if is {
		return text
	}
	return ""
}
