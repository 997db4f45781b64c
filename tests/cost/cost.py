#!/usr/bin/python3
"""What a message and a connect cost, in system calls and instructions, and an idle station in memory: counts, which do not depend on the machine's mood.

Each is counted with few and with many, and the difference is divided by what is more, so that start and end do not count.
Exits with 77 where the tool that counts is missing or not permitted. `cost.py PROGRAMS calls|instructions|memory|metrics`
"""
import collections
import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
RUN_LIMIT_S = 100


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    stations: int  # 0: the connects are counted
    in_flight: int
    arguments: tuple = ()
    tls: bool = False
    calls: dict = dataclasses.field(default_factory=dict)  # at most so many of each, per message or connect
    others: float = 0.02  # calls of all other names together
    instructions: int = 0  # at most; 0: not counted
    bytes: int = 0  # at most, allocated per station; 0: not counted
    few: int = 200  # messages of all stations, or connects
    many: int = 2200

    def counted(self, number):
        """The arguments with which `number` messages or connects are made."""
        if self.stations == 0:
            return ["--stations", number, "--in-flight", 1, "--messages", 0]
        return ["--stations", self.stations, "--in-flight", self.in_flight, "--messages", max(1, number // self.stations)]


# The bounds are what was counted, and some room: for calls what chance adds (a heap that grows), for instructions a sixth.
# For memory a twentieth: what waits for somebody while it is counted is chance, some 60 bytes per station.
# How many answers come in one read is chance with several in flight, so there the bound is what holds if they all come alone:
# never more than one read, one write and one wait per message.
TRIP = {"recvfrom": 1.02, "sendto": 1.02, "epoll_wait": 1.02}
# Between two threads: who waits is woken, at worst for each message.
HANDED_OVER = {**TRIP, "futex": 3, "write": 1.02, "read": 1.02}
CONNECT = {"socket": 1.02, "setsockopt": 2.02, "connect": 1.02, "getsockopt": 1.02, "getsockname": 1.02, "epoll_ctl": 2.02,
           "sendto": 1.02, "recvfrom": 1.02, "epoll_wait": 1.02}
# A thread that meets another in the heap gets an arena of its own, once, for which glibc reads a file: 3 calls among a hundred connects.
# A heap grows by pages, which is no cost of one message or connect. Opening a file would be one, and is none of these.
MEMORY = {"brk": 0.2, "mmap": 0.2, "munmap": 0.2, "mprotect": 0.5, "madvise": 0.5}
# OpenSSL asks for the process id to notice a fork. Looks at the CA file's date, when the caller connects and before the
# attempt, tell whether it is to be read again.
TLS_CONNECT = {**CONNECT, **MEMORY, "recvfrom": 4.1, "sendto": 3.1, "getpid": 4, "newfstatat": 2.02,
               "mprotect": 6, "futex": 0.2}
CASES = [
    Case("a round trip, 100 stations with 1 in flight", 100, 1, calls=TRIP, instructions=2900),
    Case("a round trip, 1 station with 64 in flight", 1, 64, calls=TRIP, few=2000, many=12000),
    Case("a round trip, 1 station with 1 in flight", 1, 1, calls=TRIP, instructions=3600),
    Case("a round trip, 100 stations with 1 in flight, polled", 100, 1, ("--poll",), calls={**HANDED_OVER, **MEMORY},
         instructions=3600),
    Case("a round trip, 100 stations with 1 in flight, sent by another thread", 100, 1, ("--senders", "1"),
         calls={**HANDED_OVER, **MEMORY}, instructions=3600),
    Case("a round trip over TLS, 1 station with 1 in flight", 1, 1, tls=True, calls=TRIP, instructions=22000),
    Case("a station that connects", 0, 1, calls={**CONNECT, **MEMORY, "futex": 0.2}, instructions=52000, bytes=2750),
    Case("a station that connects over TLS", 0, 1, ("--no-resume",), tls=True, calls=TLS_CONNECT, instructions=5600000,
         others=0.05, bytes=23500, few=20, many=120),
    Case("a station that connects over TLS with a session resumed", 0, 1, tls=True, calls=TLS_CONNECT, instructions=3200000,
         bytes=19000, few=100, many=400),
]


# Where metrics cost the most: each message is a batch, a call of the handler and a turn of the loop by itself.
METRICS_CASES = [
    Case("a round trip, 100 stations with 1 in flight", 100, 1),
    Case("a round trip, 1 station with 1 in flight", 1, 1),
    Case("a round trip, 100 stations with 1 in flight, polled", 100, 1, ("--poll",)),
]
METRICS_SHARE = 0.065  # of the instructions in user space, which are a part of what a round trip costs: see check_metrics


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


class EchoServer:
    def __init__(self, programs, scratch, tls):
        arguments = []
        self.options = []
        if tls:
            certificate, key = scratch / "server.crt", scratch / "server.key"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                            "-keyout", key, "-out", certificate], check=True, capture_output=True)
            arguments = ["--tls", certificate, key]
            self.options = ["--ca", certificate]
        self.process = subprocess.Popen([programs / "echo_server", *arguments], stdout=subprocess.PIPE, text=True)
        port = self.process.stdout.readline().split()[1]  # "port N", said when it listens
        self.options += ["--url", f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/ocpp", "--size", 200]

    def stop(self):
        self.process.kill()
        self.process.wait()


def run(command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=RUN_LIMIT_S, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def count_calls(client, scratch):
    output = scratch / "calls"
    run(["strace", "-f", "-qq", "-o", output, *client])
    # "1234  sendto(5, ..." once per call; what was interrupted by another thread's is resumed on a line of its own.
    name = re.compile(r"^\d+ +(\w+)\(")
    return collections.Counter(match.group(1) for match in map(name.match, output.open(errors="replace")) if match)


def count_instructions(client, scratch):
    output = scratch / "instructions"
    run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={output}", *client])
    total = re.search(r"^(?:totals|summary): (\d+)", output.read_text(errors="replace"), re.MULTILINE)
    return collections.Counter({"instructions": int(total.group(1))})


def allocated(client, _):
    said = json.loads(run(client))
    return collections.Counter({"bytes": said["heap_per_connection_bytes"] * said["stations"]})


def per_unit(case, count, programs, server, scratch):
    client = [programs / "chargewire_client", *case.arguments, *server.options]
    less = count([*client, *case.counted(case.few)], scratch)
    more = count([*client, *case.counted(case.many)], scratch)
    return {name: (more[name] - less[name]) / (case.many - case.few) for name in more}


def check_calls(case, counted):
    failures = []
    others = sum(number for name, number in counted.items() if name not in case.calls)
    for name, most in {**case.calls, "others": case.others}.items():
        number = others if name == "others" else counted.get(name, 0)
        if number > most:
            failures.append(f"{number:.2f} {name}, at most {most:g}")
    said = ", ".join(f"{number:.2f} {name}" for name, number in sorted(counted.items(), key=lambda item: -item[1])
                     if abs(number) >= 0.005)
    return said, failures


def check_number(unit):
    def check(case, counted):
        number, most = counted[unit], getattr(case, unit)
        return f"{number:,.0f} {unit}", [f"{number:,.0f} {unit}, at most {most:,}"] if number > most else []
    return check


def check_metrics(programs, server, scratch):
    """Instructions with metrics.enabled against without, in one run of this script, so that nothing else differs. System calls, where a round
    trip spends most of its time, are not counted, and nor is what a clock costs in the kernel's page of functions. The share of all CPU time
    is measured by tests/bench/metrics_cost.cpp; docs/operations.md says what it was. A count does not depend on the machine's mood, so this is
    what notices that counting has become dearer."""
    failed = False
    for case in METRICS_CASES:
        off = per_unit(case, count_instructions, programs, server, scratch)["instructions"]
        counting = dataclasses.replace(case, arguments=(*case.arguments, "--metrics"))
        share = per_unit(counting, count_instructions, programs, server, scratch)["instructions"] / off - 1
        said = f"{case.name}: {off:,.0f} instructions, {100 * share:+.1f} % with metrics"
        print(said + ("" if share <= METRICS_SHARE else f"  TOO MUCH: at most {100 * METRICS_SHARE:g} %"), flush=True)
        failed = failed or share > METRICS_SHARE
    return failed


def main():
    programs, what = pathlib.Path(sys.argv[1]), sys.argv[2]
    tool, count, check = {"calls": ("strace", count_calls, check_calls),
                          "instructions": ("valgrind", count_instructions, check_number("instructions")),
                          "memory": (None, allocated, check_number("bytes")),
                          "metrics": ("valgrind", count_instructions, None)}[what]
    unit = {"memory": "bytes"}.get(what, what)
    if tool is not None and shutil.which(tool) is None:
        skip(f"{tool} is not installed")
    if tool == "strace":
        tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            skip(f"strace cannot trace here: {tried.stderr.strip()}")
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        servers = {tls: EchoServer(programs, scratch, tls) for tls in (False, True)}
        try:
            if what == "metrics":
                return 1 if check_metrics(programs, servers[False], scratch) else 0
            for case in CASES:
                if not getattr(case, unit):
                    continue
                said, failures = check(case, per_unit(case, count, programs, servers[case.tls], scratch))
                failed = failed or bool(failures)
                print(f"{case.name}: {said}", *(f"  TOO MUCH: {failure}" for failure in failures), sep="\n", flush=True)
        finally:
            for server in servers.values():
                server.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
