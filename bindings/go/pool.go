package chargewire

// #include "native.h"
import "C"

import "unsafe"

// ConnectionPool is a group of stations of one manager. It owns nothing: closing it disconnects no one, a station may be in several,
// and one that has ended leaves by itself.
type ConnectionPool struct {
	native C.cwire_pool
}

// NewConnectionPool makes an empty group. It goes with its manager, if it is not closed before.
func (m *Manager) NewConnectionPool() (*ConnectionPool, error) {
	pool := new(ConnectionPool)
	return pool, errorOf(C.cwire_pool_new(m.native, &pool.native), "new pool")
}

// Add puts a station of the same manager into the group. It may be there already.
func (p *ConnectionPool) Add(station *Station) error {
	return station.errorOf(C.cwire_pool_add(p.native, station.token()), "not added to the pool")
}

// Remove takes a station out of the group; its connection lives on.
func (p *ConnectionPool) Remove(stationID string) error {
	return p.byID(stationID, "not removed from the pool", func(id *C.char) C.cwire_status { return C.cwire_pool_remove(p.native, id) })
}

// Has tells whether a station is in the group.
func (p *ConnectionPool) Has(stationID string) bool {
	has := false
	_ = p.byID(stationID, "", func(id *C.char) C.cwire_status {
		has = C.cwire_pool_has(p.native, id) == 1
		return C.CWIRE_OK
	})
	return has
}

// Send is Station.Send to one of the group, by id.
func (p *ConnectionPool) Send(stationID string, message []byte) error {
	return p.byID(stationID, "not sent", func(id *C.char) C.cwire_status {
		if len(message) == 0 {
			return C.cwire_pool_send(p.native, id, nil, 0, 0, 0)
		}
		return C.cwire_pool_send(p.native, id, unsafe.Pointer(&message[0]), C.size_t(len(message)), 0, 0)
	})
}

// Broadcast is Manager.BroadcastMessage to the group.
func (p *ConnectionPool) Broadcast(message []byte) (int, error) {
	var accepted C.size_t
	var status C.cwire_status
	if len(message) == 0 {
		status = C.cwire_pool_broadcast(p.native, nil, 0, 0, &accepted)
	} else {
		status = C.cwire_pool_broadcast(p.native, unsafe.Pointer(&message[0]), C.size_t(len(message)), 0, &accepted)
	}
	return int(accepted), errorOf(status, "broadcast to a pool")
}

// GetConnectedCount is how many of the group are connected.
func (p *ConnectionPool) GetConnectedCount() int { return int(C.pool_counts(p.native).connected) }

// Size is how many are in the group.
func (p *ConnectionPool) Size() int { return int(C.pool_counts(p.native).total) }

// GetStats has the statistics of the group by station id.
func (p *ConnectionPool) GetStats() map[string]ConnectionStats {
	byID := make(map[string]ConnectionStats)
	for _, stats := range allStats(func(out *C.cwire_stats, capacity C.size_t, count *C.size_t) C.cwire_status {
		return C.cwire_pool_stats(p.native, out, capacity, count)
	}) {
		byID[stats.StationID] = stats
	}
	return byID
}

// DisconnectAll begins to end all of the group, with close code 1000, and returns at once.
func (p *ConnectionPool) DisconnectAll() error {
	return errorOf(C.cwire_pool_disconnect_all(p.native), "disconnect a pool")
}

// Close ends the group; its stations live on.
func (p *ConnectionPool) Close() error {
	return errorOf(C.cwire_pool_free(p.native), "close a pool")
}

func (p *ConnectionPool) byID(id, what string, call func(id *C.char) C.cwire_status) error {
	if err := checkTexts(what, id); err != nil {
		return err
	}
	native := newText(id)
	defer native.free()
	return errorOf(call(native.native), id+": "+what)
}
