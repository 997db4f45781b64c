#!/usr/bin/env python3
"""Lesson 6: ctypes. A station from Python, with nothing installed but the library.

    06_ctypes.py [URL [STATION_ID]]        # ws://localhost:9000 CP001

Python polls, so no foreign thread ever enters it: the library's descriptor stands in a selector, as a socket would.
Connects, boots, sends a Heartbeat every five seconds and prints what arrives. Ctrl-C ends it.
"""
import ctypes
import json
import selectors
import signal
import sys
import time

CONNECTED, MESSAGE, STATE, CLOSED = 1, 2, 7, 8  # CWIRE_EVENT_*
RECONNECT = 4  # CWIRE_FLAG_RECONNECT
OK = 0


class Error(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("status", ctypes.c_int32), ("flags", ctypes.c_uint32),
                ("message", ctypes.c_char * 240)]


class Event(ctypes.Structure):  # its size never changes, so arrays of it may be indexed
    _fields_ = [("size", ctypes.c_size_t), ("type", ctypes.c_int32), ("status", ctypes.c_int32),
                ("station", ctypes.c_void_p), ("user_data", ctypes.c_size_t), ("station_id", ctypes.c_char_p),
                ("data", ctypes.c_void_p), ("data_size", ctypes.c_size_t), ("tag", ctypes.c_uint64),
                ("time_ns", ctypes.c_int64), ("code", ctypes.c_int32), ("flags", ctypes.c_uint32),
                ("reserved", ctypes.c_uint64 * 6)]


def load():
    try:
        library = ctypes.CDLL("libchargewire.so.0")
    except OSError as error:
        sys.exit(f"{error}\nInstall the library, or name its folder in LD_LIBRARY_PATH.")
    # Without these, ctypes would cut pointers down to 32 bits.
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    out = ctypes.POINTER(ctypes.c_void_p)
    library.cwire_manager_new.argtypes = [pointer, pointer, size, out, ctypes.POINTER(Error)]
    library.cwire_manager_poll.argtypes = [pointer, ctypes.c_int32, size, ctypes.POINTER(ctypes.POINTER(Event)),
                                           ctypes.POINTER(size)]
    library.cwire_manager_event_fd.argtypes = [pointer]
    library.cwire_manager_event_fd.restype = ctypes.c_ssize_t
    library.cwire_manager_connect.argtypes = [pointer, text, text, pointer, size, out, ctypes.POINTER(Error)]
    library.cwire_manager_free.argtypes = [pointer]
    library.cwire_station_send.argtypes = [pointer, text, size, ctypes.c_uint32, ctypes.c_uint64]
    library.cwire_station_disconnect.argtypes = [pointer, ctypes.c_uint16, text]
    library.cwire_status_name.argtypes = [ctypes.c_int32]
    library.cwire_status_name.restype = text
    return library


cwire = load()


def check(status, error):
    if status != OK:
        sys.exit(error.message.decode() or cwire.cwire_status_name(status).decode())


def call(station, action, payload):
    frame = json.dumps([2, f"{action}-{time.time_ns()}", action, payload]).encode()
    status = cwire.cwire_station_send(station, frame, len(frame), 0, 0)
    if status != OK:
        print(f"{action} was not sent: {cwire.cwire_status_name(status).decode()}", file=sys.stderr)


def take_events(manager):
    """What waits, without waiting. Each event is to be used before the next is asked for: its memory is lent."""
    events, count = ctypes.POINTER(Event)(), ctypes.c_size_t()
    while cwire.cwire_manager_poll(manager, 0, 64, ctypes.byref(events), ctypes.byref(count)) == OK:
        yield from events[:count.value]


def main():
    url = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:9000"
    station_id = sys.argv[2] if len(sys.argv) > 2 else "CP001"
    error, manager, station = Error(ctypes.sizeof(Error)), ctypes.c_void_p(), ctypes.c_void_p()
    check(cwire.cwire_manager_new(None, None, 0, ctypes.byref(manager), ctypes.byref(error)), error)
    check(cwire.cwire_manager_connect(manager, station_id.encode(), url.encode(), None, 0, ctypes.byref(station),
                                      ctypes.byref(error)), error)
    selector = selectors.DefaultSelector()
    selector.register(cwire.cwire_manager_event_fd(manager), selectors.EVENT_READ)

    # Python runs its signal handlers between two of its own instructions, so a library call may stand in one.
    signal.signal(signal.SIGINT, lambda *_: cwire.cwire_station_disconnect(station, 0, b"the example ends"))

    closed, heartbeat_at = False, None
    while not closed:
        selector.select(timeout=1)
        for event in take_events(manager):
            closed = closed or event.type == CLOSED
            if event.data_size > 0 and event.type not in (STATE, CLOSED):
                print(ctypes.string_at(event.data, event.data_size).decode(), flush=True)
            if event.type == CONNECTED and not event.flags & RECONNECT:  # a station boots once
                call(station, "BootNotification", {"chargePointVendor": "Chargewire", "chargePointModel": "Example"})
                heartbeat_at = time.monotonic() + 5
        if not closed and heartbeat_at and time.monotonic() >= heartbeat_at:
            call(station, "Heartbeat", {})
            heartbeat_at += 5
    cwire.cwire_manager_free(manager)


main()
