// A fleet: 1,000 stations that boot and send Heartbeats, with statistics each second and of all at the end.
//
//	fleet [URL [STATIONS [SECONDS]]]        default ws://localhost:9000, 1000 stations, 10 seconds
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	chargewire "github.com/chargewire/chargewire/bindings/go"
)

const boot = `[2,"boot","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]`

func main() {
	url := "ws://localhost:9000"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	count, seconds := number(2, 1000), number(3, 10)

	manager, err := chargewire.NewManager(chargewire.WithDefaultURL(url), chargewire.WithPingInterval(time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	var answers int64
	closed := make(chan int)
	go func() { closed <- read(manager.Events(), &answers) }()

	// Connecting is asynchronous: this only says whom.
	for i := 1; i <= count; i++ {
		if _, err := manager.Connect(fmt.Sprintf("CP%05d", i), ""); err != nil {
			log.Fatal(err)
		}
	}
	for _, station := range manager.Stations() {
		if err := station.WaitConnected(context.Background()); err != nil {
			log.Print(err)
		}
	}
	for second := 1; second <= seconds; second++ {
		// One call to all that are connected. Each has an id of its own, here the second.
		beating, err := manager.BroadcastMessage([]byte(fmt.Sprintf(`[2,"%d","Heartbeat",{}]`, second)))
		if err != nil {
			log.Fatal(err)
		}
		time.Sleep(time.Second)
		fmt.Printf("%d s: %d of %d connected, %d Heartbeats, %d answers\n", second, manager.GetConnectedCount(), manager.GetTotalCount(), beating,
			atomic.LoadInt64(&answers))
	}
	report(manager)

	soon, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := manager.Shutdown(soon); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d of %d stations closed\n", <-closed, count)
}

// read returns how many stations ended.
func read(events <-chan chargewire.Event, answers *int64) (closed int) {
	for event := range events {
		switch event.Type {
		case chargewire.EventConnected:
			if !event.Reconnect() {
				if err := event.Station.Send([]byte(boot)); err != nil {
					log.Print(err) // gone again already: it will boot when it comes back
				}
			}
		case chargewire.EventMessage:
			atomic.AddInt64(answers, 1)
		case chargewire.EventError, chargewire.EventDisconnected:
			if event.Status != chargewire.StatusOK {
				log.Print(event.Text())
			}
		case chargewire.EventClosed:
			closed++
		}
	}
	return closed
}

func report(manager *chargewire.Manager) {
	var sent, received, attempts, failed uint64
	for _, stats := range manager.GetAllConnectionStats() {
		sent += stats.MessagesSent
		received += stats.MessagesReceived
		attempts += stats.ReconnectAttempts
		if stats.LastError != chargewire.StatusOK {
			failed++
		}
	}
	fmt.Printf("%d messages sent, %d received, %d reconnect attempts, %d stations had errors\n", sent, received, attempts, failed)
	endpoints, err := manager.Endpoints()
	if err != nil {
		log.Print(err)
	}
	for _, endpoint := range endpoints {
		fmt.Printf("%s: circuit breaker %s, %d handshakes at a time\n", endpoint.Name, endpoint.Breaker, endpoint.HandshakesLimit)
	}
}

func number(argument, otherwise int) int {
	if len(os.Args) <= argument {
		return otherwise
	}
	value, err := strconv.Atoi(os.Args[argument])
	if err != nil {
		log.Fatal(err)
	}
	return value
}
