"""chargewire-trace on traces of real sessions with the CSMS of the examples, and on traces that are made up.
usage: trace_test.py CHARGEWIRE_TRACE CSMS; PYTHONPATH and CHARGEWIRE_LIBRARY lead to the module and the library of Chargewire"""

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import types
import unittest

from chargewire import Config, EventType, Manager

TRACE = CSMS = None
SECONDS = 60


def time_of(second):
    return f"2026-11-26T04:{second // 60:02}:{second % 60:02}.000000001Z"


def frame(direction, payload, second=0, station="CP1", **more):
    record = {"time": time_of(second), "sequence": 1, "station": station, "connection": 1, "event": "frame", "direction": direction, "opcode": "text",
              "fin": True, "size": len(payload or ""), "payload": payload, **more}
    return json.dumps({key: value for key, value in record.items() if value is not None}) + "\n"


def event(name, second=0, station="CP1", **more):
    return json.dumps({"time": time_of(second), "sequence": 1, "station": station, "connection": 1, "event": name, **more}) + "\n"


class TraceTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "trace.jsonl")

    def write(self, text, name=""):
        with open(self.path + name, "w", encoding="utf-8") as file:
            file.write(text)

    def said(self, *options, files=None, ends_with=0):
        done = subprocess.run([sys.executable, "-W", "error", TRACE, *options, *(files or [self.path])], capture_output=True, text=True, timeout=SECONDS,
                              check=False)
        self.assertEqual(done.returncode, ends_with, done.stderr)
        self.complaints = done.stderr
        return done.stdout

    def start(self, program, *arguments, **more):
        process = subprocess.Popen([*program, *arguments], stdout=subprocess.PIPE, text=True, **more)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, SECONDS)
        self.addCleanup(process.kill)
        return process

    def session(self, protocol, reset='{"type":"Soft"}', **options):
        """A boot, a heartbeat and a call of the CSMS that is not answered, under a trace."""
        csms = self.start([CSMS, "--stdin", "--deflate"], stdin=subprocess.PIPE)  # which agrees to it where it is offered
        self.addCleanup(csms.stdin.close)
        url = re.search(r"ws://\S+", csms.stdout.readline())[0]
        vendor = {"1.6": '{"chargePointVendor":"Acme","chargePointModel":"One"}',
                  "2.0.1": '{"reason":"PowerUp","chargingStation":{"vendorName":"Acme","model":"One"}}'}[protocol]
        with Manager(Config(trace_file=self.path, trace_enabled=True, protocol=[protocol], **options)) as manager:
            station = manager.connect("CP1", url)
            station.wait_connected(SECONDS)
            station.send(f'[2,"boot","BootNotification",{vendor}]')
            station.send('[2,"beat","Heartbeat",{}]')
            answers = 0
            while answers < 3:
                for met in manager.poll(SECONDS):
                    if met.type == EventType.MESSAGE:
                        answers += 1
                        if answers == 2:
                            csms.stdin.write(f'send CP1 [2,"c1","Reset",{reset}]\n')
                            csms.stdin.flush()
            station.disconnect()
            while not any(met.type == EventType.CLOSED for met in manager.poll(SECONDS)):
                pass

    def test_a_session_of_1_6_and_one_of_2_0_1(self):
        for protocol in ("1.6", "2.0.1"):
            with self.subTest(protocol=protocol):
                self.session(protocol)
                said = self.said()
                self.assertIn(f"connection 1: connected with ocpp{protocol}\n", said)
                self.assertRegex(said, r"\d\d\.\d{6} CP1 --> GET /CP1 HTTP/1\.1\n")
                self.assertRegex(said, r"CP1 --> BootNotification boot \{.*Acme.*\}\n")
                self.assertRegex(said, r"CP1 <-- BootNotification boot result after \d+\.\d+ ms \{.*Accepted.*\}\n")
                self.assertRegex(said, r"CP1 <-- Heartbeat beat result after \d+\.\d+ ms \{.*currentTime.*\}\n")
                self.assertRegex(said, r"CP1 <-- Reset c1 \{\"type\": \"Soft\"\}\n")
                self.assertRegex(said, r"CP1 <\?- Reset c1 was not answered for \d+\.\d+ \w+: the connection was lost\n")
                os.remove(self.path)

    def test_compressed_messages_are_read_like_others(self):
        self.session("1.6", reset='{"type":"Soft","note":"%s"}' % ("x" * 200), deflate_enabled=True, deflate_size_min=1)
        said = self.said()
        self.assertRegex(said, r"CP1 --> BootNotification boot \(compressed, \d+ bytes\) \{.*Acme.*\}\n")
        self.assertRegex(said, r"CP1 <-- BootNotification boot result after \S+ \w+ \{.*Accepted.*\}\n")  # it would become longer
        self.assertRegex(said, r"CP1 <-- Reset c1 \(compressed, \d+ bytes\) \{.*Soft.*\}\n")

    def test_errors_fragments_and_what_is_no_ocpp(self):
        fragments = frame("in", None, 3, fin=False, size=4) + \
            frame("in", '[3,"a",{"x":1}]', 4, opcode="continuation", message_size=15, size=11)
        self.write(frame("out", '[2,"a","X",{}]', 1) + fragments + frame("in", '[2,"b","Y",{}]', 5) +
                   frame("out", '[4,"b","NotSupported","no such",{"why":"é"}]', 7) + frame("in", "hello \x1b[2J", 8) +
                   frame("in", '[3,"never asked",{}]', 9) + frame("in", None, 10, withheld="it is a secret") +
                   frame("in", None, 11, opcode="close", code=1001, reason="going") +
                   frame("out", None, 11, opcode="ping", payload_base64="aGk=") +
                   frame("out", '[6,"s","NotifyPeriodicEventStream",{}]', 12))
        said = self.said()
        self.assertIn("CP1 --> X a {}\n", said)
        self.assertIn('CP1 <-- X a result after 3.00 s (2 fragments) {"x": 1}\n', said)
        self.assertEqual(said.count('{"x": 1}'), 1)
        self.assertIn('CP1 --> Y b error NotSupported no such after 2.00 s {"why": "é"}\n', said)
        self.assertIn("CP1 <-- no OCPP message: hello \\u001b[2J\n", said)
        self.assertIn("CP1 <-- ? never asked result of a call that is not in the trace {}\n", said)
        self.assertIn("withheld: it is a secret", said)
        self.assertIn("CP1 <-- close 1001 going\n", said)
        self.assertIn("CP1 --> NotifyPeriodicEventStream s (no answer is wanted) {}\n", said)
        self.assertNotIn("ping", said)
        self.assertIn("CP1 --> ping 6869\n", self.said("--pings"))

    def test_calls_without_an_answer_are_marked(self):
        self.write(frame("out", '[2,"a","X",{}]', 1) + event("lost", 4, status="CWIRE_E_READ", reason="it broke") +
                   frame("out", '[2,"b","Y",{}]', 5) + frame("out", '[2,"b","Z",{}]', 6))
        said = self.said()
        self.assertIn("CP1 -?> X a was not answered for 3.00 s: the connection was lost\n", said)
        self.assertIn("CP1 -?> Y b was not answered for 1.00 s: its id was used again\n", said)
        self.assertIn("CP1 -?> Z b was not answered: the trace has no answer\n", said)
        # The same id is another call in another direction, and at another station.
        self.write(frame("out", '[2,"a","X",{}]', 1) + frame("in", '[2,"a","Y",{}]', 2) + frame("out", '[2,"a","Z",{}]', 3, "CP2") +
                   frame("out", '[3,"a",{}]', 4) + frame("in", '[3,"a",{}]', 5) + frame("in", '[3,"a",{}]', 6, "CP2"))
        said = self.said()
        self.assertNotIn("not answered", said)
        self.assertRegex(said, r"--> Y a result after 2.00 s")
        self.assertRegex(said, r"<-- X a result after 4.00 s")

    def test_filters(self):
        self.write("".join(frame("out", f'[2,"{number}","A{number % 2}",{{}}]', number, f"CP{number}") +
                           frame("in", f'[3,"{number}",{{}}]', number, f"CP{number}") for number in range(4)) +
                   event("closed", 9, "CP1", status="CWIRE_OK", reason="closed by request"))
        self.assertEqual(len(self.said("--station", "CP1").splitlines()), 3)
        self.assertEqual(len(self.said("--station", "CP[12]", "--action", "A0").splitlines()), 2)
        self.assertEqual(len(self.said("--action", "A1").splitlines()), 4)
        # What was asked before that time is known all the same.
        self.assertEqual(len(self.said("--since", "2026-11-26T04:00:02.5Z").splitlines()), 3)
        self.assertEqual(len(self.said("--until", "2026-11-26T04:00:01Z").splitlines()), 4)
        self.assertEqual(self.said("--since", "1s"), "")
        self.said("--since", "yesterday", ends_with=2)
        self.assertIn("'yesterday' is no time", self.complaints)
        self.assertNotIn("{}", self.said("--payload", "none"))
        self.assertIn("\n    {\n", self.said("--payload", "indented").replace("{}", "{\n"))

    def test_files_in_order(self):
        self.write(frame("out", '[2,"1","Old",{}]', 1), ".2")
        self.write(frame("in", '[3,"1",{}]', 2), ".1")
        self.write(frame("out", '[2,"3","New",{}]', 3))
        other = self.path + ".other"
        self.write(frame("out", '[2,"o","Other",{}]', 2, "ELSEWHERE"), ".other")
        actions = re.findall(r"(?:--|<-)[>-] (\w+)", self.said(files=[self.path, other]))
        self.assertEqual(actions, ["Old", "Old", "Other", "New"])
        self.assertNotIn("Old", self.said("--this-file-only"))
        self.said(files=["/no/such/file"], ends_with=1)
        self.assertEqual(self.complaints, "chargewire-trace: /no/such/file: No such file or directory\n")

    def test_what_is_no_record_is_left_out_and_said(self):
        self.write('{"torn":\nnull\n[]\n' + frame("out", '[2,"1","Whole",{}]') + event("dropped", 2, dropped=7, reason="too fast") +
                   event("file", 3, format=2))
        said = self.said("--station", "nobody")
        self.assertIn("7 records are missing here: too fast", said)
        self.assertEqual(len(re.findall("is no record of a trace", self.complaints)), 3)
        self.assertIn("newer format (2)", self.complaints)

    def test_what_a_peer_or_a_later_library_writes_ends_nothing(self):
        nested = ["[" * depth + "]" * depth for depth in (300, 600, 900, 990, 20000)]
        names = ("trace_on", "connecting", "connected", "failed", "lost", "refused", "request", "dropped", "frame", "closed", "weather")
        self.write("".join(frame("in", f'[3,"a",{{"x":{deep}}}]', 1) + frame("in", f'[4,"a",{deep},"",{{}}]', 1) for deep in nested) +
                   frame("in", "[" * 20000, 1) + '{"time":' + "[" * 20000 + "\n" +
                   event("response", 2, direction="in", withheld="it is larger than trace.file_size_max") +
                   "".join(json.dumps({"time": time_of(3), "event": name}) + "\n" for name in names) + frame("out", '[2,"z","Last",{}]', 4))
        for options in ([], ["--heads", "--pings"], ["--payload", "indented"], ["--payload", "none"]):
            said = self.said(*options)
            self.assertIn("CP1 <-- withheld: it is larger than trace.file_size_max\n", said)
            self.assertRegex(said, r" 04:00:03\.000000 .* weather\n")
            self.assertIn("CP1 --> Last z", said)
        self.said("--color", "always")

    def test_colors_are_for_terminals(self):
        self.write(frame("out", '[2,"1","X",{}]'))
        self.assertNotIn("\x1b", self.said())
        self.assertIn("\x1b[36m-->\x1b[0m", self.said("--color", "always"))

    def test_a_pipe_that_is_closed_early_is_no_error(self):
        self.write(frame("out", '[2,"1","X",{}]') * 10000)
        tool = self.start([TRACE], self.path, stderr=subprocess.PIPE)
        self.addCleanup(tool.stderr.close)
        tool.stdout.readline()
        tool.stdout.close()
        tool.wait(SECONDS)
        self.assertEqual(tool.stderr.read(), "")

    def test_follows_over_rotation(self):
        self.write(frame("out", '[2,"0","A",{}]'))
        tool = self.start([TRACE], "--follow", self.path)
        seen = []
        changed = threading.Condition()

        def read():
            for line in tool.stdout:
                with changed:
                    seen.append(line)
                    changed.notify_all()

        reader = threading.Thread(target=read)
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(tool.kill)

        def has(action):
            with changed:
                self.assertTrue(changed.wait_for(lambda: any(f" {action} " in line for line in seen), SECONDS), f"{action} in {seen}")

        has("A")
        with open(self.path, "a", encoding="utf-8") as file:
            text = frame("out", '[2,"1","B",{}]')
            file.write(text[:20])
            file.flush()
            file.write(text[20:])
        has("B")
        # Two files have come after the one that it reads.
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(frame("out", '[2,"2","C",{}]'))
        os.rename(self.path, self.path + ".2")
        self.write(frame("out", '[2,"3","D",{}]'), ".1")
        self.write(frame("out", '[2,"4","E",{}]'))
        for action in "CDE":
            has(action)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(frame("out", '[2,"5","F",{}]'))
        has("F")
        self.assertEqual([re.search(r"--> (\w)", line)[1] for line in seen], list("ABCDEF"))

    def test_files_are_renamed_while_they_are_opened(self):
        tool = types.ModuleType("chargewire_trace")
        with open(TRACE, encoding="utf-8") as source:
            exec(compile(source.read(), TRACE, "exec"), tool.__dict__)  # pylint: disable=exec-used
        older_files = tool.older_files
        written = 0

        def rotate():
            nonlocal written
            for name in reversed(older_files(self.path)):
                os.rename(name, f"{self.path}.{int(name.rsplit('.', 1)[1]) + 1}")
            if written:
                os.rename(self.path, self.path + ".1")
            written += 1
            self.write(f"{written}\n")

        def listed_just_before(path):
            names = older_files(path)
            if written < 5:
                rotate()
            return names

        for _ in range(3):
            rotate()
        tool.older_files = listed_just_before
        lines = tool.Lines(self.path, True, True)
        self.addCleanup(lambda: [file.close() for file in lines.files])
        seen = [int(line[1]) for line in itertools.takewhile(lambda line: line is not None, lines)]
        self.assertEqual(seen, [1, 2, 3, 4, 5])

    def test_follows_a_trace_as_it_is_written(self):
        """By the library, which makes a new file again and again."""
        messages = 400
        csms = self.start([CSMS, "--stdin", "--echo"], stdin=subprocess.PIPE)
        self.addCleanup(csms.stdin.close)
        url = re.search(r"ws://\S+", csms.stdout.readline())[0]
        with Manager(Config(trace_file=self.path, trace_enabled=True, trace_file_size_max=64 << 10, trace_files_max=100)) as manager:
            tool = self.start([TRACE], "--follow", "--payload", "none", self.path)
            station = manager.connect("CP1", url)
            station.wait_connected(SECONDS)
            answers = 0
            for number in range(messages):
                station.send(f'[2,"{number}","Echo",{{"x":"{"x" * 3000}"}}]')
                while answers <= number:
                    answers += sum(met.type == EventType.MESSAGE for met in manager.poll(SECONDS))
            asked = []
            while len(asked) < messages:
                found = re.search(r"--> Echo (\d+)", tool.stdout.readline())
                if found:
                    asked.append(int(found[1]))
            self.assertEqual(asked, list(range(messages)))
        self.assertTrue(os.path.exists(self.path + ".9"))


if __name__ == "__main__":
    TRACE, CSMS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
