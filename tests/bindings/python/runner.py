"""The runner of Python: see ../README.md. usage: runner.py poll|asyncio"""
import asyncio
import gc
import sys
import threading
from collections import defaultdict, deque

from chargewire import ChargewireError, Config, EventType, Manager, QueueFullError, StateError, Status


def text_of(event):
    """None for what is not noted."""
    kind = event.type
    if kind == EventType.CONNECTED:
        return f"CONNECTED {event.text}{' reconnect' if event.reconnect else ''}"
    if kind == EventType.MESSAGE:
        return f"MESSAGE {event.text}"
    if kind == EventType.SENT:
        return f"SENT {event.tag} {event.status}"
    if kind == EventType.WRITABLE:
        return "WRITABLE"
    if kind == EventType.DISCONNECTED:
        flags = (" remote" if event.remote else "") + (" will_retry" if event.will_retry else "")
        return f"DISCONNECTED {event.status} {event.code}{flags}"
    if kind == EventType.ERROR:
        return f"ERROR {event.status} {event.failure.phase} {event.code}{' will_retry' if event.will_retry else ''}"
    if kind == EventType.CLOSED:
        return f"CLOSED {event.status} {event.code}"
    return None


def outcome(call, *arguments):
    try:
        call(*arguments)
        return "ok"
    except ChargewireError as error:
        return str(error.status)


def config_of(words):
    config = Config()
    for word in words:
        config.set(*word.split("=", 1))
    return config


class Arrived:
    """What has come of a station."""

    def __init__(self):
        self.events = deque()  # those that no command has taken
        self.seen = 0          # all so far
        self.goodbye = None    # a message on which to disconnect, while its event is handled
        self.goodbye_outcome = None


class Runner:
    """By `poll`, in batches on a thread."""

    def __init__(self):
        self.manager = None
        self.stations = {}
        self.arrived = defaultdict(Arrived)
        self.came = threading.Condition()
        self.last = None  # kind of event
        self.taker = None

    # ---- Events

    def take(self):
        try:
            while True:
                for event in self.manager.poll():
                    self.note(event)
        except StateError:
            pass  # all were taken

    def note(self, event):
        text = text_of(event)
        with self.came:
            self.last = event.type
            if text is not None:
                arrived = self.arrived[event.station_id]
                if event.type == EventType.MESSAGE and event.text == arrived.goodbye:
                    arrived.goodbye = None
                    arrived.goodbye_outcome = outcome(event.station.disconnect)
                arrived.events.append((event, text))
                arrived.seen += 1
            self.came.notify_all()

    def next(self, station_id):
        arrived = self.arrived[station_id]
        with self.came:
            self.came.wait_for(lambda: arrived.events)
            return arrived.events.popleft()

    # ---- Commands

    def answer(self, command, *words):
        try:
            return getattr(self, "do_" + command)(*words) or "ok"
        except ChargewireError as error:
            return str(error.status)

    def do_manager(self, *options):
        self.manager = Manager(config_of(options))
        self.taker = threading.Thread(target=self.take)
        self.taker.start()

    def do_connect(self, station_id, url, *options):
        self.stations[station_id] = self.manager.connect(station_id, url, config_of(options))

    def do_wait(self, station_id, milliseconds):
        self.stations[station_id].wait_connected(int(milliseconds) / 1000)

    def do_state(self, station_id):
        return str(self.stations[station_id].state)

    def do_stats(self, station_id):
        stats = self.stations[station_id].stats()
        return (f"{stats.state}, {stats.connections} connections, {stats.reconnect_attempts} more attempts, {stats.messages_sent} sent, "
                f"{stats.messages_received} received, {stats.bytes_received} bytes received, {stats.messages_not_sent} not sent, "
                f"last error {stats.last_error}")

    def do_events(self, station_id, count):
        return " | ".join(self.next(station_id)[1] for _ in range(int(count)))

    def do_until(self, station_id, kind):
        while True:
            event, text = self.next(station_id)
            if event.type == EventType[kind]:
                return text

    def do_send(self, station_id, text, tag):
        self.stations[station_id].send(text, tag=int(tag), report=tag != "0")

    def do_flood(self, station_id, count):
        count = int(count)
        for number in range(1, count + 1):
            self.stations[station_id].send(str(number), tag=number, report=True)
        sent = received = sent_in_order = received_in_order = 0
        while sent < count or received < count:
            event, text = self.next(station_id)
            if event.type == EventType.SENT:
                sent += 1
                sent_in_order += event.status == Status.OK and event.tag == sent
            elif event.type == EventType.MESSAGE:
                received += 1
                received_in_order += event.text == str(received)
            else:
                return text
        return f"{sent_in_order} sent in order, {received_in_order} received in order"

    def do_threads(self, station_id, threads, count):
        accepted = [0] * int(threads)

        def send(thread):
            for number in range(1, int(count) + 1):
                accepted[thread] += outcome(self.stations[station_id].send, f"{thread}:{number}") == "ok"

        started = [threading.Thread(target=send, args=(thread,)) for thread in range(int(threads))]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        last = [0] * int(threads)
        received = in_order = 0
        while received < sum(accepted):
            event, text = self.next(station_id)
            if event.type != EventType.MESSAGE:
                return text
            received += 1
            thread, number = map(int, event.text.split(":"))
            last[thread] += 1
            in_order += number == last[thread]
        return f"{sum(accepted)} accepted, {received} received, {in_order} in the order of their thread"

    def do_disconnect(self, station_id, code, reason):
        self.stations[station_id].disconnect(int(code), reason)

    def do_disconnect_inside(self, station_id, text):
        arrived = self.arrived[station_id]
        with self.came:
            arrived.goodbye = text
        self.stations[station_id].send(text)
        with self.came:
            self.came.wait_for(lambda: arrived.goodbye_outcome)
        return arrived.goodbye_outcome

    def do_fill(self, station_id, size):
        while True:
            self.stations[station_id].send(b"x" * int(size))

    def do_stale(self, station_id):
        station = self.stations[station_id]
        return (f"send {outcome(station.send, 'x')}, state {outcome(lambda: station.state)}, stats {outcome(station.stats)}, "
                f"disconnect {outcome(station.disconnect)}")

    def do_shutdown(self, milliseconds, *ids):
        accepted = dict.fromkeys(ids, 0)

        def load(station_id):
            station, arrived = self.stations[station_id], self.arrived[station_id]
            while True:
                seen = arrived.seen
                try:
                    station.send("load", tag=1, report=True)
                except QueueFullError:
                    with self.came:
                        self.came.wait_for(lambda: arrived.seen > seen)
                except ChargewireError:
                    return
                else:
                    accepted[station_id] += 1
                    if accepted[station_id] == 1000:
                        with self.came:
                            self.came.notify_all()

        threads = [threading.Thread(target=load, args=(station_id,)) for station_id in ids]
        for thread in threads:
            thread.start()
        with self.came:
            self.came.wait_for(lambda: all(count >= 1000 for count in accepted.values()))
        self.manager.shutdown(int(milliseconds) / 1000)
        for thread in [*threads, self.taker]:
            thread.join()
        kinds = [[event.type for event, _ in self.arrived[station_id].events] for station_id in ids]
        sent = sum(each.count(EventType.SENT) for each in kinds)
        closed = sum(each.count(EventType.CLOSED) == 1 and each[-1] == EventType.CLOSED for each in kinds)
        last = "last" if self.last == EventType.SHUTDOWN else "not last"
        return f"{sum(accepted.values())} accepted, {sent} sent or told why not, {closed} closed, SHUTDOWN {last}"

    def do_free(self):
        self.manager.close()

    def do_cycles(self, count, url):
        for _ in range(int(count)):
            with Manager(Config(io_threads=1)) as manager:
                station = manager.connect("CP001", url)
                station.wait_connected()
                station.send("hello")
        gc.collect()


class AsyncRunner(Runner):
    """By `async for`, in an event loop."""

    def __init__(self):
        super().__init__()
        self.loop = None

    def take(self):
        asyncio.run(self.take_in_loop())

    async def take_in_loop(self):
        with self.came:
            self.loop = asyncio.get_running_loop()
            self.came.notify_all()
        async for event in self.manager.events():
            self.note(event)

    def do_wait(self, station_id, milliseconds):
        with self.came:
            self.came.wait_for(lambda: self.loop)
        asyncio.run_coroutine_threadsafe(self.stations[station_id].connected(int(milliseconds) / 1000), self.loop).result()

    def do_cycles(self, count, url):
        async def cycle():
            for _ in range(int(count)):
                async with Manager(Config(io_threads=1)) as manager:
                    station = manager.connect("CP001", url)
                    await station.connected()
                    station.send("hello")

        asyncio.run(cycle())
        gc.collect()


def main():
    runner = {"poll": Runner, "asyncio": AsyncRunner}[sys.argv[1]]()
    for line in sys.stdin:
        print(runner.answer(*line.rstrip("\n").split("\t")), flush=True)


main()
