package chargewire

// #include "native.h"
import "C"

import "unsafe"

// Outgoing is one message of SendMany.
type Outgoing struct {
	// Station is to whom.
	Station *Station
	// Message is what; text in UTF-8, unless Flags say otherwise.
	Message []byte
	// Flags say how it is sent.
	Flags SendFlags
	// Tag comes back in the message's EventSent. It must be below 1<<63.
	Tag uint64
	// Status is what came of it, as of Send: set by SendMany.
	Status Status
}

// SendMany sends many messages in one call, to one or many stations, in order, and returns how many were accepted; each message's
// Status says what came of it. For who answers a whole batch: it goes over to C once, and wakes each I/O thread once.
func SendMany(messages []Outgoing) int {
	if len(messages) == 0 {
		return 0
	}
	size := 0
	for i := range messages {
		size += len(messages[i].Message)
	}
	// C may not see memory of Go's that points to more of it: so all of it is written down in memory of C's, once.
	natives := (*C.cwire_outgoing)(C.malloc(C.size_t(len(messages))*C.sizeof_cwire_outgoing + C.size_t(size)))
	defer C.free(unsafe.Pointer(natives))
	rows := unsafe.Slice(natives, len(messages))
	bytes := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(natives), len(messages)*C.sizeof_cwire_outgoing)), size)
	for i := range messages {
		message := &messages[i]
		row := C.cwire_outgoing{size: C.sizeof_cwire_outgoing, data_size: C.size_t(len(message.Message)), tag: C.uint64_t(message.Tag), flags: C.uint32_t(message.Flags)}
		if message.Station != nil {
			row.station = message.Station.token()
		}
		if message.Tag >= ownTags {
			row.flags = ^C.uint32_t(0) // refused as any argument that is wrong
		}
		if n := copy(bytes, message.Message); n > 0 {
			row.data = unsafe.Pointer(&bytes[0])
			bytes = bytes[n:]
		}
		rows[i] = row
	}
	var accepted C.size_t
	C.cwire_station_send_many(natives, C.size_t(len(messages)), &accepted)
	for i := range messages {
		messages[i].Status = Status(rows[i].status)
	}
	return int(accepted)
}
