"""Runs a client against the echo server, and looks at both from outside."""
import fcntl
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

from workloads import CLIENTS

# What the kernel keeps for a socket; all of both ends, since both are on this machine.
SLAB_CACHES = ("TCP", "sock_inode_cache", "dentry", "filp", "eventpoll_epi", "eventpoll_pwq")
KEYS = {
    "ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    "rsa": ["-newkey", "rsa:2048"],
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_limit_s(workload):
    """The work of a run is fixed, so this is reached only if something hangs."""
    return 40 + workload.stations / 100


def make_certificate(directory, kind):
    certificate, key = directory / f"{kind}.crt", directory / f"{kind}.key"
    subprocess.run(["openssl", "req", "-x509", *KEYS[kind], "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


class EchoServer:
    """One process. kind: of its certificate, empty for ws."""

    def __init__(self, programs, kind, scratch):
        arguments = []
        self.certificate = None
        if kind:
            self.certificate, key = make_certificate(scratch, kind)
            arguments = ["--tls", self.certificate, key]
        self.process = subprocess.Popen([programs / "echo_server", *arguments], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()  # "port N", said when it listens
        if len(line) != 2:
            sys.exit("run: the echo server did not start")
        self.url = f"{'wss' if kind else 'ws'}://127.0.0.1:{int(line[1])}/ocpp"

    def cpu_us(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.kill()
        self.process.wait()


def slab_bytes():
    """None where only root may read it and we are not."""
    try:
        lines = pathlib.Path("/proc/slabinfo").read_text().splitlines()[2:]
    except OSError:
        return None
    rows = (line.split() for line in lines)
    return sum(int(row[1]) * int(row[3]) for row in rows if row[0] in SLAB_CACHES)


def sockets_in_use():
    for line in pathlib.Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            return int(line.split()[2])
    return 0


class HeldPipe:
    """Full, so that a client which has measured waits in its last write, with all its connections, until it is drained."""

    def __init__(self):
        self.reader, self.writer = os.pipe()
        size = fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4096)
        os.write(self.writer, b"\n" * size)


def run_client(workload, client, programs, server, messages, rate):
    """One run. Returns what the client said, with what was seen from outside."""
    name, *fixed = CLIENTS[client]
    command = [programs / name, *fixed, "--url", server.url, "--stations", workload.stations,
               "--in-flight", workload.in_flight, "--messages", messages, "--size", workload.size]
    if server.certificate is not None:
        command += ["--ca", server.certificate]
    if rate is not None:
        command += ["--rate", rate]

    pipe = HeldPipe()
    if workload.messages == 0:
        wait_for_closed_sockets()
    kernel_before, sockets_before, server_before = slab_bytes(), sockets_in_use(), server.cpu_us()
    process = subprocess.Popen([str(word) for word in command], stdout=pipe.writer, stderr=subprocess.PIPE, text=True)
    os.close(pipe.writer)
    kernel = None
    alarm = threading.Timer(run_limit_s(workload), process.kill)
    alarm.start()
    try:
        if workload.messages == 0 and kernel_before is not None:
            kernel = kernel_bytes_per_connection(workload, process, kernel_before, sockets_before)
        with os.fdopen(pipe.reader) as reader:
            said = reader.read().strip()
        process.wait()
    finally:
        alarm.cancel()
    if process.returncode < 0:
        return {"failed": f"ended by signal {-process.returncode}; {run_limit_s(workload):.0f} s are the limit of a run"}
    if process.returncode != 0:
        return {"failed": process.stderr.read().strip() or f"status {process.returncode}"}
    result = json.loads(said)
    trips = max(1, result["round_trips"])
    result["server_cpu_us_per_trip"] = (server.cpu_us() - server_before) / trips
    result["kernel_per_connection_bytes"] = kernel
    return result


def wait_for_closed_sockets():
    """The server closes the connections of the run before only when it gets to it."""
    for _ in range(40):
        before = sockets_in_use()
        time.sleep(0.05)
        if sockets_in_use() == before:
            return


def kernel_bytes_per_connection(workload, process, kernel_before, sockets_before):
    limit = time.monotonic() + run_limit_s(workload) / 4
    while sockets_in_use() < sockets_before + 2 * workload.stations:
        if process.poll() is not None or time.monotonic() > limit:
            return None
        time.sleep(0.01)
    return (slab_bytes() - kernel_before) / workload.stations


def half_of_maximum(workload, clients, programs, server, messages):
    """Messages per second: what the slowest of the clients reaches when it sends as fast as answers come, halved."""
    rates = []
    for client in clients:
        result = run_client(workload, client, programs, server, messages, None)
        if "failed" in result:
            say(f"  {workload.name}: {client} failed: {result['failed']}")
            return None
        rates.append(result["round_trips"] / result["seconds"])
    return max(1, int(min(rates) / 2))


def measure(workload, clients, rounds, scale, programs, server):
    """Returns the runs of each client."""
    runs = {client: [] for client in clients}
    messages = max(1, int(workload.messages * scale / 100)) if workload.messages else 0
    for turn in range(rounds):
        rate = None
        if workload.half_load:
            rate = half_of_maximum(workload, clients, programs, server, messages)
        # Each comes first in its turn: who follows whom leaves its traces in the kernel (ports in TIME_WAIT).
        first = turn % len(clients)
        for client in clients[first:] + clients[:first]:
            result = run_client(workload, client, programs, server, messages, rate)
            result["rate"] = rate
            if "failed" in result:
                say(f"  {workload.name}: {client} failed: {result['failed']}")
            runs[client].append(result)
    return runs


def series(runs, key):
    good = [run for run in runs if "failed" not in run]
    if key == "cpu":
        return [run["cpu_user_us_per_trip"] + run["cpu_sys_us_per_trip"] for run in good]
    if key == "rate":
        return [run["round_trips"] / run["seconds"] for run in good if run["seconds"] > 0]
    if key.startswith("latency "):
        return [run["latency_us"][key.split()[1]] for run in good if run["latency_us"]["max"] > 0]
    return [run[key] for run in good if run.get(key) is not None]


def median(runs, key):
    values = series(runs, key)
    return statistics.median(values) if values else None
