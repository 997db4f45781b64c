"""Python: what chargewire.py has of the header and of the options: enums, exceptions, structures, prototypes, records and Config. The rest of that
file is written by hand and stays as it is."""
import re
import textwrap

from model import ADVICE

PATH = "bindings/python/chargewire.py"
BEGIN = "# ---- Made by bindings/generate from chargewire.h and the option table, down to the next such line. Change those, not this.\n"
END = "# ---- Made by bindings/generate: the end.\n"
WIDTH = 130

SCALARS = {"cwire_status": "c_int32", "int32_t": "c_int32", "uint32_t": "c_uint32", "int64_t": "c_int64", "uint64_t": "c_uint64",
           "uint16_t": "c_uint16", "size_t": "c_size_t", "uintptr_t": "c_size_t", "intptr_t": "c_ssize_t", "cwire_event_handler": "c_void_p"}
# A group of constants, the enum that it is, what it is, and the function that has its names.
ENUMS = {
    "CWIRE_E": ("Status", "What came of a call, an attempt or a message.", "cwire_status_name"),
    "CWIRE_STATE": ("State", "Where a station stands.", "cwire_state_name"),
    "CWIRE_PHASE": ("Phase", "What a connection was doing when it failed.", "cwire_phase_name"),
    "CWIRE_SECURITY": ("SecurityEvent", "What OCPP wants to be told as a SecurityEventNotification.", None),
    "CWIRE_EVENT": ("EventType", "What an Event tells. Later versions may add some: ignore those that you do not know.", None),
    "CWIRE_BREAKER": ("Breaker", "Whether an endpoint is worth trying.", None),
    "CWIRE_QUALITY": ("Quality", "How good a station's connection is.", "cwire_quality_name"),
    "CWIRE_METRICS": ("MetricsFormat", "How metrics are written.", None),
}
# What else an exception of that status is to Python.
BUILTIN = {"INVALID_ARGUMENT": "ValueError", "NO_MEMORY": "MemoryError", "TIMEOUT": "TimeoutError"}
RECORDS = {
    "cwire_failure": ("Failure", "Why an attempt failed or a connection was lost. What does not apply is 0 or None."),
    "cwire_stats": ("Stats", "The statistics of a station. Counters begin at connect and never go back."),
    "cwire_endpoint": ("Endpoint", "Scheme, host and port of a URL, where stations of a manager connect, and how the governor paces that."),
}
FIELDS = {"status": "Status", "last_error": "Status", "phase": "Phase", "security_event": "SecurityEvent", "state": "State", "breaker": "Breaker", "quality": "Quality",
          "compressed": "bool", "flags": "Flag"}
CHOICES = {"csms.tls.min_version": "TlsVersion", "csms.auth.password_format": "PasswordFormat"}  # else as the option
# The descriptor of an option, and what it takes.
OPTIONS = {"bool": ("_Boolean", "bool"), "integer": ("_Integer", "int"), "duration": ("_Duration", "timedelta"), "size": ("_Size", "int"),
           "percent": ("_Share", "float"), "path": ("_Path", "Path"), "map": ("_Map", "Mapping[str, str]")}
UNITS = {"percent": "A share: 0.2 for 20 %.", "size": "In bytes.", "duration": "In whole milliseconds, rounded up."}


def files(model):
    text = (model.root / PATH).read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return {PATH: before + BEGIN + "\n" + generated(model) + "\n\n" + END + after}


def generated(model):
    parts = [f'__version__ = "{model.version}"\nABI_VERSION = {model.abi_version}']
    parts += [enum(model, group, *about) for group, about in ENUMS.items()]
    parts += [flags(model), *choices(model), *exceptions(model)]
    parts += [structure(struct) for struct in model.structs]
    parts.append(prototypes(model))
    parts += [record(struct) for struct in model.structs if struct.name in RECORDS]
    parts.append(config(model))
    return "\n\n\n".join(parts)


# ---- Words


def pascal(words):
    return "".join(word.capitalize() for word in words.lower().split("_"))


def plain(text):
    """One line, without the links of Markdown, with None for NULL."""
    text = re.sub(r"\[([^\]]+)\]\(#[^)]*\)", r"\1 in docs/configuration.md", text)
    text = re.sub(r"\[([^\]]+)\]\(([^)#]+)#?[^)]*\)", r"docs/\2", text)
    return " ".join(text.split()).replace("NULL", "None")


def docstring(text, indent="    "):
    end = "." if text.endswith('"') else ""  # or its end would be taken for a part of the docstring's
    line = f'{indent}"""{text}{end}"""'
    if len(line) <= WIDTH:
        return line + "\n"
    return "\n".join(textwrap.wrap(line, WIDTH - 4, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)) + "\n"


def member(constant):
    return constant.name.removeprefix(constant.group + "_").removeprefix("CWIRE_")


# ---- Enums and exceptions


def enum(model, group, name, about, named_by):
    out = f"class {name}(_Number):\n{docstring(about)}"
    for constant in model.group(group):
        out += f"    {member(constant)} = {constant.value}\n" + (docstring(plain(constant.comment)) if constant.comment else "")
    if named_by:
        out += f"\n    def __str__(self) -> str:\n        return _static(_cwire.{named_by}(self))\n"
    return out.rstrip()


def flags(model):
    out = "class Flag(enum.IntFlag):\n" + docstring("What more there is to say of an event.")
    for constant in model.group("CWIRE_FLAG"):
        out += f"    {member(constant)} = {constant.value}\n{docstring(plain(constant.comment))}"
    out += "\n\n" + "\n".join(f"_{constant.name.removeprefix('CWIRE_')} = {constant.value}" for constant in model.group("CWIRE_RECONFIGURE"))
    return out


def choice_enum(option):
    return CHOICES.get(option.key, pascal(option.name))


def choice_member(option, word):
    if "." in word:
        return "V" + word.replace(".", "_")
    return option.name.rsplit("_", 1)[-1].upper() + "_" + word if word.isdigit() else word.upper()


def choices(model):
    for option in model.options:
        if option.choices:
            if option.name == "log_level":  # its place in the list is the `code` of LOG events
                assert all(member(constant).lower() == option.choices[constant.value] for constant in model.group("CWIRE_LOG"))
            out = f"class {choice_enum(option)}(enum.Enum):\n{docstring(plain(option.description))}"
            yield out + "\n".join(f'    {choice_member(option, word)} = "{word}"' for word in option.choices)


def exception(constant):
    return ("TimedOut" if member(constant) == "TIMEOUT" else pascal(member(constant))) + "Error"


def exceptions(model):
    failures = [constant for constant in model.group("CWIRE_E") if constant.value]
    for constant in failures:
        bases = ", ".join(filter(None, ["ChargewireError", BUILTIN.get(member(constant))]))
        yield f"class {exception(constant)}({bases}):\n{docstring(ADVICE[constant.name])}".rstrip()
    yield "_ERRORS: Dict[Status, Type[ChargewireError]] = {\n" + "".join(
        f"    Status.{member(constant)}: {exception(constant)},\n" for constant in failures) + "}"


# ---- Declarations


def ctype(spelling):
    array = re.fullmatch(r"(.*)\[(\d+)\]", spelling)
    if array:
        return f"{'c_char' if array[1] == 'char' else SCALARS[array[1]]} * {array[2]}"
    if not spelling.endswith("*"):
        return SCALARS.get(spelling, spelling if spelling in STRUCTURES else "c_void_p")
    pointee = spelling.removeprefix("const ").removesuffix("*").strip()
    if pointee in ("char", "void"):
        return "c_char_p"
    return f"POINTER({'c_void_p' if pointee.endswith('*') else ctype(pointee)})"


STRUCTURES = ("cwire_error", "cwire_failure", "cwire_event", "cwire_stats", "cwire_endpoint", "cwire_outgoing")


def structure(struct):
    assert struct.name in STRUCTURES
    out = f"class {struct.name}(ctypes.Structure):\n    _fields_ = [\n"
    for field in struct.fields:
        # A pointer in a structure is a number: what it points to is copied where that is wanted.
        kind = "c_void_p" if field.type.endswith("*") else ctype(field.type)
        out += f'        ("{field.name}", {kind}),\n'
    return out + "    ]"


def prototypes(model):
    out = "# Result, then parameters.\n_FUNCTIONS: Dict[str, Tuple[Any, ...]] = {\n"
    for function in model.functions:
        types = ", ".join(ctype(type_) for type_ in [function.result, *(parameter.type for parameter in function.parameters)])
        out += f'    "{function.name}": ({types},),\n' if not function.parameters else f'    "{function.name}": ({types}),\n'
    return out + "}"


# ---- Records


def record_field(field):
    """Name, type and what makes it out of the number."""
    if field.name.endswith("_ns"):
        name = field.name.removesuffix("_ns")
        if name == "time" or name.endswith("_at"):
            return name, "Optional[datetime]", "_time"
        return name, "timedelta", "_interval"
    if field.type.startswith("char["):
        return field.name, "str", "_text"
    if field.type == "cwire_failure":
        return field.name, "Optional[Failure]", "_last_failure"
    kind = FIELDS.get(field.name, "int")
    return field.name, kind, kind


def record(struct):
    name, about = RECORDS[struct.name]
    out = f"class {name}(NamedTuple):\n{docstring(about)}"
    converters = []
    for field in struct.fields:
        if field.name in ("size", "reserved"):
            continue
        field_name, kind, converter = record_field(field)
        converters.append(converter)
        comment = plain(field.comment)
        comment = re.sub(r"CWIRE_[A-Z]+_\*(, )?", "", comment)
        comment = re.sub(r";? ?wall clock, nanoseconds since 1970-01-01 UTC(\.$)?|, likewise", "", comment)
        comment = comment.replace("NUL-terminated UTF-8", "").replace("Else 0", "Else None")
        comment = comment.replace("all 0 but `size` if there was none", "None if there was none").replace("CWIRE_FLAG_", "Flag.")
        out += f"    {field_name}: {kind}\n" + (docstring(comment) if comment else "")
    lines = textwrap.wrap(", ".join(converters), WIDTH - 40)
    return out + f"\n\n_{name.upper()} = (" + ("\n" + " " * (len(name) + 5)).join(lines) + ")"


# ---- Options


def option_kind(option):
    """Descriptor, what it takes, what else it is made with."""
    if option.type == "list":
        return "_Choices", f"Sequence[{choice_enum(option)}]", f", {choice_enum(option)}"
    if option.choices:
        return "_Choice", choice_enum(option), f", {choice_enum(option)}"
    return *OPTIONS.get(option.type, ("_Text", "str")), ""


def facts(option):
    says = [plain(option.description)]
    if option.type in UNITS:
        says.append(UNITS[option.type])
    default = f"Default {option.default}" if option.default else "Default: empty"
    says.append(default + (f", from {option.minimum} to {option.maximum}." if option.minimum is not None else "."))
    if option.secret:
        says.append('A secret: it reads "***".')
    if option.reloadable and option.of_station:
        says.append("Acts on a living connection at once, see Station.reconfigure.")
    return " ".join(says)


def config(model):
    out = "class Config(_Config):\n" + docstring(
        "Options of a manager, or of one station, which go before those of its manager. Each is a property, and an argument here.")
    out += "\n    __slots__ = ()\n"
    out += "\n    def __init__(\n        self,\n        *,\n"
    for option in model.options:
        out += f"        {option.name}: Optional[{option_kind(option)[1]}] = None,\n"
    out += "    ):\n        super().__init__(locals())\n\n"
    for option in model.options:
        descriptor, _, more = option_kind(option)
        lines = textwrap.wrap(facts(option), WIDTH - 8, break_long_words=False, break_on_hyphens=False)
        about = f'"{lines[0]}"' if len(lines) == 1 and '"' not in lines[0] else ""
        line = f'    {option.name} = {descriptor}("{option.key}", {about}{more})\n'
        if not about or len(line) > WIDTH:
            line = f'    {option.name} = {descriptor}("{option.key}", """\n' + "".join(f"        {each}\n" for each in lines) + f'        """{more})\n'
        out += line
    return out.rstrip()
