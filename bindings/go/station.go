package chargewire

// #include "native.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"
)

// SendFlags say how a message is sent.
type SendFlags uint32

const (
	// SendBinary sends a binary message. OCPP-J uses text.
	SendBinary SendFlags = C.CWIRE_FLAG_BINARY
	// SendReport asks for EventSent when the kernel has taken the message.
	SendReport SendFlags = C.CWIRE_FLAG_REPORT
)

// Tags from here on are those of SendAndWait.
const ownTags = 1 << 63

// Station is one station's connection. It owns nothing: its manager does. Once the station has ended, its methods fail with
// ErrInvalidHandle.
type Station struct {
	manager *Manager
	id      string
	slot    int
	native  uintptr // of the token, a number; written once
	done    chan struct{}

	mu        sync.Mutex
	changed   chan struct{} // closed when any of these changes, or when there may be room for sends again; nil if nobody waits
	connected bool
	ended     *Error // why, once it has
	last      *Failure
}

func newStation(m *Manager, id string) *Station {
	return &Station{manager: m, id: id, done: make(chan struct{})}
}

func (s *Station) token() C.cwire_station {
	number := atomic.LoadUintptr(&s.native)
	return *(*C.cwire_station)(unsafe.Pointer(&number))
}

func (s *Station) setToken(token C.cwire_station) {
	atomic.StoreUintptr(&s.native, *(*uintptr)(unsafe.Pointer(&token)))
}

// ID is the station's id.
func (s *Station) ID() string { return s.id }

// String is the id, for logs.
func (s *Station) String() string { return s.id }

// Manager is the manager that the station belongs to.
func (s *Station) Manager() *Manager { return s.manager }

// Done is closed when the station has ended, by request or because it gave up.
func (s *Station) Done() <-chan struct{} { return s.done }

// State is where it stands now.
func (s *Station) State() (ConnectionState, error) {
	got := C.station_state(s.token())
	return ConnectionState(got.state), s.errorOf(got.status, "no state")
}

// IsConnected tells whether messages flow now.
func (s *Station) IsConnected() bool {
	state, err := s.State()
	return err == nil && state == StateConnected
}

// Stats has its statistics as they are now.
func (s *Station) Stats() (ConnectionStats, error) {
	native := C.cwire_stats{size: C.sizeof_cwire_stats}
	if err := s.errorOf(C.cwire_station_stats(s.token(), &native), "no statistics"); err != nil {
		return ConnectionStats{}, err
	}
	return newConnectionStats(&native), nil
}

// Send sends one text message, which must be UTF-8: copies it, never blocks. What is accepted will be sent, or reported as not
// sent by EventSent; it is never sent twice. errors.Is(err, ErrQueueFull): the send queue is full, and EventWritable follows when
// there is room. ErrNotEstablished: it is not connected at the moment, and has no offline queue (WithOfflineQueueMessages).
func (s *Station) Send(message []byte) error { return s.SendTagged(message, 0, 0) }

// SendTagged is Send with flags, and with a tag below 1<<63 that comes back in the message's EventSent.
func (s *Station) SendTagged(message []byte, flags SendFlags, tag uint64) error {
	if tag >= ownTags {
		return &Error{Status: ErrInvalidArgument, Message: s.id + ": not sent: the tag is not below 1<<63"}
	}
	return s.send(message, flags, tag)
}

func (s *Station) send(message []byte, flags SendFlags, tag uint64) error {
	var status C.cwire_status
	if len(message) == 0 {
		status = C.cwire_station_send(s.token(), nil, 0, C.uint32_t(flags), C.uint64_t(tag))
	} else {
		// The address in the call itself: so cgo looks at the bytes alone, and not at what they may be a part of.
		status = C.cwire_station_send(s.token(), unsafe.Pointer(&message[0]), C.size_t(len(message)), C.uint32_t(flags), C.uint64_t(tag))
	}
	if status == C.CWIRE_OK {
		return nil
	}
	return s.errorOf(status, "not sent")
}

// SendAndWait sends one message and waits until the kernel has taken it. Where the send queue is full it waits for room. A message
// that was accepted is sent also if ctx ends the waiting; it has no event of its own. Not for the loop that reads Manager.Events, nor
// for a callback: what it waits for stands behind the events that only they take. Send does not wait.
func (s *Station) SendAndWait(ctx context.Context, message []byte, flags SendFlags) error {
	for {
		if err := ctx.Err(); err != nil {
			return s.waitedTooLong("not sent", err)
		}
		room := s.nextChange()
		tag, sent := s.manager.sends.add()
		err := s.send(message, flags|SendReport, tag)
		if err == nil {
			select {
			case status := <-sent:
				return s.errorOf(C.cwire_status(status), "accepted, but not sent")
			case <-ctx.Done():
				return s.waitedTooLong("accepted, but not sent yet", ctx.Err())
			}
		}
		s.manager.sends.forget(tag)
		if !errors.Is(err, ErrQueueFull) {
			return err
		}
		select {
		case <-room:
		case <-s.done:
		case <-ctx.Done():
		}
	}
}

// WaitConnected waits until it is connected. It keeps trying meanwhile, for ever by default (WithMaxReconnectAttempts). If ctx ends
// the waiting, the station goes on, and the error says why the last attempt failed: it is ErrTimeout as well as
// context.DeadlineExceeded after a deadline. If the station gave up or was ended, the error says why.
func (s *Station) WaitConnected(ctx context.Context) error {
	for {
		s.mu.Lock()
		connected, ended := s.connected, s.ended
		changed := s.changeLocked()
		s.mu.Unlock()
		if connected {
			return nil
		}
		if ended != nil {
			return ended
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s.waitedTooLong("not connected yet", ctx.Err())
		}
	}
}

// Reconfigure changes how a living station connects: another URL (empty: as it is), password or certificate, another ping interval.
// What no option names stays as it was. Files are read again in any case, so that a call without options takes up renewed ones.
// Returns at once. What is wrong is found here, and changes nothing.
func (s *Station) Reconfigure(url string, options ...StationOption) error {
	return s.reconfigure(url, 0, options)
}

// ReconfigureAndReconnect is Reconfigure, and connects again at once: after what is queued was sent and the connection closed in
// order. This is OCPP's rotation of a password (A01).
func (s *Station) ReconfigureAndReconnect(url string, options ...StationOption) error {
	return s.reconfigure(url, C.CWIRE_RECONFIGURE_RECONNECT, options)
}

func (s *Station) reconfigure(url string, flags C.uint32_t, options []StationOption) error {
	if err := checkTexts(s.id, url); err != nil {
		return err
	}
	config, err := stationConfig(options)
	if err != nil {
		return err
	}
	defer freeConfig(config)
	native := newOptionalText(url)
	defer native.free()
	told := newNativeError()
	return toldError(C.cwire_station_reconfigure(s.token(), native.native, config, flags, &told), s.id+": reconfigure", &told)
}

// Disconnect begins to end the station: what is queued is sent, then a close frame, within WithCloseTimeout. It never reconnects.
// Returns at once; EventClosed is its last event, and Done tells. The code is 1000, 1001, 3000 to 4999, or 0 for 1000 (RFC 6455
// 7.4); the reason has at most 123 bytes. The first call's code and reason count.
func (s *Station) Disconnect(code int, reason string) error {
	what := "not disconnected"
	if err := checkTexts(s.id+": "+what, reason); err != nil {
		return err
	}
	if code < 0 || code > 0xffff {
		return s.errorOf(C.CWIRE_E_INVALID_ARGUMENT, what)
	}
	native := newOptionalText(reason)
	defer native.free()
	return s.errorOf(C.cwire_station_disconnect(s.token(), C.uint16_t(code), native.native), what)
}

// DisconnectAndWait is Disconnect, and waits until the station has ended.
func (s *Station) DisconnectAndWait(ctx context.Context, code int, reason string) error {
	if err := s.Disconnect(code, reason); err != nil {
		return err
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return s.waitedTooLong("not disconnected yet", ctx.Err())
	}
}

func (s *Station) errorOf(status C.cwire_status, what string) error {
	if status == C.CWIRE_E_INVALID_HANDLE {
		return &Error{Status: ErrInvalidHandle, Message: s.id + ": " + what + ": the station has ended"}
	}
	return errorOf(status, s.id+": "+what)
}

// waitedTooLong says so, and why the last attempt failed, if one did.
func (s *Station) waitedTooLong(what string, cause error) error {
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	message := fmt.Sprintf("%s: %s: %v", s.id, what, cause)
	if last != nil {
		message += "; the last failure: " + last.Error()
	}
	if !errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %s: %w", s.id, what, cause)
	}
	return &Error{Status: ErrTimeout, Message: message, Failure: last, cause: cause}
}

// ---- What the goroutine of the events sees first

func (s *Station) observe(event *Event) {
	switch event.Type {
	case EventConnected:
		s.change(func() { s.connected = true })
	case EventError:
		s.change(func() { s.last = event.Failure })
	case EventDisconnected:
		s.change(func() { s.connected, s.last = false, event.Failure })
	case EventWritable:
		s.change(func() {})
	case EventClosed:
		s.end(event)
	}
}

func (s *Station) end(event *Event) {
	s.change(func() {
		s.connected = false
		s.ended = &Error{Status: event.Status, Message: event.Text(), Failure: s.last}
		if event.Status == StatusOK {
			s.ended.Status = ErrClosed
		}
	})
	close(s.done)
}

func (s *Station) change(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *Station) nextChange() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeLocked()
}

func (s *Station) changeLocked() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}
