package chargewire

// #include "native.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// So many events are taken from the library in one call.
const batchMax = 256

// pump takes the library's events until the last, tells those that wait for them, and puts them into the channel. It is the only
// one who does; while the channel is full it waits, the library's queue fills, and reading from sockets pauses.
func (m *Manager) pump() {
	defer m.end()
	for {
		// One crossing: gives the batch before back, and waits for the next.
		batch := C.next_batch(m.native, batchMax)
		if batch.status == C.CWIRE_E_NO_MEMORY {
			time.Sleep(10 * time.Millisecond) // nothing was taken
			continue
		}
		if batch.status != C.CWIRE_OK {
			return // only if somebody else freed the manager
		}
		natives := unsafe.Slice(batch.events, int(batch.count))
		if m.take(natives) {
			return
		}
		// Whoever was waiting for these goes first: this goroutine will soon sit in C, with the processor that they could run on.
		runtime.Gosched()
	}
}

// take returns whether the batch has the last event.
func (m *Manager) take(natives []C.cwire_event) bool {
	p := newPayloads(natives)
	stations := m.stationsOf(natives)
	for i := range natives {
		native := &natives[i]
		if native._type == C.CWIRE_EVENT_SENT && native.tag >= ownTags {
			m.sends.tell(uint64(native.tag), Status(native.status))
			continue
		}
		event := newEvent(native, &p)
		event.Station = stations[i]
		if event.Type == EventLog && m.logger != nil {
			m.logger.Log(LogLevel(event.Code), event.StationID(), event.Text())
			continue
		}
		if event.Station != nil && event.Type != EventMessage {
			event.Station.observe(&event)
		}
		m.deliver(event)
		if event.Type == EventShutdown {
			return true
		}
	}
	return false
}

// stationsOf finds them all at once, and forgets those that end.
func (m *Manager) stationsOf(natives []C.cwire_event) []*Station {
	stations := m.scratch[:len(natives)]
	m.table.mu.Lock()
	defer m.table.mu.Unlock()
	for i := range natives {
		stations[i] = m.table.of(m, &natives[i])
		if natives[i]._type == C.CWIRE_EVENT_CLOSED {
			m.table.forget(stations[i])
		}
	}
	return stations
}

func (m *Manager) deliver(event Event) {
	for {
		select {
		case m.events <- event:
			return
		default:
		}
		if atomic.LoadInt32(&m.asked) != 0 {
			break
		}
		// Nobody has asked for events, and perhaps nobody ever will: of those the newest are kept.
		select {
		case <-m.events:
			m.unasked++
		default:
		}
	}
	select {
	case m.events <- event:
	case <-m.abandoned:
	}
}

// end is after the last event.
func (m *Manager) end() {
	C.cwire_manager_free(m.native)
	C.cwire_config_free(m.config)
	m.sends.end()
	if m.unasked != 0 && m.logger != nil {
		m.logger.Log(LogWarning, "", fmt.Sprintf("%d events were dropped, since nobody asked for them", m.unasked))
	}
	close(m.events)
	close(m.ended)
}
