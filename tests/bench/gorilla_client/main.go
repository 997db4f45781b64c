// What raw_client does, by gorilla/websocket: a goroutine per station, which reads and writes, as its documentation shows.
// GOMAXPROCS is left as it is, so Go may use every core.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"measurement"
)

// Connections that are being made at the same time.
const dialsMax = 64

type station struct {
	connection *websocket.Conn
	sentAt     []time.Time
	sent       int
	answered   int
}

func (s *station) send(payload []byte) {
	s.sentAt[s.sent%len(s.sentAt)] = time.Now()
	s.sent++
	if err := s.connection.WriteMessage(websocket.TextMessage, payload); err != nil {
		measurement.Fail("write", err)
	}
}

// exchange runs until all messages of the station are answered.
func (s *station) exchange(payload []byte, messages int, latency *measurement.Histogram) {
	for s.sent < len(s.sentAt) && s.sent < messages {
		s.send(payload)
	}
	buffer := make([]byte, 64*1024)
	for s.answered < messages {
		_, reader, err := s.connection.NextReader()
		for err == nil {
			_, err = reader.Read(buffer)
		}
		if err != io.EOF {
			measurement.Fail("read", err)
		}
		latency.Record(uint64(time.Since(s.sentAt[s.answered%len(s.sentAt)])))
		s.answered++
		if s.sent < messages {
			s.send(payload)
		}
	}
}

func dialer(ca string) *websocket.Dialer {
	dialer := &websocket.Dialer{Subprotocols: []string{"ocpp1.6"}, HandshakeTimeout: time.Minute}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			measurement.Fail("--ca", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			measurement.Fail("--ca", fmt.Errorf("no certificate in %s", ca))
		}
		dialer.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return dialer
}

func connectAll(stations []*station, dialer *websocket.Dialer, base string) {
	slots := make(chan struct{}, dialsMax)
	var dials sync.WaitGroup
	for i, each := range stations {
		slots <- struct{}{}
		dials.Add(1)
		go func(i int, each *station) {
			defer dials.Done()
			connection, _, err := dialer.Dial(base+"/CP"+strconv.Itoa(i), http.Header{})
			if err != nil {
				measurement.Fail("connect", err)
			}
			each.connection = connection
			<-slots
		}(i, each)
	}
	dials.Wait()
}

func main() {
	arguments := measurement.Parse()
	stations := make([]*station, arguments.Stations)
	for i := range stations {
		stations[i] = &station{sentAt: make([]time.Time, arguments.InFlight)}
	}
	dialer := dialer(arguments.CA)
	run := measurement.Begin(arguments)
	connectAll(stations, dialer, arguments.URL)
	run.Connected()

	payload := arguments.Payload()
	latencies := make([]measurement.Histogram, len(stations))
	var exchanges sync.WaitGroup
	run.Exchanging()
	for i, each := range stations {
		exchanges.Add(1)
		go func(each *station, latency *measurement.Histogram) {
			defer exchanges.Done()
			each.exchange(payload, arguments.Messages, latency)
		}(each, &latencies[i])
	}
	exchanges.Wait()

	var latency measurement.Histogram
	for i := range latencies {
		latency.Add(&latencies[i])
	}
	run.Exchanged("gorilla", &latency)
}
