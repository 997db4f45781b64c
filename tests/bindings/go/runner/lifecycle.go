package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewire/chargewire/bindings/go"
)

// note is a noted event, and how it is told.
type note struct {
	chargewire.Event
	text string
}

// station is what is known of one, from its first event or its connect on.
type station struct {
	*chargewire.Station

	mu      sync.Mutex
	notes   []note // that no command has taken
	noted   *sync.Cond
	goodbye string // a message on which to disconnect, while its event is handled
	said    chan string
	heard   chan struct{} // given for a noted event, to whoever waits for the next
}

func (s *station) next() note {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.notes) == 0 {
		s.noted.Wait()
	}
	first := s.notes[0]
	s.notes = s.notes[1:]
	return first
}

func (s *station) take(event chargewire.Event, text string) {
	s.mu.Lock()
	goodbye := event.Type == chargewire.EventMessage && s.goodbye != "" && event.Text() == s.goodbye
	if goodbye {
		s.goodbye = ""
	}
	s.mu.Unlock()
	if goodbye {
		s.said <- outcome(event.Station.Disconnect(0, ""))
	}
	s.mu.Lock()
	s.notes = append(s.notes, note{event, text})
	s.mu.Unlock()
	s.noted.Signal()
	select {
	case s.heard <- struct{}{}:
	default:
	}
}

type lifecycle struct {
	callbacks bool
	manager   *chargewire.Manager
	last      chan chargewire.EventType // the type of the last event, when there are no more

	mu       sync.Mutex
	stations map[string]*station
}

func (l *lifecycle) station(id string) *station {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.stations[id]
	if known == nil {
		known = &station{said: make(chan string, 1), heard: make(chan struct{}, 1)}
		known.noted = sync.NewCond(&known.mu)
		l.stations[id] = known
	}
	return known
}

func (l *lifecycle) carryOut(words []string) string {
	switch words[0] {
	case "manager":
		return outcome(l.start(words[1:]))
	case "connect":
		connected, err := l.manager.Connect(words[1], words[2], stationOptions(words[3:])...)
		if err == nil {
			l.station(words[1]).Station = connected
		}
		return outcome(err)
	case "shutdown":
		return l.shutdown(number(words[1]), words[2:])
	case "free":
		return outcome(l.manager.Close())
	case "cycles":
		return cycles(number(words[1]), words[2])
	}

	s := l.station(words[1])
	switch words[0] {
	case "wait":
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(number(words[2]))*time.Millisecond)
		defer cancel()
		return outcome(s.WaitConnected(ctx))
	case "state":
		state, err := s.State()
		if err != nil {
			return outcome(err)
		}
		return state.String()
	case "stats":
		return statistics(s)
	case "events":
		texts := make([]string, number(words[2]))
		for i := range texts {
			texts[i] = s.next().text
		}
		return strings.Join(texts, " | ")
	case "until":
		for {
			if text := s.next().text; strings.Fields(text)[0] == words[2] {
				return text
			}
		}
	case "send":
		return outcome(send(s, words[2], number(words[3])))
	case "flood":
		return flood(s, number(words[2]))
	case "threads":
		return threads(s, number(words[2]), number(words[3]))
	case "disconnect":
		return outcome(s.Disconnect(number(words[2]), words[3]))
	case "disconnect_inside":
		s.mu.Lock()
		s.goodbye = words[2]
		s.mu.Unlock()
		if err := s.Send([]byte(words[2])); err != nil {
			return outcome(err)
		}
		return <-s.said
	case "fill":
		big := make([]byte, number(words[2]))
		for {
			if err := s.Send(big); err != nil {
				return outcome(err)
			}
		}
	case "stale":
		_, noState := s.State()
		_, noStats := s.Stats()
		return fmt.Sprintf("send %s, state %s, stats %s, disconnect %s",
			outcome(s.Send([]byte("x"))), outcome(noState), outcome(noStats), outcome(s.Disconnect(0, "")))
	}
	return "unknown command"
}

func (l *lifecycle) start(pairs []string) error {
	var options []chargewire.ManagerOption
	for _, option := range stationOptions(pairs) {
		options = append(options, option)
	}
	manager, err := chargewire.NewManager(options...)
	if err != nil {
		return err
	}
	l.manager = manager
	l.last = make(chan chargewire.EventType, 1)
	var last chargewire.EventType
	take := func(event chargewire.Event) {
		last = event.Type
		if text := told(&event); text != "" {
			l.station(event.StationID()).take(event, text)
		}
	}
	if l.callbacks {
		manager.OnEvent = take
		go func() {
			<-manager.Done()
			l.last <- last
		}()
		return nil
	}
	go func() {
		for event := range manager.Events() {
			take(event)
		}
		l.last <- last
	}()
	return nil
}

func stationOptions(pairs []string) []chargewire.StationOption {
	var options []chargewire.StationOption
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		options = append(options, chargewire.WithOption(key, value))
	}
	return options
}

func number(word string) int {
	value, err := strconv.Atoi(word)
	if err != nil {
		panic(err)
	}
	return value
}

func send(s *station, text string, tag int) error {
	if tag == 0 {
		return s.Send([]byte(text))
	}
	return s.SendTagged([]byte(text), chargewire.SendReport, uint64(tag))
}

func statistics(s *station) string {
	stats, err := s.Stats()
	if err != nil {
		return outcome(err)
	}
	return fmt.Sprintf("%s, %d connections, %d more attempts, %d sent, %d received, %d bytes received, %d not sent, last error %s", stats.State,
		stats.Connections, stats.ReconnectAttempts, stats.MessagesSent, stats.MessagesReceived, stats.BytesReceived, stats.MessagesNotSent,
		stats.LastError.Name())
}

func flood(s *station, count int) string {
	for i := 1; i <= count; i++ {
		if err := send(s, strconv.Itoa(i), i); err != nil {
			return outcome(err)
		}
	}
	var sent, sentInOrder, received, receivedInOrder int
	for sent < count || received < count {
		event := s.next()
		switch event.Type {
		case chargewire.EventSent:
			sent++
			if event.Status == chargewire.StatusOK && event.Tag == uint64(sent) {
				sentInOrder++
			}
		case chargewire.EventMessage:
			received++
			if event.Text() == strconv.Itoa(received) {
				receivedInOrder++
			}
		default:
			return event.text
		}
	}
	return fmt.Sprintf("%d sent in order, %d received in order", sentInOrder, receivedInOrder)
}

func threads(s *station, count, messages int) string {
	var accepted int32
	var senders sync.WaitGroup
	for thread := 0; thread < count; thread++ {
		thread := thread
		senders.Add(1)
		go func() {
			defer senders.Done()
			for i := 1; i <= messages; i++ {
				if s.Send([]byte(fmt.Sprintf("%d:%d", thread, i))) == nil {
					atomic.AddInt32(&accepted, 1)
				}
			}
		}()
	}
	senders.Wait()
	last := make([]int, count)
	received, inOrder := 0, 0
	for received < int(accepted) {
		event := s.next()
		if event.Type != chargewire.EventMessage {
			return event.text
		}
		received++
		thread, message, _ := strings.Cut(event.Text(), ":")
		if last[number(thread)]++; last[number(thread)] == number(message) {
			inOrder++
		}
	}
	return fmt.Sprintf("%d accepted, %d received, %d in the order of their thread", accepted, received, inOrder)
}

func (l *lifecycle) shutdown(drainMilliseconds int, ids []string) string {
	var warm, loads sync.WaitGroup
	var accepted int64
	for _, id := range ids {
		s := l.station(id)
		warm.Add(1)
		loads.Add(1)
		go func() {
			defer loads.Done()
			atomic.AddInt64(&accepted, int64(load(s, warm.Done)))
		}()
	}
	warm.Wait()
	// The stations get nine tenths of it.
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(drainMilliseconds)*time.Millisecond*10/9)
	defer cancel()
	if err := l.manager.Shutdown(ctx); err != nil {
		return outcome(err)
	}
	last := <-l.last
	loads.Wait()
	sent, closed := 0, 0
	for _, id := range ids {
		notes, ends := l.station(id).notes, 0
		for _, event := range notes {
			switch event.Type {
			case chargewire.EventSent:
				sent++
			case chargewire.EventClosed:
				ends++
			}
		}
		if ends == 1 && notes[len(notes)-1].Type == chargewire.EventClosed {
			closed++
		}
	}
	return fmt.Sprintf("%d accepted, %d sent or told why not, %d closed, SHUTDOWN %s", accepted, sent, closed,
		map[bool]string{true: "last", false: "not last"}[last == chargewire.EventShutdown])
}

// load sends without pause until its station's turn in the shutdown has come, and returns how many were accepted.
func load(s *station, warm func()) int {
	for accepted := 0; ; {
		select {
		case <-s.heard: // of before
		default:
		}
		err := s.SendTagged([]byte("load"), chargewire.SendReport, uint64(accepted+1))
		switch {
		case err == nil:
			if accepted++; accepted == 1000 {
				warm()
			}
		case errors.Is(err, chargewire.ErrQueueFull):
			<-s.heard
		default:
			return accepted
		}
	}
}

func cycles(count int, url string) string {
	for i := 0; i < count; i++ {
		if err := cycle(url); err != nil {
			return outcome(err)
		}
	}
	debug.FreeOSMemory()
	return "ok"
}

func cycle(url string) error {
	manager, err := chargewire.NewManager(chargewire.WithIOThreads(1))
	if err != nil {
		return err
	}
	defer manager.Close()
	connected, err := manager.ConnectStation(context.Background(), "CP001", url)
	if err != nil {
		return err
	}
	return connected.Send([]byte("hello"))
}
