#!/usr/bin/env python3
"""A fleet of 1,000 stations in one event loop: they boot and send Heartbeats, with statistics each second and of all at the end.

    fleet.py [URL [STATIONS [SECONDS]]]      # ws://localhost:9000 1000 10
"""
import asyncio
import sys
from collections import Counter
from datetime import timedelta

from chargewire import ChargewireError, Config, EventType, InvalidHandleError, Manager, NotEstablishedError, Status

BOOT = '[2,"boot","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]'


async def take_events(manager, seen):
    """Counts them, and tells what goes wrong."""
    async for event in manager.events():
        seen[event.type] += 1
        if event.type == EventType.CONNECTED and not event.reconnect:
            try:
                event.station.send(BOOT)
            except (NotEstablishedError, InvalidHandleError):
                pass  # gone again already: it will boot when it comes back, or has ended
        elif event.type in (EventType.ERROR, EventType.DISCONNECTED) and event.status != Status.OK or event.type == EventType.ENDPOINT:
            print(event.text, flush=True)


async def main(url="ws://localhost:9000", stations="1000", seconds="10"):
    seen = Counter()
    async with Manager(Config(default_url=url, ping_interval=timedelta(minutes=1))) as manager:
        # Connecting is asynchronous: this only says whom.
        fleet = [manager.connect(f"CP{number:05}") for number in range(1, int(stations) + 1)]
        taking = asyncio.create_task(take_events(manager, seen))
        await asyncio.gather(*(station.connected(timeout=60) for station in fleet))
        for second in range(1, int(seconds) + 1):
            # One call to all that are connected; the payload is copied once.
            beating = manager.broadcast(f'[2,"{second}","Heartbeat",{{}}]')
            await asyncio.sleep(1)
            counts = manager.counts()
            print(f"{second} s: {counts.connected} of {counts.total} connected, {beating} Heartbeats, {seen[EventType.MESSAGE]} answers",
                  flush=True)

        all_stats = manager.all_stats()
        print(f"{sum(stats.messages_sent for stats in all_stats)} messages sent, "
              f"{sum(stats.messages_received for stats in all_stats)} received, "
              f"{sum(stats.reconnect_attempts for stats in all_stats)} reconnect attempts, "
              f"{sum(stats.last_error != Status.OK for stats in all_stats)} stations had errors")
        for endpoint in manager.endpoints():
            print(f"{endpoint.name}: {endpoint.handshakes_limit} handshakes at a time")
        manager.shutdown(drain=5)  # what is queued is sent; then the events end
        await taking


try:
    asyncio.run(main(*sys.argv[1:4]))
except ChargewireError as failed:
    sys.exit(str(failed))
