// One station: connects, says that it booted, prints what it receives, and comes back by itself when the CSMS goes away.
//
//	one_station [URL [STATION_ID]]        until Ctrl+C
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	chargewire "github.com/chargewire/chargewire/bindings/go"
)

const boot = `[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]`

func main() {
	url, id := "ws://localhost:9000", "CP001"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	if len(os.Args) > 2 {
		id = os.Args[2]
	}
	manager, err := chargewire.NewManager()
	if err != nil {
		log.Fatal(err)
	}
	station, err := manager.Connect(id, url)
	if err != nil {
		log.Fatal(err)
	}
	go shutDownOnSignal(manager)

	for event := range manager.Events() {
		switch event.Type {
		case chargewire.EventConnected:
			if !event.Reconnect() {
				if err := station.Send([]byte(boot)); err != nil {
					log.Print(err)
				}
			}
		case chargewire.EventMessage:
			fmt.Printf("%s: %s\n", event.StationID(), event.Data)
		case chargewire.EventError, chargewire.EventDisconnected, chargewire.EventClosed:
			fmt.Println(event.Text()) // names the station and says why, and what follows
		}
	}
}

// An orderly end: what is queued is sent, the connection closed, and then there are no more events.
func shutDownOnSignal(manager *chargewire.Manager) {
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	<-stop.Done()
	soon, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := manager.Shutdown(soon); err != nil {
		log.Print(err)
	}
}
