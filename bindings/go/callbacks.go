package chargewire

import "sync/atomic"

// usesCallbacks looks at the callbacks when it is called for the first time, and starts who calls them. They are a reader of the
// same channel that anybody else would read.
func (m *Manager) usesCallbacks() bool {
	m.start.Do(func() {
		called := callbacks{m.OnEvent, m.OnMessageReceived, m.OnStationConnected, m.OnStationDisconnected, m.OnStationError}
		m.callbacks = called.event != nil || called.message != nil || called.connected != nil || called.disconnected != nil || called.failed != nil
		if m.callbacks {
			atomic.StoreInt32(&m.asked, 1)
		}
		go func() {
			defer close(m.done)
			defer close(m.nothing)
			if m.callbacks {
				called.readAll(m.events)
			}
			<-m.ended
		}()
	})
	return m.callbacks
}

type callbacks struct {
	event        func(event Event)
	message      func(stationID string, message []byte)
	connected    func(stationID string)
	disconnected func(stationID string, err error)
	failed       func(stationID string, err error)
}

func (c *callbacks) readAll(events <-chan Event) {
	for event := range events {
		if c.event != nil {
			c.event(event)
		}
		switch {
		case event.Type == EventMessage && c.message != nil:
			c.message(event.StationID(), event.Data)
		case event.Type == EventConnected && c.connected != nil:
			c.connected(event.StationID())
		case event.Type == EventDisconnected && c.disconnected != nil:
			c.disconnected(event.StationID(), event.Err())
		case event.Type == EventError && c.failed != nil:
			c.failed(event.StationID(), event.Err())
		}
	}
}
