// Package measurement is what the clients in Go take, measure and print, as measurement.h is for those in C++.
package measurement

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/bits"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"
)

// Fail ends the program.
func Fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %s: %v\n", filepath.Base(os.Args[0]), what, err)
	os.Exit(1)
}

// Arguments of every client.
type Arguments struct {
	URL      string // to which a client appends /CP and the number of the station
	TLS      bool
	Stations int
	InFlight int // messages on their way at any time, per station
	Messages int // round trips per station; 0: connect and measure memory only
	Size     int // bytes of payload
	CA       string
}

// Parse reads the command line; flags of a client's own are defined before.
func Parse() Arguments {
	var a Arguments
	flag.StringVar(&a.URL, "url", "", "ws[s]://HOST:PORT/PATH")
	flag.IntVar(&a.Stations, "stations", 1, "")
	flag.IntVar(&a.InFlight, "in-flight", 1, "messages on their way at any time, per station")
	flag.IntVar(&a.Messages, "messages", 0, "round trips per station; 0: connect and measure memory only")
	flag.IntVar(&a.Size, "size", 200, "bytes of payload")
	flag.StringVar(&a.CA, "ca", "", "certificates to trust")
	flag.Parse()
	target, err := url.Parse(a.URL)
	if err != nil || target.Host == "" || a.Stations < 1 || a.InFlight < 1 {
		Fail("usage", fmt.Errorf("--url is needed, and --stations and --in-flight must be at least 1"))
	}
	a.TLS = target.Scheme == "wss"
	raiseDescriptorLimit()
	return a
}

// Payload of each message.
func (a Arguments) Payload() []byte {
	payload := make([]byte, a.Size)
	for i := range payload {
		payload[i] = 'x'
	}
	return payload
}

// Histogram counts nanoseconds in buckets, of which each power of two has 64.
type Histogram struct {
	counts [64 * 64]uint64
	total  uint64
	max    uint64
}

// Record counts one.
func (h *Histogram) Record(ns uint64) {
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

// Add counts what another has.
func (h *Histogram) Add(other *Histogram) {
	for i, count := range other.counts {
		h.counts[i] += count
	}
	h.total += other.total
	if other.max > h.max {
		h.max = other.max
	}
}

// percentile is the upper end of the bucket that holds it.
func (h *Histogram) percentile(p float64) uint64 {
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

func residentBytes() float64 {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		Fail("memory", err)
	}
	var total, resident float64
	if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
		Fail("memory", err)
	}
	return resident * float64(os.Getpagesize())
}
func cpuMicroseconds() (user, system float64) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		Fail("getrusage", err)
	}
	return float64(usage.Utime.Nano()) / 1e3, float64(usage.Stime.Nano()) / 1e3
}
func raiseDescriptorLimit() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		Fail("getrlimit", err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		Fail("setrlimit", err)
	}
}

type usage struct {
	at           time.Time
	user, system float64
}

func usageNow() usage {
	user, system := cpuMicroseconds()
	return usage{time.Now(), user, system}
}

// Run goes from dialling to the last answer.
type Run struct {
	arguments Arguments
	before    usage
	resident  float64
	result    map[string]interface{}
}

// Begin is before the first station is dialled.
func Begin(a Arguments) *Run {
	resident := residentBytes()
	return &Run{arguments: a, before: usageNow(), resident: resident}
}

// Connected is when the last station is.
func (r *Run) Connected() {
	now := usageNow()
	stations := float64(r.arguments.Stations)
	r.result = map[string]interface{}{
		"stations": r.arguments.Stations, "in_flight": r.arguments.InFlight, "size": r.arguments.Size, "tls": r.arguments.TLS,
		"connects_per_second":      stations / now.at.Sub(r.before.at).Seconds(),
		"cpu_us_per_connect":       (now.user - r.before.user + now.system - r.before.system) / stations,
		"rss_per_connection_bytes": (residentBytes() - r.resident) / stations,
	}
	r.before = usageNow()
}

// Exchanging is before the first message is sent.
func (r *Run) Exchanging() { r.before = usageNow() }

// Exchanged is when the last message is answered. It prints all that was measured.
func (r *Run) Exchanged(client string, latency *Histogram) {
	now := usageNow()
	trips := r.arguments.Stations * r.arguments.Messages
	perTrip := func(us float64) float64 {
		if trips == 0 {
			return 0
		}
		return us / float64(trips)
	}
	us := func(p float64) float64 { return float64(latency.percentile(p)) / 1e3 }
	r.result["client"] = client
	r.result["round_trips"] = trips
	r.result["seconds"] = now.at.Sub(r.before.at).Seconds()
	r.result["cpu_user_us_per_trip"] = perTrip(now.user - r.before.user)
	r.result["cpu_sys_us_per_trip"] = perTrip(now.system - r.before.system)
	r.result["latency_us"] = map[string]float64{
		"p50": us(50), "p90": us(90), "p99": us(99), "p99.9": us(99.9), "max": float64(latency.max) / 1e3,
	}
	if err := json.NewEncoder(os.Stdout).Encode(r.result); err != nil {
		Fail("print", err)
	}
}
