package chargewire

// #include "native.h"
import "C"

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

const defaultEventBuffer = 16384

// Manager is a fleet: its stations by id, and its events. It must be ended by Shutdown or Close.
type Manager struct {
	// The callbacks. Those that are set before the first station is connected get the events, in place of the channel of Events;
	// later changes have no effect. They are called by one goroutine of the manager, one at a time and in order, and may call all
	// methods but Shutdown. A message is the callback's to keep.

	// OnMessageReceived is called for each message.
	OnMessageReceived func(stationID string, message []byte)
	// OnStationConnected is called whenever a station is connected, also after it was lost.
	OnStationConnected func(stationID string)
	// OnStationDisconnected is called when a connection ended. err is nil if that was asked for.
	OnStationDisconnected func(stationID string, err error)
	// OnStationError is called when an attempt to connect failed.
	OnStationError func(stationID string, err error)
	// OnEvent is called for every event, before the callback of its own kind.
	OnEvent func(event Event)

	native C.cwire_manager
	config C.cwire_config // as it was given
	table  table
	sends  sends
	logger Logger

	events    chan Event
	nothing   chan Event    // in place of it where callbacks get the events: only to be closed
	asked     int32         // whether anybody reads events, or will
	abandoned chan struct{} // closed when events that there is no room for are to be dropped
	ended     chan struct{} // closed when the last event was taken, and the native manager is freed
	done      chan struct{} // closed when the last callback has returned as well

	start     sync.Once
	callbacks bool // whether they get the events
	abandon   sync.Once

	// Of the goroutine that takes the events.
	scratch [batchMax]*Station
	unasked int
}

// NewManager starts a manager. It reads https_proxy and its like here, and only here (WithProxyURL). An option that is wrong is an
// error that names it and says what was expected.
func NewManager(options ...ManagerOption) (*Manager, error) {
	s := settings{eventBuffer: defaultEventBuffer}
	for _, option := range options {
		if option != nil {
			option.applyToManager(&s)
		}
	}
	config, err := s.newConfig()
	if err != nil {
		return nil, err
	}
	m := &Manager{
		config:    config,
		logger:    s.logger,
		table:     table{byID: make(map[string]*Station)},
		events:    make(chan Event, s.eventBuffer),
		nothing:   make(chan Event),
		abandoned: make(chan struct{}),
		ended:     make(chan struct{}),
		done:      make(chan struct{}),
	}
	told := newNativeError()
	if err := toldError(C.cwire_manager_new(config, nil, 0, &m.native, &told), "new manager", &told); err != nil {
		freeConfig(config)
		return nil, err
	}
	go m.pump()
	return m, nil
}

// Version is that of the C library, "0.1.0".
func Version() string { return C.GoString(C.cwire_version()) }

// Events is where what happens arrives, oldest first; EventShutdown is the last, and then the channel is closed. Several goroutines
// may read it, but then the order is theirs to keep. Until it is asked for the first time the newest WithEventBuffer events are
// kept; from then on none is dropped, and who is slow to read makes reading from the sockets pause. With callbacks set there is
// nothing to read here.
func (m *Manager) Events() <-chan Event {
	if m.usesCallbacks() {
		return m.nothing
	}
	atomic.StoreInt32(&m.asked, 1)
	return m.events
}

// Option is the value of an option, given or default, by its key in docs/configuration.md: "csms.heartbeat_interval" is for the
// program to read. Secrets read as "***". After the end it fails with ErrInvalidHandle.
func (m *Manager) Option(key string) (string, error) { return optionOf(m.config, key) }

// Connect adds a station and begins to connect it; returns at once. stationID is percent-encoded onto the path of url (ws:// or
// wss://; empty: WithDefaultURL): at most 48 characters, no colon, no control characters. The station keeps trying, for ever by
// default (WithMaxReconnectAttempts); what fails arrives as events. Certificates and keys are read and checked here. If there is an
// error, no event comes.
func (m *Manager) Connect(stationID, url string, options ...StationOption) (*Station, error) {
	m.usesCallbacks()
	if err := checkTexts("connect", stationID, url); err != nil {
		return nil, err
	}
	config, err := stationConfig(options)
	if err != nil {
		return nil, err
	}
	defer freeConfig(config)
	nativeID, nativeURL := newText(stationID), newOptionalText(url)
	defer nativeID.free()
	defer nativeURL.free()

	station := newStation(m, stationID)
	m.table.reserve(station)
	var token C.cwire_station
	told := newNativeError()
	status := C.cwire_manager_connect(m.native, nativeID.native, nativeURL.native, config, C.uintptr_t(station.slot), &token, &told)
	m.table.mu.Lock()
	defer m.table.mu.Unlock()
	if status != C.CWIRE_OK {
		m.table.forget(station)
		return nil, toldError(status, stationID+": connect", &told)
	}
	if station.token() == nil { // else its first event was here before, perhaps also its last
		station.setToken(token)
		m.table.byID[stationID] = station
	}
	return station, nil
}

// ConnectStation is Connect, and waits until the station is connected. It keeps trying meanwhile: give a time by ctx. If ctx ends
// the waiting, nothing is left of the station, and the error says why the last attempt failed.
func (m *Manager) ConnectStation(ctx context.Context, stationID, url string, options ...StationOption) (*Station, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	station, err := m.Connect(stationID, url, options...)
	if err != nil {
		return nil, err
	}
	if err := station.WaitConnected(ctx); err != nil {
		_ = station.Disconnect(0, "") // it may have ended by itself
		return nil, err
	}
	return station, nil
}

// ConnectAll connects each entry of the configuration's `stations:` (WithConfigFile) that is not connected yet, and returns how many
// were begun. All are checked before the first is begun.
func (m *Manager) ConnectAll() (int, error) {
	m.usesCallbacks()
	var count C.size_t
	told := newNativeError()
	err := toldError(C.cwire_manager_connect_all(m.native, &count, &told), "connect all", &told)
	return int(count), err
}

// Station is the station of that id; false if there is none, or if it has ended.
func (m *Manager) Station(stationID string) (*Station, bool) {
	station := m.table.find(m, stationID)
	return station, station != nil
}

// Stations are those that have not ended, in no order. A station that was begun by ConnectAll is among them from its first event on.
func (m *Manager) Stations() []*Station { return m.table.all() }

// SendMessage is Station.Send by id.
func (m *Manager) SendMessage(stationID string, message []byte) error {
	station, err := m.known(stationID, "not sent")
	if err != nil {
		return err
	}
	return station.Send(message)
}

// BroadcastMessage sends the same message to every connected station, and returns how many queues took it. It is copied once, and
// nobody is waited for: a station whose queue is full is passed over, and gets EventWritable later.
func (m *Manager) BroadcastMessage(message []byte) (int, error) {
	var accepted C.size_t
	var status C.cwire_status
	if len(message) == 0 {
		status = C.cwire_manager_broadcast(m.native, nil, 0, 0, &accepted)
	} else {
		status = C.cwire_manager_broadcast(m.native, unsafe.Pointer(&message[0]), C.size_t(len(message)), 0, &accepted)
	}
	return int(accepted), errorOf(status, "broadcast")
}

// DisconnectStation begins to end a station, with close code 1000, and returns at once. One that gave up is forgotten.
func (m *Manager) DisconnectStation(stationID string) error {
	return m.byID(stationID, "disconnect", func(id *C.char) C.cwire_status { return C.cwire_manager_disconnect(m.native, id) })
}

// DisconnectAll begins to end all stations, with close code 1000, and returns at once. Those that gave up are forgotten.
func (m *Manager) DisconnectAll() error {
	return errorOf(C.cwire_manager_disconnect_all(m.native), "disconnect all")
}

// IsConnected tells whether a station is connected.
func (m *Manager) IsConnected(stationID string) bool {
	connected := false
	_ = m.byID(stationID, "", func(id *C.char) C.cwire_status {
		connected = C.cwire_manager_is_connected(m.native, id) == 1
		return C.CWIRE_OK
	})
	return connected
}

// GetConnectionState is where a station stands, also one that gave up.
func (m *Manager) GetConnectionState(stationID string) (ConnectionState, error) {
	stats, err := m.GetConnectionStats(stationID)
	return stats.State, err
}

// GetConnectionStats has the statistics of a station, also of one that gave up.
func (m *Manager) GetConnectionStats(stationID string) (ConnectionStats, error) {
	native := C.cwire_stats{size: C.sizeof_cwire_stats}
	err := m.byID(stationID, "statistics", func(id *C.char) C.cwire_status { return C.cwire_manager_stats(m.native, id, &native) })
	if err != nil {
		return ConnectionStats{}, err
	}
	return newConnectionStats(&native), nil
}

// GetAllConnectionStats has the statistics of all stations by their ids, those that gave up included. It is empty after the end.
func (m *Manager) GetAllConnectionStats() map[string]ConnectionStats {
	all := allStats(func(out *C.cwire_stats, capacity C.size_t, count *C.size_t) C.cwire_status {
		return C.cwire_manager_all_stats(m.native, out, capacity, count)
	})
	byID := make(map[string]ConnectionStats, len(all))
	for _, stats := range all {
		byID[stats.StationID] = stats
	}
	return byID
}

// GetConnectedStations has the ids of those that are connected, in no order.
func (m *Manager) GetConnectedStations() []string {
	var ids []string
	for id, stats := range m.GetAllConnectionStats() {
		if stats.State == StateConnected {
			ids = append(ids, id)
		}
	}
	return ids
}

// GetConnectedCount is how many stations are connected.
func (m *Manager) GetConnectedCount() int { return int(C.manager_counts(m.native).connected) }

// GetTotalCount is how many stations are known, those that gave up included.
func (m *Manager) GetTotalCount() int { return int(C.manager_counts(m.native).total) }

// NetworkUp says that the network is there again: stations that wait for their next attempt begin it now, or as soon as they may.
func (m *Manager) NetworkUp() error {
	return errorOf(C.cwire_manager_network_up(m.native), "network up")
}

// Trace writes every frame, upgrade and end of a station to the file of WithTraceFile from its next frame on, or ends that. A station that
// is traced already goes on as it is.
func (m *Manager) Trace(stationID string, on bool) error {
	told := newNativeError()
	what := stationID + ": trace"
	if err := checkTexts(what, stationID); err != nil {
		return err
	}
	native := newText(stationID)
	defer native.free()
	return toldError(C.cwire_manager_trace(m.native, native.native, switched(on), &told), what, &told)
}

// TraceAll is Trace for all stations, and for those to come.
func (m *Manager) TraceAll(on bool) error {
	told := newNativeError()
	return toldError(C.cwire_manager_trace(m.native, nil, switched(on), &told), "trace all", &told)
}

func switched(on bool) C.int32_t {
	if on {
		return 1
	}
	return 0
}

// Endpoints are those that stations use, or that are isolated, ordered by name. There are none without a governor
// (WithGovernorEnabled).
func (m *Manager) Endpoints() ([]EndpointStatus, error) {
	for capacity := C.size_t(16); ; {
		natives := make([]C.cwire_endpoint, capacity)
		natives[0].size = C.sizeof_cwire_endpoint
		var count C.size_t
		status := C.cwire_manager_endpoints(m.native, &natives[0], capacity, &count)
		if status == C.CWIRE_E_TOO_BIG {
			capacity = count + count/4
			continue
		}
		if err := errorOf(status, "endpoints"); err != nil {
			return nil, err
		}
		endpoints := make([]EndpointStatus, count)
		for i := range endpoints {
			endpoints[i] = newEndpointStatus(&natives[i])
		}
		return endpoints, nil
	}
}

// Metrics is what is counted of the fleet, as text that Prometheus reads, for a program that has an HTTP server of its own;
// docs/metrics.md says what there is.
func (m *Manager) Metrics(format MetricsFormat) (string, error) {
	return textOf(1<<16, "metrics", func(buffer *C.char, capacity C.size_t, needed *C.size_t) C.cwire_status {
		return C.cwire_manager_metrics(m.native, C.int32_t(format), buffer, capacity, needed)
	})
}

// MetricsURL is where the library serves that itself, "http://127.0.0.1:9464/metrics"; empty if it does not (WithMetricsListen).
func (m *Manager) MetricsURL() (string, error) {
	return textOf(128, "metrics url", func(buffer *C.char, capacity C.size_t, needed *C.size_t) C.cwire_status {
		return C.cwire_manager_metrics_url(m.native, buffer, capacity, needed)
	})
}

// Isolate takes an endpoint out of use, for maintenance perhaps: no station dials it until Reset. Connections that stand live on. url
// is any URL there, of which path and query do not count.
func (m *Manager) Isolate(url string) error {
	told := newNativeError()
	return m.endpoint(url, "isolate", &told, func(url *C.char) C.cwire_status { return C.cwire_manager_isolate(m.native, url, &told) })
}

// Reset puts an endpoint back into use, however it came out of it, and forgets what had failed.
func (m *Manager) Reset(url string) error {
	told := newNativeError()
	return m.endpoint(url, "reset", &told, func(url *C.char) C.cwire_status { return C.cwire_manager_reset(m.native, url, &told) })
}

// Shutdown ends the manager in order: no new stations; what is queued is sent, each connection closed with 1001, and every event
// delivered, EventShutdown last. It waits until that is done and the callbacks have returned, so somebody must read the events
// meanwhile, and a callback must not call it. The stations get nine tenths of the time that ctx has left, or an hour if it has no
// deadline; what then still waits to be sent is reported as not sent. If ctx ends the waiting its error is returned, and the end
// goes on; Close makes it short.
func (m *Manager) Shutdown(ctx context.Context) error {
	drain := time.Hour
	if deadline, has := ctx.Deadline(); has {
		drain = time.Until(deadline) * 9 / 10
	}
	if err := m.beginShutdown(drain); err != nil {
		return err
	}
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the manager at once, without waiting for the peers, or makes a Shutdown that is under way short of events: those that
// wait in the channel can still be read, but what there is no room for is dropped. It needs nobody to read, may be called in a
// callback, and several times. All that the manager had is freed when it returns.
func (m *Manager) Close() error {
	err := m.beginShutdown(0)
	m.abandon.Do(func() { close(m.abandoned) })
	<-m.ended
	return err
}

// Done is closed when the manager has ended and the last callback has returned.
func (m *Manager) Done() <-chan struct{} {
	m.usesCallbacks()
	return m.done
}

func (m *Manager) beginShutdown(drain time.Duration) error {
	m.usesCallbacks()
	ms := drain.Milliseconds()
	if ms < 0 {
		ms = 0
	}
	if ms > math.MaxInt32 || ms > time.Hour.Milliseconds() {
		ms = time.Hour.Milliseconds()
	}
	err := errorOf(C.cwire_manager_shutdown(m.native, C.int32_t(ms)), "shutdown")
	if errors.Is(err, ErrInvalidHandle) {
		return nil // it is over
	}
	return err
}

// known is the station of that id.
func (m *Manager) known(id, what string) (*Station, error) {
	if station := m.table.find(m, id); station != nil {
		return station, nil
	}
	return nil, &Error{Status: ErrNotFound, Message: id + ": " + what + ": " + ErrNotFound.text()}
}

func (m *Manager) byID(id, what string, call func(id *C.char) C.cwire_status) error {
	if err := checkTexts(what, id); err != nil {
		return err
	}
	native := newText(id)
	defer native.free()
	return errorOf(call(native.native), id+": "+what)
}

func (m *Manager) endpoint(url, what string, told *C.cwire_error, call func(url *C.char) C.cwire_status) error {
	if err := checkTexts(what, url); err != nil {
		return err
	}
	native := newText(url)
	defer native.free()
	return toldError(call(native.native), what, told)
}

func allStats(call func(out *C.cwire_stats, capacity C.size_t, count *C.size_t) C.cwire_status) []ConnectionStats {
	for capacity := C.size_t(64); ; {
		natives := make([]C.cwire_stats, capacity)
		natives[0].size = C.sizeof_cwire_stats
		var count C.size_t
		status := call(&natives[0], capacity, &count)
		if status == C.CWIRE_E_TOO_BIG {
			capacity = count + count/4 // some may be added meanwhile
			continue
		}
		if status != C.CWIRE_OK {
			return nil
		}
		all := make([]ConnectionStats, count)
		for i := range all {
			all[i] = newConnectionStats(&natives[i])
		}
		return all
	}
}
