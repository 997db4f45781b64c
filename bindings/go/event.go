package chargewire

// #include "native.h"
import "C"

import (
	"time"
	"unsafe"
)

// Event is one thing that happened. What Code, Tag and Data are depends on the type:
//
//	                   Status        Code                   Tag                   Data
//	EventConnected     StatusOK      0                      number of this        the subprotocol agreed on,
//	                                                        connection, from 1    "ocpp1.6"
//	EventMessage       StatusOK      0                      0                     the message
//	EventSent          why not       0                      the send's tag        empty
//	EventWritable      StatusOK      0                      0                     empty
//	EventDisconnected  why           close code: the        0                     one line: why, and what follows
//	                                 peer's, ours or 1006
//	EventError         why           HTTP status, errno     number of failed      one line: why, and what follows
//	                                 or X.509 result        attempts in a row
//	EventState         StatusOK      the new                the old               the name of the new state
//	                                 ConnectionState        ConnectionState
//	EventClosed        why           close code, or 0       0                     one line: why
//	                                 if never connected
//	EventLog           StatusOK      the LogLevel           0                     one line
//	EventEndpoint      StatusOK      the new                the old               one line: which endpoint, why,
//	                                 BreakerState           BreakerState          what follows
//	EventShutdown      StatusOK      0                      0                     empty
//	EventPaused        StatusOK      0                      how long, in          one line: how long, why, what to do
//	                                                        nanoseconds
//
// Status is StatusOK where what happened was asked for.
type Event struct {
	// Type is what happened.
	Type EventType
	// Status is StatusOK, or why.
	Status Status
	// Code and Tag are numbers, by type.
	Code int
	Tag  uint64
	// Station is whose event it is; nil where it is the manager's.
	Station *Station
	// Data is the message, or one line for people. It is the reader's to keep; it shares its memory with the events next to it, so
	// whoever keeps a few small ones for long had better copy them.
	Data []byte
	// Failure is all that is known of why a connection failed: of EventError, and of EventDisconnected if not by request. Else nil.
	Failure *Failure

	time  int64
	flags uint32
}

// StationID is the id of the station; empty where the event is the manager's.
func (e Event) StationID() string {
	if e.Station == nil {
		return ""
	}
	return e.Station.id
}

// Text is Data as a string.
func (e Event) Text() string { return string(e.Data) }

// Time is when it happened.
func (e Event) Time() time.Time { return time.Unix(0, e.time) }

// Reconnect tells of EventConnected whether it is not the first connection of the station: OCPP wants no BootNotification then.
func (e Event) Reconnect() bool { return e.flags&C.CWIRE_FLAG_RECONNECT != 0 }

// WillRetry tells of EventDisconnected and EventError whether another attempt follows by itself.
func (e Event) WillRetry() bool { return e.flags&C.CWIRE_FLAG_WILL_RETRY != 0 }

// Remote tells of EventDisconnected whether the peer closed first.
func (e Event) Remote() bool { return e.flags&C.CWIRE_FLAG_REMOTE != 0 }

// NeedsAction tells of EventError that the CSMS or the proxy refused a second time in the same way, and will so until somebody
// changes something.
func (e Event) NeedsAction() bool { return e.flags&C.CWIRE_FLAG_NEEDS_ACTION != 0 }

// Binary tells of EventMessage whether the message is binary, and not text.
func (e Event) Binary() bool { return e.flags&C.CWIRE_FLAG_BINARY != 0 }

// Err is the event as an *Error; nil if its Status is StatusOK.
func (e Event) Err() error {
	if e.Status == StatusOK {
		return nil
	}
	message := e.Text()
	if message == "" {
		message = e.StationID() + ": not sent: " + e.Status.text()
	}
	return &Error{Status: e.Status, Message: message, Failure: e.Failure}
}

// A message that somebody keeps holds on to no more than this, or its own size.
const chunkBytes = 32 << 10

// payloads copies what events point to, many into one allocation.
type payloads struct {
	left  int // bytes of the batch that are still to come
	chunk []byte
}

func newPayloads(events []C.cwire_event) payloads {
	var p payloads
	for i := range events {
		p.left += int(events[i].data_size)
	}
	return p
}

func (p *payloads) copy(data *C.char, size C.size_t) []byte {
	n := int(size)
	if n == 0 {
		return nil
	}
	if n > cap(p.chunk)-len(p.chunk) {
		space := p.left
		if space > chunkBytes {
			space = chunkBytes
		}
		if space < n {
			space = n
		}
		p.chunk = make([]byte, 0, space)
	}
	p.left -= n
	begin := len(p.chunk)
	p.chunk = append(p.chunk, unsafe.Slice((*byte)(unsafe.Pointer(data)), n)...)
	return p.chunk[begin:len(p.chunk):len(p.chunk)]
}

// newEvent copies all but the station.
func newEvent(native *C.cwire_event, p *payloads) Event {
	event := Event{
		Type:   EventType(native._type),
		Status: Status(native.status),
		Code:   int(native.code),
		Tag:    uint64(native.tag),
		Data:   p.copy(native.data, native.data_size),
		time:   int64(native.time_ns),
		flags:  uint32(native.flags),
	}
	if native.failure != nil {
		failure := newFailure(native.failure)
		failure.message = event.Text()
		event.Failure = &failure
	}
	return event
}
