"""Rust: the declarations of chargewire-sys with the table that its test checks them by, and the enums and typed options of chargewire."""
import re

from model import ADVICE

HEAD = "// Made by bindings/generate from chargewire.h and the option table. Change those, not this file.\n"
WIDTH = 100  # rustfmt's

# What the C types are called in Rust, where it is not by the same name.
KEYWORDS = {"type": "type_"}
TYPES = {"void": "c_void", "char": "c_char", "size_t": "usize", "intptr_t": "isize", "uintptr_t": "usize", "int32_t": "i32",
         "uint32_t": "u32", "int64_t": "i64", "uint64_t": "u64", "uint16_t": "u16"}

# The groups of constants that are enums of the safe crate, with what stands for "none" (a None of an Option) and the C function that names them.
ENUMS = {
    "CWIRE_STATE": ("State", None, "cwire_state_name", "Where a station is between being asked for and its end."),
    "CWIRE_PHASE": ("Phase", None, "cwire_phase_name", "What a connection was doing when it failed."),
    "CWIRE_SECURITY": ("SecurityEvent", "CWIRE_SECURITY_NONE", None,
                       "What OCPP wants to be told as a SecurityEventNotification."),
    "CWIRE_BREAKER": ("Breaker", None, None, "Whether an endpoint is worth trying."),
    "CWIRE_QUALITY": ("Quality", "CWIRE_QUALITY_NONE", "cwire_quality_name", "How good a station's connection is."),
}


def files(model):
    return {
        "bindings/rust/chargewire-sys/src/bindings.rs": declarations(model),
        "bindings/rust/chargewire-sys/tests/abi/table.rs": table(model),
        "bindings/rust/chargewire/src/generated/status.rs": statuses(model),
        "bindings/rust/chargewire/src/generated/enums.rs": enums(model),
        "bindings/rust/chargewire/src/generated/options.rs": options(model),
        "bindings/rust/chargewire/tests/options/table.rs": options_test(model),
    }


# ---- Words


def pascal(words):
    """drop_oldest: DropOldest; 2.0.1 has no letters and becomes V2_0_1."""
    if words[0].isdigit():
        return "V" + words.replace(".", "_")
    return "".join(word.capitalize() for word in words.split("_"))


def variant(constant, group):
    return pascal(constant.name.removeprefix(group + "_").lower())


def one_line(comment):
    return " ".join(line.strip() for line in comment.split("\n"))


def sentence(comment):
    """The header says of a constant what it is; documentation is written in sentences."""
    text = escaped(one_line(comment))
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def escaped(text):
    """C's comments are no Markdown: what would be read as such stands as it is. `Code` is both."""
    pieces = re.split(r"(`[^`]*`)", text)
    pieces[::2] = [re.sub(r"([\[\]<*\\])", r"\\\1", piece) for piece in pieces[::2]]
    return "".join(pieces)


def doc(comment, indent=""):
    """A comment of the header as a doc comment. One with columns keeps them."""
    if not comment:
        return ""
    columns = any(re.search(r"\S {3,}\S", line) for line in comment.split("\n"))
    lines = ["```text", *comment.split("\n"), "```"] if columns else [escaped(line) for line in comment.split("\n")]
    return "".join(f"{indent}/// {line}".rstrip() + "\n" for line in lines)


# ---- chargewire-sys


def rust_type(spelling):
    array = re.fullmatch(r"(.*)\[(\d+)\]", spelling)
    if array:
        return f"[{rust_type(array[1])}; {array[2]}]"
    if spelling.endswith("*"):
        pointed = spelling[:-1].strip()
        const = pointed.startswith("const ") and not pointed.endswith("*")
        return ("*const " if const else "*mut ") + rust_type(pointed.removeprefix("const ") if const else pointed)
    return TYPES.get(spelling, spelling)


def call(before, parameters, after, indent):
    """A parameter list on one line, or where that is too long on one line each, as rustfmt would."""
    line = f"{indent}{before}({', '.join(parameters)}){after}"
    if len(line) <= WIDTH:
        return line + "\n"
    return f"{indent}{before}(\n" + "".join(f"{indent}    {parameter},\n" for parameter in parameters) + f"{indent}){after}\n"


def returns(result):
    return "" if result == "void" else f" -> {rust_type(result)}"


def declarations(model):
    out = [HEAD, "\nuse core::ffi::c_void;\nuse std::os::raw::c_char;\n\n"]
    out.append("/// `CWIRE_ABI_VERSION` of the header that these declarations were made from.\n")
    out.append(f"pub const CWIRE_ABI_VERSION: u32 = {model.abi_version};\n\n")
    out.append("/// 0 is success, negative is failure.\npub type cwire_status = i32;\n\n")
    for token in model.tokens:
        out.append(f"/// What a [`{token}`] points to: nothing that may be followed.\n#[repr(C)]\n")
        out.append(f"pub struct {token}_token {{\n    _unknown: [u8; 0],\n}}\n")
        out.append(f"/// A token, to be compared, copied and given back. NULL is never one.\npub type {token} = *mut {token}_token;\n\n")
    for constant in model.constants:
        kind = "cwire_status" if constant.group == "CWIRE_E" else "u32" if constant.unsigned else "i32"
        out.append(doc(constant.comment) + f"pub const {constant.name}: {kind} = {constant.value};\n")
    for callback in model.callbacks:
        parameters = [f"{p.name}: {rust_type(p.type)}" for p in callback.parameters]
        out.append("\n" + doc(callback.comment) + f"pub type {callback.name} =\n")
        out.append(f"    Option<unsafe extern \"C\" fn({', '.join(parameters)}){returns(callback.result)}>;\n")
    for struct in model.structs:
        out.append("\n" + doc(struct.comment) + "#[repr(C)]\n#[derive(Clone, Copy, Debug)]\n")
        out.append(f"pub struct {struct.name} {{\n")
        for field in struct.fields:
            comment = field.comment or ("`sizeof` of this structure, set before the call" if field.name == "size" else
                                        "for later versions" if field.name == "reserved" else "")
            out.append(doc(comment, "    ") + f"    pub {KEYWORDS.get(field.name, field.name)}: {rust_type(field.type)},\n")
        out.append("}\n")
    out.append("\nextern \"C\" {\n")
    for function in model.functions:
        parameters = [f"{p.name}: {rust_type(p.type)}" for p in function.parameters]
        out.append(doc(function.comment, "    ") + call(f"pub fn {function.name}", parameters, f"{returns(function.result)};", "    "))
    out.append("}\n")
    return "".join(out)


def table(model):
    out = [HEAD, f"\n/// Of the header.\nconst VERSION: &str = \"{model.version}\";\n", "\nlayouts! {\n"]
    for struct in model.structs:
        out.append(f"    {struct.name}, {struct.size}, {struct.alignment}, {{\n")
        out += [f"        {KEYWORDS.get(field.name, field.name)}, \"{field.name}\", {field.offset}, {field.size};\n" for field in struct.fields]
        out.append("    }\n")
    out.append("}\n\nconstants! {\n")
    out += [f"    {constant.name}, {constant.value};\n" for constant in model.constants]
    out.append("}\n\nfunctions! {\n")
    for function in model.functions:
        parameters = ", ".join(p.type for p in function.parameters) or "void"
        out.append(f"    {function.name}, \"{function.result}\", \"({parameters})\";\n")
    out.append("}\n")
    return "".join(out)


# ---- chargewire


def statuses(model):
    failures = [constant for constant in model.group("CWIRE_E") if constant.value != 0]
    names = [variant(constant, "CWIRE_E") for constant in failures]
    out = [HEAD, "\nuse chargewire_sys as sys;\nuse std::borrow::Cow;\n\n"]
    out.append("/// Why something failed, in one word: what programs switch on. [`Error`] has it together with a message.\n")
    out.append("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n#[non_exhaustive]\npub enum Status {\n")
    for constant, name in zip(failures, names):
        out.append(f"    /// {sentence(constant.comment)}\n    {name},\n")
    out.append("    /// A number newer than this crate; `docs/errors.md` of the library has it.\n    Unknown(i32),\n}\n\n")
    out.append("impl Status {\n    /// None for success.\n    pub(crate) fn new(status: sys::cwire_status) -> Option<Status> {\n")
    out.append("        Some(match status {\n            sys::CWIRE_OK.. => return None,\n")
    out += [f"            sys::{constant.name} => Status::{name},\n" for constant, name in zip(failures, names)]
    out.append("            unknown => Status::Unknown(unknown),\n        })\n    }\n\n")
    out.append("    /// The number that C knows it by, -14 for [`Status::Dial`].\n    pub fn code(self) -> i32 {\n        match self {\n")
    out += [f"            Status::{name} => sys::{constant.name},\n" for constant, name in zip(failures, names)]
    out.append("            Status::Unknown(unknown) => unknown,\n        }\n    }\n\n")
    out.append("    /// What C calls it, \"CWIRE_E_DIAL\".\n    pub fn name(self) -> &'static str {\n")
    out.append("        // SAFETY: takes any number and returns static text.\n")
    out.append("        unsafe { crate::ffi::text(sys::cwire_status_name(self.code())) }\n    }\n\n")
    out.append("    /// What it means.\n    pub(crate) fn meaning(self) -> &'static str {\n        match self {\n")
    for constant, name in zip(failures, names):
        line = f"            Status::{name} => \"{ADVICE[constant.name]}\",\n"
        if len(line) > WIDTH + 1:
            line = f"            Status::{name} => {{\n                \"{ADVICE[constant.name]}\"\n            }}\n"
        out.append(line)
    out.append("            Status::Unknown(_) => \"a status newer than this crate\",\n        }\n    }\n}\n\n")

    out.append(error_enum(failures, names) + "\nimpl Error {\n    pub(crate) fn new(status: Status, message: Cow<'static, str>) -> Error {\n        match status {\n")
    out += [f"            Status::{name} => Error::{name}(message),\n" for name in names]
    out.append("            Status::Unknown(code) => Error::Unknown(code, message),\n        }\n    }\n\n")
    out.append("    /// Why the call failed, in one word.\n    pub fn status(&self) -> Status {\n        match self {\n")
    out += [f"            Error::{name}(_) => Status::{name},\n" for name in names]
    out.append("            Error::Unknown(code, _) => Status::Unknown(*code),\n        }\n    }\n\n")
    out.append("    /// One line that says what happened, to which station, why, and what to do. It never holds a secret.\n")
    out.append("    pub fn message(&self) -> &str {\n        match self {\n")
    for index, name in enumerate(names):
        out.append(f"            {'| ' if index else ''}Error::{name}(message)\n")
    out.append("            | Error::Unknown(_, message) => message,\n        }\n    }\n}\n")
    return "".join(out)


def error_enum(failures, names):
    out = ["""/// A call failed. Each variant has the message for people; match on the variant, or on [`Error::status`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
"""]
    for constant, name in zip(failures, names):
        out.append(f"    /// {sentence(constant.comment)}\n    {name}(Cow<'static, str>),\n")
    out.append("    /// A number newer than this crate; `docs/errors.md` of the library has it.\n    Unknown(i32, Cow<'static, str>),\n}\n")
    return "".join(out)


def enums(model):
    out = [HEAD, "\nuse chargewire_sys as sys;\nuse std::fmt;\n"]
    for group, (name, none, names_by, about) in ENUMS.items():
        constants = [constant for constant in model.group(group) if constant.name != none]
        variants = [variant(constant, group) for constant in constants]
        out.append(f"\n/// {about}\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n#[non_exhaustive]\npub enum {name} {{\n")
        for constant, each in zip(constants, variants):
            out.append(f"    /// {sentence(constant.comment)}\n    {each},\n")
        out.append(f"    /// A number newer than this crate.\n    Unknown(i32),\n}}\n\nimpl {name} {{\n")
        if none:
            out.append("    /// None for none.\n")
            out.append(f"    pub(crate) fn new(number: i32) -> Option<{name}> {{\n        Some(match number {{\n")
            out.append(f"            sys::{none} => return None,\n")
        else:
            out.append(f"    pub(crate) fn new(number: i32) -> {name} {{\n        match number {{\n")
        out += [f"            sys::{constant.name} => {name}::{each},\n" for constant, each in zip(constants, variants)]
        out.append(f"            unknown => {name}::Unknown(unknown),\n        }}{')' if none else ''}\n    }}\n")
        out.append("\n    /// The number that C knows it by.\n    pub fn code(self) -> i32 {\n        match self {\n")
        out += [f"            {name}::{each} => sys::{constant.name},\n" for constant, each in zip(constants, variants)]
        out.append(f"            {name}::Unknown(unknown) => unknown,\n        }}\n    }}\n}}\n")
        if names_by:
            out.append(f"\nimpl fmt::Display for {name} {{\n    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{\n")
            out.append("        // SAFETY: takes any number and returns a static string.\n")
            out.append(f"        f.pad(unsafe {{ crate::ffi::text(sys::{names_by}(self.code())) }})\n    }}\n}}\n")
    return "".join(out)


# ---- Options

# What a setter takes, by the type of the option.
VALUES = {"bool": "bool", "integer": "u32", "duration": "Duration", "size": "u64", "percent": "f64", "path": "impl AsRef<Path>",
          "address": "IpAddr"}
UNITS = {"percent": "A share, 0.2 for 20 %.", "size": "In bytes.", "duration": "In whole milliseconds; a fraction counts as one more."}


def option_text(text):
    """Links lead into the documentation of the library."""
    text = re.sub(r"\[([^\]]+)\]\(#[^)]*\)", r"\1 in `docs/configuration.md`", text)
    return re.sub(r"\[([^\]]+)\]\(([^)#]+)#?[^)]*\)", r"\1 in `docs/\2`", text)


def choices_of(option):
    """An enum that is called by the option, and its variants."""
    name = pascal(option.name)
    last = name.split("_", maxsplit=1)[0] if "_" not in option.name else pascal(option.name.rsplit("_", 1)[1])
    # "0" to "3" of security_profile: Profile0.
    return name, [last + choice if choice.isdigit() else pascal(choice) for choice in option.choices]


# What a getter gives.
READ = {"bool": "bool", "integer": "u32", "duration": "Duration", "size": "u64", "percent": "f64", "path": "PathBuf",
        "address": "Option<IpAddr>"}


def read_type(option):
    if option.choices:
        name = choices_of(option)[0]
        return f"Vec<{name}>" if option.type == "list" else name
    return READ.get(option.type, "String")


def readable(model):
    """A secret does not come back."""
    return [option for option in model.options if not option.secret]


def facts(option):
    says = [f"`{option.key}`"]
    if option.minimum is not None:
        says.append(f"from {option.minimum} to {option.maximum}")
    says.append(f"default `{option.default}`" if option.default else "default: empty")
    line = ", ".join(says) + "."
    if option.type in UNITS:
        line += " " + UNITS[option.type]
    if option.secret:
        line += " A secret: [`Config::get`](crate::Config::get) answers `***`."
    if option.of_station and option.reloadable:
        line += " Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure)."
    return line


def options(model):
    out = [HEAD, "\nuse crate::config::{Read, Value};\nuse crate::{Config, ConfigBuilder, Error};\nuse std::borrow::Cow;\nuse std::net::IpAddr;\n"]
    out.append("use std::path::{Path, PathBuf};\nuse std::time::Duration;\n")
    for option in model.options:
        if option.choices:
            out.append(choice_enum(option))
    out.append("\n/// One setter per option. What is wrong with a value, [`ConfigBuilder::build`] says.\nimpl ConfigBuilder {\n")
    out.append("\n".join(setter(option) for option in model.options))
    out.append("}\n\n/// What was set, or the default. Secrets do not come back.\nimpl Config {\n")
    out.append("\n".join(getter(option) for option in readable(model)))
    out.append("}\n")
    return "".join(out)


def getter(option):
    comment = f"    /// `{option.key}`: see [`ConfigBuilder::{option.name}`]."
    if option.type in ("text", "url", "host", "proxy", "path", "pem") and not option.default:
        comment += " Empty if not set."
    return f"{comment}\n    pub fn {option.name}(&self) -> Result<{read_type(option)}, Error> {{\n        self.read(\"{option.key}\")\n    }}\n"


def choice_enum(option):
    name, variants = choices_of(option)
    out = [f"\n/// Values of [`ConfigBuilder::{option.name}`]: {option_text(option.description)}\n"]
    out.append(f"#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n#[non_exhaustive]\npub enum {name} {{\n")
    out += [f"    /// `{choice}`\n    {each},\n" for choice, each in zip(option.choices, variants)]
    out.append(f"}}\n\nimpl {name} {{\n    /// As it is written in YAML.\n    pub fn as_str(self) -> &'static str {{\n        match self {{\n")
    out += [f"            {name}::{each} => \"{choice}\",\n" for choice, each in zip(option.choices, variants)]
    out.append(f"        }}\n    }}\n}}\n\nimpl Value for {name} {{\n    fn text(&self) -> Result<Cow<'_, str>, Error> {{\n")
    out.append("        Ok(self.as_str().into())\n    }\n}\n")
    out.append(f"\nimpl Read for {name} {{\n    fn read(text: &str) -> Option<Self> {{\n        Some(match text {{\n")
    out += [f"            \"{choice}\" => {name}::{each},\n" for choice, each in zip(option.choices, variants)]
    out.append("            _ => return None,\n        })\n    }\n}\n")
    return "".join(out)


def setter(option):
    comment = f"    /// {option_text(option.description)}\n    ///\n    /// {facts(option)}\n"
    if option.type == "map":  # an entry at a time
        return (comment + f"    pub fn {option.name.removesuffix('s')}(self, name: &str, value: &str) -> Self {{\n"
                f"        self.put(&format!(\"{option.key}.{{name}}\"), value)\n    }}\n")
    value = "value"
    if option.type == "list":
        takes = f"impl IntoIterator<Item = {choices_of(option)[0]}>"
    elif option.choices:
        takes = choices_of(option)[0]
    else:
        takes = VALUES.get(option.type, "&str")
        if option.type == "path":
            value = "value.as_ref()"
    out = comment
    if option.type == "list":
        out += call(f"pub fn {option.name}", ["self", f"values: {takes}"], " -> Self {", "    ")
        return out + f"        self.put_list(\"{option.key}\", values)\n    }}\n"
    return out + call(f"pub fn {option.name}", ["self", f"value: {takes}"], " -> Self {", "    ") + \
        f"        self.put(\"{option.key}\", {value})\n    }}\n"


# ---- The test of the options

# What is set where the schema has no limits, by type.
SAMPLES = {"url": "wss://csms.example/ocpp", "host": "csms.example", "proxy": "http://proxy.example:3128", "address": "192.0.2.1", "listen": "[::1]:9464",
           "text": "some text", "path": "some/file.pem", "secret": "hidden"}
MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def quantity(text, units):
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([A-Za-z]+)", text))


def literal(option, text):
    """A value as Rust writes it."""
    if option.choices:
        name, variants = choices_of(option)
        return f"{name}::{variants[option.choices.index(text)]}"
    if option.type == "duration":
        return f"Duration::from_millis({quantity(text, MS)})"
    if option.type == "percent":
        return f"{int(text.rstrip('%')) / 100}"
    if option.type == "size":
        return str(quantity(text, BYTES))
    if option.type in ("integer", "bool"):
        return text
    return f'"{text}".parse().unwrap()' if option.type == "address" else f'"{text}"'


def values_of(option):
    if option.choices:
        return option.choices
    if option.minimum is not None:
        return [option.minimum, option.maximum]
    if option.type == "bool":
        return ["true", "false"]
    return [SAMPLES[option.type]] if option.type in SAMPLES else []


def options_test(model):
    """Each setter with each end of its range, and what the library, and the getter, then say the value is."""
    out = [HEAD, f"\n/// Of the header.\nconst VERSION: &str = \"{model.version}\";\n\noptions! {{\n"]
    for option in model.options:
        for text in values_of(option):
            value = f"[{literal(option, text)}]" if option.type == "list" else literal(option, text)
            reads = "***" if option.secret else text
            out.append(f"    {option.name}, {value}, \"{option.key}\", \"{reads}\";\n")
    out.append("}\n\ngetters! {\n")
    for option in readable(model):
        for text in values_of(option):
            value = f"[{literal(option, text)}]" if option.type == "list" else literal(option, text)
            expected = {"list": f"vec!{value}", "address": f"Some({value})", "path": f"Path::new({value})"}.get(option.type, value)
            out.append(f"    {option.name}, {value}, {expected};\n")
    out.append("}\n")
    return "".join(out)
