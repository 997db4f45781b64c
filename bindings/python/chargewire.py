"""Keeps fleets of EV charging stations connected to their CSMS over OCPP-J WebSockets.

    with chargewire.Manager() as manager:
        manager.connect("CP001", "ws://localhost:9000")
        for event in manager.events():
            ...

This file is all of the binding: ctypes, asyncio and the library libchargewire.so.0. Copy it, or install it.

Events are taken, never pushed, so that no thread of the library ever enters Python: by `for event in manager.events()`, by
`async for event in manager.events()`, or in batches by `manager.poll()`. Any call may be made from any thread.
"""
from __future__ import annotations

import asyncio
import ctypes
import enum
import inspect
import json
import math
import os
import re
import select
import struct
import threading
import time
import warnings
import weakref
from collections import deque
from ctypes import POINTER, c_char, c_char_p, c_int32, c_int64, c_size_t, c_ssize_t, c_uint16, c_uint32, c_uint64, c_void_p
from datetime import datetime, timedelta, timezone
from typing import (Any, Callable, Deque, Dict, Generic, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple,
                    Type, TypeVar, Union, overload)

T = TypeVar("T")
C = TypeVar("C", bound=enum.Enum)
Seconds = Union[float, timedelta]
Message = Union[str, bytes, bytearray, memoryview]
Path = Union[str, "os.PathLike[str]"]


# ---- What the generated part stands on


class _Number(enum.IntEnum):
    """Numbers of the library. Of a later version than this file there may be some that have no name here: those are kept as they are."""

    @classmethod
    def _missing_(cls, value: object) -> Optional["_Number"]:
        if not isinstance(value, int):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_, unknown._value_ = f"UNKNOWN_{value}", value
        return unknown

    def __str__(self) -> str:
        return self.name


class ChargewireError(Exception):
    """A call failed. `status` is for programs; the text says what happened, to which station, why, and what to do, and holds no secret.

    Each status has a class of its own: `except chargewire.QueueFullError`."""

    def __init__(self, status: Status, message: str = ""):
        super().__init__(status, message)
        self.status = status
        self.message = message or _meaning(status)

    def __str__(self) -> str:
        return self.message


def _static(text: bytes) -> str:
    """Of a function of the library."""
    return text.decode()


def _time(nanoseconds: int) -> Optional[datetime]:
    """None for never."""
    return datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc) if nanoseconds else None


def _interval(nanoseconds: int) -> timedelta:
    return timedelta(microseconds=nanoseconds / 1e3)


def _text(data: bytes) -> str:
    """Of a character array."""
    return data.split(b"\0", 1)[0].decode()


def _last_failure(data: bytes) -> Optional[Failure]:
    failure, = _failures.read(data)
    return failure if failure.status != Status.OK else None


def _utf8(text: str) -> bytes:
    """A NUL would end it early in C, and what is then connected would be another station."""
    data = text.encode()
    if 0 in data:
        # Without the text: it may be a secret.
        raise InvalidArgumentError(Status.INVALID_ARGUMENT, "there is a NUL in a text; remove it, for C would take it for the end")
    return data


def _optional_utf8(text: Optional[str]) -> Optional[bytes]:
    return None if text is None else _utf8(text)


def _seconds(value: Seconds) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _milliseconds(value: Seconds) -> int:
    """Rounded up, as a wait must not end early."""
    seconds = _seconds(value)
    return 0x7FFFFFFF if seconds > 2147483 else math.ceil(seconds * 1000)


class _Option(Generic[T]):
    """An option of Config, as a property of its type."""

    def __init__(self, key: str, about: str):
        self.key = key
        self.__doc__ = inspect.cleandoc(about)

    @overload
    def __get__(self, config: None, owner: Optional[type] = None) -> _Option[T]: ...

    @overload
    def __get__(self, config: _Config, owner: Optional[type] = None) -> T: ...

    def __get__(self, config: Optional[_Config], owner: Optional[type] = None) -> Any:
        return self if config is None else self.read(config.get(self.key))

    def __set__(self, config: _Config, value: T) -> None:
        try:
            text = self.written(value)
        except (TypeError, ValueError):
            # Without the value: it may be a secret.
            raise TypeError(f"{self.key}: expected {self.wanted()}, not a {type(value).__name__}") from None
        config.set(self.key, text)

    def wanted(self) -> str:
        return "text"

    def read(self, text: str) -> Any:
        return text

    def written(self, value: T) -> str:
        return str(value)


class _Text(_Option[str]):
    pass


class _Path(_Option[Path]):
    def written(self, value: Path) -> str:
        return os.fspath(value)

    def wanted(self) -> str:
        return "a path"


class _Integer(_Option[int]):
    def read(self, text: str) -> int:
        return int(text)


class _Boolean(_Option[bool]):
    def read(self, text: str) -> bool:
        return text == "true"

    def written(self, value: bool) -> str:
        return "true" if value else "false"


class _Share(_Option[float]):
    def read(self, text: str) -> float:
        return float(text[:-1]) / 100

    def written(self, value: float) -> str:
        return f"{value * 100:.10g}%"

    def wanted(self) -> str:
        return "a share from 0 to 1"


class _Size(_Option[int]):
    UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

    def read(self, text: str) -> int:
        return sum(int(number) * self.UNITS[unit] for number, unit in re.findall(r"(\d+)([KMG]?i?B)", text))

    def written(self, value: int) -> str:
        return f"{value}B"


class _Duration(_Option[timedelta]):
    UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}

    def read(self, text: str) -> timedelta:
        return timedelta(**{self.UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)(ms|s|m|h)", text)})

    def written(self, value: timedelta) -> str:
        return f"{math.ceil(value / timedelta(milliseconds=1))}ms"

    def wanted(self) -> str:
        return "a datetime.timedelta, such as timedelta(seconds=30)"


class _Choice(_Option[C]):
    def __init__(self, key: str, about: str, choices: Type[C]):
        super().__init__(key, about)
        self.choices = choices

    def read(self, text: str) -> C:
        return self.choices(text)

    def written(self, value: C) -> str:
        return str(self.choices(value).value)

    def wanted(self) -> str:
        return f"a {self.choices.__name__}, such as {next(iter(self.choices))}"


class _Choices(_Option[Sequence[C]]):
    def __init__(self, key: str, about: str, choices: Type[C]):
        super().__init__(key, about)
        self.choices = choices

    def read(self, text: str) -> List[C]:
        return [self.choices(word) for word in text.split(", ")]

    def written(self, value: Sequence[C]) -> str:
        if isinstance(value, str):
            raise TypeError  # its letters would be taken for choices
        return ", ".join(self.choices(each).value for each in value)

    def wanted(self) -> str:
        return f"a list of {self.choices.__name__}, such as [{next(iter(self.choices))}]"


class _Map(_Option[Mapping[str, str]]):
    """Entries are added to those that are there."""

    def __set__(self, config: _Config, value: Mapping[str, str]) -> None:
        for name, each in value.items():
            config.set(f"{self.key}.{name}", each)

    def read(self, text: str) -> Dict[str, str]:
        return dict(line.split(": ", 1) for line in text.splitlines())


class _Config:
    """What Config can do besides having its options."""

    __slots__ = ("_token", "_free", "__weakref__")  # and so no option that is not one

    def __init__(self, options: Mapping[str, Any]):
        token = c_void_p()
        _check(_cwire.cwire_config_new(ctypes.byref(token)))
        self._adopt(token)
        for name, value in options.items():
            if value is not None and isinstance(getattr(type(self), name, None), _Option):
                setattr(self, name, value)

    def _adopt(self, token: c_void_p) -> None:
        self._token = token
        self._free = weakref.finalize(self, _cwire.cwire_config_free, token)

    def set(self, key: str, value: str) -> None:
        """Sets an option by its dotted key, as YAML has it: `config.set("csms.ping_interval", "30s")`."""
        _call(_cwire.cwire_config_set, self._token, _utf8(key), _utf8(value))

    def get(self, key: str) -> str:
        """The value as text. A secret reads "***"."""
        return _text_of(_cwire.cwire_config_get, self._token, _utf8(key), capacity=256, unknown=f"{key}: no such option")

    def load_file(self, path: Path) -> None:
        """Reads YAML from a file. Where it is wrong nothing is changed, and the error names key and line. `${NAME}` is taken from the
        environment."""
        _call(_cwire.cwire_config_load_file, self._token, os.fsencode(path))

    def load_yaml(self, text: str) -> None:
        """The same from memory."""
        data = text.encode()
        _call(_cwire.cwire_config_load_yaml, self._token, data, len(data))

    def copy(self) -> Config:
        """One that is changed independently."""
        token = c_void_p()
        _check(_cwire.cwire_config_copy(self._token, ctypes.byref(token)))
        copy = Config.__new__(Config)
        copy._adopt(token)
        return copy

    def close(self) -> None:
        """Cleanses its passwords and tokens; also done when it is collected. Who took the configuration has a copy."""
        self._free()

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# ---- Made by bindings/generate from chargewire.h and the option table, down to the next such line. Change those, not this.

__version__ = "0.1.0"
ABI_VERSION = 2


class Status(_Number):
    """What came of a call, an attempt or a message."""
    OK = 0
    """done, or accepted"""
    INVALID_ARGUMENT = -1
    """None, out of range, CR/LF/NUL in text: the call itself is wrong"""
    INVALID_HANDLE = -2
    """the token is stale, freed, forged, or of another kind"""
    NO_MEMORY = -3
    """an allocation failed; nothing was done"""
    INTERNAL = -4
    """no thread or descriptor to be had, or a defect of the library"""
    CONFIG = -5
    """an unknown key, a wrong type, a value out of range, a file that is not readable; as an event: csms.source_address is no
    address of this machine"""
    STATE = -6
    """not possible now: shut down, wrong delivery mode, or it would wait for itself"""
    TIMEOUT = -7
    """the time given has passed; of SENT: csms.offline_queue_max_age"""
    ALREADY_CONNECTED = -8
    """a station of that id exists and is not in `error` or `closed`"""
    NOT_FOUND = -9
    """no station of that id"""
    NOT_ESTABLISHED = -10
    """the station is not connected at the moment, and has no offline queue, or it is ending"""
    QUEUE_FULL = -11
    """the station's send queue is full: of a send, WRITABLE follows when there is room; of SENT, csms.send_queue_policy
    dropped the message"""
    TOO_BIG = -12
    """larger than csms.message_size_max, or than a limit of the protocol"""
    CLOSED = -13
    """the connection ended before this could be done"""
    DIAL = -14
    """resolve, refused, unreachable, timed out: no TCP connection, or no tunnel through the proxy"""
    TLS = -15
    """the TLS handshake failed, or the certificate was not accepted"""
    HANDSHAKE = -16
    """the server did not answer with a correct WebSocket upgrade"""
    SUBPROTOCOL = -17
    """the server chose no OCPP version, or one that was not offered"""
    AUTH = -18
    """the server answered 401 or 403"""
    PROTOCOL = -19
    """the peer broke RFC 6455 on an open connection"""
    PING_TIMEOUT = -20
    """no matching pong within csms.pong_timeout"""
    READ = -21
    """reading failed, or nothing came within csms.read_timeout"""
    WRITE = -22
    """writing failed, or nothing could be written within csms.write_timeout"""

    def __str__(self) -> str:
        return _static(_cwire.cwire_status_name(self))


class State(_Number):
    """Where a station stands."""
    DISCONNECTED = 0
    """not connected and not trying: before the first attempt, or closing by request"""
    CONNECTING = 1
    """the first attempt is under way"""
    CONNECTED = 2
    """the upgrade was accepted and the subprotocol agreed; messages flow"""
    RECONNECTING = 3
    """waiting for, or making, another attempt"""
    ERROR = 4
    """gave up after csms.max_reconnect_attempts; may be connected again"""
    CLOSED = 5
    """ended by request; may be connected again"""

    def __str__(self) -> str:
        return _static(_cwire.cwire_state_name(self))


class Phase(_Number):
    """What a connection was doing when it failed."""
    NONE = 0
    """nothing that the network or the peer did: no memory, or a defect of the library"""
    RESOLVE = 1
    """looking up the host's addresses"""
    TCP = 2
    """connecting to them"""
    PROXY = 3
    """looking up the proxy, connecting to it, asking it for a tunnel"""
    TLS = 4
    """the TLS handshake, certificates included"""
    HTTP = 5
    """the WebSocket upgrade"""
    SUBPROTOCOL = 6
    """agreeing on an OCPP version in it"""
    PING = 7
    """connected; a ping was not answered"""
    READ = 8
    """connected; reading failed, or nothing came"""
    WRITE = 9
    """connected; writing failed, or nothing could be written"""
    PEER = 10
    """connected; the peer ended the connection, or broke RFC 6455"""

    def __str__(self) -> str:
        return _static(_cwire.cwire_phase_name(self))


class SecurityEvent(_Number):
    """What OCPP wants to be told as a SecurityEventNotification."""
    NONE = 0
    """nothing to tell"""
    INVALID_CSMS_CERTIFICATE = 1
    """the certificate of the CSMS was not accepted"""
    INVALID_TLS_VERSION = 2
    """the CSMS speaks no TLS version that csms.tls.min_version allows"""
    INVALID_TLS_CIPHER_SUITE = 3
    """no cipher suite in common"""
    FAILED_TO_AUTHENTICATE = 4
    """the CSMS refused the credentials or the client certificate"""


class EventType(_Number):
    """What an Event tells. Later versions may add some: ignore those that you do not know."""
    CONNECTED = 1
    """the upgrade was accepted and the subprotocol agreed"""
    MESSAGE = 2
    """one whole message has come"""
    SENT = 3
    """asked for by CWIRE_FLAG_REPORT; always for an accepted message that was not sent"""
    WRITABLE = 4
    """after QUEUE_FULL: there is room again"""
    DISCONNECTED = 5
    """an established connection ended; a new attempt may follow"""
    ERROR = 6
    """an attempt to connect failed"""
    STATE = 7
    """the state has changed"""
    CLOSED = 8
    """the last event of a station"""
    LOG = 9
    """station may be None; see the option log_level"""
    SHUTDOWN = 10
    """the last event of the manager"""
    PAUSED = 11
    """poll mode, station is None: event_queue_max events, or event_queue_bytes of their data, waited to be polled, so reading
    from sockets had paused; it has resumed. Once per episode, when it is over"""
    ENDPOINT = 12
    """an endpoint's circuit breaker opened, closed, tries, or was isolated; station is None"""


class Breaker(_Number):
    """Whether an endpoint is worth trying."""
    CLOSED = 0
    """stations connect"""
    OPEN = 1
    """too many attempts failed: no station tries until opens_at_ns; none loses an attempt by it"""
    HALF_OPEN = 2
    """a few stations try; the others wait for how they fare"""
    ISOLATED = 3
    """by cwire_manager_isolate, until cwire_manager_reset"""


class Quality(_Number):
    """How good a station's connection is."""
    NONE = 0
    """not connected, by request or not yet; or nothing was measured"""
    GOOD = 1
    """nothing to see to"""
    FAIR = 2
    """it works, but not as it should: people may notice"""
    POOR = 3
    """people will notice"""
    BAD = 4
    """it does not do its work, or hardly"""

    def __str__(self) -> str:
        return _static(_cwire.cwire_quality_name(self))


class MetricsFormat(_Number):
    """How metrics are written."""
    PROMETHEUS = 0
    """text/plain; version=0.0.4; charset=utf-8"""
    OPEN_METRICS = 1
    """application/openmetrics-text; version=1.0.0; charset=utf-8"""


class Flag(enum.IntFlag):
    """What more there is to say of an event."""
    BINARY = 1
    """in and out: a binary message. OCPP-J uses text"""
    REPORT = 2
    """in: report with SENT when the kernel has taken the message"""
    RECONNECT = 4
    """out, CONNECTED: not the first connection of this station: OCPP wants no BootNotification"""
    WILL_RETRY = 8
    """out, DISCONNECTED and ERROR: another attempt follows by itself"""
    REMOTE = 16
    """out, DISCONNECTED: the peer closed first"""
    NEEDS_ACTION = 32
    """out, ERROR: refused a second time in the same way, by the CSMS (401, 403, 404, 426, no common OCPP version) or the
    proxy (403, 407), and so until somebody changes something. Once per row of refusals"""


_RECONFIGURE_RECONNECT = 1


class LogLevel(enum.Enum):
    """The least important LOG events to deliver."""
    OFF = "off"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


class Protocol(enum.Enum):
    """OCPP version to offer, or several in order of preference: `2.1, 2.0.1, 1.6`."""
    V1_6 = "1.6"
    V2_0_1 = "2.0.1"
    V2_1 = "2.1"


class ReconnectPolicy(enum.Enum):
    """How the waits grow: `exponential` doubles and varies by the jitter; `ocpp` is RetryBackOff of OCPP 2.x with the
    `retry_backoff_*` options; `full` takes a random share of the doubled wait; `decorrelated` a random wait up to three times
    the one before."""
    EXPONENTIAL = "exponential"
    OCPP = "ocpp"
    FULL = "full"
    DECORRELATED = "decorrelated"


class Priority(enum.Enum):
    """Of thirteen turns to dial an endpoint eight go to stations of `high` priority, four to `normal` and one to `low`, while
    some of each wait. Who waited for 30 s moves up."""
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class SendQueuePolicy(enum.Enum):
    """When the queue is full: `reject` refuses the send, `drop_oldest` accepts it and drops what waits longest, `drop_newest`
    accepts it and drops it. What is dropped is reported as not sent. See docs/operations.md."""
    REJECT = "reject"
    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"


class SecurityProfile(enum.Enum):
    """OCPP's: `1` Basic without TLS, `2` TLS and Basic, `3` TLS with a client certificate. What contradicts it is refused.
    `0`: none; then Basic over `ws://` is refused. See docs/security.md."""
    PROFILE_0 = "0"
    PROFILE_1 = "1"
    PROFILE_2 = "2"
    PROFILE_3 = "3"


class TlsVersion(enum.Enum):
    """The oldest TLS version to accept."""
    V1_2 = "1.2"
    V1_3 = "1.3"


class AuthType(enum.Enum):
    """What the Authorization header holds."""
    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"


class PasswordFormat(enum.Enum):
    """`text`: the password goes out as it stands. `hex`: as the 16 to 20 bytes that its digits stand for, which is what OCPP
    1.6 says of AuthorizationKey."""
    TEXT = "text"
    HEX = "hex"


class InvalidArgumentError(ChargewireError, ValueError):
    """an argument is out of range or malformed; correct the call"""


class InvalidHandleError(ChargewireError):
    """it has ended or never was; connect or create it anew"""


class NoMemoryError(ChargewireError, MemoryError):
    """an allocation failed, nothing was done; use fewer stations or smaller queues"""


class InternalError(ChargewireError):
    """no thread or descriptor, or a defect; raise the limits or report it"""


class ConfigError(ChargewireError):
    """an option is unknown or its value is wrong; docs/configuration.md has them all"""


class StateError(ChargewireError):
    """not possible now, as when it is shutting down; what is said of the call says when it is"""


class TimedOutError(ChargewireError, TimeoutError):
    """the time given has passed; wait again, for longer if need be"""


class AlreadyConnectedError(ChargewireError):
    """a station of this id exists; use it, or disconnect it and wait until it has ended"""


class NotFoundError(ChargewireError):
    """no station of this id; check the id, or connect it first"""


class NotEstablishedError(ChargewireError):
    """the station is not connected at the moment; send when it is"""


class QueueFullError(ChargewireError):
    """the send queue is full; go on when an event says that there is room again"""


class TooBigError(ChargewireError):
    """larger than csms.message_size_max or the protocol allows; send less, or raise it"""


class ClosedError(ChargewireError):
    """the connection ended first; do it again on the next one if it still matters"""


class DialError(ChargewireError):
    """no TCP connection; check the URL, the CSMS and the network"""


class TlsError(ChargewireError):
    """the TLS handshake failed; check the certificates and csms.tls"""


class HandshakeError(ChargewireError):
    """no upgrade to WebSocket; check the path of the URL, the station id and the scheme"""


class SubprotocolError(ChargewireError):
    """no OCPP version in common; put one that the CSMS speaks into csms.protocol"""


class AuthError(ChargewireError):
    """the CSMS answered 401 or 403; check csms.auth"""


class ProtocolError(ChargewireError):
    """the peer broke RFC 6455; report it to the maker of the CSMS or proxy"""


class PingTimeoutError(ChargewireError):
    """no pong in time; if the CSMS is merely slow, raise csms.pong_timeout"""


class ReadError(ChargewireError):
    """reading failed, or nothing came in time; look into the logs of CSMS and proxy"""


class WriteError(ChargewireError):
    """writing failed, or the peer took nothing in time; the CSMS or the line is too slow"""


_ERRORS: Dict[Status, Type[ChargewireError]] = {
    Status.INVALID_ARGUMENT: InvalidArgumentError,
    Status.INVALID_HANDLE: InvalidHandleError,
    Status.NO_MEMORY: NoMemoryError,
    Status.INTERNAL: InternalError,
    Status.CONFIG: ConfigError,
    Status.STATE: StateError,
    Status.TIMEOUT: TimedOutError,
    Status.ALREADY_CONNECTED: AlreadyConnectedError,
    Status.NOT_FOUND: NotFoundError,
    Status.NOT_ESTABLISHED: NotEstablishedError,
    Status.QUEUE_FULL: QueueFullError,
    Status.TOO_BIG: TooBigError,
    Status.CLOSED: ClosedError,
    Status.DIAL: DialError,
    Status.TLS: TlsError,
    Status.HANDSHAKE: HandshakeError,
    Status.SUBPROTOCOL: SubprotocolError,
    Status.AUTH: AuthError,
    Status.PROTOCOL: ProtocolError,
    Status.PING_TIMEOUT: PingTimeoutError,
    Status.READ: ReadError,
    Status.WRITE: WriteError,
}


class cwire_error(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("status", c_int32),
        ("flags", c_uint32),
        ("message", c_char * 240),
    ]


class cwire_failure(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("status", c_int32),
        ("phase", c_int32),
        ("os_error", c_int32),
        ("x509_error", c_int32),
        ("http_status", c_int32),
        ("close_code", c_int32),
        ("security_event", c_int32),
        ("flags", c_uint32),
        ("time_ns", c_int64),
        ("retry_at_ns", c_int64),
        ("reserved", c_uint64 * 2),
    ]


class cwire_event(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("type", c_int32),
        ("status", c_int32),
        ("station", c_void_p),
        ("user_data", c_size_t),
        ("station_id", c_void_p),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("tag", c_uint64),
        ("time_ns", c_int64),
        ("code", c_int32),
        ("flags", c_uint32),
        ("failure", c_void_p),
        ("reserved", c_uint64 * 5),
    ]


class cwire_stats(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("station_id", c_char * 200),
        ("state", c_int32),
        ("last_error", c_int32),
        ("connected_at_ns", c_int64),
        ("disconnected_at_ns", c_int64),
        ("last_message_at_ns", c_int64),
        ("reconnect_attempts", c_uint64),
        ("messages_sent", c_uint64),
        ("messages_received", c_uint64),
        ("bytes_sent", c_uint64),
        ("bytes_received", c_uint64),
        ("last_error_message", c_char * 240),
        ("connections", c_uint64),
        ("messages_not_sent", c_uint64),
        ("queued_messages", c_uint64),
        ("queued_bytes", c_uint64),
        ("round_trip_ns", c_int64),
        ("last_failure", cwire_failure),
        ("messages_dropped", c_uint64),
        ("reading_pauses", c_uint64),
        ("offline_messages", c_uint64),
        ("offline_bytes", c_uint64),
        ("round_trip_smoothed_ns", c_int64),
        ("round_trip_variation_ns", c_int64),
        ("round_trip_min_ns", c_int64),
        ("jitter_ns", c_int64),
        ("last_alive_at_ns", c_int64),
        ("handshake_ns", c_int64),
        ("handshake_resolve_ns", c_int64),
        ("handshake_tcp_ns", c_int64),
        ("handshake_proxy_ns", c_int64),
        ("handshake_tls_ns", c_int64),
        ("handshake_http_ns", c_int64),
        ("flaps", c_uint64),
        ("quality", c_int32),
        ("compressed", c_uint32),
        ("wire_bytes_sent", c_uint64),
        ("wire_bytes_received", c_uint64),
        ("flaps_last_hour", c_uint64),
        ("pong_awaited_ns", c_int64),
    ]


class cwire_endpoint(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("name", c_char * 272),
        ("breaker", c_int32),
        ("handshakes", c_uint32),
        ("handshakes_limit", c_uint32),
        ("waiting_high", c_uint32),
        ("waiting_normal", c_uint32),
        ("waiting_low", c_uint32),
        ("attempts", c_uint32),
        ("failures", c_uint32),
        ("opens_at_ns", c_int64),
    ]


class cwire_outgoing(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("station", c_void_p),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("tag", c_uint64),
        ("flags", c_uint32),
        ("status", c_int32),
    ]


# Result, then parameters.
_FUNCTIONS: Dict[str, Tuple[Any, ...]] = {
    "cwire_abi_version": (c_uint32,),
    "cwire_version": (c_char_p,),
    "cwire_status_name": (c_char_p, c_int32),
    "cwire_state_name": (c_char_p, c_int32),
    "cwire_phase_name": (c_char_p, c_int32),
    "cwire_quality_name": (c_char_p, c_int32),
    "cwire_security_event_name": (c_char_p, c_int32, c_char_p),
    "cwire_config_new": (c_int32, POINTER(c_void_p)),
    "cwire_config_copy": (c_int32, c_void_p, POINTER(c_void_p)),
    "cwire_config_load_file": (c_int32, c_void_p, c_char_p, POINTER(cwire_error)),
    "cwire_config_load_yaml": (c_int32, c_void_p, c_char_p, c_size_t, POINTER(cwire_error)),
    "cwire_config_set": (c_int32, c_void_p, c_char_p, c_char_p, POINTER(cwire_error)),
    "cwire_config_get": (c_int32, c_void_p, c_char_p, c_char_p, c_size_t, POINTER(c_size_t)),
    "cwire_config_schema": (c_char_p,),
    "cwire_config_free": (c_int32, c_void_p),
    "cwire_manager_new": (c_int32, c_void_p, c_void_p, c_size_t, POINTER(c_void_p), POINTER(cwire_error)),
    "cwire_manager_poll": (c_int32, c_void_p, c_int32, c_size_t, POINTER(c_void_p), POINTER(c_size_t)),
    "cwire_manager_event_fd": (c_ssize_t, c_void_p),
    "cwire_manager_wake": (c_int32, c_void_p),
    "cwire_manager_connect": (c_int32, c_void_p, c_char_p, c_char_p, c_void_p, c_size_t, POINTER(c_void_p), POINTER(cwire_error)),
    "cwire_manager_connect_all": (c_int32, c_void_p, POINTER(c_size_t), POINTER(cwire_error)),
    "cwire_manager_find": (c_int32, c_void_p, c_char_p, POINTER(c_void_p)),
    "cwire_manager_send": (c_int32, c_void_p, c_char_p, c_char_p, c_size_t, c_uint32, c_uint64),
    "cwire_manager_broadcast": (c_int32, c_void_p, c_char_p, c_size_t, c_uint32, POINTER(c_size_t)),
    "cwire_manager_reconfigure": (c_int32, c_void_p, c_char_p, c_char_p, c_void_p, c_uint32, POINTER(cwire_error)),
    "cwire_manager_disconnect": (c_int32, c_void_p, c_char_p),
    "cwire_manager_disconnect_all": (c_int32, c_void_p),
    "cwire_manager_is_connected": (c_int32, c_void_p, c_char_p),
    "cwire_manager_counts": (c_int32, c_void_p, POINTER(c_size_t), POINTER(c_size_t)),
    "cwire_manager_stats": (c_int32, c_void_p, c_char_p, POINTER(cwire_stats)),
    "cwire_manager_all_stats": (c_int32, c_void_p, POINTER(cwire_stats), c_size_t, POINTER(c_size_t)),
    "cwire_manager_network_up": (c_int32, c_void_p),
    "cwire_manager_endpoints": (c_int32, c_void_p, POINTER(cwire_endpoint), c_size_t, POINTER(c_size_t)),
    "cwire_manager_isolate": (c_int32, c_void_p, c_char_p, POINTER(cwire_error)),
    "cwire_manager_reset": (c_int32, c_void_p, c_char_p, POINTER(cwire_error)),
    "cwire_manager_trace": (c_int32, c_void_p, c_char_p, c_int32, POINTER(cwire_error)),
    "cwire_manager_metrics": (c_int32, c_void_p, c_int32, c_char_p, c_size_t, POINTER(c_size_t)),
    "cwire_manager_metrics_url": (c_int32, c_void_p, c_char_p, c_size_t, POINTER(c_size_t)),
    "cwire_manager_shutdown": (c_int32, c_void_p, c_int32),
    "cwire_manager_free": (c_int32, c_void_p),
    "cwire_station_send": (c_int32, c_void_p, c_char_p, c_size_t, c_uint32, c_uint64),
    "cwire_station_send_many": (c_int32, POINTER(cwire_outgoing), c_size_t, POINTER(c_size_t)),
    "cwire_station_wait": (c_int32, c_void_p, c_int32, POINTER(cwire_error)),
    "cwire_station_state": (c_int32, c_void_p, POINTER(c_int32)),
    "cwire_station_stats": (c_int32, c_void_p, POINTER(cwire_stats)),
    "cwire_station_reconfigure": (c_int32, c_void_p, c_char_p, c_void_p, c_uint32, POINTER(cwire_error)),
    "cwire_station_disconnect": (c_int32, c_void_p, c_uint16, c_char_p),
    "cwire_pool_new": (c_int32, c_void_p, POINTER(c_void_p)),
    "cwire_pool_add": (c_int32, c_void_p, c_void_p),
    "cwire_pool_remove": (c_int32, c_void_p, c_char_p),
    "cwire_pool_has": (c_int32, c_void_p, c_char_p),
    "cwire_pool_send": (c_int32, c_void_p, c_char_p, c_char_p, c_size_t, c_uint32, c_uint64),
    "cwire_pool_broadcast": (c_int32, c_void_p, c_char_p, c_size_t, c_uint32, POINTER(c_size_t)),
    "cwire_pool_counts": (c_int32, c_void_p, POINTER(c_size_t), POINTER(c_size_t)),
    "cwire_pool_stats": (c_int32, c_void_p, POINTER(cwire_stats), c_size_t, POINTER(c_size_t)),
    "cwire_pool_disconnect_all": (c_int32, c_void_p),
    "cwire_pool_free": (c_int32, c_void_p),
}


class Failure(NamedTuple):
    """Why an attempt failed or a connection was lost. What does not apply is 0 or None."""
    status: Status
    """what failed, in one word"""
    phase: Phase
    os_error: int
    """errno"""
    x509_error: int
    """X509_V_ERR_* of OpenSSL"""
    http_status: int
    """of the CSMS, or of the proxy"""
    close_code: int
    """RFC 6455 7.4: the peer's, ours, or 1006"""
    security_event: SecurityEvent
    """with the first of a row of such failures only"""
    flags: Flag
    """Flag.WILL_RETRY, Flag.REMOTE, Flag.NEEDS_ACTION"""
    time: Optional[datetime]
    """when it happened"""
    retry_at: Optional[datetime]
    """when the next attempt is due; it may begin later, never earlier unless the network or the settings change"""


_FAILURE = (Status, Phase, int, int, int, int, SecurityEvent, Flag, _time, _time)


class Stats(NamedTuple):
    """The statistics of a station. Counters begin at connect and never go back."""
    station_id: str
    state: State
    last_error: Status
    """of the last failed attempt or lost connection; OK if there was none"""
    connected_at: Optional[datetime]
    """when it was connected for the last time"""
    disconnected_at: Optional[datetime]
    """when a connection of it ended for the last time"""
    last_message_at: Optional[datetime]
    """received"""
    reconnect_attempts: int
    """all attempts but the first"""
    messages_sent: int
    """taken by the kernel"""
    messages_received: int
    """whole messages"""
    bytes_sent: int
    """payload, without frame headers"""
    bytes_received: int
    """payload, without frame headers"""
    last_error_message: str
    """of last_error failure, one line; empty if there was none"""
    connections: int
    """established so far"""
    messages_not_sent: int
    """accepted, then reported as not sent"""
    queued_messages: int
    """accepted, not yet taken by the kernel"""
    queued_bytes: int
    """of queued_messages"""
    round_trip: timedelta
    """of the last matched pong; 0 before the first"""
    last_failure: Optional[Failure]
    """of the last failed attempt or lost connection; None if there was none"""
    messages_dropped: int
    """of messages_not_sent: those that a full queue had no room for (csms.send_queue_policy)"""
    reading_pauses: int
    """how often reading from this station paused, because the caller was slow to poll"""
    offline_messages: int
    """of queued_messages: those in the offline queue (csms.offline_queue_messages)"""
    offline_bytes: int
    """of offline_messages"""
    round_trip_smoothed: timedelta
    """SRTT of RFC 6298, over the pongs of a connection: of the last one until there is a pong of the present; 0 before the
    first"""
    round_trip_variation: timedelta
    """RTTVAR of RFC 6298"""
    round_trip_min: timedelta
    """the smallest of the last five to six minutes, in whole microseconds; 0 if there was none"""
    jitter: timedelta
    """how much round_trip_ns changes from pong to pong, smoothed as J of RFC 3550 6.4.1"""
    last_alive_at: Optional[datetime]
    """when bytes of the peer came for the last time on a connection: its last proof of life"""
    handshake: timedelta
    """of the present or last connection: from dialling to the accepted upgrade, the sum of the next five"""
    handshake_resolve: timedelta
    """of handshake_ns: CWIRE_PHASE_RESOLVE; 0 with a proxy"""
    handshake_tcp: timedelta
    """of handshake_ns: CWIRE_PHASE_TCP; 0 with a proxy"""
    handshake_proxy: timedelta
    """of handshake_ns: CWIRE_PHASE_PROXY, until the tunnel stands; 0 without one"""
    handshake_tls: timedelta
    """of handshake_ns: CWIRE_PHASE_TLS; 0 without TLS"""
    handshake_http: timedelta
    """of handshake_ns: CWIRE_PHASE_HTTP, the WebSocket upgrade"""
    flaps: int
    """connections that ended without being asked to"""
    quality: Quality
    compressed: bool
    """1 if permessage-deflate was agreed on for the present or last connection, else 0"""
    wire_bytes_sent: int
    """bytes_sent as they stood in frames: less where messages were compressed"""
    wire_bytes_received: int
    """bytes_received"""
    flaps_last_hour: int
    """of flaps: those of the last 60 to 65 minutes"""
    pong_awaited: timedelta
    """for how long the ping that is out has waited for its pong, pauses of reading not counted; 0: none is out"""


_STATS = (_text, State, Status, _time, _time, _time, int, int, int, int, int, _text, int, int, int,
          int, _interval, _last_failure, int, int, int, int, _interval, _interval, _interval,
          _interval, _time, _interval, _interval, _interval, _interval, _interval, _interval, int,
          Quality, bool, int, int, int, _interval)


class Endpoint(NamedTuple):
    """Scheme, host and port of a URL, where stations of a manager connect, and how the governor paces that."""
    name: str
    """"wss://csms.example:443"."""
    breaker: Breaker
    handshakes: int
    """attempts under way"""
    handshakes_limit: int
    """how many may be at the moment"""
    waiting_high: int
    """stations that wait for their turn to dial, of csms.priority high"""
    waiting_normal: int
    """of csms.priority normal"""
    waiting_low: int
    """of csms.priority low"""
    attempts: int
    """that ended within governor.breaker_window"""
    failures: int
    """attempts that failed, and connections that were lost at once, within it"""
    opens_at: Optional[datetime]
    """OPEN: when the first may try again. Else None"""


_ENDPOINT = (_text, Breaker, int, int, int, int, int, int, int, _time)


class Config(_Config):
    """Options of a manager, or of one station, which go before those of its manager. Each is a property, and an argument here."""

    __slots__ = ()

    def __init__(
        self,
        *,
        io_threads: Optional[int] = None,
        log_level: Optional[LogLevel] = None,
        event_queue_max: Optional[int] = None,
        event_queue_bytes: Optional[int] = None,
        offline_budget_bytes: Optional[int] = None,
        metrics_enabled: Optional[bool] = None,
        metrics_listen: Optional[str] = None,
        metrics_per_station: Optional[bool] = None,
        default_url: Optional[str] = None,
        protocol: Optional[Sequence[Protocol]] = None,
        headers: Optional[Mapping[str, str]] = None,
        connection_timeout: Optional[timedelta] = None,
        tcp_timeout: Optional[timedelta] = None,
        upgrade_timeout: Optional[timedelta] = None,
        redirects_max: Optional[int] = None,
        write_timeout: Optional[timedelta] = None,
        read_timeout: Optional[timedelta] = None,
        close_timeout: Optional[timedelta] = None,
        source_address: Optional[str] = None,
        ping_interval: Optional[timedelta] = None,
        pong_timeout: Optional[timedelta] = None,
        heartbeat_interval: Optional[timedelta] = None,
        max_reconnect_attempts: Optional[int] = None,
        reconnect_policy: Optional[ReconnectPolicy] = None,
        reconnect_backoff: Optional[timedelta] = None,
        reconnect_max_backoff: Optional[timedelta] = None,
        reconnect_jitter: Optional[float] = None,
        refused_backoff: Optional[timedelta] = None,
        refused_max_backoff: Optional[timedelta] = None,
        reconnect_stable_after: Optional[timedelta] = None,
        retry_backoff_wait_minimum: Optional[timedelta] = None,
        retry_backoff_random_range: Optional[timedelta] = None,
        retry_backoff_repeat_times: Optional[int] = None,
        priority: Optional[Priority] = None,
        governor_enabled: Optional[bool] = None,
        governor_handshakes_start: Optional[int] = None,
        governor_handshakes_min: Optional[int] = None,
        governor_handshakes_max: Optional[int] = None,
        governor_connects_per_second: Optional[int] = None,
        governor_breaker: Optional[bool] = None,
        governor_breaker_failures: Optional[float] = None,
        governor_breaker_attempts_min: Optional[int] = None,
        governor_breaker_window: Optional[timedelta] = None,
        governor_breaker_open: Optional[timedelta] = None,
        governor_breaker_open_max: Optional[timedelta] = None,
        governor_breaker_probes: Optional[int] = None,
        message_size_max: Optional[int] = None,
        header_size_max: Optional[int] = None,
        header_count_max: Optional[int] = None,
        fragments_max: Optional[int] = None,
        send_queue_messages: Optional[int] = None,
        send_queue_bytes: Optional[int] = None,
        send_queue_policy: Optional[SendQueuePolicy] = None,
        offline_queue_messages: Optional[int] = None,
        offline_queue_bytes: Optional[int] = None,
        offline_queue_max_age: Optional[timedelta] = None,
        offline_replay_rate: Optional[int] = None,
        deflate_enabled: Optional[bool] = None,
        deflate_window_bits: Optional[int] = None,
        deflate_server_window_bits: Optional[int] = None,
        deflate_memory_level: Optional[int] = None,
        deflate_context_takeover: Optional[bool] = None,
        deflate_server_context_takeover: Optional[bool] = None,
        deflate_size_min: Optional[int] = None,
        security_profile: Optional[SecurityProfile] = None,
        tls_enabled: Optional[bool] = None,
        tls_ca_cert: Optional[Path] = None,
        tls_ca_cert_pem: Optional[str] = None,
        tls_client_cert: Optional[Path] = None,
        tls_client_cert_pem: Optional[str] = None,
        tls_client_key: Optional[Path] = None,
        tls_client_key_pem: Optional[str] = None,
        tls_client_key_uri: Optional[str] = None,
        tls_client_key_password: Optional[str] = None,
        tls_client_key_password_file: Optional[Path] = None,
        tls_crl_file: Optional[Path] = None,
        tls_server_name: Optional[str] = None,
        tls_min_version: Optional[TlsVersion] = None,
        tls_ciphers: Optional[str] = None,
        tls_ciphersuites: Optional[str] = None,
        tls_allow_wildcards: Optional[bool] = None,
        tls_handshake_timeout: Optional[timedelta] = None,
        tls_insecure_skip_verify: Optional[bool] = None,
        tls_session_resumption: Optional[bool] = None,
        tls_key_log_file: Optional[Path] = None,
        auth_type: Optional[AuthType] = None,
        auth_username: Optional[str] = None,
        auth_password: Optional[str] = None,
        auth_password_file: Optional[Path] = None,
        auth_password_format: Optional[PasswordFormat] = None,
        auth_token: Optional[str] = None,
        auth_token_file: Optional[Path] = None,
        proxy_url: Optional[str] = None,
        proxy_username: Optional[str] = None,
        proxy_password: Optional[str] = None,
        proxy_password_file: Optional[Path] = None,
        proxy_timeout: Optional[timedelta] = None,
        trace_file: Optional[Path] = None,
        trace_enabled: Optional[bool] = None,
        trace_file_size_max: Optional[int] = None,
        trace_files_max: Optional[int] = None,
        trace_id_tokens: Optional[bool] = None,
    ):
        super().__init__(locals())

    io_threads = _Integer("io_threads", """
        I/O threads that the stations are spread over. `0`: one per core. Default 0, from 0 to 256.
        """)
    log_level = _Choice("log_level", "The least important LOG events to deliver. Default warning.", LogLevel)
    event_queue_max = _Integer("event_queue_max", """
        Events that may wait to be polled before reading from sockets pauses. Nothing is dropped. Default 16384, from 1 to
        16777216.
        """)
    event_queue_bytes = _Size("event_queue_bytes", """
        Bytes of data of such events that may wait before reading pauses. What one read brings may exceed it. In bytes. Default
        64MiB, from 1B to 1024GiB.
        """)
    offline_budget_bytes = _Size("offline_budget_bytes", """
        Bytes that the offline queues of all stations may hold together. In bytes. Default 64MiB, from 0B to 1024GiB.
        """)
    metrics_enabled = _Boolean("metrics.enabled", """
        `true`: also count what costs a little per message or batch of events; see docs/metrics.md. `metrics.listen` says so as
        well. Default false.
        """)
    metrics_listen = _Text("metrics.listen", """
        Where to serve `/metrics` to Prometheus: `9464`, which is that port of the loopback `127.0.0.1`, `192.0.2.10:9464` or
        `[::1]:9464`. Port `0`: one that is free, see `cwire_manager_metrics_url`. There is neither TLS nor a password. Empty:
        nowhere. Default: empty.
        """)
    metrics_per_station = _Boolean("metrics.per_station", """
        `true`: each station has time series of its own beside the sums: some 14, which ten thousand stations make 140,000.
        Default false.
        """)
    default_url = _Text("csms.default_url", """
        Where stations without a URL of their own connect: `ws://` or `wss://`. The station id is percent-encoded onto the end of
        its path. Default ws://localhost:9000.
        """)
    protocol = _Choices("csms.protocol", """
        OCPP version to offer, or several in order of preference: `2.1, 2.0.1, 1.6`. Default 1.6.
        """, Protocol)
    headers = _Map("csms.headers", """
        Extra headers of the upgrade request, each under its own name. See Headers in docs/configuration.md. Default: empty. A
        secret: it reads "***".
        """)
    connection_timeout = _Duration("csms.connection_timeout", """
        Time for one whole attempt: resolving (5 s at most), TCP, TLS and the WebSocket upgrade together. In whole milliseconds,
        rounded up. Default 30s, from 1ms to 24h.
        """)
    tcp_timeout = _Duration("csms.tcp_timeout", """
        Time for the TCP connection, over all addresses of the host. They are tried 250 ms apart, and the first to answer is
        taken. In whole milliseconds, rounded up. Default 10s, from 1ms to 24h.
        """)
    upgrade_timeout = _Duration("csms.upgrade_timeout", """
        Time for the whole answer to the upgrade request. In whole milliseconds, rounded up. Default 10s, from 1ms to 24h.
        """)
    redirects_max = _Integer("csms.redirects_max", """
        How many redirects (301, 302, 303, 307, 308) one attempt follows, all within its time. `0`: none. Never from `wss` to
        `ws`. Credentials and `csms.headers` go to the host and port of the URL only; with a client certificate the attempt too.
        Default 0, from 0 to 10.
        """)
    write_timeout = _Duration("csms.write_timeout", """
        A connection that takes no byte for this long, while some wait to be sent, is lost. In whole milliseconds, rounded up.
        Default 10s, from 1ms to 24h. Acts on a living connection at once, see Station.reconfigure.
        """)
    read_timeout = _Duration("csms.read_timeout", """
        A connection on which nothing arrives for this long, pongs included, is lost. While output waits for the peer only
        `csms.write_timeout` counts. `0s`: off. Left at its default, it is never less than twice the ping interval, or twice the
        heartbeat interval where pings are off. In whole milliseconds, rounded up. Default 60s, from 0s to 24h. Acts on a living
        connection at once, see Station.reconfigure.
        """)
    close_timeout = _Duration("csms.close_timeout", """
        Time for the close handshake, and for sending what is queued before it. In whole milliseconds, rounded up. Default 5s,
        from 1ms to 24h. Acts on a living connection at once, see Station.reconfigure.
        """)
    source_address = _Text("csms.source_address", """
        Local address to connect from, of the network interface that is to be used. Addresses of the host that are of the other
        version of IP are not tried. Empty: the system chooses. Default: empty.
        """)
    ping_interval = _Duration("csms.ping_interval", """
        Time between WebSocket pings, +-10 %; twice that while messages arrive. `0s`: off. In whole milliseconds, rounded up.
        Default 30s, from 0s to 24h. Acts on a living connection at once, see Station.reconfigure.
        """)
    pong_timeout = _Duration("csms.pong_timeout", """
        A ping without its pong for this long means that the connection is lost. In whole milliseconds, rounded up. Default 10s,
        from 1ms to 24h. Acts on a living connection at once, see Station.reconfigure.
        """)
    heartbeat_interval = _Duration("csms.heartbeat_interval", """
        OCPP's Heartbeat, which the application sends. The library only keeps the value and gives it back. In whole milliseconds,
        rounded up. Default 60s, from 0s to 8760h. Acts on a living connection at once, see Station.reconfigure.
        """)
    max_reconnect_attempts = _Integer("csms.max_reconnect_attempts", """
        Failed attempts in a row before a station gives up. `0`: it never does. Default 0, from 0 to 1000000. Acts on a living
        connection at once, see Station.reconfigure.
        """)
    reconnect_policy = _Choice("csms.reconnect_policy", """
        How the waits grow: `exponential` doubles and varies by the jitter; `ocpp` is RetryBackOff of OCPP 2.x with the
        `retry_backoff_*` options; `full` takes a random share of the doubled wait; `decorrelated` a random wait up to three times
        the one before. Default exponential. Acts on a living connection at once, see Station.reconfigure.
        """, ReconnectPolicy)
    reconnect_backoff = _Duration("csms.reconnect_backoff", """
        The first wait. In whole milliseconds, rounded up. Default 5s, from 1ms to 24h. Acts on a living connection at once, see
        Station.reconfigure.
        """)
    reconnect_max_backoff = _Duration("csms.reconnect_max_backoff", """
        The longest wait, before the jitter is applied. In whole milliseconds, rounded up. Default 60s, from 1ms to 24h. Acts on a
        living connection at once, see Station.reconfigure.
        """)
    reconnect_jitter = _Share("csms.reconnect_jitter", """
        How far a wait may vary each way, so that a fleet does not come back all at once. A share: 0.2 for 20 %. Default 20%, from
        0% to 100%. Acts on a living connection at once, see Station.reconfigure.
        """)
    refused_backoff = _Duration("csms.refused_backoff", """
        The first wait after an answer that only people can change: HTTP 401, 403, 404 or 426, no common OCPP version; and from
        the fourth try on after a certificate or TLS version that is not accepted. It doubles, +-20 %, and is never shorter than
        the shortest wait of `csms.reconnect_policy`. In whole milliseconds, rounded up. Default 60s, from 1ms to 24h. Acts on a
        living connection at once, see Station.reconfigure.
        """)
    refused_max_backoff = _Duration("csms.refused_max_backoff", """
        The longest such wait. For certificates and TLS versions 15 minutes at most. In whole milliseconds, rounded up. Default
        1h, from 1ms to 24h. Acts on a living connection at once, see Station.reconfigure.
        """)
    reconnect_stable_after = _Duration("csms.reconnect_stable_after", """
        Connected for this long, the waits begin anew with the first. `ocpp` begins anew at once. In whole milliseconds, rounded
        up. Default 30s, from 0s to 24h. Acts on a living connection at once, see Station.reconfigure.
        """)
    retry_backoff_wait_minimum = _Duration("csms.retry_backoff_wait_minimum", """
        RetryBackOffWaitMinimum of OCPP 2.x: the first wait, for policy `ocpp`. In whole milliseconds, rounded up. Default 10s,
        from 0s to 24h. Acts on a living connection at once, see Station.reconfigure.
        """)
    retry_backoff_random_range = _Duration("csms.retry_backoff_random_range", """
        RetryBackOffRandomRange of OCPP 2.x: up to this much is added to each wait, for policy `ocpp`. In whole milliseconds,
        rounded up. Default 10s, from 0s to 24h. Acts on a living connection at once, see Station.reconfigure.
        """)
    retry_backoff_repeat_times = _Integer("csms.retry_backoff_repeat_times", """
        RetryBackOffRepeatTimes of OCPP 2.x: how often the wait doubles, for policy `ocpp`. Default 3, from 0 to 10. Acts on a
        living connection at once, see Station.reconfigure.
        """)
    priority = _Choice("csms.priority", """
        Of thirteen turns to dial an endpoint eight go to stations of `high` priority, four to `normal` and one to `low`, while
        some of each wait. Who waited for 30 s moves up. Default normal.
        """, Priority)
    governor_enabled = _Boolean("governor.enabled", """
        `false`: stations dial as soon as their own wait is over, however many others do. Default true.
        """)
    governor_handshakes_start = _Integer("governor.handshakes_start", """
        How many attempts to connect may be under way at one endpoint (scheme, host and port) to begin with. The limit grows while
        the time they take holds, and shrinks by 30 % when one times out, is refused, or is told to wait. Default 64, from 1 to
        100000.
        """)
    governor_handshakes_min = _Integer("governor.handshakes_min", "How far that limit may shrink. Default 1, from 1 to 100000.")
    governor_handshakes_max = _Integer("governor.handshakes_max", "How far that limit may grow. Default 1024, from 1 to 100000.")
    governor_connects_per_second = _Integer("governor.connects_per_second", """
        Attempts per second to one endpoint, evenly spread. `0`: as many as the limit of those under way lets through. Default 0,
        from 0 to 1000000.
        """)
    governor_breaker = _Boolean("governor.breaker", """
        `false`: an endpoint that fails is tried all the same, each station by its own schedule. Default true.
        """)
    governor_breaker_failures = _Share("governor.breaker_failures", """
        When so many of an endpoint's attempts failed, nobody tries it for a while. Refusals (401, 403, 404, 426, certificates) do
        not count; a connection that is lost within the window does. A share: 0.2 for 20 %. Default 50%, from 1% to 100%.
        """)
    governor_breaker_attempts_min = _Integer("governor.breaker_attempts_min", """
        Fewer attempts within the window prove nothing. Default 20, from 1 to 1000000.
        """)
    governor_breaker_window = _Duration("governor.breaker_window", """
        How far back attempts are counted. In whole milliseconds, rounded up. Default 10s, from 100ms to 1h.
        """)
    governor_breaker_open = _Duration("governor.breaker_open", """
        How long nobody tries: so long times the number of times in a row, and up to a quarter more. In whole milliseconds,
        rounded up. Default 30s, from 1ms to 24h.
        """)
    governor_breaker_open_max = _Duration("governor.breaker_open_max", """
        The longest of these times, before the quarter. In whole milliseconds, rounded up. Default 5m, from 1ms to 24h.
        """)
    governor_breaker_probes = _Integer("governor.breaker_probes", """
        How many stations try then; when all get through, the others follow, few at first. Default 3, from 1 to 1000.
        """)
    message_size_max = _Size("csms.message_size_max", "The largest message, each way. In bytes. Default 1MiB, from 1B to 1GiB.")
    header_size_max = _Size("csms.header_size_max", """
        The largest answer to the upgrade request, and of a proxy to CONNECT. In bytes. Default 16KiB, from 256B to 1MiB.
        """)
    header_count_max = _Integer("csms.header_count_max", "The most headers in either. Default 100, from 1 to 10000.")
    fragments_max = _Integer("csms.fragments_max", """
        The most frames that one message may arrive in. Default 4096, from 1 to 1000000.
        """)
    send_queue_messages = _Integer("csms.send_queue_messages", """
        Messages that may wait to be sent before the queue is full. Default 100, from 1 to 1000000. Acts on a living connection at
        once, see Station.reconfigure.
        """)
    send_queue_bytes = _Size("csms.send_queue_bytes", """
        Bytes that may wait to be sent before the queue is full. A larger message goes through an empty queue. In bytes. Default
        1MiB, from 1B to 1GiB. Acts on a living connection at once, see Station.reconfigure.
        """)
    send_queue_policy = _Choice("csms.send_queue_policy", """
        When the queue is full: `reject` refuses the send, `drop_oldest` accepts it and drops what waits longest, `drop_newest`
        accepts it and drops it. What is dropped is reported as not sent. See docs/operations.md. Default reject. Acts on a living
        connection at once, see Station.reconfigure.
        """, SendQueuePolicy)
    offline_queue_messages = _Integer("csms.offline_queue_messages", """
        Messages that a station may keep while it is not connected, to be sent after the reconnect. `0`: none, a send is refused
        then. When it is full, `csms.send_queue_policy` decides. See docs/operations.md. Default 0, from 0 to 1000000. Acts on a
        living connection at once, see Station.reconfigure.
        """)
    offline_queue_bytes = _Size("csms.offline_queue_bytes", """
        Bytes of them. `offline_budget_bytes` limits what all stations keep together. In bytes. Default 1MiB, from 1B to 1GiB.
        Acts on a living connection at once, see Station.reconfigure.
        """)
    offline_queue_max_age = _Duration("csms.offline_queue_max_age", """
        A message that waits longer is reported as not sent. `0s`: it waits for ever. In whole milliseconds, rounded up. Default
        0s, from 0s to 8760h. Acts on a living connection at once, see Station.reconfigure.
        """)
    offline_replay_rate = _Integer("csms.offline_replay_rate", """
        Messages a second that a station sends of them after the reconnect, so that a CSMS does not take it for an attack. What is
        sent meanwhile stands in line. `0`: as fast as the connection takes them. Default 10, from 0 to 1000000. Acts on a living
        connection at once, see Station.reconfigure.
        """)
    deflate_enabled = _Boolean("csms.deflate.enabled", """
        `true`: permessage-deflate (RFC 7692) is offered. Not where one message may hold a secret and what somebody else chose:
        how long it becomes then tells of the secret, through TLS too (CRIME). See docs/operations.md. Default false.
        """)
    deflate_window_bits = _Integer("csms.deflate.window_bits", """
        How far back what the station compresses may refer, `2^n` bytes. The CSMS may ask for less. Default 11, from 9 to 15.
        """)
    deflate_server_window_bits = _Integer("csms.deflate.server_window_bits", """
        The same of what the CSMS compresses. Less than `15` is asked for, and who does not grant it is not connected to. Default
        15, from 9 to 15.
        """)
    deflate_memory_level = _Integer("csms.deflate.memory_level", """
        memLevel of zlib for what the station compresses: `2^(n+9)` bytes. Default 3, from 1 to 9.
        """)
    deflate_context_takeover = _Boolean("csms.deflate.context_takeover", """
        `true`: what the station compresses refers to its messages before, where the CSMS allows that. Small messages become much
        smaller, and each station keeps the memory. Default false.
        """)
    deflate_server_context_takeover = _Boolean("csms.deflate.server_context_takeover", """
        The same of what the CSMS compresses. `false` is asked for, and who does not grant it is not connected to. Default false.
        """)
    deflate_size_min = _Size("csms.deflate.size_min", """
        Smaller messages go out uncompressed. In bytes. Default 128B, from 1B to 1GiB.
        """)
    security_profile = _Choice("csms.security_profile", """
        OCPP's: `1` Basic without TLS, `2` TLS and Basic, `3` TLS with a client certificate. What contradicts it is refused. `0`:
        none; then Basic over `ws://` is refused. See docs/security.md. Default 0.
        """, SecurityProfile)
    tls_enabled = _Boolean("csms.tls.enabled", """
        `true`: a `ws://` URL is refused. TLS itself follows from `wss://`. Default false.
        """)
    tls_ca_cert = _Path("csms.tls.ca_cert", "PEM file of the CAs to trust. Empty: the system's. Default: empty.")
    tls_ca_cert_pem = _Text("csms.tls.ca_cert_pem", "The same as text, instead of a file. Default: empty.")
    tls_client_cert = _Path("csms.tls.client_cert", """
        PEM file of the station's certificate and its chain, for security profile 3. Default: empty.
        """)
    tls_client_cert_pem = _Text("csms.tls.client_cert_pem", "The same as text, instead of a file. Default: empty.")
    tls_client_key = _Path("csms.tls.client_key", "PEM file of that certificate's private key. Default: empty.")
    tls_client_key_pem = _Text("csms.tls.client_key_pem", """
        The same as text, instead of a file. Default: empty. A secret: it reads "***".
        """)
    tls_client_key_uri = _Text("csms.tls.client_key_uri", """
        That key by a URI that OpenSSL's providers know, instead of a file: `pkcs11:...`, `handle:...` of a TPM, `file:...`.
        Default: empty. A secret: it reads "***".
        """)
    tls_client_key_password = _Text("csms.tls.client_key_password", """
        Password of the private key if it is encrypted, or PIN of its token. Default: empty. A secret: it reads "***".
        """)
    tls_client_key_password_file = _Path("csms.tls.client_key_password_file", """
        File that holds that password. One line break at its end does not count. Default: empty.
        """)
    tls_crl_file = _Path("csms.tls.crl_file", """
        PEM file of revocation lists. A server's certificate must be covered by one, and not be on it. Default: empty.
        """)
    tls_server_name = _Text("csms.tls.server_name", """
        Name for SNI and for verifying the certificate. Empty: the host of the URL. Default: empty.
        """)
    tls_min_version = _Choice("csms.tls.min_version", "The oldest TLS version to accept. Default 1.2.", TlsVersion)
    tls_ciphers = _Text("csms.tls.ciphers", """
        Cipher suites to offer in TLS 1.2, in order of preference, with `:` between. Empty: ECDHE-ECDSA, ECDHE-RSA and static RSA
        with AES-GCM. Default: empty.
        """)
    tls_ciphersuites = _Text("csms.tls.ciphersuites", "The same for TLS 1.3. Empty: OpenSSL's own. Default: empty.")
    tls_allow_wildcards = _Boolean("csms.tls.allow_wildcards", """
        `true`: certificates for `*.example` are accepted in security profiles 2 and 3 too (AllowCSMSTLSWildcards). Default false.
        """)
    tls_handshake_timeout = _Duration("csms.tls.handshake_timeout", """
        Time for the whole TLS handshake. In whole milliseconds, rounded up. Default 10s, from 1ms to 24h.
        """)
    tls_insecure_skip_verify = _Boolean("csms.tls.insecure_skip_verify", """
        `true`: any certificate is accepted, and whoever answers gets the password. For tests only. Default false.
        """)
    tls_session_resumption = _Boolean("csms.tls.session_resumption", """
        `true`: who comes back to a server resumes a TLS session, without a new exchange of certificates. `false`: each connection
        is a full handshake. Default true.
        """)
    tls_key_log_file = _Path("csms.tls.key_log_file", """
        File to append the secrets of TLS connections to, for Wireshark. Whoever reads it reads all that was sent. Default: empty.
        """)
    auth_type = _Choice("csms.auth.type", "What the Authorization header holds. Default none.", AuthType)
    auth_username = _Text("csms.auth.username", "User of `basic`. Empty: the station id, as OCPP wants it. Default: empty.")
    auth_password = _Text("csms.auth.password", """
        Password of `basic`. Better in a file or an environment variable. Default: empty. A secret: it reads "***".
        """)
    auth_password_file = _Path("csms.auth.password_file", """
        File that holds the password. One line break at its end does not count. Default: empty.
        """)
    auth_password_format = _Choice("csms.auth.password_format", """
        `text`: the password goes out as it stands. `hex`: as the 16 to 20 bytes that its digits stand for, which is what OCPP 1.6
        says of AuthorizationKey. Default text.
        """, PasswordFormat)
    auth_token = _Text("csms.auth.token", """
        Token of `bearer`. Better in a file or an environment variable. Default: empty. A secret: it reads "***".
        """)
    auth_token_file = _Path("csms.auth.token_file", """
        File that holds the token. One line break at its end does not count. Default: empty.
        """)
    proxy_url = _Text("csms.proxy.url", """
        HTTP proxy through which the CSMS is reached, by a tunnel (CONNECT): `http://host:port`. `none`: no proxy. Empty: what the
        environment says. See Proxy in docs/configuration.md. Default: empty.
        """)
    proxy_username = _Text("csms.proxy.username", """
        User for the proxy's Basic authentication. Empty: none is sent. Default: empty.
        """)
    proxy_password = _Text("csms.proxy.password", """
        Password for it. Better in a file or an environment variable. Default: empty. A secret: it reads "***".
        """)
    proxy_password_file = _Path("csms.proxy.password_file", """
        File that holds the password. One line break at its end does not count. Default: empty.
        """)
    proxy_timeout = _Duration("csms.proxy.timeout", """
        Time for the proxy's whole answer; it connects to the CSMS meanwhile. How long the connection to the proxy may take,
        `csms.tcp_timeout` says. In whole milliseconds, rounded up. Default 10s, from 1ms to 24h.
        """)
    trace_file = _Path("trace.file", """
        File that `cwire_manager_trace` writes every frame of the traced stations to, as JSON Lines, for its owner alone. See
        docs/operations.md. Default: empty.
        """)
    trace_enabled = _Boolean("trace.enabled", "`true`: all stations are traced from the beginning. Default false.")
    trace_file_size_max = _Size("trace.file_size_max", """
        When the file would grow larger it becomes `trace.file`.1, that one `trace.file`.2, and so on. In bytes. Default 64MiB,
        from 64KiB to 1024GiB.
        """)
    trace_files_max = _Integer("trace.files_max", """
        How many of these files there are, with the one that is written; the oldest goes. Default 4, from 1 to 1000.
        """)
    trace_id_tokens = _Boolean("trace.id_tokens", """
        `true`: idTags and idTokens are written as they are. They are personal data, and whoever knows one may charge with it.
        Default false.
        """)

# ---- Made by bindings/generate: the end.


# ---- The library


def _load() -> ctypes.CDLL:
    name = os.environ.get("CHARGEWIRE_LIBRARY") or "libchargewire.so.0"
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise ImportError(f"{error}. Install libchargewire0 (a package of Debian, or Chargewire from source and then `ldconfig`), "
                          "or name the file in the environment: CHARGEWIRE_LIBRARY=/path/to/libchargewire.so.0") from None
    try:
        library.cwire_abi_version.restype = c_uint32
        found = library.cwire_abi_version()
    except AttributeError:
        raise ImportError(f"{name} is not Chargewire's library: it has no cwire_abi_version") from None
    if found < ABI_VERSION:
        raise ImportError(f"{name} is older than this chargewire.py: its ABI is {found}, and {ABI_VERSION} is needed. "
                          f"Install libchargewire0 {__version__} or newer")
    for function, (result, *parameters) in _FUNCTIONS.items():
        prototype = getattr(library, function)
        prototype.restype, prototype.argtypes = result, parameters
    return library


_cwire = _load()


def version() -> str:
    """Of the library: "0.1.0"."""
    return _static(_cwire.cwire_version())


def abi_version() -> int:
    """Of the library. ABI_VERSION is what this file needs."""
    return int(_cwire.cwire_abi_version())


def option_schema() -> List[Dict[str, Any]]:
    """All options that the library knows, with key, type, default, minimum, maximum and description each."""
    return list(json.loads(_cwire.cwire_config_schema())["options"])


def security_event_name(event: SecurityEvent, subprotocol: Optional[str] = None) -> str:
    """What OCPP calls it in that version: "InvalidCsmsCertificate", or with "ocpp1.6" "InvalidCentralSystemCertificate"."""
    return _static(_cwire.cwire_security_event_name(event, _optional_utf8(subprotocol)))


def _failed(status: int, message: str = "") -> ChargewireError:
    known = Status(status)
    return _ERRORS.get(known, ChargewireError)(known, message)


def _check(status: int, station_id: str = "") -> int:
    """For calls that answer with a status alone; 0 and above is success."""
    if status < 0:
        raise _failed(status, f"{station_id}: {_meaning(status)}" if station_id else "")
    return status


def _meaning(status: int) -> str:
    return f"{Status(status)}: {' '.join((_ERRORS.get(Status(status), ChargewireError).__doc__ or '').split())}"


def _call(function: Callable[..., int], *arguments: Any) -> None:
    """For calls that tell in words what is wrong."""
    error = cwire_error(ctypes.sizeof(cwire_error))
    status = function(*arguments, ctypes.byref(error))
    if status < 0:
        raise _failed(status, error.message.decode())


def _text_of(function: Callable[..., int], *arguments: Any, capacity: int, unknown: str = "") -> str:
    """A text of which the library says how long it is, with its NUL. It may be longer at the second look. `unknown`: what CONFIG means."""
    while True:
        buffer, needed = ctypes.create_string_buffer(capacity), c_size_t()
        status = function(*arguments, buffer, capacity, ctypes.byref(needed))
        if status == Status.TOO_BIG:
            capacity = needed.value + needed.value // 16
            continue
        if status:
            raise _failed(status, unknown if status == Status.CONFIG else "")
        return buffer.value.decode()


def _within(failure: ChargewireError, timeout: Optional[Seconds]) -> ChargewireError:
    """The library knows only of the last look, or the last slice of the wait."""
    if failure.status == Status.TIMEOUT and timeout is not None:
        return _failed(failure.status, re.sub(r"within \d+ ms", f"within {_seconds(timeout):g} s", failure.message, count=1))
    return failure


# Structures are read by `struct`, all of an array at once: a field at a time through ctypes would cost several times as much.


def _layout(structure: Type[ctypes.Structure]) -> struct.Struct:
    """Its fields but for `reserved`; an array of characters or a structure in it is one bytes."""
    codes = []
    for name, kind in structure._fields_:  # type: ignore[misc]
        if name == "reserved":
            codes.append(f"{ctypes.sizeof(kind)}x")
        elif issubclass(kind, (ctypes.Array, ctypes.Structure)):
            codes.append(f"{ctypes.sizeof(kind)}s")
        else:
            codes.append(getattr(kind, "_type_"))  # the code that struct has for it too
    layout = struct.Struct("".join(codes) + "0q")  # padded at its end like the structure
    assert layout.size == ctypes.sizeof(structure)
    return layout


class _Record(Generic[T]):
    """How a structure becomes a tuple with names."""

    def __init__(self, record: Callable[..., T], structure: Type[ctypes.Structure], *converters: Callable[[Any], Any]):
        self.record, self.structure, self.converters = record, structure, converters
        self.layout = _layout(structure)
        self.size = ctypes.sizeof(structure)

    def read(self, data: Any) -> List[T]:
        return [self.record(*(convert(value) for convert, value in zip(self.converters, values[1:])))
                for values in self.layout.iter_unpack(data)]

    def one(self, function: Callable[..., int], *arguments: Any) -> T:
        out = self.structure(self.size)
        _check(function(*arguments, ctypes.byref(out)))
        return self.read(out)[0]

    def all(self, function: Callable[..., int], token: c_void_p) -> List[T]:
        count = c_size_t(0)
        while True:
            capacity = count.value + count.value // 8 + 8  # some may come meanwhile
            out = (self.structure * capacity)()
            out[0].size = self.size
            status = function(token, out, capacity, ctypes.byref(count))
            if status == Status.TOO_BIG:
                continue
            _check(status)
            return self.read(memoryview(out).cast("B")[:count.value * self.size])


_failures = _Record(Failure, cwire_failure, *_FAILURE)


_stats = _Record(Stats, cwire_stats, *_STATS)
_endpoints = _Record(Endpoint, cwire_endpoint, *_ENDPOINT)
_event_layout = _layout(cwire_event)
_outgoing_layout = _layout(cwire_outgoing)


class Counts(NamedTuple):
    """How many stations are connected, and how many there are, those that gave up included."""
    connected: int
    total: int


def _payload(data: Message) -> bytes:
    if isinstance(data, bytes):
        return data
    return data.encode() if isinstance(data, str) else memoryview(data).tobytes()


def _send_flags(binary: bool, report: bool) -> int:
    return (Flag.BINARY if binary else 0) | (Flag.REPORT if report else 0)


def _in_range(name: str, value: int, bits: int) -> int:
    """ctypes would cut it."""
    if not 0 <= value < 1 << bits:
        raise InvalidArgumentError(Status.INVALID_ARGUMENT, f"{name} {value}: expected a number from 0 to {(1 << bits) - 1}")
    return value


def _config_token(config: Optional[Config]) -> Optional[c_void_p]:
    return None if config is None else config._token


# ---- Events

_BATCH = 1024  # taken at once


class _Members(Dict[int, T]):
    """The members of an enum by number, faster than the enum finds them."""

    def __init__(self, members: Callable[[int], T]):
        super().__init__()
        self.members = members

    def __missing__(self, number: int) -> T:
        found = self[number] = self.members(number)
        return found


class Event(NamedTuple):
    """What has happened. Which fields mean something says its type. It is a copy, and may be kept."""
    type: EventType
    station: Optional[Station]
    """None where the event belongs to the manager"""
    station_id: str
    """empty where the event belongs to the manager"""
    status: Status
    """OK, or why"""
    data: bytes
    """MESSAGE: the message; CONNECTED: the subprotocol; else one line for people, or nothing"""
    tag: int
    """SENT: that of the send; CONNECTED: number of this connection; ERROR: failed attempts in a row; PAUSED: nanoseconds"""
    code: int
    """DISCONNECTED, CLOSED: close code; ERROR: HTTP status, errno or X.509 result; STATE: the new State; LOG: its level; ENDPOINT: Breaker"""
    flags: Flag
    time_ns: int
    """wall clock, nanoseconds since 1970-01-01 UTC"""
    failure: Optional[Failure]
    """ERROR, and DISCONNECTED if not by request: all that is known"""

    @property
    def text(self) -> str:
        """`data` as text. Text that a peer sends is checked to be UTF-8 before it comes here."""
        return self.data.decode()

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.time_ns / 1e9, timezone.utc)

    @property
    def reconnect(self) -> bool:
        """CONNECTED: not the first connection of this station. OCPP wants no BootNotification then."""
        return self._has(Flag.RECONNECT)

    @property
    def binary(self) -> bool:
        """MESSAGE: not text."""
        return self._has(Flag.BINARY)

    @property
    def will_retry(self) -> bool:
        """ERROR and DISCONNECTED: another attempt follows by itself."""
        return self._has(Flag.WILL_RETRY)

    @property
    def remote(self) -> bool:
        """DISCONNECTED: the peer closed first."""
        return self._has(Flag.REMOTE)

    @property
    def needs_action(self) -> bool:
        """ERROR: refused a second time in the same way, and so until somebody changes something."""
        return self._has(Flag.NEEDS_ACTION)

    def _has(self, flag: Flag) -> bool:
        return int.__and__(self.flags, flag) != 0  # that of IntFlag makes a Flag of it, which takes longer than all else here


_event_types, _statuses, _flags = _Members(EventType), _Members(Status), _Members(Flag)
_CLOSED, _SHUTDOWN, _TIMEOUT = int(EventType.CLOSED), int(EventType.SHUTDOWN), int(Status.TIMEOUT)


class Events:
    """The events of a manager, one by one, up to SHUTDOWN or the manager's close: for `for`, which waits, and for `async for`.

    An iteration that is left early loses nothing: the next goes on where it was."""

    def __init__(self, manager: Manager):
        self._manager = manager

    def __iter__(self) -> Iterator[Event]:
        pending = self._manager._pending
        while True:
            while pending:
                yield pending.popleft()
            if self._manager._ended:
                return
            try:
                pending.extend(self._manager._wait_and_take(None, _BATCH))
            except InvalidHandleError:
                if not self._manager._ended:  # closed meanwhile
                    raise

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> Event:
        pending = self._manager._pending
        while not pending:
            if self._manager._ended:
                raise StopAsyncIteration
            await self._manager._reader.more()
        return pending.popleft()


class _Reader:
    """Takes a manager's events in an event loop, while somebody there waits for some: for the next one, or for a station to be connected.

    Who waits for a station does not depend on anybody who takes events. What comes meanwhile is kept; but beyond ENOUGH the rest stays in
    the library, which then slows the sockets down, and the station is looked after now and then."""

    ENOUGH = 16384
    NOW_AND_THEN = 0.1  # seconds

    def __init__(self, manager: Manager):
        self._manager = manager
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._reading = False
        self._timer: Optional[asyncio.TimerHandle] = None
        self._getters: List[asyncio.Future[None]] = []
        self._waiters: Dict[Station, List[asyncio.Future[None]]] = {}

    async def more(self) -> None:
        """Returns when there may be events."""
        future = self._here().create_future()
        self._manager._take_now()  # which also gives back the batch before: SHUTDOWN waits for that of the last CLOSED
        if self._manager._pending or self._manager._ended:
            await asyncio.sleep(0)  # with events without end other tasks have their turn all the same
            return
        self._getters.append(future)
        try:
            self._update()
            await future
        finally:
            if future in self._getters:
                self._getters.remove(future)
            self._update()

    async def connected(self, station: Station, timeout: Optional[Seconds]) -> None:
        future = self._here().create_future()
        self._waiters.setdefault(station, []).append(future)  # before the first look: nothing falls in between
        try:
            failure = station._wait(0)
            if failure is not None and failure.status == Status.TIMEOUT:
                self._update()
                try:
                    await asyncio.wait_for(future, None if timeout is None else _seconds(timeout))
                    failure = None
                except asyncio.TimeoutError as error:
                    # TimedOutError is one too. Looked at once more, as it says why the last attempt failed.
                    failure = error if isinstance(error, ChargewireError) else station._wait(0)
            if failure is not None:
                raise _within(failure, timeout)
        finally:
            waiting = self._waiters[station]
            waiting.remove(future)
            if not waiting:
                del self._waiters[station]
            self._update()

    def tell(self, taken: List[Event]) -> None:
        """From any thread: these were taken."""
        for event in taken:
            if event.station in self._waiters and event.type in (EventType.CONNECTED, EventType.CLOSED):
                error = None if event.type == EventType.CONNECTED else _failed(event.status or Status.CLOSED, event.text)
                self._soon(self._settle, event.station, error)

    def let_go(self) -> None:
        """Of the descriptor, before it is closed: its number may be somebody else's right after. Another thread than the loop's cannot."""
        if self._loop is not None and asyncio._get_running_loop() is self._loop:
            self._update()

    def end(self) -> None:
        """From any thread: the manager was closed."""
        self._soon(self._end)

    def _here(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None and not self._loop.is_closed() and (self._getters or self._waiters):
                raise RuntimeError(f"{self._manager!r} is waited for in another event loop")
            self._loop, self._reading, self._timer = loop, False, None
            self._getters.clear()
            self._waiters.clear()
        return loop

    def _soon(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _update(self) -> None:
        """Reads, or looks now and then, or leaves it be."""
        assert self._loop is not None
        read = not self._manager._ended and bool(self._getters or self._waiters and len(self._manager._pending) < self.ENOUGH)
        if read and not self._reading:
            self._loop.add_reader(self._manager.fileno(), self._readable)
        elif self._reading and not read:
            self._loop.remove_reader(self._manager.fileno())
        self._reading = read
        if self._waiters and not read and self._timer is None and not self._manager._ended:
            self._timer = self._loop.call_later(self.NOW_AND_THEN, self._look)

    def _readable(self) -> None:
        self._manager._take_now()
        self._wake_getters()
        self._update()

    def _look(self) -> None:
        self._timer = None
        for station in self._waiters:
            failure = station._wait(0)
            if failure is None or failure.status != Status.TIMEOUT:
                self._settle(station, failure)
        self._update()

    def _settle(self, station: Station, error: Optional[ChargewireError]) -> None:
        for future in self._waiters.get(station, ()):
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)

    def _wake_getters(self) -> None:
        for future in self._getters:
            if not future.done():
                future.set_result(None)
        self._getters.clear()

    def _end(self) -> None:
        for station in self._waiters:
            self._settle(station, InvalidHandleError(Status.INVALID_HANDLE, f"{station.id}: its manager was closed"))
        self._wake_getters()
        self._update()


# ---- Stations


class Station:
    """One charge point's connection, of Manager.connect. It owns nothing: after its CLOSED it answers InvalidHandleError, from any thread."""

    __slots__ = ("manager", "id", "user_data", "_token")

    def __init__(self, manager: Manager, station_id: str, token: int, user_data: Any = None):
        self.manager = manager
        self.id = station_id
        self.user_data = user_data
        """as given to connect"""
        self._token = token

    def __repr__(self) -> str:
        return f"<chargewire.Station {self.id}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Station) and self._token == other._token

    def __hash__(self) -> int:
        return hash(self._token)

    def send(self, data: Message, *, report: bool = False, tag: int = 0, binary: bool = False) -> None:
        """Queues one message; never waits. `str` and `bytes` are sent as text, as OCPP-J wants it, unless `binary`.

        What is accepted is sent, or told by a SENT event with this tag to have not been. With `report` there is one in any case."""
        payload = _payload(data)
        status = _cwire.cwire_station_send(self._token, payload, len(payload), _send_flags(binary, report), _in_range("tag", tag, 64))
        if status:
            raise _failed(status, f"{self.id}: {_meaning(status)}")

    async def connected(self, timeout: Optional[Seconds] = None) -> None:
        """Waits until it is connected. TimedOutError says why the last attempt failed; if the station has ended, the error is why.
        Nobody has to take events meanwhile."""
        await self.manager._reader.connected(self, timeout)

    def wait_connected(self, timeout: Optional[Seconds] = None) -> None:
        """The same for a thread, which it blocks."""
        deadline = None if timeout is None else time.monotonic() + _seconds(timeout)
        while True:
            # In slices, between which Ctrl-C is heard.
            left = 0.2 if deadline is None else max(0.0, deadline - time.monotonic())
            failure = self._wait(_milliseconds(min(left, 0.2)))
            if failure is None:
                return
            if failure.status != Status.TIMEOUT or deadline is not None and time.monotonic() >= deadline:
                raise _within(failure, timeout)

    @property
    def state(self) -> State:
        state = c_int32()
        _check(_cwire.cwire_station_state(self._token, ctypes.byref(state)), station_id=self.id)
        return State(state.value)

    @property
    def is_connected(self) -> bool:
        return self.state == State.CONNECTED

    def stats(self) -> Stats:
        return _stats.one(_cwire.cwire_station_stats, self._token)

    def reconfigure(self, url: Optional[str] = None, config: Optional[Config] = None, *, reconnect: bool = False) -> None:
        """Changes how it connects; without arguments certificates and passwords are read again from their files. What is not live takes
        effect at the next attempt; with `reconnect` that is made at once, after what is queued was sent."""
        _call(_cwire.cwire_station_reconfigure, self._token, _optional_utf8(url), _config_token(config),
              _RECONFIGURE_RECONNECT if reconnect else 0)

    def disconnect(self, code: int = 1000, reason: Optional[str] = None) -> None:
        """Sends what is queued, then closes; CLOSED follows. Asynchronous and idempotent."""
        _check(_cwire.cwire_station_disconnect(self._token, _in_range("code", code, 16), _optional_utf8(reason)), station_id=self.id)

    def _wait(self, milliseconds: int) -> Optional[ChargewireError]:
        error = cwire_error(ctypes.sizeof(cwire_error))
        status = _cwire.cwire_station_wait(self._token, milliseconds, ctypes.byref(error))
        return _failed(status, error.message.decode()) if status else None


class Outgoing(NamedTuple):
    """One message of Manager.send_many; the rest is as of Station.send."""
    station: Station
    data: Message
    report: bool = False
    tag: int = 0
    binary: bool = False


class _Group:
    """What Manager and Pool can do with their stations."""

    _prefix: str
    _token: c_void_p

    def _function(self, name: str) -> Callable[..., int]:
        function: Callable[..., int] = getattr(_cwire, f"{self._prefix}_{name}")
        return function

    def send(self, station_id: str, data: Message, *, report: bool = False, tag: int = 0, binary: bool = False) -> None:
        """Station.send by id."""
        payload = _payload(data)
        _check(self._function("send")(self._token, _utf8(station_id), payload, len(payload), _send_flags(binary, report),
                                      _in_range("tag", tag, 64)), station_id=station_id)

    def broadcast(self, data: Message, *, report: bool = False, binary: bool = False) -> int:
        """Sends to all that are connected, with tag 0; how many queues took it."""
        payload, accepted = _payload(data), c_size_t()
        _check(self._function("broadcast")(self._token, payload, len(payload), _send_flags(binary, report), ctypes.byref(accepted)))
        return accepted.value

    def counts(self) -> Counts:
        connected, total = c_size_t(), c_size_t()
        _check(self._function("counts")(self._token, ctypes.byref(connected), ctypes.byref(total)))
        return Counts(connected.value, total.value)

    def disconnect_all(self) -> None:
        """Disconnects them, with 1000, and returns at once."""
        _check(self._function("disconnect_all")(self._token))


class Pool(_Group):
    """A named group of stations of one manager. It owns nothing: closing it disconnects no one."""

    _prefix = "cwire_pool"

    def __init__(self, manager: Manager):
        self.manager = manager
        self._token = c_void_p()
        _check(_cwire.cwire_pool_new(manager._token, ctypes.byref(self._token)))
        self._free = weakref.finalize(self, _cwire.cwire_pool_free, self._token)

    def add(self, station: Station) -> None:
        _check(_cwire.cwire_pool_add(self._token, station._token), station_id=station.id)

    def remove(self, station_id: str) -> None:
        """Out of the group; the connection lives on."""
        _check(_cwire.cwire_pool_remove(self._token, _utf8(station_id)), station_id=station_id)

    def __contains__(self, station_id: str) -> bool:
        return _check(_cwire.cwire_pool_has(self._token, _utf8(station_id))) == 1

    def all_stats(self) -> List[Stats]:
        return _stats.all(_cwire.cwire_pool_stats, self._token)

    def close(self) -> None:
        self._free()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# ---- The manager


def _free_forgotten(token: c_void_p) -> None:
    _cwire.cwire_manager_free(token)
    warnings.warn("a chargewire.Manager was not closed", ResourceWarning)


class Manager(_Group):
    """A fleet: its stations by id, and their events. Close it, or use it in `with` or `async with`."""

    _prefix = "cwire_manager"

    def __init__(self, config: Optional[Config] = None):
        self._token = c_void_p()
        _call(_cwire.cwire_manager_new, _config_token(config), None, 0, ctypes.byref(self._token))
        self._forgotten = weakref.finalize(self, _free_forgotten, self._token)
        self._forgotten.atexit = False  # the library itself comes to rest then
        self._descriptor: int = _cwire.cwire_manager_event_fd(self._token)
        self._stations: Dict[int, Station] = {}  # by token, until their CLOSED is taken
        self._adding = threading.Lock()
        self._pending: Deque[Event] = deque()  # taken from the library, and not yet by anybody here
        self._taking = threading.RLock()  # one at a time; again by a signal handler of that thread
        self._ended = False  # nothing more will come
        self._copying = False  # what a poll was lent is being copied; a signal handler may come in between
        self._free_wanted = False  # by such a handler
        self._lent, self._count = c_void_p(), c_size_t()
        self._waiting = select.poll()
        self._waiting.register(self._descriptor, select.POLLIN)
        self._reader = _Reader(self)

    def __repr__(self) -> str:
        return f"<chargewire.Manager {self._token.value:#x}{'' if self._forgotten.alive else ', closed'}>"

    # Stations

    def connect(self, station_id: str, url: Optional[str] = None, config: Optional[Config] = None, user_data: Any = None) -> Station:
        """Adds a station and begins to connect it; returns at once. Without a URL it is Config.default_url.

        It keeps trying; failures arrive as events. What is wrong with the arguments, or with certificates and keys, is told here."""
        token = c_void_p()
        with self._adding:  # whoever takes its first event meanwhile waits until it is known
            _call(_cwire.cwire_manager_connect, self._token, _utf8(station_id), _optional_utf8(url), _config_token(config), 0,
                  ctypes.byref(token))
            assert token.value is not None
            station = self._stations[token.value] = Station(self, station_id, token.value, user_data)
        return station

    def connect_all(self) -> int:
        """Connects each of the configuration's `stations:` that is not connected yet; how many were begun."""
        count = c_size_t()
        _call(_cwire.cwire_manager_connect_all, self._token, ctypes.byref(count))
        return count.value

    def find(self, station_id: str) -> Station:
        """By id. NotFoundError if it has ended, or never was."""
        token = c_void_p()
        _check(_cwire.cwire_manager_find(self._token, _utf8(station_id), ctypes.byref(token)), station_id=station_id)
        assert token.value is not None
        with self._adding:
            return self._stations.get(token.value) or Station(self, station_id, token.value)

    def send_many(self, messages: Iterable[Outgoing]) -> List[Status]:
        """Sends them in order, to one or many stations, in one call; what came of each."""
        outgoing = list(messages)
        payloads = [_payload(message.data) for message in outgoing]
        data = b"".join(payloads)
        at = ctypes.cast(c_char_p(data), c_void_p).value or 0
        packed = bytearray(_outgoing_layout.size * len(outgoing))
        for index, (message, payload) in enumerate(zip(outgoing, payloads)):
            _outgoing_layout.pack_into(packed, index * _outgoing_layout.size, _outgoing_layout.size, message.station._token, at, len(payload),
                                       _in_range("tag", message.tag, 64), _send_flags(message.binary, message.report), 0)
            at += len(payload)
        array = (cwire_outgoing * len(outgoing)).from_buffer(packed)
        _cwire.cwire_station_send_many(array, len(outgoing), None)  # what it returns is in the statuses
        return [_statuses[values[-1]] for values in _outgoing_layout.iter_unpack(packed)]

    def reconfigure(self, station_id: str, url: Optional[str] = None, config: Optional[Config] = None, *, reconnect: bool = False) -> None:
        """Station.reconfigure by id."""
        _call(_cwire.cwire_manager_reconfigure, self._token, _utf8(station_id), _optional_utf8(url), _config_token(config),
              _RECONFIGURE_RECONNECT if reconnect else 0)

    def disconnect(self, station_id: str) -> None:
        """Station.disconnect by id, with 1000. A station that gave up is forgotten."""
        _check(_cwire.cwire_manager_disconnect(self._token, _utf8(station_id)), station_id=station_id)

    def is_connected(self, station_id: str) -> bool:
        return _check(_cwire.cwire_manager_is_connected(self._token, _utf8(station_id)), station_id=station_id) == 1

    def stats(self, station_id: str) -> Stats:
        """Also of a station that gave up."""
        return _stats.one(_cwire.cwire_manager_stats, self._token, _utf8(station_id))

    def all_stats(self) -> List[Stats]:
        """Of all stations, in no order."""
        return _stats.all(_cwire.cwire_manager_all_stats, self._token)

    # Endpoints

    def network_up(self) -> None:
        """The network is there again, a link that came up perhaps: who waits for the next attempt begins it."""
        _check(_cwire.cwire_manager_network_up(self._token))

    def endpoints(self) -> List[Endpoint]:
        return _endpoints.all(_cwire.cwire_manager_endpoints, self._token)

    def metrics(self, format: MetricsFormat = MetricsFormat.PROMETHEUS) -> str:
        """What is counted of the fleet, as text that Prometheus reads, for a program that has an HTTP server of its own; docs/metrics.md says
        what there is."""
        return _text_of(_cwire.cwire_manager_metrics, self._token, MetricsFormat(format), capacity=1 << 16)

    def metrics_url(self) -> str:
        """Where the library serves that itself: "http://127.0.0.1:9464/metrics". Empty if it does not (metrics_listen)."""
        return _text_of(_cwire.cwire_manager_metrics_url, self._token, capacity=128)

    def isolate(self, url: str) -> None:
        """Takes the endpoint of this URL out of use: no station dials it until `reset`."""
        _call(_cwire.cwire_manager_isolate, self._token, _utf8(url))

    def reset(self, url: str) -> None:
        """Puts it back into use, however it came out of it."""
        _call(_cwire.cwire_manager_reset, self._token, _utf8(url))

    def trace(self, station_id: Optional[str] = None, on: bool = True) -> None:
        """Writes every frame, upgrade and end of a station, or of all and those to come, to the option `trace.file`, or ends that."""
        _call(_cwire.cwire_manager_trace, self._token, None if station_id is None else _utf8(station_id), int(on))

    # Events

    def events(self) -> Events:
        """One by one: `for event in manager.events()`, or `async for`."""
        return Events(self)

    def poll(self, timeout: Optional[Seconds] = None, most: int = _BATCH) -> List[Event]:
        """A batch, oldest first: waits for the first of them, but not beyond `timeout`. Empty if nothing came, or by `wake`.
        StateError after SHUTDOWN, and if another thread polls."""
        return self._kept(most) or self._wait_and_take(timeout, most)

    def wake(self) -> None:
        """Makes the current or the next poll return at once."""
        _check(_cwire.cwire_manager_wake(self._token))

    def fileno(self) -> int:
        """Readable while events wait in the library: for `selectors` and loops of your own. Then `poll(0)` until it is empty."""
        return self._descriptor

    def _kept(self, most: int) -> List[Event]:
        return [self._pending.popleft() for _ in range(min(most, len(self._pending)))]

    def _wait_and_take(self, timeout: Optional[Seconds], most: int) -> List[Event]:
        if not self._taking.acquire(blocking=False):
            raise StateError(Status.STATE, "another thread takes the events of this manager already")
        try:
            if self._pending:  # an event loop took them just now, for who waits for a station: they are first
                return self._kept(most)
            deadline = None if timeout is None else time.monotonic() + _seconds(timeout)
            while True:
                taken = self._take(most)
                if taken is not None:
                    return taken
                # In Python's hands, not the library's: so Ctrl-C is heard.
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                if left == 0 or not self._waiting.poll(None if left is None else _milliseconds(left)):
                    return []
        finally:
            self._taking.release()

    def _take_now(self) -> None:
        """What waits, into `_pending`. Where a thread polls, it is that thread that gets it. `close` is not under way meanwhile."""
        if self._taking.acquire(blocking=False):
            try:
                if not self._ended:
                    self._pending.extend(self._take(_BATCH) or ())
            finally:
                self._taking.release()

    def _take(self, most: int) -> Optional[List[Event]]:
        """A copy of what the library lends. None if there is nothing, empty if it was woken."""
        if self._copying:
            raise _failed(Status.STATE, "a signal handler polls while it holds up a poll")
        self._copying = True
        try:
            return self._copy_of_next(most)
        finally:
            self._copying = False
            if self._free_wanted:
                self._free()

    def _copy_of_next(self, most: int) -> Optional[List[Event]]:
        status = _cwire.cwire_manager_poll(self._token, 0, most, ctypes.byref(self._lent), ctypes.byref(self._count))
        if status == _TIMEOUT:
            return None
        if status:
            raise _failed(status, "all events were taken" if status == Status.STATE else "")
        count = self._count.value
        if not count:
            return []
        # All of the array in one go; per event what is below, so it is plain.
        array = ctypes.string_at(self._lent.value or 0, count * _event_layout.size)
        new, copy, stations = tuple.__new__, ctypes.string_at, self._stations
        taken: List[Event] = []
        for _, kind, status, token, _, station_id, data, size, tag, time_ns, code, flags, failure in _event_layout.iter_unpack(array):
            station = None
            if token:
                station = stations.get(token) or self._known(token, copy(station_id).decode())
                if kind == _CLOSED:
                    del stations[token]
            elif kind == _SHUTDOWN:
                self._ended = True
            # Event(...) checks and counts its arguments, which costs more than all the rest.
            taken.append(new(Event, (
                _event_types[kind], station, station.id if station is not None else "", _statuses[status],
                copy(data, size) if size else b"", tag, code, _flags[flags], time_ns,
                _failures.read(copy(failure, _failures.size))[0] if failure else None)))
        if self._reader._waiters:
            self._reader.tell(taken)
        return taken

    def _known(self, token: int, station_id: str) -> Station:
        """One that is being connected at this moment, or by `connect_all`."""
        with self._adding:
            return self._stations.setdefault(token, Station(self, station_id, token))

    # The end

    def shutdown(self, drain: Seconds = 0) -> None:
        """Begins an orderly end and returns at once: what is queued is sent, each connection closed with 1001, within `drain`. Then every
        CLOSED, then SHUTDOWN, which ends the iterations."""
        _check(_cwire.cwire_manager_shutdown(self._token, _milliseconds(drain)))

    def close(self) -> None:
        """Ends everything at once; idempotent, from any thread. What was not taken is dropped, and iterations end. `shutdown` before, and
        its SHUTDOWN, for an orderly end."""
        self._ended = True
        self._reader.let_go()
        _cwire.cwire_manager_wake(self._token)
        with self._taking:  # whoever polls has left, unless this is a signal handler that holds it up
            if self._copying:
                self._free_wanted = True
            else:
                self._free()
        self._reader.end()

    def _free(self) -> None:
        if self._forgotten.detach():
            _cwire.cwire_manager_free(self._token)
        self._pending.clear()
        self._stations.clear()

    async def aclose(self) -> None:
        """`close`, while other tasks go on."""
        self._ended = True
        self._reader.let_go()
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Manager:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
