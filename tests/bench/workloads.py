"""What is measured, and by whom."""
import dataclasses

RAW = "raw"
# Each is a program and what it is called with in every workload.
CLIENTS = {
    RAW: ["raw_client"],
    "chargewire": ["chargewire_client"],
    "chargewire-poll": ["chargewire_client", "--poll"],
    "libwebsockets": ["libwebsockets_client"],
    "beast": ["beast_client"],
    "gorilla": ["gorilla_client"],
    "chargewire_go": ["chargewire_go"],
    "websocketpp": ["websocketpp_client"],
    "uring": ["uring_client"],
    "raw-resume": ["raw_client", "--resume"],
    "chargewire-no-resume": ["chargewire_client", "--no-resume"],
    "chargewire-senders-1": ["chargewire_client", "--senders", "1"],
    "chargewire-senders-4": ["chargewire_client", "--senders", "4"],
    "chargewire-senders-16": ["chargewire_client", "--senders", "16"],
    "chargewire-broadcast": ["chargewire_client", "--broadcast"],
    "chargewire-work": ["chargewire_client", "--work-us", "100"],
    "chargewire-work-2-threads": ["chargewire_client", "--work-us", "100", "--io-threads", "2"],
    "chargewire-rust": ["rust/release/rust_client"],
    "chargewire-rust-iterator": ["rust/release/rust_client", "--iterator"],
    "chargewire-rust-stream": ["rust/release/rust_client", "--stream"],
    "chargewire_csharp": ["csharp/bin/CsharpClient/release/CsharpClient", "--by", "chargewire"],
    "clientwebsocket": ["csharp/bin/CsharpClient/release/CsharpClient", "--by", "clientwebsocket"],
}
WITH_MORE_PACKAGES = ("libwebsockets", "beast", "gorilla", "chargewire_go", "websocketpp", "uring")
# The binding of Rust, in its three deliveries.
WITH_CARGO = ("chargewire-rust", "chargewire-rust-iterator", "chargewire-rust-stream")
# The binding of C#, and what its users would take otherwise.
WITH_DOTNET = ("chargewire_csharp", "clientwebsocket")
BINDINGS = (*WITH_CARGO, *WITH_DOTNET, "chargewire_go")  # measured when they are named
WITHOUT_TLS = ("websocketpp", "uring")

PEERS = ("libwebsockets", "beast", "gorilla", "websocketpp")
LIBRARIES = (RAW, "uring", "chargewire", "chargewire-poll", *PEERS, *BINDINGS)
IDLE = (RAW, "uring", "chargewire", *PEERS, *BINDINGS)
RESUMPTION = (RAW, "raw-resume", "chargewire-no-resume", "chargewire", *PEERS, *WITH_DOTNET)
SENDERS = (RAW, "chargewire", "chargewire-senders-1", "chargewire-senders-4", "chargewire-senders-16")
BROADCAST = (RAW, "chargewire", "chargewire-broadcast")
WORK = ("chargewire-work", "chargewire-work-2-threads")
LATENCY = (RAW, "chargewire")


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    stations: int
    in_flight: int
    size: int
    messages: int  # per station; 0: connect and measure memory only
    tls: str = ""  # the key of the server's certificate: ecdsa or rsa; empty: ws
    clients: tuple = LIBRARIES
    half_load: bool = False  # messages are sent at half the rate of the slowest client's maximum
    full: bool = False  # runs with --full only

    def heading(self):
        scheme = f"wss ({self.tls.upper()})" if self.tls else "ws"
        if self.messages == 0:
            return f"{self.stations:,} idle stations, {scheme}: memory and connect storm"
        if self.half_load:
            return f"{self.stations:,} stations at half of the maximum load, {self.size:,} B, {scheme}"
        what = ""
        if self.clients == SENDERS:
            what = ", sent by other threads"
        elif self.clients == BROADCAST:
            what = ", broadcast"
        elif self.clients == WORK:
            what = ", 100 us of work in the handler"
        return f"{self.stations:,} x {self.in_flight} in flight, {self.size:,} B, {scheme}{what}"


def all_workloads():
    # Messages so that a run lasts 0.3 to 1 s for most clients.
    yield Workload("1x1", 1, 1, 200, 15000)
    yield Workload("1x64", 1, 64, 200, 200000)
    yield Workload("100x1", 100, 1, 200, 500)
    yield Workload("100x16", 100, 16, 200, 2000)
    yield Workload("1000x1", 1000, 1, 200, 50)
    yield Workload("1000x16", 1000, 16, 200, 200)
    yield Workload("64B-100x1", 100, 1, 64, 500)
    yield Workload("64B-100x16", 100, 16, 64, 2000)
    yield Workload("4K-100x1", 100, 1, 4096, 300)
    yield Workload("4K-100x16", 100, 16, 4096, 500)
    yield Workload("64K-100x1", 100, 1, 65536, 30)
    yield Workload("wss-1x64", 1, 64, 200, 50000, tls="ecdsa")
    yield Workload("wss-100x1", 100, 1, 200, 300, tls="ecdsa")
    yield Workload("wss-100x16", 100, 16, 200, 1000, tls="ecdsa")
    yield Workload("wss-4K-100x1", 100, 1, 4096, 200, tls="ecdsa")
    yield Workload("senders-100x1", 100, 1, 200, 500, clients=SENDERS)
    yield Workload("senders-100x16", 100, 16, 200, 1000, clients=SENDERS)
    yield Workload("broadcast-1000x1", 1000, 1, 200, 50, clients=BROADCAST)
    yield Workload("broadcast-1000x16", 1000, 16, 200, 200, clients=BROADCAST)
    yield Workload("half-load", 100, 1, 200, 1000, clients=LATENCY, half_load=True)
    yield Workload("wss-half-load", 100, 1, 200, 500, tls="ecdsa", clients=LATENCY, half_load=True)
    yield Workload("threads", 1000, 1, 200, 10, clients=WORK)
    yield Workload("idle", 1000, 1, 200, 0, clients=IDLE)
    yield Workload("wss-idle", 2000, 1, 200, 0, tls="ecdsa", clients=RESUMPTION)
    yield Workload("wss-idle-rsa", 2000, 1, 200, 0, tls="rsa", clients=RESUMPTION)

    yield Workload("64K-100x16", 100, 16, 65536, 30, full=True)
    yield Workload("wss-64B-100x1", 100, 1, 64, 300, tls="ecdsa", full=True)
    yield Workload("wss-64K-100x1", 100, 1, 65536, 20, tls="ecdsa", full=True)
    yield Workload("wss-1000x1", 1000, 1, 200, 30, tls="ecdsa", full=True)
    for stations in (10000, 19000):
        yield Workload(f"{stations}x1", stations, 1, 200, 10, full=True)
        yield Workload(f"{stations}x16", stations, 16, 200, 30, full=True)
        yield Workload(f"idle-{stations}", stations, 1, 200, 0, clients=IDLE, full=True)
    yield Workload("wss-idle-10000", 10000, 1, 200, 0, tls="ecdsa", clients=RESUMPTION, full=True)
