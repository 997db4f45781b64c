#!/usr/bin/env python3
"""One station: connects, boots, prints what arrives, and comes back whenever the CSMS does. Ctrl-C closes it in order.

    one_station.py [URL [STATION_ID]]        # ws://localhost:9000 CP001
"""
import signal
import sys

from chargewire import ChargewireError, EventType, Manager

BOOT = '[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]'


def main(url="ws://localhost:9000", station_id="CP001"):
    with Manager() as manager:
        station = manager.connect(station_id, url)
        signal.signal(signal.SIGINT, lambda *_: manager.shutdown(drain=5))
        for event in manager.events():
            if event.type == EventType.CONNECTED and not event.reconnect:
                station.send(BOOT)
            elif event.type == EventType.MESSAGE:
                print(f"{event.station_id}: {event.text}", flush=True)
            elif event.type in (EventType.ERROR, EventType.DISCONNECTED):
                print(event.text, flush=True)  # names the station and says why, and what follows


try:
    main(*sys.argv[1:3])
except ChargewireError as failed:
    sys.exit(str(failed))
