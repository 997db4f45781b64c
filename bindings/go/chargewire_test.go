package chargewire_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	chargewire "github.com/chargewire/chargewire/bindings/go"
)

func TestAStation(t *testing.T) {
	server := newCSMS(t)
	manager := newManager(t)
	events := manager.Events()
	station, err := manager.ConnectStation(patient(t), "RDAM|123", server.url, chargewire.WithProtocol(chargewire.OCPP201, chargewire.OCPP16))
	ok(t, err)
	equal(t, "id", station.ID(), "RDAM|123")
	equal(t, "manager", station.Manager(), manager)
	equal(t, "connected", station.IsConnected() && manager.IsConnected("RDAM|123"), true)

	connected := next(t, manager, chargewire.EventConnected)
	equal(t, "station of the event", connected.Station, station)
	equal(t, "subprotocol", connected.Text(), "ocpp2.0.1")
	equal(t, "reconnect", connected.Reconnect(), false)
	equal(t, "number of the connection", connected.Tag, uint64(1))
	equal(t, "the time is now", time.Since(connected.Time()) < patience, true)

	ok(t, station.SendTagged([]byte(`[2,"1","Heartbeat",{}]`), chargewire.SendReport, 7))
	sent := next(t, manager, chargewire.EventSent)
	equal(t, "tag", sent.Tag, uint64(7))
	ok(t, sent.Err())
	answer := next(t, manager, chargewire.EventMessage)
	equal(t, "answer", strings.HasPrefix(answer.Text(), `[3,"1",`), true)
	equal(t, "binary", answer.Binary(), false)

	stats, err := station.Stats()
	ok(t, err)
	equal(t, "sent", stats.MessagesSent, uint64(1))
	equal(t, "state", stats.State, chargewire.StateConnected)
	equal(t, "never", stats.DisconnectedAt.IsZero(), true)
	equal(t, "no failure", stats.LastFailure == nil, true)
	equal(t, "by id", manager.GetAllConnectionStats()["RDAM|123"].StationID, "RDAM|123")
	equal(t, "connected stations", strings.Join(manager.GetConnectedStations(), ","), "RDAM|123")
	found, has := manager.Station("RDAM|123")
	equal(t, "found", has && found == station, true)

	ok(t, station.DisconnectAndWait(patient(t), 3001, "enough"))
	disconnected := next(t, manager, chargewire.EventDisconnected)
	equal(t, "close code", disconnected.Code, 3001)
	ok(t, disconnected.Err()) // by request
	next(t, manager, chargewire.EventClosed)
	equal(t, "after its end", errors.Is(station.Send([]byte("x")), chargewire.ErrInvalidHandle), true)
	_, has = manager.Station("RDAM|123")
	equal(t, "still there", has, false)

	ok(t, manager.Close())
	last := chargewire.Event{}
	for event := range events {
		last = event
	}
	equal(t, "last event", last.Type, chargewire.EventShutdown)
	ok(t, manager.Close())
	ok(t, manager.Shutdown(patient(t)))
	_, err = manager.Connect("CP1", server.url)
	equal(t, "connect after the end", errors.Is(err, chargewire.ErrInvalidHandle), true)
}

// A waiting call needs nobody to read: 500 stations, one after the other, before the first event is read, whether somebody has asked for
// events or will.
func TestWaitingNeedsNoReader(t *testing.T) {
	const stations = 500
	server := newCSMS(t)
	for _, asked := range []bool{false, true} {
		manager := newManager(t)
		if asked {
			manager.Events()
		}
		for i := 0; i < stations; i++ {
			_, err := manager.ConnectStation(patient(t), fmt.Sprintf("CP%03d", i), server.url)
			ok(t, err)
		}
		equal(t, "connected", manager.GetConnectedCount(), stations)
		for i := 0; i < stations; i++ {
			equal(t, "station", next(t, manager, chargewire.EventConnected).StationID(), fmt.Sprintf("CP%03d", i))
		}
		station, _ := manager.Station("CP000")
		ok(t, station.DisconnectAndWait(patient(t), 0, ""))
		ok(t, manager.Close())
	}
}

// However many there are, if nobody ever asks for them; and then the newest are there.
func TestNobodyAsksForEvents(t *testing.T) {
	const stations = 50
	server := newCSMS(t)
	logged := make(chan string, 100)
	manager := newManager(t, chargewire.WithEventBuffer(8), chargewire.WithEventQueueMax(8),
		chargewire.WithLogger(chargewire.LoggerFunc(func(_ chargewire.LogLevel, _, line string) { logged <- line })))
	for i := 0; i < stations; i++ {
		station, err := manager.ConnectStation(patient(t), fmt.Sprintf("CP%03d", i), server.url)
		ok(t, err)
		ok(t, station.SendAndWait(patient(t), []byte("hello"), 0))
	}
	first := next(t, manager, chargewire.EventConnected).StationID()
	equal(t, "one of the last: "+first, first > fmt.Sprintf("CP%03d", stations-8), true)
	ok(t, manager.Close())
	line := ""
	for len(logged) > 0 {
		line = <-logged
	}
	equal(t, "told: "+line, strings.Contains(line, "dropped"), true)
}

// Who has asked and does not read gets all of it later, and in order.
func TestASlowReaderLosesNothing(t *testing.T) {
	const messages = 2000
	server := newCSMS(t, "--echo")
	manager := newManager(t, chargewire.WithEventBuffer(4), chargewire.WithEventQueueMax(4), chargewire.WithSendQueueMessages(messages))
	manager.Events()
	station, err := manager.Connect("CP1", server.url)
	ok(t, err)
	next(t, manager, chargewire.EventConnected)
	for i := 0; i < messages; i++ {
		ok(t, station.Send([]byte(fmt.Sprint(i))))
	}
	for i := 0; i < messages; i++ {
		message := next(t, manager, chargewire.EventMessage)
		equal(t, "message", message.Text(), fmt.Sprint(i))
	}
}

func TestErrors(t *testing.T) {
	_, err := chargewire.NewManager(chargewire.WithPingInterval(-time.Second))
	equal(t, "an option that is wrong", errors.Is(err, chargewire.ErrConfig) && strings.Contains(err.Error(), "csms.ping_interval"), true)
	_, err = chargewire.NewManager(chargewire.WithOption("csms.no_such", "1"))
	equal(t, "an option that is none", errors.Is(err, chargewire.ErrConfig), true)
	_, err = chargewire.NewManager(chargewire.WithDefaultURL("ws://a\x00b"))
	equal(t, "a NUL", errors.Is(err, chargewire.ErrInvalidArgument), true)
	_, err = chargewire.NewManager(chargewire.WithEventBuffer(0))
	equal(t, "no buffer", errors.Is(err, chargewire.ErrInvalidArgument), true)

	manager := newManager(t)
	nobody := newCSMS(t)
	nobody.do("refuse tcp")
	_, err = manager.Connect("CP:1", nobody.url)
	equal(t, "a colon", errors.Is(err, chargewire.ErrInvalidArgument), true)
	equal(t, "unknown station", errors.Is(manager.SendMessage("nobody", nil), chargewire.ErrNotFound), true)
	equal(t, "unknown station", errors.Is(manager.DisconnectStation("nobody"), chargewire.ErrNotFound), true)

	_, err = manager.ConnectStation(patient(t), "CP1", nobody.url, chargewire.WithMaxReconnectAttempts(2))
	equal(t, "gave up: "+err.Error(), errors.Is(err, chargewire.ErrDial), true)
	var failure *chargewire.Failure
	equal(t, "a failure", errors.As(err, &failure) && failure.Phase == chargewire.PhaseTCP && errors.Is(failure, chargewire.ErrDial), true)
	var told *chargewire.Error
	equal(t, "an error", errors.As(err, &told) && told.Status.Name() == "CWIRE_E_DIAL", true)
	state, err := manager.GetConnectionState("CP1")
	ok(t, err)
	equal(t, "state", state, chargewire.StateError)

	soon, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = manager.ConnectStation(soon, "CP2", nobody.url, chargewire.WithReconnectBackoff(time.Hour), chargewire.WithReconnectMaxBackoff(time.Hour))
	equal(t, "no time", errors.Is(err, chargewire.ErrTimeout) && errors.Is(err, context.DeadlineExceeded), true)
	equal(t, "why: "+err.Error(), errors.As(err, &failure) && failure.OSError != 0, true)
	canceled, cancel := context.WithCancel(context.Background())
	station, err := manager.Connect("CP3", nobody.url)
	ok(t, err)
	cancel()
	equal(t, "canceled", errors.Is(station.WaitConnected(canceled), context.Canceled), true)
	equal(t, "not connected", errors.Is(station.Send([]byte("x")), chargewire.ErrNotEstablished), true)
	equal(t, "a tag of ours", errors.Is(station.SendTagged(nil, 0, 1<<63), chargewire.ErrInvalidArgument), true)
}

func TestCallbacks(t *testing.T) {
	server := newCSMS(t, "--echo")
	manager := newManager(t)
	told := make(chan string, 100)
	manager.OnStationConnected = func(id string) {
		told <- "connected " + id
		if err := manager.SendMessage(id, []byte("hello")); err != nil {
			told <- err.Error()
		}
	}
	manager.OnMessageReceived = func(id string, message []byte) {
		told <- "message " + string(message)
		stats, err := manager.GetConnectionStats(id) // which deadlocked, once
		if err != nil || stats.MessagesReceived != 1 {
			told <- fmt.Sprint(stats, err)
		}
		server.do("refuse tcp")
		server.do("close 1001 bye")
	}
	manager.OnStationDisconnected = func(id string, err error) { told <- fmt.Sprint("disconnected ", errors.Is(err, chargewire.ErrClosed)) }
	manager.OnStationError = func(id string, err error) {
		told <- fmt.Sprint("error ", errors.Is(err, chargewire.ErrDial))
		if err := manager.Close(); err != nil { // inside a callback
			told <- err.Error()
		}
	}
	_, err := manager.Connect("CP1", server.url)
	ok(t, err)
	<-manager.Done()
	close(told)
	var all []string
	for line := range told {
		all = append(all, line)
	}
	equal(t, "callbacks", strings.Join(all, ", "), "connected CP1, message hello, disconnected true, error true")
	if _, open := <-manager.Events(); open {
		t.Error("an event besides the callbacks")
	}
}

func TestSendAndWait(t *testing.T) {
	server := newCSMS(t, "--echo")
	manager := newManager(t, chargewire.WithSendQueueMessages(2), chargewire.WithOfflineQueueMessages(10))
	station, err := manager.ConnectStation(patient(t), "CP1", server.url)
	ok(t, err)
	var senders sync.WaitGroup
	for i := 0; i < 50; i++ { // far more than the queue takes
		senders.Add(1)
		go func() {
			defer senders.Done()
			if err := station.SendAndWait(patient(t), make([]byte, 1000), 0); err != nil {
				t.Error(err)
			}
		}()
	}
	senders.Wait()
	stats, err := station.Stats()
	ok(t, err)
	equal(t, "sent", stats.MessagesSent, uint64(50))

	server.do("refuse tcp")
	server.do("die")
	for disconnected := (chargewire.Event{}); !disconnected.WillRetry(); {
		disconnected = next(t, manager, chargewire.EventDisconnected)
	}
	soon, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	equal(t, "kept for later", errors.Is(station.SendAndWait(soon, []byte("x"), 0), context.DeadlineExceeded), true)
	failed := make(chan error)
	go func() { failed <- station.SendAndWait(context.Background(), []byte("y"), 0) }()
	for queued := uint64(0); queued < 2; {
		stats, err := station.Stats()
		ok(t, err)
		queued = stats.QueuedMessages
	}
	ok(t, station.Disconnect(0, ""))
	equal(t, "never sent", errors.Is(<-failed, chargewire.ErrClosed), true)
}

func TestSendManyAndPools(t *testing.T) {
	server := newCSMS(t, "--echo")
	manager := newManager(t)
	pool, err := manager.NewConnectionPool()
	ok(t, err)
	var messages []chargewire.Outgoing
	for i := 0; i < 3; i++ {
		station, err := manager.ConnectStation(patient(t), fmt.Sprint("CP", i), server.url)
		ok(t, err)
		if i > 0 {
			ok(t, pool.Add(station))
		}
		messages = append(messages, chargewire.Outgoing{Station: station, Message: []byte(fmt.Sprint("many ", i)), Flags: chargewire.SendReport, Tag: uint64(i)})
	}
	messages = append(messages, chargewire.Outgoing{Station: messages[0].Station}, chargewire.Outgoing{Message: []byte("to nobody")},
		chargewire.Outgoing{Station: messages[0].Station, Tag: 1 << 63})
	equal(t, "accepted", chargewire.SendMany(messages), 4)
	equal(t, "to nobody", messages[4].Status, chargewire.ErrInvalidHandle)
	equal(t, "a tag of ours", messages[5].Status, chargewire.ErrInvalidArgument)
	got := map[string]bool{}
	for len(got) < 4 {
		got[fmt.Sprintf("%q", next(t, manager, chargewire.EventMessage).Text())] = true
	}
	equal(t, "echoed", got[`"many 0"`] && got[`"many 1"`] && got[`"many 2"`] && got[`""`], true)

	equal(t, "size", pool.Size(), 2)
	equal(t, "connected", pool.GetConnectedCount(), 2)
	equal(t, "has", pool.Has("CP1") && !pool.Has("CP0"), true)
	ok(t, pool.Send("CP1", []byte("to one")))
	equal(t, "not in it", errors.Is(pool.Send("CP0", nil), chargewire.ErrNotFound), true)
	accepted, err := pool.Broadcast([]byte("to the pool"))
	ok(t, err)
	equal(t, "accepted", accepted, 2)
	accepted, err = manager.BroadcastMessage([]byte("to all"))
	ok(t, err)
	equal(t, "accepted", accepted, 3)
	equal(t, "statistics", len(pool.GetStats()), 2)
	ok(t, pool.Remove("CP1"))
	ok(t, pool.DisconnectAll())
	<-messages[2].Station.Done()
	equal(t, "left by itself", pool.Size(), 0)
	ok(t, pool.Close())
	equal(t, "live on", manager.GetConnectedCount(), 2)
	ok(t, manager.DisconnectAll())
	<-messages[0].Station.Done()
	<-messages[1].Station.Done()
	equal(t, "none is left", len(manager.Stations()), 0)
}

func TestTrace(t *testing.T) {
	server := newCSMS(t)
	file := filepath.Join(t.TempDir(), "trace.jsonl")
	manager := newManager(t, chargewire.WithTraceFile(file))
	_, err := manager.ConnectStation(patient(t), "CP1", server.url)
	ok(t, err)
	equal(t, "unknown station", errors.Is(manager.Trace("nobody", true), chargewire.ErrNotFound), true)
	equal(t, "no text", errors.Is(manager.Trace("a\x00b", true), chargewire.ErrInvalidArgument), true)
	ok(t, manager.Trace("CP1", true))
	ok(t, manager.TraceAll(true))
	ok(t, manager.Close())
	text, err := os.ReadFile(file)
	ok(t, err)
	equal(t, "in the file", strings.Contains(string(text), `"event":"closed"`), true)
	equal(t, "nowhere to write", errors.Is(newManager(t).TraceAll(true), chargewire.ErrState), true)
}

func TestStationsOfAConfigurationFile(t *testing.T) {
	server := newCSMS(t)
	var logged strings.Builder
	manager := newManager(t, chargewire.WithYAML("csms: { default_url: '"+server.url+"', heartbeat_interval: 7s }\nstations: [ { id: CP1 }, { id: CP2 } ]"),
		chargewire.WithLogLevel(chargewire.LogInfo), chargewire.WithLogger(chargewire.StdLogger(log.New(&logged, "", 0))))
	count, err := manager.ConnectAll()
	ok(t, err)
	equal(t, "begun", count, 2)
	first, found := manager.Station("CP1")
	equal(t, "found", found, true)
	ok(t, first.WaitConnected(patient(t)))
	event := next(t, manager, chargewire.EventConnected)
	second, found := manager.Station("CP2")
	equal(t, "found", found, true)
	equal(t, "one of the two", event.Station == first || event.Station == second, true)
	ok(t, second.WaitConnected(patient(t)))
	ok(t, second.ReconfigureAndReconnect("", chargewire.WithPingInterval(time.Minute)))
	for event = next(t, manager, chargewire.EventConnected); !event.Reconnect(); {
		event = next(t, manager, chargewire.EventConnected)
	}
	equal(t, "connected again", event.Station, second)
	equal(t, "a bad option", errors.Is(second.Reconfigure("", chargewire.WithPingInterval(-1)), chargewire.ErrConfig), true)

	interval, err := manager.Option("csms.heartbeat_interval")
	ok(t, err)
	equal(t, "an option for the program", interval, "7s")
	endpoints, err := manager.Endpoints()
	ok(t, err)
	equal(t, "endpoints", len(endpoints) == 1 && endpoints[0].Name+"/" == server.url+"/" && endpoints[0].Breaker == chargewire.BreakerClosed, true)
	metrics, err := manager.Metrics(chargewire.MetricsPrometheus)
	ok(t, err)
	equal(t, "metrics", strings.Contains(metrics, "\nchargewire_connections_total{endpoint=\""), true)
	metrics, err = manager.Metrics(chargewire.MetricsOpenMetrics)
	ok(t, err)
	equal(t, "OpenMetrics", strings.HasSuffix(metrics, "\n# EOF\n"), true)
	metricsURL, err := manager.MetricsURL()
	ok(t, err)
	equal(t, "no server of metrics", metricsURL, "")
	ok(t, manager.Isolate(server.url))
	equal(t, "isolated", chargewire.BreakerState(next(t, manager, chargewire.EventEndpoint).Code), chargewire.BreakerIsolated)
	ok(t, manager.Reset(server.url))
	ok(t, manager.NetworkUp())
	equal(t, "no URL", errors.Is(manager.Isolate("nowhere"), chargewire.ErrInvalidArgument), true)
	ok(t, manager.Shutdown(patient(t)))
	equal(t, "logged: "+logged.String(), strings.Contains(logged.String(), "info: "), true)
}

func TestShutdown(t *testing.T) {
	server := newCSMS(t, "--echo")
	manager := newManager(t, chargewire.WithSendQueueMessages(1000))
	for i := 0; i < 10; i++ {
		station, err := manager.ConnectStation(patient(t), fmt.Sprint("CP", i), server.url)
		ok(t, err)
		for j := 0; j < 100; j++ {
			ok(t, station.SendTagged([]byte("x"), chargewire.SendReport, uint64(j)))
		}
	}
	ended := make(chan error)
	go func() { ended <- manager.Shutdown(patient(t)) }()
	sent, closed := 0, 0
	for event := range manager.Events() {
		switch event.Type {
		case chargewire.EventSent:
			sent++
			ok(t, event.Err())
		case chargewire.EventClosed:
			closed++
		}
	}
	ok(t, <-ended)
	equal(t, "sent", sent, 1000)
	equal(t, "closed", closed, 10)

	// Nobody reads: the context ends the waiting, and Close the manager.
	manager = newManager(t, chargewire.WithEventBuffer(1), chargewire.WithEventQueueMax(1))
	manager.Events()
	_, err := manager.Connect("CP1", server.url)
	ok(t, err)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	equal(t, "canceled", errors.Is(manager.Shutdown(canceled), context.Canceled), true)
	ok(t, manager.Close())
}

// What C refuses is not to be found out by a crash: everything at once, from many goroutines, while it ends.
func TestEverythingWhileItEnds(t *testing.T) {
	server := newCSMS(t, "--echo")
	for round := 0; round < 5; round++ {
		manager := newManager(t)
		var busy sync.WaitGroup
		for i := 0; i < 8; i++ {
			id := fmt.Sprint("CP", i)
			busy.Add(1)
			go func() {
				defer busy.Done()
				for {
					station, err := manager.Connect(id, server.url)
					if err != nil {
						return
					}
					_ = station.Send([]byte("hello"))
					_, _ = station.Stats()
					_ = manager.SendMessage(id, []byte("hello"))
					manager.Station(id)
					manager.GetAllConnectionStats()
					_ = station.WaitConnected(patient(t))
					chargewire.SendMany([]chargewire.Outgoing{{Station: station, Message: []byte("hello")}})
					_ = station.DisconnectAndWait(patient(t), 0, "")
				}
			}()
		}
		for seen := 0; seen < 20; seen++ {
			next(t, manager, chargewire.EventConnected)
		}
		ok(t, manager.Close())
		busy.Wait()
	}
}

func TestMessagesMayBeKept(t *testing.T) {
	server := newCSMS(t, "--echo")
	manager := newManager(t, chargewire.WithSendQueueMessages(10000), chargewire.WithSendQueueBytes(64<<20))
	station, err := manager.ConnectStation(patient(t), "CP1", server.url)
	ok(t, err)
	sizes := []int{0, 1, 100, 40000, 7, 200000, 3}
	for i := 0; i < 10*len(sizes); i++ {
		ok(t, station.Send([]byte(strings.Repeat(string(rune('a'+i%26)), sizes[i%len(sizes)]))))
	}
	var kept []chargewire.Event
	for len(kept) < 10*len(sizes) {
		kept = append(kept, next(t, manager, chargewire.EventMessage))
	}
	for i := range kept {
		equal(t, "message", kept[i].Text() == strings.Repeat(string(rune('a'+i%26)), sizes[i%len(sizes)]), true)
		kept[i].Data = append(kept[i].Data, "more"...) // which is nobody else's
	}
}
