package chargewire

// #include "native.h"
import "C"

import "sync"

// table has the stations that live. The library carries the number of each along with its events; those that it began by itself,
// of the configuration's `stations:`, have none and are found by their id. No pointer of Go's is known to C.
type table struct {
	mu    sync.Mutex
	slots []*Station
	free  []int
	byID  map[string]*Station
}

// reserve gives a station its number, before the library can have events of it.
func (t *table) reserve(station *Station) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last := len(t.free) - 1; last >= 0 {
		station.slot, t.free = t.free[last], t.free[:last]
		t.slots[station.slot-1] = station
		return
	}
	t.slots = append(t.slots, station)
	station.slot = len(t.slots) // 0 is none
}

// forget takes back the number of a station that never was, or is no more. The lock is held.
func (t *table) forget(station *Station) {
	if station.slot != 0 {
		t.slots[station.slot-1] = nil
		t.free = append(t.free, station.slot)
	}
	if t.byID[station.id] == station {
		delete(t.byID, station.id)
	}
}

// of is whose event it is. The lock is held.
func (t *table) of(m *Manager, native *C.cwire_event) *Station {
	if native.station == nil {
		return nil
	}
	var station *Station
	if native.user_data != 0 {
		station = t.slots[native.user_data-1]
	} else if station = t.byID[C.GoString(native.station_id)]; station == nil || station.token() != native.station {
		return t.adopt(m, native.station, C.GoString(native.station_id))
	}
	if station.token() == nil { // its first event is here before connect has returned
		station.setToken(native.station)
		t.byID[station.id] = station
	}
	return station
}

func (t *table) adopt(m *Manager, token C.cwire_station, id string) *Station {
	station := newStation(m, id)
	station.setToken(token)
	t.byID[id] = station
	return station
}

// find is nil if there is none, or if it has ended.
func (t *table) find(m *Manager, id string) *Station {
	t.mu.Lock()
	defer t.mu.Unlock()
	if station := t.byID[id]; station != nil || checkTexts("", id) != nil {
		return station
	}
	// Under the lock, so that its EventClosed cannot be handled in between.
	native := newText(id)
	defer native.free()
	var token C.cwire_station
	if C.cwire_manager_find(m.native, native.native, &token) != C.CWIRE_OK {
		return nil
	}
	for _, station := range t.slots { // between its connect and what follows there
		if station != nil && station.id == id && (station.token() == nil || station.token() == token) {
			return station
		}
	}
	return t.adopt(m, token, id)
}

// all are those that live.
func (t *table) all() []*Station {
	t.mu.Lock()
	defer t.mu.Unlock()
	stations := make([]*Station, 0, len(t.byID))
	for _, station := range t.byID {
		stations = append(stations, station)
	}
	return stations
}
