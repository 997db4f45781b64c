"""chargewire-fleet as a program. usage: fleet_test.py PATH_OF_CHARGEWIRE_FLEET PATH_OF_CHARGEWIRE_CSMS [unittest's arguments]"""

import asyncio
import collections
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import unittest

import websockets

FLEET = None
CSMS = None
SECONDS = 40  # for anything that should happen at once

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Csms:
    """The one of the examples, with its commands."""

    def __init__(self, directory, *arguments):
        self.process = subprocess.Popen([CSMS, "--stdin", "--port", "0", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stations(self, wanted):
        """Waits until so many are connected."""
        while json.loads(self.command("stats"))["stations"] != wanted:
            pass

    def end(self):
        self.process.stdin.close()
        self.process.wait(SECONDS)
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
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))
        self.thread.start()
        self.ready.wait()

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

    def until(self, condition):
        with self.changed:
            self.changed.wait_for(condition, SECONDS)
        if not condition():
            raise AssertionError("that did not happen")

    def end(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()


def result_of(action):
    if action == "BootNotification":
        return {"status": "Accepted", "currentTime": "2025-01-31T12:00:00Z", "interval": 300}
    if action == "Heartbeat":
        return {"currentTime": "2025-01-31T12:00:00Z"}
    if action == "StartTransaction":
        return {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
    return {}


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
        csms = Csms(self.directory.name, *arguments)
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

    def run_fleet(self, *arguments, code=0, **more):
        process = self.begin(*arguments, **more)
        out, err = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, code, out + err)
        return out, err

    def read_json(self, name="run.json"):
        with open(self.path(name)) as file:
            return json.load(file)

    def promises(self, record):
        return [promise["kept"] for promise in record["promises"]]

    # ---- A run to its end

    def test_a_small_fleet_runs_to_the_end_of_its_duration(self):
        csms = self.csms("--interval", "1")
        fleet = self.write("""
fleet: { stations: 30, url: "ws://nowhere.invalid", ramp: 0, protocol: { "1.6": 40%, "2.0.1": 40%, "2.1": 20% } }
scenario:
  connectors: 2
  heartbeat: { interval: csms }
  meter_values: { interval: 500ms }
  transactions: { pause: 300ms, duration: 700ms }
""")
        out, _ = self.run_fleet(fleet, "--url", csms.url, "--duration", "3s", "--json", self.path("run.json"), "--report", self.path("run.html"))
        record = self.read_json()
        self.assertEqual(self.promises(record), [True] * 4, record["promises"])
        totals = record["totals"]
        self.assertEqual(totals["connects"], 30)
        self.assertEqual(totals["disconnects"], 0)
        self.assertEqual(totals["calls_sent"], totals["calls_answered"])
        self.assertEqual(totals["messages_sent"], totals["messages_accepted"])
        self.assertEqual(totals["messages_received"], totals["calls_answered"])
        actions = {action["action"]: action["sent"] for action in record["actions"]}
        self.assertEqual(actions["BootNotification"], 30)
        for action in ("Heartbeat", "StatusNotification", "MeterValues", "StartTransaction", "StopTransaction", "TransactionEvent"):
            self.assertGreater(actions[action], 0, action)
        self.assertIn("kept  Every station was connected at least once: 30 of 30", out)
        self.assertIn("connected 30 of 30", out)
        self.assertNotIn("\x1b", out)  # no terminal, no pictures
        with open(self.path("run.html")) as file:
            self.assertIn("</html>", file.read())

    def test_each_version_is_spoken_as_it_is(self):
        for version, boot in (("1.6", "chargePointVendor"), ("2.0.1", "chargingStation"), ("2.1", "chargingStation")):
            with self.subTest(version):
                csms = self.python_csms()
                fleet = self.write("fleet: { stations: 2, ramp: 0, id: \"S-{:02d}\", protocol: %s }\nscenario: { heartbeat: { interval: 200ms } }\n" % version)
                self.run_fleet(fleet, "--url", csms.url, "--duration", "1s")
                self.assertEqual(csms.versions, {"S-01": "ocpp" + version, "S-02": "ocpp" + version})
                actions = [action for action, _ in csms.calls["S-01"]]
                self.assertEqual(actions[:2], ["BootNotification", "StatusNotification"])
                self.assertGreater(actions.count("Heartbeat"), 1)
                self.assertIn(boot, csms.calls["S-01"][0][1])

    def test_no_run_has_a_transaction_id_of_another(self):
        csms = self.python_csms()
        fleet = self.write("fleet: { stations: 1, protocol: 2.0.1 }\nscenario: { transactions: { pause: 10ms, duration: 10ms } }\n")
        ids = []
        for _ in range(2):
            csms.calls.clear()
            process = self.begin(fleet, "--url", csms.url)
            csms.until(lambda: len([payload for action, payload in csms.calls["CP00001"] if payload.get("eventType") == "Started"]) >= 3)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=SECONDS)
            self.assertEqual(process.returncode, 0, out + err)
            ids += [payload["transactionInfo"]["transactionId"] for _, payload in csms.calls["CP00001"] if payload.get("eventType") == "Started"]
        self.assertEqual(len(ids), len(set(ids)), ids)

    def test_the_csms_is_answered(self):
        csms = self.python_csms()
        csms.commands = [("GetConfiguration", {}), ("TriggerMessage", {"requestedMessage": "Heartbeat"}), ("UpdateFirmware", {}), ("Nonsense", {}),
                         ("Reset", {"type": "Soft"})]
        process = self.begin(self.write("fleet: { stations: 1 }\nscenario: { heartbeat: { interval: 100ms } }\n"), "--url", csms.url, "--json", self.path("run.json"))
        csms.until(lambda: csms.connections["CP00001"] == 2 and [action for action, _ in csms.calls["CP00001"]].count("BootNotification") == 2)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 0, out + err)
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
        csms.until(lambda: sum(len(calls) for calls in csms.calls.values()) == 20)
        self.assertEqual(csms.connections, {"CP%05d" % number: 1 for number in range(1, 21)})
        for process, stations in zip(runs, (7, 7, 6)):
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS)
            self.assertEqual(process.returncode, 0, out + err)
            self.assertIn("at least once: %d of %d" % (stations, stations), out)

    # ---- What goes wrong

    def test_a_csms_that_was_away_is_seen_in_the_record(self):
        csms = self.csms()
        fleet = self.write("fleet: { stations: 10, ramp: 0 }\nscenario: { heartbeat: { interval: 100ms } }\n"
                           "csms: { reconnect_backoff: 100ms }\ngovernor: { breaker: false }\n")
        process = self.begin(fleet, "--url", csms.url, "--json", self.path("run.json"))
        csms.stations(10)
        csms.command("die")
        # Each line is of later: the one that tells of failed attempts.
        while "reconnecting" not in (line := process.stdout.readline()):
            self.assertNotEqual(line, "")
        csms.command("back")
        csms.stations(10)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 0, out + err)  # calls that were lost with their connection break no promise
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
        fleet = self.write("fleet: { stations: 2, ramp: 0 }\nscenario: { heartbeat: { interval: 200ms }, call_timeout: 300ms }\n")
        self.run_fleet(fleet, "--url", csms.url, "--duration", "2s", "--json", self.path("run.json"), code=1)
        record = self.read_json()
        self.assertEqual(self.promises(record), [True, True, False, True])
        text = json.dumps(record)
        self.assertIn("the database is away", text)
        self.assertIn("timeout", text)

    def test_a_csms_that_cannot_be_reached_breaks_promises_and_says_why(self):
        csms = self.csms()
        csms.command("die")
        out, _ = self.run_fleet(self.write("fleet: { stations: 2 }\n"), "--url", csms.url, "--duration", "1s", code=1)
        self.assertIn("NOT   Every station was connected at least once: 0 of 2; not CP00001 (", out)
        self.assertIn("connection refused", out)

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
        out, err = self.run_fleet(fleet, "--url", csms.url, "--duration", "1s", "--json", "run.json", cwd=self.directory.name)
        self.assertNotIn("secret of", json.dumps(self.read_json()) + out + err)
        os.remove(self.path("keys/CP3"))
        _, err = self.run_fleet(fleet, "--url", csms.url, "--duration", "1s", code=2)
        self.assertIn("CP3", err)

    def test_a_file_that_is_not_right_is_told_with_its_line(self):
        for yaml, expected in (
            ("fleet:\n  stations: none\n", "fleet.yaml:2: fleet.stations: expected a whole number"),
            ("fleet: { stations: 2 }\n\ncsms:\n  ping_interval: 30\n", "fleet.yaml:4: csms.ping_interval: expected a duration"),
            ("fleet: { stations: 2, csms: { nonsense: 1 } }\n", "fleet.yaml:1: fleet: \"csms.nonsense\": unknown option"),
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
            ((self.path("missing.yaml"),), "the file cannot be read"),
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
        self.assertIn("all have begun after 1m39s990ms", out)
        for name in ("small.yaml", "tls.yaml"):
            self.run_fleet("--check", os.path.join(examples, name))
        out, _ = self.run_fleet("--check", os.path.join(examples, "small.yaml"), "--url", "wss://csms.example/ocpp?token=a@b")
        self.assertIn("wss://csms.example/ocpp?***", out)
        self.assertNotIn("a@b", out)

    def test_signals_that_are_ignored_stay_ignored(self):
        csms = self.python_csms()
        process = self.begin(self.write("fleet: { stations: 1 }\nscenario: { heartbeat: { interval: 100ms } }\n"), "--url", csms.url, "--json",
                             self.path("run.json"), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        csms.until(lambda: "Heartbeat" in [action for action, _ in csms.calls["CP00001"]])
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 0)
        self.assertIn("SIGTERM", json.dumps(self.read_json()))
        self.assertNotIn("SIGHUP", json.dumps(self.read_json()))
        self.assertIn("Exit status", self.run_fleet("--help")[0])

    def test_a_report_that_cannot_be_written_is_a_failure(self):
        csms = self.csms()
        _, err = self.run_fleet(self.write("fleet: {}\n"), "--url", csms.url, "--duration", "1s", "--json", self.path("nowhere/run.json"), code=1)
        self.assertIn("nowhere/run.json could not be written", err)

    # ---- In a terminal

    def in_terminal(self, *arguments):
        """Runs it there. Returns the process, the terminal and what reads it until a text has come."""
        master, slave = pty.openpty()
        before = termios.tcgetattr(slave)
        process = subprocess.Popen([FLEET, *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        seen = bytearray()

        def read(until):
            while until not in seen:
                ready, _, _ = select.select([master], [], [], SECONDS)
                self.assertTrue(ready, bytes(seen))
                seen.extend(os.read(master, 65536))
            return bytes(seen)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            os.close(master)
            os.close(slave)

        self.addCleanup(end)

        def settings_are_back():
            return termios.tcgetattr(slave) == before

        return process, master, read, settings_are_back

    def wait_reading(self, process, master):
        """Its end: a terminal that nobody reads would hold it up."""
        text = bytearray()
        while process.poll() is None:
            ready, _, _ = select.select([master], [], [], 0.05)
            if ready:
                text.extend(os.read(master, 65536))
        while select.select([master], [], [], 0)[0]:
            text.extend(os.read(master, 65536))
        return bytes(text)

    def test_in_a_terminal_it_ends_in_order_and_gives_the_terminal_back(self):
        for how, typed in ((signal.SIGINT, None), (signal.SIGTERM, None), (None, b"\x03"), (None, b"q")):
            with self.subTest(how=how, typed=typed):
                csms = self.csms()
                process, master, read, settings_are_back = self.in_terminal(
                    self.write("fleet: { stations: 5, ramp: 0 }\nscenario: { heartbeat: { interval: 200ms } }\n"), "--url", csms.url)
                read(b"5\x1b[0m connected")
                self.assertFalse(settings_are_back())
                if typed:
                    os.write(master, typed)
                else:
                    process.send_signal(how)
                text = read(LEAVE) + self.wait_reading(process, master)
                self.assertEqual(process.returncode, 0, text)
                self.assertTrue(settings_are_back())
                self.assertEqual(text.count(ENTER), 1)
                self.assertEqual(text.count(LEAVE), 1)
                self.assertIn("█".encode(), text)
                self.assertIn(b"5 of 5", text[text.index(LEAVE):])

    def test_a_second_ctrl_c_ends_at_once_with_a_report(self):
        # The CSMS forgets heartbeats, so that the first one waits.
        csms = self.python_csms(lambda station, action, payload: None if action == "Heartbeat" else result_of(action))
        process, master, read, settings_are_back = self.in_terminal(
            self.write("fleet: { stations: 3, ramp: 0, drain: 10m }\nscenario: { heartbeat: { interval: 100ms }, call_timeout: 10m }\n"),
            "--url", csms.url, "--json", self.path("run.json"))
        csms.until(lambda: all("Heartbeat" in [action for action, _ in csms.calls["CP0000%d" % number]] for number in (1, 2, 3)))
        os.write(master, b"\x03")
        read(b"end at once")
        os.write(master, b"\x03")
        read(LEAVE)
        self.wait_reading(process, master)
        self.assertEqual(process.returncode, 130)
        self.assertTrue(settings_are_back())
        self.assertIn("twice", json.dumps(self.read_json()))

    def test_whatever_kills_it_the_terminal_is_given_back(self):
        csms = self.csms()
        for how in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
            with self.subTest(how):
                process, master, read, settings_are_back = self.in_terminal(self.write("fleet: {}\n"), "--url", csms.url)
                read(b"connected")
                process.send_signal(how)
                read(LEAVE)
                self.wait_reading(process, master)
                self.assertEqual(process.returncode, -how)
                self.assertTrue(settings_are_back())

    def test_a_configuration_that_fails_late_gives_the_terminal_back(self):
        csms = self.csms()
        fleet = self.write("fleet: { stations: 2, csms: { auth: { password_file: \"keys/{id}\" } } }\ncsms: { security_profile: 1, auth: { type: basic } }\n")
        process, master, read, settings_are_back = self.in_terminal(fleet, "--url", csms.url)
        text = read(LEAVE) + self.wait_reading(process, master)
        self.assertEqual(process.returncode, 2)
        self.assertTrue(settings_are_back())
        self.assertIn(b"keys/CP00001", text[text.index(LEAVE):])

    def test_the_picture_follows_the_terminal(self):
        csms = self.csms()
        process, master, read, _ = self.in_terminal(self.write("fleet: { stations: 1 }\n"), "--url", csms.url)
        read(b"ping to pong")
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        read(b"\x1b[50;1H")  # the last line of the larger one
        process.send_signal(signal.SIGTSTP)
        read(LEAVE)
        os.waitpid(process.pid, os.WUNTRACED)
        process.send_signal(signal.SIGCONT)
        os.write(master, b"q")
        self.wait_reading(process, master)
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    FLEET, CSMS = map(os.path.abspath, sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
