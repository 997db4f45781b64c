// What raw_client does, by gorilla/websocket: a goroutine per station, which reads and writes, as its documentation shows.
// GOMAXPROCS is left as it is, so Go may use every core.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/bits"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// Connections that are being made at the same time.
const dialsMax = 64

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "gorilla_client: %s: %v\n", what, err)
	os.Exit(1)
}

// histogram counts nanoseconds in buckets, of which each power of two has 64.
type histogram struct {
	counts [64 * 64]uint64
	total  uint64
	max    uint64
}

func (h *histogram) record(ns uint64) {
	index := ns
	if ns >= 64 {
		shift := bits.Len64(ns) - 7
		index = uint64(shift+1)*64 + ns>>shift - 64
	}
	h.counts[index]++
	h.total++
	if ns > h.max {
		h.max = ns
	}
}

func (h *histogram) add(other *histogram) {
	for i, count := range other.counts {
		h.counts[i] += count
	}
	h.total += other.total
	if other.max > h.max {
		h.max = other.max
	}
}

// percentile is the upper end of the bucket that holds it.
func (h *histogram) percentile(p float64) uint64 {
	wanted := uint64(p / 100 * float64(h.total))
	var seen uint64
	for index, count := range h.counts {
		seen += count
		if count == 0 || seen < wanted {
			continue
		}
		if index < 64 {
			return uint64(index)
		}
		shift := index/64 - 1
		end := (uint64(index%64)+65)<<shift - 1
		if end > h.max {
			return h.max
		}
		return end
	}
	return h.max
}

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
		fail("write", err)
	}
}

// exchange runs until all messages of the station are answered.
func (s *station) exchange(payload []byte, messages int, latency *histogram) {
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
			fail("read", err)
		}
		latency.record(uint64(time.Since(s.sentAt[s.answered%len(s.sentAt)])))
		s.answered++
		if s.sent < messages {
			s.send(payload)
		}
	}
}

func residentBytes() float64 {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		fail("memory", err)
	}
	var total, resident float64
	if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
		fail("memory", err)
	}
	return resident * float64(os.Getpagesize())
}

func cpuMicroseconds() (user, system float64) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail("getrusage", err)
	}
	return float64(usage.Utime.Nano()) / 1e3, float64(usage.Stime.Nano()) / 1e3
}

func raiseDescriptorLimit() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fail("getrlimit", err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fail("setrlimit", err)
	}
}

func dialer(ca string) *websocket.Dialer {
	dialer := &websocket.Dialer{Subprotocols: []string{"ocpp1.6"}, HandshakeTimeout: time.Minute}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			fail("--ca", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			fail("--ca", fmt.Errorf("no certificate in %s", ca))
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
				fail("connect", err)
			}
			each.connection = connection
			<-slots
		}(i, each)
	}
	dials.Wait()
}

func main() {
	base := flag.String("url", "", "ws[s]://HOST:PORT/PATH")
	count := flag.Int("stations", 1, "")
	inFlight := flag.Int("in-flight", 1, "messages on their way at any time, per station")
	messages := flag.Int("messages", 0, "round trips per station; 0: connect and measure memory only")
	size := flag.Int("size", 200, "bytes of payload")
	ca := flag.String("ca", "", "certificates to trust")
	flag.Parse()
	target, err := url.Parse(*base)
	if err != nil || target.Host == "" || *count < 1 || *inFlight < 1 {
		fail("usage", fmt.Errorf("--url is needed, and --stations and --in-flight must be at least 1"))
	}
	raiseDescriptorLimit()

	stations := make([]*station, *count)
	for i := range stations {
		stations[i] = &station{sentAt: make([]time.Time, *inFlight)}
	}
	dialer := dialer(*ca)
	residentBefore := residentBytes()
	userBefore, systemBefore := cpuMicroseconds()
	dialing := time.Now()
	connectAll(stations, dialer, *base)
	dialed := time.Since(dialing).Seconds()
	user, system := cpuMicroseconds()
	cpuPerConnect := (user - userBefore + system - systemBefore) / float64(*count)
	resident := (residentBytes() - residentBefore) / float64(*count)

	payload := make([]byte, *size)
	for i := range payload {
		payload[i] = 'x'
	}
	latencies := make([]histogram, len(stations))
	var exchanges sync.WaitGroup
	userBefore, systemBefore = cpuMicroseconds()
	exchanging := time.Now()
	for i, each := range stations {
		exchanges.Add(1)
		go func(each *station, latency *histogram) {
			defer exchanges.Done()
			each.exchange(payload, *messages, latency)
		}(each, &latencies[i])
	}
	exchanges.Wait()
	seconds := time.Since(exchanging).Seconds()
	user, system = cpuMicroseconds()

	var latency histogram
	for i := range latencies {
		latency.add(&latencies[i])
	}
	trips := *count * *messages
	perTrip := func(us float64) float64 {
		if trips == 0 {
			return 0
		}
		return us / float64(trips)
	}
	us := func(p float64) float64 { return float64(latency.percentile(p)) / 1e3 }
	if err := json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"client": "gorilla", "stations": *count, "in_flight": *inFlight, "size": *size, "tls": target.Scheme == "wss",
		"round_trips": trips, "seconds": seconds,
		"cpu_user_us_per_trip": perTrip(user - userBefore), "cpu_sys_us_per_trip": perTrip(system - systemBefore),
		"rss_per_connection_bytes": resident, "connects_per_second": float64(*count) / dialed,
		"cpu_us_per_connect": cpuPerConnect,
		"latency_us": map[string]float64{
			"p50": us(50), "p90": us(90), "p99": us(99), "p99.9": us(99.9), "max": float64(latency.max) / 1e3,
		},
	}); err != nil {
		fail("print", err)
	}
}
