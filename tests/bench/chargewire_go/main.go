// What gorilla_client does, by Chargewire's package for Go: one goroutine reads the events of all stations and answers.
//
// Both use as many cores as they are given: --io-threads N is 0 by default, which is one per core. --callbacks: by the callbacks of the
// manager, and not by its channel.
package main

import (
	"flag"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"measurement"

	"github.com/chargewire/chargewire/bindings/go"
)

// station is touched by whoever takes the events only, once the exchange has begun.
type station struct {
	*chargewire.Station
	sentAt         []time.Time
	sent, answered int
}

type client struct {
	arguments measurement.Arguments
	payload   []byte
	stations  map[*chargewire.Station]*station
	latency   measurement.Histogram
	connected int32
	answers   int
	all       chan struct{} // given when all are connected, and when all is answered
}

func check(what string, err error) {
	if err != nil {
		measurement.Fail(what, err)
	}
}

func (c *client) send(s *station, now time.Time) {
	s.sentAt[s.sent%len(s.sentAt)] = now
	s.sent++
	check("send", s.Send(c.payload))
}

func (c *client) take(event chargewire.Event) {
	switch event.Type {
	case chargewire.EventMessage:
		s := c.stations[event.Station]
		now := time.Now()
		c.latency.Record(uint64(now.Sub(s.sentAt[s.answered%len(s.sentAt)])))
		s.answered++
		if s.sent < c.arguments.Messages {
			c.send(s, now)
		}
		if c.answers++; c.answers == c.arguments.Stations*c.arguments.Messages {
			c.all <- struct{}{}
		}
	case chargewire.EventConnected:
		if int(atomic.AddInt32(&c.connected, 1)) == c.arguments.Stations {
			c.all <- struct{}{}
		}
	case chargewire.EventError, chargewire.EventDisconnected:
		measurement.Fail("lost", event.Err())
	}
}

func main() {
	ioThreads := flag.Int("io-threads", 0, "")
	callbacks := flag.Bool("callbacks", false, "")
	arguments := measurement.Parse()
	c := client{arguments: arguments, payload: arguments.Payload(), all: make(chan struct{}), stations: make(map[*chargewire.Station]*station)}
	run := measurement.Begin(arguments)

	options := []chargewire.ManagerOption{chargewire.WithIOThreads(*ioThreads), chargewire.WithSendQueueMessages(arguments.InFlight + 1),
		chargewire.WithSendQueueBytes(int64((arguments.InFlight+1)*(arguments.Size+1) + 65536))}
	if arguments.CA != "" {
		options = append(options, chargewire.WithTLSCACert(arguments.CA))
	}
	manager, err := chargewire.NewManager(options...)
	check("manager", err)
	if *callbacks {
		manager.OnEvent = c.take
	} else {
		go func() {
			for event := range manager.Events() {
				c.take(event)
			}
		}()
	}
	for i := 0; i < arguments.Stations; i++ {
		connected, err := manager.Connect("CP"+strconv.Itoa(i), arguments.URL)
		check("connect", err)
		c.stations[connected] = &station{Station: connected, sentAt: make([]time.Time, arguments.InFlight)}
	}
	<-c.all
	run.Connected()
	if arguments.Messages > 0 {
		// All times are noted before the first send: from then on who takes the answers notes them.
		burst := arguments.InFlight
		if burst > arguments.Messages {
			burst = arguments.Messages
		}
		for _, s := range c.stations {
			for s.sent = 0; s.sent < burst; s.sent++ {
				s.sentAt[s.sent] = time.Now()
			}
		}
		run.Exchanging()
		for _, s := range c.stations {
			for i := 0; i < burst; i++ {
				check("send", s.Send(c.payload))
			}
		}
		<-c.all
	}
	run.Exchanged("chargewire_go", &c.latency)
	os.Exit(0) // closing is not measured, so nothing is taken down
}
