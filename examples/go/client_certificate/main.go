// TLS with a client certificate, OCPP's security profile 3: connects, exchanges one Heartbeat, closes. Whatever is wrong with a
// certificate, on either side, is told in one line.
//
//	client_certificate wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem
//
// The password of an encrypted key is taken from the environment variable KEY_PASSWORD.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	chargewire "github.com/chargewire/chargewire/bindings/go"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: client_certificate wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem")
		os.Exit(2)
	}
	if err := exchange(os.Args[1], os.Args[2],
		chargewire.WithSecurityProfile(chargewire.SecurityProfile3), // what contradicts it, ws:// for one, is refused
		chargewire.WithTLSCACert(os.Args[3]),
		chargewire.WithTLSClientCert(os.Args[4]),
		chargewire.WithTLSClientKey(os.Args[5]),
		chargewire.WithTLSClientKeyPassword(os.Getenv("KEY_PASSWORD")),
		chargewire.WithMaxReconnectAttempts(1)); err != nil { // so that what is wrong is told at once
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func exchange(url, id string, options ...chargewire.StationOption) error {
	manager, err := chargewire.NewManager()
	if err != nil {
		return err
	}
	defer manager.Close()
	soon, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// The files are read and checked at once: a mistake in them is told before anything is dialled.
	station, err := manager.ConnectStation(soon, id, url, options...)
	if err != nil {
		return err // says why the last attempt failed, if one did
	}
	if err := station.Send([]byte(`[2,"heartbeat-1","Heartbeat",{}]`)); err != nil {
		return err
	}
	for event := range manager.Events() {
		switch event.Type {
		case chargewire.EventConnected:
			fmt.Println("connected,", event.Text())
		case chargewire.EventMessage:
			fmt.Println(event.Text())
			return station.DisconnectAndWait(soon, 0, "")
		case chargewire.EventDisconnected:
			return event.Err()
		}
	}
	return errors.New("the events ended")
}
