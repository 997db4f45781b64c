// Package chargewire keeps fleets of EV charging stations connected to their CSMS over OCPP-J WebSockets. One process holds
// thousands of stations; the transport rules of OCPP 1.6, 2.0.1 and 2.1 are kept, a lost connection comes back by itself, and
// no message is lost silently.
//
// A Manager is a fleet. Its stations connect by Manager.Connect, which returns at once, or Manager.ConnectStation, which waits
// until the station is connected. What happens arrives on the channel of Manager.Events, or in the manager's callbacks:
//
//	manager, err := chargewire.NewManager()
//	if err != nil {
//		log.Fatal(err)
//	}
//	if _, err := manager.Connect("CP001", "ws://localhost:9000"); err != nil {
//		log.Fatal(err)
//	}
//	for event := range manager.Events() {
//		switch event.Type {
//		case chargewire.EventConnected:
//			...
//		}
//	}
//
// # Goroutines
//
// All functions may be called from any goroutine, at any time, also while an event is handled. One goroutine of the manager takes
// the library's events, batch by batch, and one more calls the callbacks, if there are any: no thread of the library ever runs Go
// code. Events of one station arrive in order; between stations there is no order.
//
// Who reads events slowly slows the sockets down: when the channel and the library's queue (WithEventQueueMax) are full, reading
// from the sockets pauses until there is room. Nothing is dropped, and nothing grows.
//
// # Errors
//
// Each Status but StatusOK is an error, and errors.Is finds it in whatever a function returns: errors.Is(err, chargewire.ErrQueueFull).
// The *Error around it says what happened, to which station, why, and what to do. Why a connection failed is in a *Failure, which
// errors.As finds there, with the phase, errno, HTTP status, close code, and the security event that OCPP wants to be told.
package chargewire
