"""chargewire.py against the embedded CSMS.

    module_test.py CHARGEWIRE_CSMS [TEST]...
"""
import ast
import asyncio
import contextlib
import gc
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
import warnings
from datetime import timedelta
from unittest import mock

import chargewire
from chargewire import Config, EventType, Manager, Outgoing, Pool, Status
from csms import Csms

PROGRAM = sys.argv.pop(1)
SECONDS = 20  # for what must not take so long


@contextlib.contextmanager
def nobody():
    """A URL where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"ws://127.0.0.1:{taken.getsockname()[1]}"


class WithCsms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.csms = Csms(PROGRAM, "--echo")
        cls.addClassCleanup(cls.csms.__exit__)
        cls.url = cls.csms.url

    def until(self, manager, kind):
        """The first event of that kind, by poll."""
        while True:
            taken = manager.poll(SECONDS)
            self.assertTrue(taken, f"no {kind}")
            for event in taken:
                if event.type == kind:
                    return event


class Blocking(WithCsms):
    def test_a_station_says_what_happens(self):
        with Manager() as manager:
            station = manager.connect("CP|1", self.url, user_data={"site": 7})
            connected = self.until(manager, EventType.CONNECTED)
            self.assertEqual((connected.station, connected.station_id, connected.text, connected.tag), (station, "CP|1", "ocpp1.6", 1))
            self.assertEqual(connected.station.user_data, {"site": 7})
            self.assertFalse(connected.reconnect)
            self.assertLess(abs(connected.time.timestamp() - connected.time_ns / 1e9), 1e-5)
            for data in ("grün", "grün".encode(), bytearray("grün".encode()), memoryview("grün".encode())):
                station.send(data)
                message = self.until(manager, EventType.MESSAGE)
                self.assertEqual((message.text, message.binary, message.failure), ("grün", False, None))
            station.send(b"", report=True, tag=2**64 - 1)
            sent = self.until(manager, EventType.SENT)
            self.assertEqual((sent.tag, sent.status, sent.data), (2**64 - 1, Status.OK, b""))
            station.disconnect(3001, "enough")
            closed = self.until(manager, EventType.CLOSED)
            self.assertEqual((closed.code, closed.station), (3001, station))
            self.assertEqual(manager.poll(0), [])
            with self.assertRaises(chargewire.InvalidHandleError):
                station.send("late")

    def test_waiting_needs_nobody_who_takes_events(self):
        with Manager(Config(event_queue_max=1, io_threads=1)) as manager:
            stations = [manager.connect(f"CP{number}", self.url) for number in range(10)]
            for station in stations:
                station.wait_connected(SECONDS)
                self.assertTrue(station.is_connected)

    def test_why_it_is_not_connected(self):
        with Manager() as manager, nobody() as url:
            station = manager.connect("CP1", url)
            with self.assertRaises(TimeoutError) as timed_out:
                station.wait_connected(timedelta(seconds=0.3))
            self.assertIsInstance(timed_out.exception, chargewire.TimedOutError)
            self.assertRegex(str(timed_out.exception), r"^CP1: not connected within 0\.3 s; last attempt: .*refused")
            given_up = manager.connect("CP2", url, Config(max_reconnect_attempts=1))
            with self.assertRaises(chargewire.DialError):
                given_up.wait_connected(SECONDS)
            error = self.until(manager, EventType.ERROR)
            self.assertEqual((error.failure.phase, error.failure.status, str(error.failure.phase)), (chargewire.Phase.TCP, Status.DIAL, "tcp"))
            self.assertGreaterEqual(error.failure.retry_at, error.failure.time)

    def test_an_iteration_that_is_left_loses_nothing(self):
        with Manager() as manager:
            manager.connect("CP1", self.url).wait_connected(SECONDS)
            manager.send("CP1", "1")
            manager.shutdown(SECONDS)
            kinds = []
            while EventType.SHUTDOWN not in kinds:
                for event in manager.events():
                    kinds.append(event.type)
                    break
            self.assertEqual([kind for kind in kinds if kind not in (EventType.STATE, EventType.MESSAGE)],
                             [EventType.CONNECTED, EventType.DISCONNECTED, EventType.CLOSED, EventType.SHUTDOWN])
            self.assertEqual(list(manager.events()), [])
            with self.assertRaises(chargewire.StateError):
                manager.poll()

    def test_poll(self):
        with Manager() as manager:
            self.assertEqual(manager.poll(0), [])
            self.assertEqual(manager.poll(0.01), [])
            manager.wake()
            self.assertEqual(manager.poll(), [])
            manager.connect("CP1", self.url).wait_connected(SECONDS)
            self.assertEqual(len(manager.poll(SECONDS, most=1)), 1)
            with self.assertRaises(chargewire.InvalidArgumentError):
                manager.poll(0, most=0)

    def test_one_thread_polls_at_a_time_and_close_ends_it(self):
        with Manager() as manager:
            taken = []
            thread = threading.Thread(target=lambda: taken.extend(manager.events()))
            thread.start()
            while True:  # until the thread is there
                try:
                    manager.poll(0)
                except chargewire.StateError:
                    break
            manager.close()
            thread.join(SECONDS)
            self.assertFalse(thread.is_alive())
            self.assertEqual(taken, [])
            with self.assertRaises(chargewire.InvalidHandleError):
                manager.poll()

    def test_a_signal_is_heard(self):
        for wait in ("manager.poll()", "next(iter(manager.events()))", "station.wait_connected()"):
            program = textwrap.dedent(f"""
                import chargewire
                with chargewire.Manager() as manager, chargewire.Config(reconnect_backoff=chargewire.timedelta(minutes=1)) as config:
                    station = manager.connect("CP1", "ws://127.0.0.1:1", config)
                    while not any(event.type == chargewire.EventType.ERROR for event in manager.poll()): pass
                    manager.poll(0.1)
                    try:
                        print("waits", flush=True)
                        {wait}
                    except KeyboardInterrupt:
                        print("heard")
                """)
            with subprocess.Popen([sys.executable, "-W", "error", "-c", program], stdout=subprocess.PIPE, text=True) as process:
                self.assertEqual(process.stdout.readline(), "waits\n")
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.communicate(timeout=SECONDS)[0], "heard\n", wait)

    def test_close_in_a_signal_handler(self):
        with Manager() as manager:
            before = signal.signal(signal.SIGUSR1, lambda *_: manager.close())
            try:
                timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
                timer.start()
                self.assertEqual(list(manager.events()), [])
                timer.join()
            finally:
                signal.signal(signal.SIGUSR1, before)

    def test_close_in_a_signal_handler_while_a_batch_is_copied(self):
        manager = Manager()
        station = manager.connect("CP1", self.url)
        station.wait_connected(SECONDS)
        poll = chargewire._cwire.cwire_manager_poll

        def interrupted(*arguments):
            status = poll(*arguments)
            if manager._count.value:
                manager.close()  # as a handler would, at the worst moment
            return status
        chargewire._cwire.cwire_manager_poll = interrupted
        try:
            list(manager.events())
        finally:
            chargewire._cwire.cwire_manager_poll = poll
        self.assertFalse(manager._forgotten.alive)  # freed behind the copy

    def test_many_at_once(self):
        with Manager() as manager:
            stations = [manager.connect(f"CP{number}", self.url) for number in range(3)]
            for station in stations:
                station.wait_connected(SECONDS)
            with Pool(manager) as pool:
                for station in stations[:2]:
                    pool.add(station)
                self.assertEqual((pool.counts(), "CP1" in pool, "CP2" in pool), ((2, 2), True, False))
                self.assertEqual(pool.broadcast("to two"), 2)
                pool.send("CP0", b"to one")
                with self.assertRaises(chargewire.NotFoundError):
                    pool.send("CP2", "to none")
                pool.remove("CP1")
                self.assertEqual([stats.station_id for stats in pool.all_stats()], ["CP0"])
            with self.assertRaises(chargewire.InvalidHandleError):
                pool.counts()
            self.assertEqual(manager.broadcast(b"to all", report=True), 3)
            self.assertEqual(manager.send_many([]), [])
            statuses = manager.send_many([Outgoing(stations[0], "a", report=True, tag=1), Outgoing(stations[1], b"bc"),
                                          Outgoing(stations[2], bytearray(2 << 20))])
            self.assertEqual(statuses, [Status.OK, Status.OK, Status.TOO_BIG])
            messages = {station.id: [] for station in stations}
            while sum(map(len, messages.values())) < 8:
                for event in manager.poll(SECONDS):
                    if event.type == EventType.MESSAGE:
                        messages[event.station_id].append(event.text)
            self.assertEqual(messages, {"CP0": ["to two", "to one", "to all", "a"], "CP1": ["to two", "to all", "bc"], "CP2": ["to all"]})
            self.assertEqual((manager.counts(), len(manager.all_stats()), manager.is_connected("CP1")), ((3, 3), 3, True))
            stats = manager.stats("CP0")
            self.assertEqual((stats.messages_received, stats.state, stats.last_failure), (4, chargewire.State.CONNECTED, None))
            self.assertLess(stats.connected_at, stats.last_message_at)
            self.assertEqual([endpoint.name for endpoint in manager.endpoints()], [self.url.replace("localhost", "127.0.0.1")])
            self.assertIn(f'chargewire_connections_total{{endpoint="{manager.endpoints()[0].name}"}} 3\n', manager.metrics())
            self.assertTrue(manager.metrics(chargewire.MetricsFormat.OPEN_METRICS).endswith("\n# EOF\n"))
            self.assertEqual(manager.metrics_url(), "")
            manager.isolate(self.url)
            self.assertEqual(manager.endpoints()[0].breaker, chargewire.Breaker.ISOLATED)
            manager.reset(self.url)
            manager.network_up()
            manager.disconnect("CP0")
            manager.disconnect_all()

    def test_trace(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "trace.jsonl")
            with Manager(Config(trace_file=str(path))) as manager:
                station = manager.connect("CP1", self.url)
                station.wait_connected(SECONDS)
                with self.assertRaises(chargewire.NotFoundError):
                    manager.trace("nobody")
                manager.trace("CP1")
                station.send("in the file")
                manager.trace()
            self.assertIn('"event":"closed"', path.read_text())
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            with Manager() as manager, self.assertRaisesRegex(chargewire.StateError, "trace.file"):
                manager.trace()

    def test_stations_of_the_configuration(self):
        with Config() as config:
            config.load_yaml(f"csms:\n  default_url: {self.url}\nstations:\n  - id: CP1\n  - id: CP2\n")
            manager = Manager(config)
        with manager:
            self.assertEqual(manager.connect_all(), 2)
            event = self.until(manager, EventType.CONNECTED)
            self.assertIs(manager.find(event.station_id), event.station)
            manager.reconfigure(event.station_id, reconnect=True)
            while not self.until(manager, EventType.CONNECTED).reconnect:
                pass
            event.station.reconfigure(config=Config(ping_interval=timedelta(seconds=5)))
            with self.assertRaises(chargewire.NotFoundError):
                manager.find("nobody")


class Asynchronous(WithCsms, unittest.IsolatedAsyncioTestCase):
    async def test_a_station(self):
        async with Manager() as manager:
            station = manager.connect("CP1", self.url)
            await station.connected(SECONDS)
            station.send("hello")
            async for event in manager.events():
                if event.type == EventType.MESSAGE:
                    break  # what follows is not lost
            station.disconnect()
            manager.shutdown()
            kinds = [event.type async for event in manager.events() if event.type != EventType.STATE]
            self.assertEqual(kinds, [EventType.DISCONNECTED, EventType.CLOSED, EventType.SHUTDOWN])
            self.assertEqual([event async for event in manager.events()], [])

    async def test_waiting_needs_nobody_who_takes_events(self):
        for enough in (chargewire._Reader.ENOUGH, 1):
            with mock.patch.object(chargewire._Reader, "ENOUGH", enough):
                async with Manager(Config(event_queue_max=1, io_threads=1)) as manager:
                    manager.isolate(self.url)  # nobody is connected before all wait
                    stations = [manager.connect(f"CP{number}", self.url) for number in range(50)]
                    waiting = asyncio.gather(*(station.connected() for station in stations))
                    while not manager._pending:  # ENDPOINT, and so it has enough where that is 1
                        await asyncio.sleep(0.01)
                    manager.reset(self.url)
                    await asyncio.wait_for(waiting, SECONDS)
                    # Nothing was lost for the others.
                    connected = 0
                    async for event in manager.events():
                        connected += event.type == EventType.CONNECTED
                        if connected == len(stations):
                            break

    async def test_why_it_is_not_connected(self):
        async with Manager() as manager:
            with nobody() as url:
                with self.assertRaisesRegex(chargewire.TimedOutError, r"within 0\.2 s; last attempt: .*refused"):
                    await manager.connect("CP1", url).connected(0.2)
                with self.assertRaises(chargewire.DialError):
                    await manager.connect("CP2", url, Config(max_reconnect_attempts=1)).connected(SECONDS)
                closed = manager.connect("CP3", url)
                task = asyncio.ensure_future(closed.connected(SECONDS))
                await asyncio.sleep(0)
                closed.disconnect()
                with self.assertRaises(chargewire.ClosedError):
                    await task
                with self.assertRaises(chargewire.InvalidHandleError):
                    await closed.connected(SECONDS)

    async def test_cancelled(self):
        with nobody() as url:
            async with Manager() as silent, Manager() as manager:
                tasks = [asyncio.ensure_future(anext_(silent.events())), asyncio.ensure_future(manager.connect("CP1", url).connected())]
                await asyncio.sleep(0.05)
                self.assertTrue(silent._reader._getters and manager._reader._waiters and silent._reader._reading)
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                for reader in (silent._reader, manager._reader):
                    self.assertEqual((reader._waiters, reader._getters, reader._reading), ({}, [], False))

    async def test_close_ends_what_waits(self):
        manager = Manager()
        with nobody() as url:
            station = manager.connect("CP1", url)
            waiting = asyncio.ensure_future(station.connected())
            seen = asyncio.ensure_future(all_of(manager.events()))
            await asyncio.sleep(0.05)
            await manager.aclose()
            with self.assertRaises(chargewire.InvalidHandleError):
                await asyncio.wait_for(waiting, SECONDS)
            await asyncio.wait_for(seen, SECONDS)

    async def test_the_loop_lets_go_of_the_descriptor_before_it_is_closed(self):
        free, descriptors = chargewire._cwire.cwire_manager_free, asyncio.get_running_loop()._selector.get_map()
        for close in (Manager.aclose, Manager.close):
            manager, read = Manager(), []
            waiting = asyncio.ensure_future(anext_(manager.events()))
            while manager.fileno() not in descriptors:
                await asyncio.sleep(0)

            def noted(token):
                read.append(manager.fileno() in descriptors)
                return free(token)
            chargewire._cwire.cwire_manager_free = noted
            try:
                closing = close(manager)
                if closing is not None:
                    await closing
            finally:
                chargewire._cwire.cwire_manager_free = free
            self.assertEqual(read, [False])
            with self.assertRaises(StopAsyncIteration):
                await waiting

    async def test_other_tasks_have_their_turn(self):
        async with Manager(Config(send_queue_messages=100000)) as manager:
            station = manager.connect("CP1", self.url)
            await station.connected(SECONDS)
            for _ in range(5000):
                station.send("x")
            turns = received = 0

            async def other():
                nonlocal turns
                while received < 5000:
                    turns += 1
                    await asyncio.sleep(0)

            task = asyncio.ensure_future(other())
            async for event in manager.events():
                received += event.type == EventType.MESSAGE
                if received == 5000:
                    break
            await task
            self.assertGreater(turns, 3)

    async def test_events_taken_by_a_thread_are_told_to_who_waits(self):
        async with Manager() as manager:
            taken = []
            thread = threading.Thread(target=lambda: taken.extend(manager.events()))
            thread.start()
            try:
                await manager.connect("CP1", self.url).connected(SECONDS)
            finally:
                await manager.aclose()
                thread.join()


async def anext_(iterator):
    return await iterator.__anext__()


async def all_of(iterator):
    return [each async for each in iterator]


class Loops(WithCsms):
    def test_one_loop_after_the_other(self):
        with Manager() as manager:
            for number in range(3):
                asyncio.run(manager.connect(f"CP{number}", self.url).connected(SECONDS))

    def test_two_loops_at_once_are_refused(self):
        with Manager() as manager, nobody() as url:
            station = manager.connect("CP1", url)
            loop = asyncio.new_event_loop()
            waiting = loop.create_task(station.connected())
            loop.run_until_complete(asyncio.sleep(0))
            with self.assertRaisesRegex(RuntimeError, "another event loop"):
                asyncio.run(station.connected())
            waiting.cancel()
            loop.run_until_complete(asyncio.wait([waiting]))
            loop.close()


class Options(unittest.TestCase):
    def test_every_option_is_read_and_written_in_its_type(self):
        with Config() as config:
            for option in chargewire.option_schema():
                name = option["key"].replace("csms.", "").replace(".", "_")
                value = getattr(config, name)
                self.assertIsInstance(getattr(Config, name), chargewire._Option)
                wanted = {"bool": bool, "integer": int, "size": int, "duration": timedelta, "percent": float, "list": list, "map": dict}
                kind = chargewire.enum.Enum if option["choices"] and option["type"] != "list" else wanted.get(option["type"], str)
                self.assertIsInstance(value, kind, name)
                if option["default"]:
                    setattr(config, name, value)
                    self.assertEqual((config.get(option["key"]), getattr(config, name)), (option["default"], value))

    def test_by_argument(self):
        with Config(ping_interval=timedelta(minutes=90, microseconds=1), send_queue_bytes=3 << 20, reconnect_jitter=0.125,
                    protocol=[chargewire.Protocol.V2_0_1, chargewire.Protocol.V1_6], headers={"X-Site": "7"},
                    tls_ca_cert=pathlib.Path("/ca.pem"), security_profile=chargewire.SecurityProfile.PROFILE_1) as config:
            self.assertEqual(config.ping_interval, timedelta(minutes=90, milliseconds=1))
            self.assertEqual((config.send_queue_bytes, config.reconnect_jitter, config.headers), (3 << 20, 0.125, {"X-Site": "***"}))
            self.assertEqual((config.get("csms.protocol"), config.tls_ca_cert), ("2.0.1, 1.6", "/ca.pem"))
            copy = config.copy()
            config.ping_interval = timedelta()
            self.assertEqual(copy.ping_interval, timedelta(minutes=90, milliseconds=1))
        with self.assertRaises(chargewire.InvalidHandleError):
            config.get("log_level")

    def test_what_is_wrong(self):
        with self.assertRaisesRegex(chargewire.ConfigError, r"csms\.pong_timeout: expected a duration from 1ms to 24h"):
            Config(pong_timeout=timedelta())
        with self.assertRaises(TypeError):
            Config(no_such_option=1)
        for name, value in {"ping_interval": 20, "protocol": "1.6", "security_profile": 2, "tls_ca_cert": 3, "reconnect_jitter": "x"}.items():
            with self.assertRaisesRegex(TypeError, rf"^csms\.[a-z_.]+: expected .*, not a {type(value).__name__}$"):
                Config(**{name: value})
        with Config() as config:
            with self.assertRaises(AttributeError):
                config.no_such_option = 1
            with self.assertRaisesRegex(chargewire.ConfigError, "^csms.nothing: "):
                config.get("csms.nothing")
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write("csms:\n  ping_interval: often\n")
                file.flush()
                with self.assertRaisesRegex(chargewire.ConfigError, r":2: csms\.ping_interval: "):
                    config.load_file(pathlib.Path(file.name))


class Errors(unittest.TestCase):
    def test_classes(self):
        for status in Status:
            if status != Status.OK:
                error = chargewire._failed(status)
                self.assertIs(error.status, status)
                self.assertIs(type(error), chargewire._ERRORS[status])
                self.assertTrue(str(error).startswith(f"CWIRE_E_{status.name}: "), str(error))
        unknown = chargewire._failed(-99)
        self.assertEqual((type(unknown), unknown.status, f"{unknown.status}"), (chargewire.ChargewireError, -99, "CWIRE_E_UNKNOWN"))

    def test_what_ctypes_would_cut(self):
        with Manager() as manager, nobody() as url:
            for wrong in ("CP1\0", "CP\ud800"):
                with self.assertRaises(ValueError):
                    manager.connect(wrong, url)
            with self.assertRaises(chargewire.InvalidArgumentError) as refused, Config() as config:
                config.auth_password = "hunter2\0"
            self.assertNotIn("hunter2", str(refused.exception))
            station = manager.connect("CP1", url)
            for tag in (-1, 2**64):
                with self.assertRaises(chargewire.InvalidArgumentError):
                    station.send("x", tag=tag)
            with self.assertRaises(chargewire.InvalidArgumentError):
                station.disconnect(65536 + 1000)
            with self.assertRaises(TypeError):
                station.send(7)
            with self.assertRaisesRegex(chargewire.NotEstablishedError, "^CP1: "):
                station.send("x")

    def test_without_a_library(self):
        for library, wanted in (("/nowhere/libchargewire.so.0", "Install libchargewire0"), ("libc.so.6", "not Chargewire's library")):
            result = subprocess.run([sys.executable, "-c", "import chargewire"], env={**os.environ, "CHARGEWIRE_LIBRARY": library},
                                    capture_output=True, text=True, check=False)
            self.assertRegex(result.stderr.splitlines()[-1], f"^ImportError: .*{wanted}")


class Life(WithCsms):
    def test_a_manager_that_was_forgotten(self):
        manager = Manager()
        manager.connect("CP1", self.url).wait_connected(SECONDS)
        token = manager._token
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del manager
            gc.collect()
        self.assertEqual([str(warning.message) for warning in caught], ["a chargewire.Manager was not closed"])
        self.assertEqual(chargewire._cwire.cwire_manager_wake(token), Status.INVALID_HANDLE)

    def test_nothing_is_kept_of_stations_that_ended(self):
        with Manager() as manager:
            for _ in range(3):
                manager.connect("CP1", self.url).disconnect()
                self.until(manager, EventType.CLOSED)
            self.assertEqual(manager._stations, {})

    def test_a_fork_leaves_the_parent_alone(self):
        with Manager() as manager:
            station = manager.connect("CP1", self.url)
            station.wait_connected(SECONDS)
            child = os.fork()
            if child == 0:
                try:
                    station.send("x")
                except chargewire.InvalidHandleError:
                    os._exit(7)
                os._exit(1)
            self.assertEqual(os.waitpid(child, 0)[1] >> 8, 7)
            self.assertTrue(station.is_connected)

    def test_the_module_is_python_3_9(self):
        ast.parse(pathlib.Path(chargewire.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))


if __name__ == "__main__":
    unittest.main()
