package chargewire_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	chargewire "github.com/chargewire/chargewire/bindings/go"
)

func ExampleManager_Events() {
	manager, err := chargewire.NewManager(chargewire.WithDefaultURL("ws://localhost:9000"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := manager.Connect("CP001", ""); err != nil {
		log.Fatal(err)
	}
	for event := range manager.Events() {
		switch event.Type {
		case chargewire.EventConnected:
			if !event.Reconnect() {
				log.Print(event.Station.Send([]byte(`[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]`)))
			}
		case chargewire.EventMessage:
			fmt.Printf("%s: %s\n", event.StationID(), event.Data)
		case chargewire.EventError, chargewire.EventDisconnected:
			fmt.Println(event.Text())
		}
	}
}

func ExampleManager_ConnectStation() {
	manager, err := chargewire.NewManager()
	if err != nil {
		log.Fatal(err)
	}
	defer manager.Close()
	manager.OnMessageReceived = func(stationID string, message []byte) { fmt.Printf("%s: %s\n", stationID, message) }

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	station, err := manager.ConnectStation(ctx, "CP001", "wss://csms.example/ocpp",
		chargewire.WithSecurityProfile(chargewire.SecurityProfile2), chargewire.WithAuthPasswordFile("cp001.key"))
	var failure *chargewire.Failure
	switch {
	case errors.As(err, &failure) && failure.HTTPStatus == 401:
		log.Fatal("the password is not the one that the CSMS has: ", err)
	case err != nil:
		log.Fatal(err)
	}
	if err := station.SendAndWait(ctx, []byte(`[2,"1","Heartbeat",{}]`), 0); err != nil {
		log.Fatal(err)
	}
}

func ExampleStation_Send() {
	var station *chargewire.Station // of Connect
	err := station.Send([]byte(`[2,"1","Heartbeat",{}]`))
	switch {
	case errors.Is(err, chargewire.ErrQueueFull):
		// EventWritable follows when there is room.
	case errors.Is(err, chargewire.ErrNotEstablished):
		// It is not connected at the moment, and has no offline queue.
	case errors.Is(err, chargewire.ErrInvalidHandle):
		// It has ended.
	}
}
