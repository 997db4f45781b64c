"""What the bindings are made from: the public header, as libclang reads it, and the option schema, as the library gives it."""
import ctypes
import dataclasses
import json
import pathlib
import re
import subprocess

from clang.cindex import CursorKind, Index, TokenKind, TranslationUnit, TypeKind


@dataclasses.dataclass(frozen=True)
class Constant:
    name: str        # "CWIRE_E_DIAL"
    value: int
    unsigned: bool   # written with a `u`: a bit of flags
    group: str       # "CWIRE_E"
    comment: str


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    type: str        # as C spells it: "const char *", "cwire_station", "char[240]"
    offset: int      # bytes
    size: int
    comment: str


@dataclasses.dataclass(frozen=True)
class Struct:
    name: str
    size: int
    alignment: int
    comment: str
    fields: list


@dataclasses.dataclass(frozen=True)
class Parameter:
    name: str
    type: str


@dataclasses.dataclass(frozen=True)
class Function:      # and the type of a callback
    name: str
    result: str
    parameters: list
    comment: str


@dataclasses.dataclass(frozen=True)
class Option:
    key: str         # "csms.tls.ca_cert"
    name: str        # "tls_ca_cert": the same in every language, but for its case
    type: str        # of the schema: "duration", "choice", ...
    default: str     # as cwire_config_set takes it; so are the limits, which may be None
    minimum: str
    maximum: str
    choices: list    # or None
    description: str
    reloadable: bool  # acts on a connection as it is
    secret: bool
    of_station: bool  # against those of the whole manager


@dataclasses.dataclass(frozen=True)
class Model:
    root: pathlib.Path   # of the repository
    version: str
    abi_version: int
    constants: list
    tokens: list
    structs: list
    callbacks: list
    functions: list
    options: list

    group_comments: dict  # "CWIRE_E": what stands above the first of its constants

    def group(self, name):
        return [constant for constant in self.constants if constant.group == name]


# No group: what no caller compares with anything.
GROUPS = ("CWIRE_E", "CWIRE_STATE", "CWIRE_PHASE", "CWIRE_SECURITY", "CWIRE_EVENT", "CWIRE_LOG", "CWIRE_FLAG", "CWIRE_BREAKER", "CWIRE_QUALITY",
          "CWIRE_METRICS", "CWIRE_RECONFIGURE")


# What a status means and what to do about it, for people who need not know C: the message where a call has no better one.
ADVICE = {
    "CWIRE_OK": "done, or accepted",
    "CWIRE_E_INVALID_ARGUMENT": "an argument is out of range or malformed; correct the call",
    "CWIRE_E_INVALID_HANDLE": "it has ended or never was; connect or create it anew",
    "CWIRE_E_NO_MEMORY": "an allocation failed, nothing was done; use fewer stations or smaller queues",
    "CWIRE_E_INTERNAL": "no thread or descriptor, or a defect; raise the limits or report it",
    "CWIRE_E_CONFIG": "an option is unknown or its value is wrong; docs/configuration.md has them all",
    "CWIRE_E_STATE": "not possible now, as when it is shutting down; what is said of the call says when it is",
    "CWIRE_E_TIMEOUT": "the time given has passed; wait again, for longer if need be",
    "CWIRE_E_ALREADY_CONNECTED": "a station of this id exists; use it, or disconnect it and wait until it has ended",
    "CWIRE_E_NOT_FOUND": "no station of this id; check the id, or connect it first",
    "CWIRE_E_NOT_ESTABLISHED": "the station is not connected at the moment; send when it is",
    "CWIRE_E_QUEUE_FULL": "the send queue is full; go on when an event says that there is room again",
    "CWIRE_E_TOO_BIG": "larger than csms.message_size_max or the protocol allows; send less, or raise it",
    "CWIRE_E_CLOSED": "the connection ended first; do it again on the next one if it still matters",
    "CWIRE_E_DIAL": "no TCP connection; check the URL, the CSMS and the network",
    "CWIRE_E_TLS": "the TLS handshake failed; check the certificates and csms.tls",
    "CWIRE_E_HANDSHAKE": "no upgrade to WebSocket; check the path of the URL, the station id and the scheme",
    "CWIRE_E_SUBPROTOCOL": "no OCPP version in common; put one that the CSMS speaks into csms.protocol",
    "CWIRE_E_AUTH": "the CSMS answered 401 or 403; check csms.auth",
    "CWIRE_E_PROTOCOL": "the peer broke RFC 6455; report it to the maker of the CSMS or proxy",
    "CWIRE_E_PING_TIMEOUT": "no pong in time; if the CSMS is merely slow, raise csms.pong_timeout",
    "CWIRE_E_READ": "reading failed, or nothing came in time; look into the logs of CSMS and proxy",
    "CWIRE_E_WRITE": "writing failed, or the peer took nothing in time; the CSMS or the line is too slow",
}


class Comments:
    """Those of a header, by the lines where they begin and end."""

    def __init__(self, unit):
        self.trailing = {}
        self.leading = {}
        code = set()
        for token in unit.get_tokens(extent=unit.cursor.extent):
            if token.kind != TokenKind.COMMENT:
                code.add(token.extent.start.line)
                continue
            text = self.plain(token.spelling)
            if token.extent.start.line in code:
                self.trailing[token.extent.start.line] = text
            else:
                self.leading[token.extent.end.line] = text

    @staticmethod
    def plain(text):
        first, *others = text[2:-2].strip().split("\n")
        others = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in others]
        # What continues a trailing comment is indented under it; a table keeps its columns.
        common = min((len(line) - len(line.lstrip()) for line in others if line), default=0)
        return "\n".join([first.rstrip(), *(line[common:] for line in others)])

    def beside(self, cursor):
        """On its line: of a constant, a field."""
        return self.trailing.get(cursor.extent.end.line, "")

    def above(self, cursor):
        """Of a function, a structure; and of the first constant of a group, which is about the group."""
        return self.leading.get(cursor.extent.start.line - 1, "")


def spelling(type_):
    return type_.spelling.replace(" [", "[")


def constant(cursor, comments):
    """None for a macro that is no number."""
    words = "".join(token.spelling for token in list(cursor.get_tokens())[1:] if token.kind != TokenKind.COMMENT)
    value = re.fullmatch(r"\(?(-?\d+)(u?)\)?", words)
    if value is None:
        return None
    group = max((name for name in GROUPS if cursor.spelling.startswith(name + "_")), key=len, default="")
    if cursor.spelling == "CWIRE_OK":
        group = "CWIRE_E"
    return Constant(cursor.spelling, int(value[1]), value[2] == "u", group, comments.beside(cursor))


def struct(cursor, comments):
    fields = [Field(child.spelling, spelling(child.type), cursor.type.get_offset(child.spelling) // 8, child.type.get_size(),
                    comments.beside(child))
              for child in cursor.get_children() if child.kind == CursorKind.FIELD_DECL]
    return Struct(cursor.spelling, cursor.type.get_size(), cursor.type.get_align(), comments.above(cursor), fields)


def parameters(cursor):
    return [Parameter(child.spelling, spelling(child.type)) for child in cursor.get_children()
            if child.kind == CursorKind.PARM_DECL]


def read_header(path):
    builtin = subprocess.run(["cc", "-print-file-name=include"], check=True, capture_output=True, text=True).stdout.strip()
    unit = Index.create().parse(str(path), args=["-x", "c", "-std=c99", "-isystem", builtin],
                                options=TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)
    if unit.diagnostics:
        raise SystemExit("\n".join(str(diagnostic) for diagnostic in unit.diagnostics))
    comments = Comments(unit)
    found = {"constants": [], "tokens": [], "structs": [], "callbacks": [], "functions": [], "group_comments": {}}
    for cursor in unit.cursor.get_children():
        if cursor.location.file is None or cursor.location.file.name != str(path):
            continue
        if cursor.kind == CursorKind.MACRO_DEFINITION:
            value = constant(cursor, comments)
            if value is not None:
                found["constants"].append(value)
                found["group_comments"].setdefault(value.group, comments.above(cursor))
        elif cursor.kind == CursorKind.STRUCT_DECL and cursor.is_definition():
            found["structs"].append(struct(cursor, comments))
        elif cursor.kind == CursorKind.FUNCTION_DECL:
            found["functions"].append(Function(cursor.spelling, spelling(cursor.result_type), parameters(cursor),
                                               comments.above(cursor)))
        elif cursor.kind == CursorKind.TYPEDEF_DECL:
            target = cursor.underlying_typedef_type
            if target.kind == TypeKind.POINTER and target.get_pointee().spelling.endswith("_token"):
                found["tokens"].append(cursor.spelling)
            elif target.kind == TypeKind.POINTER:
                result = target.get_pointee().get_result()
                found["callbacks"].append(Function(cursor.spelling, spelling(result), parameters(cursor), comments.above(cursor)))
    return found


def read_options(library):
    schema = ctypes.CDLL(str(library)).cwire_config_schema
    schema.restype = ctypes.c_char_p
    options = []
    for row in json.loads(schema())["options"]:
        name = row["key"].removeprefix("csms.").replace(".", "_")
        options.append(Option(name=name, of_station=row["key"].startswith("csms."), **row))
    names = [option.name for option in options]
    if len(set(names)) != len(names):
        raise SystemExit("two options would have one name in the bindings")
    return options


def read(root, library):
    found = read_header(root / "include" / "chargewire" / "chargewire.h")
    number = {constant.name: constant.value for constant in found["constants"]}
    found["constants"] = [constant for constant in found["constants"] if constant.group]
    version = ".".join(str(number[f"CWIRE_VERSION_{part}"]) for part in ("MAJOR", "MINOR", "PATCH"))
    return Model(root=root, version=version, abi_version=number["CWIRE_ABI_VERSION"], options=read_options(library), **found)
