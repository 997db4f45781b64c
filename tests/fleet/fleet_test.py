"""chargewire-fleet as a program. usage: fleet_test.py PATH_OF_CHARGEWIRE_FLEET PATH_OF_CHARGEWIRE_CSMS [unittest's arguments]"""

import asyncio
import collections
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

import websockets

from waits import SECONDS, Output, end_of, happens

FLEET = None
CSMS = None

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Csms:
    """The one of the examples, with its commands."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([CSMS, "--stdin", "--port", "0", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.output = Output(self.process.stdout.fileno())
        self.url = self.output.line().split()[-1]

    def command(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.output.line()

    def has_stations(self, wanted):
        return json.loads(self.command("stats"))["stations"] == wanted

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.process.stdout.close()


class PythonCsms:
    """A CSMS that nobody here wrote the WebSocket of: it keeps what it is told, by station, and does what `answer` says."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda station, action, payload: result_of(action))
        self.calls = collections.defaultdict(list)  # station -> [(action, payload)]
        self.answers = collections.defaultdict(dict)  # station -> id of a command -> message
        self.versions = {}
        self.connections = collections.Counter()
        self.commands = []  # sent to each station, after its boot, in order
        self.ready = threading.Event()
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        self.thread.start()
        if not self.ready.wait(SECONDS):
            raise AssertionError("the CSMS in Python does not listen")

    async def serve(self):
        self.loop = asyncio.get_running_loop()
        self.stop = asyncio.Event()
        async with websockets.serve(self.station, "127.0.0.1", 0, subprotocols=["ocpp2.1", "ocpp2.0.1", "ocpp1.6"]) as server:
            self.url = "ws://127.0.0.1:%d/ocpp" % server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.stop.wait()

    async def station(self, socket, path):
        name = path.rsplit("/", 1)[1]
        self.versions[name] = socket.subprotocol
        self.connections[name] += 1
        open_call = None
        commands = list(enumerate(self.commands)) if self.connections[name] == 1 else []
        try:
            async for text in socket:
                message = json.loads(text)
                with self.changed:
                    if message[0] == 2:
                        self.calls[name].append((message[2], message[3]))
                    else:
                        self.answers[name][message[1]] = message
                    self.changed.notify_all()
                if message[0] != 2:
                    open_call = None
                else:
                    payload = self.answer(name, message[2], message[3])
                    if isinstance(payload, list):
                        await socket.send(json.dumps([4, message[1], *payload, {}]))
                    elif payload is not None:
                        await socket.send(json.dumps([3, message[1], payload]))
                if commands and open_call is None and len(self.calls[name]) > 1:
                    number, (action, payload) = commands.pop(0)
                    open_call = "command-%d" % number
                    await socket.send(json.dumps([2, open_call, action, payload]))
        except websockets.ConnectionClosed:
            pass

    def sees(self, condition):
        """Whether it holds, at the latest after SECONDS."""
        with self.changed:
            return self.changed.wait_for(condition, SECONDS)

    def actions(self, station):
        return [action for action, _ in self.calls[station]]

    def end(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(SECONDS)
        if self.thread.is_alive():
            raise AssertionError("the CSMS in Python does not end")


def result_of(action):
    if action == "BootNotification":
        return {"status": "Accepted", "currentTime": "2025-01-31T12:00:00Z", "interval": 300}
    if action == "Heartbeat":
        return {"currentTime": "2025-01-31T12:00:00Z"}
    if action == "StartTransaction":
        return {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
    return {}


class Terminal:
    """The fleet in a terminal of its own."""

    def __init__(self, arguments):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([FLEET, *arguments], stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
                                        env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.output = Output(self.master)

    def type(self, keys):
        os.write(self.master, keys)

    def settings_are_back(self):
        return termios.tcgetattr(self.slave) == self.before

    def end(self):
        """Its end, and all that it wrote: a terminal that nobody reads would hold it up."""
        limit = time.monotonic() + SECONDS
        while self.process.poll() is None:
            if time.monotonic() > limit:
                raise AssertionError("it did not end within %d s; it wrote:\n%s" % (SECONDS, self.output.all.decode(errors="replace")))
            self.output.read_more(0.05)
        return self.output.drain()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(SECONDS)
        os.close(self.master)
        os.close(self.slave)


class FleetTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def write(self, yaml, name="fleet.yaml"):
        with open(self.path(name), "w") as file:
            file.write(yaml)
        return self.path(name)

    def csms(self, *arguments):
        csms = Csms(*arguments)
        self.addCleanup(csms.end)
        return csms

    def python_csms(self, answer=None):
        csms = PythonCsms(answer)
        self.addCleanup(csms.end)
        return csms

    def begin(self, *arguments, **more):
        process = subprocess.Popen([FLEET, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def end(self, process, code=0):
        out, err = end_of(process)
        self.assertEqual(process.returncode, code, out + err)
        return out, err

    def run_fleet(self, *arguments, code=0, **more):
        return self.end(self.begin(*arguments, **more), code)

    def wait_until(self, happened, what, process):
        """Whatever the process said is shown where it did not happen."""
        if not happened:
            process.kill()
            out, err = end_of(process)
            self.fail("after %d s still not: %s. The program said:\n%s%s" % (SECONDS, what, out, err))

    def read_lines(self, process, pattern):
        output = Output(process.stdout.fileno())
        try:
            output.until(lambda: re.search(pattern, output.all), repr(pattern))
        except AssertionError as error:
            process.kill()
            _, err = end_of(process)
            self.fail(str(error) + err)

    def run_until(self, csms, condition, what, *arguments, code=0, **more):
        """Runs it until the CSMS in Python has seen that, and then tells it to end."""
        process = self.begin(*arguments, "--url", csms.url, **more)
        self.wait_until(csms.sees(condition), what, process)
        process.send_signal(signal.SIGTERM)
        return self.end(process, code)

    def read_json(self, name="run.json"):
        with open(self.path(name)) as file:
            return json.load(file)

    def promises(self, record):
        return [promise["kept"] for promise in record["promises"]]

    # ---- A run to its end

    def test_a_small_fleet_says_all_that_its_scenario_has(self):
        def answer(station, action, payload):
            return {**result_of(action), "interval": 1} if action == "BootNotification" else result_of(action)

        csms = self.python_csms(answer)
        fleet = self.write("""
fleet: { stations: 6, url: "ws://nowhere.invalid", ramp: 0, protocol: { "1.6": 40%, "2.0.1": 40%, "2.1": 20% }, drain: 1m }
scenario:
  connectors: 2
  heartbeat: { interval: csms }
  meter_values: { interval: 1s }
  transactions: { pause: 500ms, duration: 1500ms }
""")
        wanted = {"BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "StartTransaction", "StopTransaction", "TransactionEvent"}

        def all_were_said():
            return len(csms.calls) == 6 and wanted <= {action for station in list(csms.calls) for action in csms.actions(station)}

        out, _ = self.run_until(csms, all_were_said, "each call from somebody", fleet, "--json", self.path("run.json"), "--report", self.path("run.html"))
        record = self.read_json()
        self.assertEqual(self.promises(record), [True] * 4, record["promises"])
        totals = record["totals"]
        self.assertEqual(totals["connects"], 6)
        self.assertEqual(totals["disconnects"], 0)
        self.assertEqual(totals["calls_sent"], totals["calls_answered"])
        self.assertEqual(totals["messages_sent"], totals["messages_accepted"])
        self.assertEqual(totals["messages_received"], totals["calls_answered"])
        actions = {action["action"]: action["sent"] for action in record["actions"]}
        self.assertEqual(set(actions), wanted)
        self.assertEqual(actions["BootNotification"], 6)
        self.assertIn("kept  Every station was connected at least once: 6 of 6", out)
        self.assertIn("connected 6 of 6", out)
        self.assertNotIn("\x1b", out)  # no terminal, no pictures
        with open(self.path("run.html")) as file:
            self.assertIn("</html>", file.read())

    def test_a_run_ends_when_its_duration_is_over(self):
        csms = self.csms()
        process = self.begin(self.write("fleet: {}\n"), "--url", csms.url, "--duration", "1s", "--json", self.path("run.json"))
        end_of(process)  # whatever came of it in that time
        record = self.read_json()
        self.assertEqual(record["end"], "the duration is over")
        self.assertGreaterEqual(record["duration_seconds"], 1)

    def test_each_version_is_spoken_as_it_is(self):
        for version, boot in (("1.6", "chargePointVendor"), ("2.0.1", "chargingStation"), ("2.1", "chargingStation")):
            with self.subTest(version):
                csms = self.python_csms()
                fleet = self.write("fleet: { stations: 2, ramp: 0, id: \"S-{:02d}\", protocol: %s }\nscenario: { heartbeat: { interval: 200ms } }\n" % version)
                self.run_until(csms, lambda: all(csms.actions(name).count("Heartbeat") > 1 for name in ("S-01", "S-02")), "two heartbeats of each", fleet)
                self.assertEqual(csms.versions, {"S-01": "ocpp" + version, "S-02": "ocpp" + version})
                self.assertEqual(csms.actions("S-01")[:2], ["BootNotification", "StatusNotification"])
                self.assertIn(boot, csms.calls["S-01"][0][1])

    def test_no_run_has_a_transaction_id_of_another(self):
        csms = self.python_csms()
        fleet = self.write("fleet: { stations: 1, protocol: 2.0.1 }\nscenario: { transactions: { pause: 10ms, duration: 10ms } }\n")
        ids = []
        for _ in range(2):
            csms.calls.clear()
            self.run_until(csms, lambda: len([payload for _, payload in csms.calls["CP00001"] if payload.get("eventType") == "Started"]) >= 3,
                           "three transactions", fleet)
            ids += [payload["transactionInfo"]["transactionId"] for _, payload in csms.calls["CP00001"] if payload.get("eventType") == "Started"]
        self.assertEqual(len(ids), len(set(ids)), ids)

    def test_the_csms_is_answered(self):
        csms = self.python_csms()
        csms.commands = [("GetConfiguration", {}), ("TriggerMessage", {"requestedMessage": "Heartbeat"}), ("UpdateFirmware", {}), ("Nonsense", {}),
                         ("Reset", {"type": "Soft"})]
        self.run_until(csms, lambda: csms.connections["CP00001"] == 2 and csms.actions("CP00001").count("BootNotification") == 2, "a boot after the reset",
                       self.write("fleet: { stations: 1 }\nscenario: { heartbeat: { interval: 100ms } }\n"), "--json", self.path("run.json"))
        answers = csms.answers["CP00001"]
        self.assertEqual(answers["command-0"][0], 3)
        self.assertEqual(answers["command-1"][2], {"status": "Accepted"})
        self.assertEqual(answers["command-2"][:3], [4, "command-2", "NotSupported"])
        self.assertEqual(answers["command-3"][:3], [4, "command-3", "NotImplemented"])
        self.assertEqual(answers["command-4"][2], {"status": "Accepted"})
        record = self.read_json()
        self.assertEqual(record["totals"]["commands_received"], 5)
        self.assertEqual(record["totals"]["disconnects"], 0)  # asked for
        self.assertIn("SIGTERM", json.dumps(record))

    def test_shards_part_the_fleet_exactly(self):
        csms = self.python_csms()
        fleet = self.write("fleet: { stations: 20, ramp: 0 }\nscenario: { heartbeat: false, status: false }\n")
        runs = [self.begin(fleet, "--url", csms.url, "--shard", shard, env={**os.environ, "JOB_COMPLETION_INDEX": "2"})
                for shard in ("0/3", "1/3", "job/3")]
        self.wait_until(csms.sees(lambda: sum(len(calls) for calls in list(csms.calls.values())) == 20), "a boot of each", runs[0])
        self.assertEqual(csms.connections, {"CP%05d" % number: 1 for number in range(1, 21)})
        for process, stations in zip(runs, (7, 7, 6)):
            process.send_signal(signal.SIGINT)
            out, _ = self.end(process)
            self.assertIn("at least once: %d of %d" % (stations, stations), out)

    # ---- What goes wrong

    def test_a_csms_that_was_away_is_seen_in_the_record(self):
        csms = self.csms()
        fleet = self.write("fleet: { stations: 10, ramp: 0 }\nscenario: { heartbeat: { interval: 100ms } }\n"
                           "csms: { reconnect_backoff: 100ms }\ngovernor: { breaker: false }\n")
        process = self.begin(fleet, "--url", csms.url, "--json", self.path("run.json"))
        self.wait_until(happens(lambda: csms.has_stations(10)), "10 stations", process)
        csms.command("die")
        self.read_lines(process, rb"failed attempts [1-9]")
        csms.command("back")
        self.wait_until(happens(lambda: csms.has_stations(10)), "10 stations again", process)
        process.send_signal(signal.SIGINT)
        self.end(process)  # calls that were lost with their connection break no promise
        record = self.read_json()
        self.assertEqual(record["totals"]["reconnects"], 10)
        self.assertEqual(record["totals"]["disconnects"], 10)
        self.assertGreater(record["totals"]["attempts_failed"], 0)
        self.assertEqual({failure["phase"] for failure in record["failures"]} - {"read", "peer", "tcp", "write"}, set())
        self.assertEqual(len(record["worst_stations"]), 10)

    def test_calls_that_the_csms_refuses_or_forgets_break_a_promise(self):
        def answer(station, action, payload):
            if action == "Heartbeat":
                return ["InternalError", "the database is away"] if station == "CP00001" else None
            return result_of(action)

        csms = self.python_csms(answer)
        # Long enough for any other answer.
        fleet = self.write("fleet: { stations: 2, ramp: 0 }\nscenario: { heartbeat: { interval: 200ms }, call_timeout: 5s }\n")
        self.run_until(csms, lambda: csms.actions("CP00001").count("Heartbeat") > 1 and csms.actions("CP00002").count("Heartbeat") > 1,
                       "a call after the one that failed", fleet, "--json", self.path("run.json"), code=1)
        record = self.read_json()
        self.assertEqual(self.promises(record), [True, True, False, True])
        text = json.dumps(record)
        self.assertIn("the database is away", text)
        self.assertIn("timeout", text)

    def test_a_csms_that_cannot_be_reached_breaks_promises_and_says_why(self):
        csms = self.csms()
        csms.command("die")
        process = self.begin(self.write("fleet: {}\n"), "--url", csms.url)
        self.read_lines(process, rb"  no connection: dial tcp [0-9.:]+: connection refused; [^;()]+ \(CP00001\)\n")
        process.send_signal(signal.SIGTERM)
        out, _ = self.end(process, code=1)
        self.assertIn("NOT   Every station was connected at least once: 0 of 1. CP00001: dial tcp", out)
        self.assertIn("NOT   The CSMS accepted the boot of every station: 0 of 1. CP00001: never connected", out)
        self.assertEqual(out.count("connection refused"), 1)

    def test_a_breaker_that_opens_is_an_incident_once(self):
        csms = self.csms()
        csms.command("die")
        process = self.begin(self.write("fleet: { stations: 20, ramp: 0 }\ncsms: { reconnect_backoff: 100ms }\ngovernor: { breaker_open: 5m }\n"),
                             "--url", csms.url, "--json", self.path("run.json"))
        self.read_lines(process, rb"connected 0 of 20, held back \d+, \d+ s left(?s:.*)\n.*held back 20")
        process.send_signal(signal.SIGTERM)
        self.end(process, code=1)
        incidents = [incident["text"] for incident in self.read_json()["incidents"]]
        self.assertEqual(len([text for text in incidents if "too many attempts failed, so the breaker has opened: no station dials for 3" in text]), 1, incidents)
        self.assertEqual([text for text in incidents if "cwire" in text or "ERROR" in text], [])
        self.assertEqual(max(self.read_json()["series"]["stations_held_back"]), 20)

    def test_passwords_come_from_a_file_per_station(self):
        os.mkdir(self.path("keys"))
        passwords = self.path("passwords")
        with open(passwords, "w") as file:
            for number in range(1, 4):
                with open(self.path("keys/CP%d" % number), "w") as key:
                    key.write("secret of number %d" % number)
                file.write("CP%d:secret of number %d\n" % (number, number))
        csms = self.csms("--passwords", passwords)
        fleet = self.write("fleet: { stations: 3, ramp: 0, id: \"CP{}\", csms: { auth: { password_file: \"keys/{id}\" } } }\n"
                           "csms: { security_profile: 1, auth: { type: basic } }\n")
        process = self.begin(fleet, "--url", csms.url, "--json", "run.json", cwd=self.directory.name)
        self.wait_until(happens(lambda: csms.has_stations(3)), "3 stations", process)
        process.send_signal(signal.SIGTERM)
        out, err = self.end(process)
        self.assertNotIn("secret of", json.dumps(self.read_json()) + out + err)
        os.remove(self.path("keys/CP3"))
        _, err = self.run_fleet(fleet, "--url", csms.url, code=2)
        self.assertIn("CP3", err)

    def test_a_file_that_is_not_right_is_told_with_its_line(self):
        for yaml, expected in (
            ("fleet:\n  stations: none\n", "fleet.yaml:2: fleet.stations: expected a whole number"),
            ("fleet: { stations: 2 }\n\ncsms:\n  ping_interval: 30\n", "fleet.yaml:4: csms.ping_interval: expected a duration"),
            ("fleet: { stations: 2, csms: { nonsense: 1 } }\n", "fleet.yaml:1: fleet.csms.nonsense: unknown option"),
            ("fleet: { stations: 2 }\nnonsense: 1\n", "fleet.yaml:2: nonsense"),
        ):
            with self.subTest(yaml):
                for arguments in ((), ("--check",)):
                    out, err = self.run_fleet(self.write(yaml), *arguments, code=2)
                    self.assertTrue(err.startswith("chargewire-fleet: " + expected), err)
                    self.assertEqual(err.count("\n"), 1)
                    self.assertEqual(out, "")

    def test_a_command_line_that_is_not_right_is_told(self):
        fleet = self.write("fleet: {}\n")
        for arguments, expected in (
            ((), "which fleet?"),
            (("--nonsense", fleet), "unknown option --nonsense"),
            ((fleet, "--stations", "0"), "--stations: expected a number from 1"),
            ((fleet, "--shard", "3/3"), "--shard 3/3: the first shard is 0"),
            ((fleet, "--duration=5"), "--duration 5: expected a duration"),
            ((fleet, "--check=1"), "--check takes no value"),
            ((fleet, fleet), "there is a file already"),
            ((self.path("missing.yaml"),), "missing.yaml: the file cannot be read: No such file or directory"),
            ((self.directory.name,), "this is a directory"),
            ((fleet, "--report"), "--report: a value is missing"),
        ):
            with self.subTest(arguments):
                _, err = self.run_fleet(*arguments, code=2)
                self.assertIn(expected, err)

    def test_check_says_what_would_run(self):
        examples = os.path.join(os.path.dirname(__file__), "../../examples/fleet")
        out, _ = self.run_fleet("--check", os.path.join(examples, "ten_thousand.yaml"), "--shard", "1/4", "--ramp", "100/s")
        self.assertIn("2,500 stations, CP00002 to CP09998, at ws://localhost:9000", out)
        self.assertIn("shard 1 of 4, of 10,000 stations", out)
        self.assertIn("all have begun after 1 min 40 s", out)
        self.assertIn("breaker: on: when 50% of 20 or more", out)
        self.assertIn("csms.protocol: 2.0.1, 1.6", out)
        out, _ = self.run_fleet("--check", os.path.join(examples, "small.yaml"), "--url", "wss://csms.example/ocpp?token=a@b", "--json", self.path("run.json"))
        self.assertIn("wss://csms.example/ocpp?***", out)
        self.assertNotIn("a@b", out)
        self.assertFalse(os.path.exists(self.path("run.json")))
        _, err = self.run_fleet("--check", os.path.join(examples, "tls.yaml"), code=2)
        self.assertIn("certificates/ca.pem", err)  # of which the examples have none

    def test_what_the_library_would_refuse_is_told_before_anything_begins(self):
        csms = self.python_csms()
        basic = "csms: { security_profile: %s, auth: { type: basic, password: aVeryLongSecret16 } }\n"
        for yaml, url, expected in (
            ("fleet: { url: \"http://localhost:9000\" }\n", None, "the URL http://localhost:9000 cannot be used"),
            ("fleet: {}\n", "foo", "the URL foo cannot be used"),
            ("fleet: {}\n", "ws://user:aVeryLongSecret16@localhost/?token=aVeryLongSecret16", "the URL ws://localhost/?*** cannot be used"),
            ("fleet: {}\n", "ws://user:pa/ss?aVeryLongSecret16@localhost/", "the URL ws://*** cannot be used"),
            ("fleet: {}\n", "foo://localhost:9/?token=a@aVeryLongSecret16", "the URL foo://*** cannot be used"),
            ("fleet: { id: \"A:{}\" }\n", csms.url, "fleet.yaml: fleet.id makes \"A:1\": it holds ':'"),
            ("fleet: { stations: 3, csms: { auth: { password_file: \"keys/{}\" } } }\ncsms: { security_profile: 1, auth: { type: basic } }\n", csms.url,
             "CP00003: csms.auth.password_file: cannot open \"keys/3\": No such file"),
            ("fleet: {}\ncsms: { tls: { ca_cert: missing.pem } }\n", "wss://localhost", "missing.pem"),
            ("fleet: {}\n" + basic % 0, csms.url, "CP00001: "),
            ("fleet: {}\ncsms: { security_profile: 1 }\n", csms.url, "CP00001: "),
        ):
            os.makedirs(self.path("keys"), exist_ok=True)
            for number in (1, 2):
                with open(self.path("keys/%d" % number), "w") as file:
                    file.write("aVeryLongSecret16")
            for more in ((), ("--check",)):
                with self.subTest(yaml=yaml, more=more):
                    out, err = self.run_fleet(self.write(yaml), *(("--url", url) if url else ()), *more, code=2)
                    self.assertIn(expected, err)
                    self.assertEqual(err.count("\n"), 1, err)
                    self.assertEqual(out, "")
                    self.assertNotIn("Secret", err)
        self.assertEqual(csms.connections, {})

    def test_what_the_file_sets_of_the_library_is_in_the_record_without_secrets(self):
        csms = self.python_csms()
        fleet = self.write("fleet: { stations: 1, csms: { headers: { X-Station: \"{id}-s3cret\" } } }\n"
                           "csms: { ping_interval: 7s, headers: { X-Token: s3cret } }\nmetrics: { listen: \"0\" }\n")
        out, err = self.run_until(csms, lambda: csms.actions("CP00001"), "a call", fleet, "--json", self.path("run.json"), "--report", self.path("run.html"))
        setup = self.read_json()["setup"]
        self.assertEqual({option["key"]: option["value"] for option in setup["library_options"]},
                         {"csms.ping_interval": "7s", "csms.headers": "X-Token: ***", "fleet.csms.headers.X-Station": "***", "metrics.listen": "0"})
        self.assertRegex(setup["metrics_url"], r"^http://127\.0\.0\.1:\d+/metrics$")
        self.assertIn("metrics: " + setup["metrics_url"], out)
        with open(self.path("run.html")) as file:
            self.assertNotIn("s3cret", file.read() + json.dumps(setup) + out + err)

    def test_signals_that_are_ignored_stay_ignored(self):
        csms = self.python_csms()
        process = self.begin(self.write("fleet: { stations: 1 }\nscenario: { heartbeat: { interval: 100ms } }\n"), "--url", csms.url, "--json",
                             self.path("run.json"), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_until(csms.sees(lambda: "Heartbeat" in csms.actions("CP00001")), "a heartbeat", process)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        self.end(process)
        self.assertIn("SIGTERM", json.dumps(self.read_json()))
        self.assertNotIn("SIGHUP", json.dumps(self.read_json()))

    def test_help_fits_a_terminal(self):
        out, _ = self.run_fleet("--help")
        self.assertIn("Exit status", out)
        self.assertEqual([line for line in out.splitlines() if len(line) > 100], [])

    def test_a_report_that_cannot_be_written_is_told_before_the_run(self):
        csms = self.python_csms()
        for option in ("--json", "--report"):
            for more in ((), ("--check",)):
                out, err = self.run_fleet(self.write("fleet: {}\n"), "--url", csms.url, option, self.path("nowhere/run"), *more, code=2)
                self.assertIn("nowhere/run cannot be written: No such file or directory", err)
                self.assertEqual(out, "")
        self.assertEqual(csms.connections, {})

    def test_a_report_that_could_not_be_written_is_a_failure(self):
        csms = self.python_csms()
        _, err = self.run_until(csms, lambda: csms.actions("CP00001"), "a call", self.write("fleet: {}\n"), "--json", "/dev/full", code=1)
        self.assertIn("/dev/full could not be written: No space left on device", err)

    # ---- In a terminal

    def in_terminal(self, *arguments):
        terminal = Terminal(arguments)
        self.addCleanup(terminal.close)
        return terminal

    def test_in_a_terminal_it_ends_in_order_and_gives_the_terminal_back(self):
        for how, typed in ((signal.SIGINT, None), (signal.SIGTERM, None), (None, b"\x03"), (None, b"q")):
            with self.subTest(how=how, typed=typed):
                csms = self.csms()
                terminal = self.in_terminal(self.write("fleet: { stations: 5, ramp: 0 }\nscenario: { heartbeat: { interval: 200ms } }\n"), "--url", csms.url)
                terminal.output.has(b"5\x1b[0m connected")
                self.assertFalse(terminal.settings_are_back())
                if typed:
                    terminal.type(typed)
                else:
                    terminal.process.send_signal(how)
                text = terminal.end()
                self.assertEqual(terminal.process.returncode, 0, text)
                self.assertTrue(terminal.settings_are_back())
                self.assertEqual(text.count(ENTER), 1)
                self.assertEqual(text.count(LEAVE), 1)
                self.assertIn("█".encode(), text)
                self.assertIn(b"5 of 5", text[text.index(LEAVE):])

    def test_a_second_ctrl_c_ends_at_once_with_a_report(self):
        # The CSMS forgets heartbeats, so that the first one waits.
        csms = self.python_csms(lambda station, action, payload: None if action == "Heartbeat" else result_of(action))
        terminal = self.in_terminal(
            self.write("fleet: { stations: 3, ramp: 0, drain: 10m }\nscenario: { heartbeat: { interval: 100ms }, call_timeout: 10m }\n"),
            "--url", csms.url, "--json", self.path("run.json"))
        terminal.output.until(lambda: all("Heartbeat" in csms.actions("CP0000%d" % number) for number in (1, 2, 3)), "a heartbeat of each")
        terminal.type(b"\x03")
        terminal.output.has(b"end at once")

        def typed_again_it_ends():  # too soon after the first it is the same
            terminal.type(b"\x03")
            terminal.output.read_more(0.05)
            return terminal.process.poll() is not None

        self.assertTrue(happens(typed_again_it_ends), "a second Ctrl-C does not end it")
        text = terminal.end()
        self.assertEqual(terminal.process.returncode, 130, text)
        self.assertIn(LEAVE, text)
        self.assertTrue(terminal.settings_are_back())
        record = self.read_json()
        self.assertIn("twice", json.dumps(record))
        self.assertEqual(record["verdict"]["level"], "fair")
        self.assertIn("until the run was cut off", record["verdict"]["text"])

    def test_two_signals_at_once_are_one(self):
        csms = self.python_csms()
        process = self.begin(self.write("fleet: { stations: 1 }\nscenario: { heartbeat: { interval: 100ms } }\n"), "--url", csms.url, "--json",
                             self.path("run.json"))
        self.wait_until(csms.sees(lambda: "Heartbeat" in csms.actions("CP00001")), "a heartbeat", process)
        # Of different threads, as it were: two of one kind that nobody took yet are one anyway.
        process.send_signal(signal.SIGTERM)
        self.read_lines(process, rb"the end begins")
        process.send_signal(signal.SIGTERM)
        self.end(process)
        self.assertEqual(self.read_json()["end"], "SIGTERM")

    def test_a_terminal_that_ctrl_s_stopped_is_given_back(self):
        csms = self.csms()
        terminal = self.in_terminal(self.write("fleet: { stations: 1, ramp: 0 }\n"), "--url", csms.url)
        terminal.output.has(b"1\x1b[0m connected")
        terminal.type(b"\x13")
        self.assertTrue(happens(lambda: not select.select([], [terminal.slave], [], 0)[1]), "Ctrl-S does not stop it")
        terminal.process.send_signal(signal.SIGTERM)
        text = terminal.end()
        self.assertEqual(terminal.process.returncode, 0, text)
        self.assertIn(b"1 of 1", text[text.index(LEAVE):])
        self.assertTrue(terminal.settings_are_back())

    def test_a_terminal_that_takes_nothing_costs_no_report_and_holds_nobody_up(self):
        csms = self.csms()
        terminal = self.in_terminal(self.write("fleet: { stations: 1, ramp: 0 }\n"), "--url", csms.url, "--json", self.path("run.json"))
        terminal.output.has(b"1\x1b[0m connected")
        termios.tcflow(terminal.slave, termios.TCOOFF)

        def has_ended():
            terminal.process.send_signal(signal.SIGTERM)
            return terminal.process.poll() is not None

        terminal.process.send_signal(signal.SIGTERM)
        self.assertTrue(happens(lambda: os.path.getsize(self.path("run.json")) > 0), "no report")
        self.assertTrue(happens(has_ended), "it does not end")
        self.assertTrue(terminal.settings_are_back())
        self.assertEqual(self.promises(self.read_json()), [True] * 4)

    def test_whatever_kills_it_the_terminal_is_given_back(self):
        csms = self.csms()
        for how in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
            with self.subTest(how):
                terminal = self.in_terminal(self.write("fleet: {}\n"), "--url", csms.url)
                terminal.output.has(b"connected")
                terminal.process.send_signal(how)
                self.assertIn(LEAVE, terminal.end())
                self.assertEqual(terminal.process.returncode, -how)
                self.assertTrue(terminal.settings_are_back())

    def test_a_configuration_that_fails_late_gives_the_terminal_back(self):
        csms = self.csms()
        fleet = self.write("fleet: { stations: 2, ramp: 0.1/s, csms: { auth: { password_file: \"keys/{id}\" } } }\n"
                           "csms: { security_profile: 1, auth: { type: basic } }\nscenario: { heartbeat: { interval: 50ms } }\n")
        os.mkdir(self.path("keys"))
        for name in ("CP00001", "CP00002"):
            with open(self.path("keys/" + name), "w") as file:
                file.write("a password of this station")
        terminal = self.in_terminal(fleet, "--url", csms.url, "--json", self.path("run.json"))
        terminal.output.has(b"1\x1b[0m connected")
        os.remove(self.path("keys/CP00002"))
        text = terminal.end()
        self.assertEqual(terminal.process.returncode, 2, text)
        self.assertTrue(terminal.settings_are_back())
        self.assertIn(b"keys/CP00002", text[text.index(LEAVE):])
        record = self.read_json()
        self.assertTrue(self.promises(record)[3], record["promises"])  # its last second was looked at

    def test_the_picture_follows_the_terminal(self):
        csms = self.csms()
        terminal = self.in_terminal(self.write("fleet: { stations: 1 }\n"), "--url", csms.url)
        terminal.output.has(b"ping to pong")
        fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        terminal.output.has(b"\x1b[50;1H")  # the last line of the larger one
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.output.has(LEAVE)
        self.assertTrue(happens(lambda: os.waitpid(terminal.process.pid, os.WUNTRACED | os.WNOHANG) != (0, 0)), "it does not stop")
        terminal.process.send_signal(signal.SIGCONT)
        terminal.type(b"q")
        text = terminal.end()
        self.assertEqual(terminal.process.returncode, 0, text)


if __name__ == "__main__":
    FLEET, CSMS = map(os.path.abspath, sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
