"""C++: the constants as enum classes, and each option as a function that sets it and one that gives it. The rest of the wrapper is written by hand."""
import re
import textwrap

from model import ADVICE

WIDTH = 120

# The constants of a group become one enumeration. Levels of LOG are those of the option log_level.
ENUMERATIONS = {
    "CWIRE_E": ("Status", "cwire_status", "What a call or an event says of how it went."),
    "CWIRE_STATE": ("State", "std::int32_t", "What a station is doing."),
    "CWIRE_PHASE": ("Phase", "std::int32_t", "What a connection was doing when it failed."),
    "CWIRE_SECURITY": ("SecurityEvent", "std::int32_t", "The security event of OCPP 2.x that a failure is."),
    "CWIRE_EVENT": ("EventType", "std::int32_t", "Kinds of events. Later versions may add some: ignore those that you do not know."),
    "CWIRE_FLAG": ("Flags", "std::uint32_t", "Flags of sends and of events, to be combined by |."),
    "CWIRE_BREAKER": ("Breaker", "std::int32_t", "Whether an endpoint is worth trying."),
    "CWIRE_QUALITY": ("Quality", "std::int32_t", "How good a station's connection is."),
    "CWIRE_METRICS": ("MetricsFormat", "std::int32_t", "How metrics are written."),
    "CWIRE_RECONFIGURE": ("Reconfigure", "std::uint32_t", "How a station is to be reconfigured."),
}

VALUES = {  # by the schema's type: what a setter takes, that as text, and what makes a value of text
    "bool": ("bool", 'value ? "true" : "false"', '%s == "true"'),
    "integer": ("std::int64_t", "std::to_string(value)", "std::stoll(%s)"),
    "size": ("std::uint64_t", "std::to_string(value)", "detail::option_bytes(%s)"),
    "duration": ("std::chrono::milliseconds", "detail::option_text(value)", "detail::option_milliseconds(%s)"),
    "percent": ("double", "detail::option_text(value)", "detail::option_ratio(%s)"),
}
TAKES = {"size": "In bytes.", "duration": "In whole milliseconds.", "percent": "A ratio: 0.2 is 20 %."}

SECRET = "A secret: no message, log or get() shows it."
LIVE = "Live: by Station::reconfigure it acts on the open connection, at once."


def camel(name):
    return "".join(word.capitalize() for word in name.split("_"))


def commented(text, indent):
    return textwrap.indent(textwrap.fill(text, WIDTH - len(indent) - 3, break_on_hyphens=False, break_long_words=False),
                           indent + "// ") + "\n"


def page(notice, guard, includes, body):
    return (f"// {notice}\n#ifndef {guard}\n#define {guard}\n\n{includes}\n\nnamespace chargewire {{\n\n{body}\n"
            f"}}  // namespace chargewire\n\n#endif  // {guard}\n")


def enumeration(model, group):
    name, underlying, about = ENUMERATIONS[group]
    text = commented(about, "") + f"enum class {name} : {underlying} {{\n"
    for constant in model.group(group):
        text += commented(" ".join(constant.comment.split()), "  ")
        text += f"  {constant.name.removeprefix('CWIRE_').removeprefix(group.removeprefix('CWIRE_') + '_').lower()} = {constant.name},\n"
    return text + "};\n"


def status_text(model):
    text = ("// \"the send queue is full; go on when ...\": what a status means and what to do about it. Static.\n"
            "inline const char* text(Status status) noexcept {\n  switch (status) {\n")
    for constant in model.group("CWIRE_E"):
        word = "ok" if constant.name == "CWIRE_OK" else constant.name.removeprefix("CWIRE_E_").lower()
        text += f"    case Status::{word}:\n      return \"{ADVICE[constant.name]}\";\n"
    return text + ("  }\n  return static_cast<cwire_status>(status) >= 0 ? \"done\"\n"
                   "                                                : \"a status newer than this header; see docs/errors.md of the library\";\n}\n")


def enums_hpp(model):
    return page("Made by bindings/generate from chargewire.h. Change that, not this file.", "CHARGEWIRE_ENUMS_HPP",
                "#include <chargewire/chargewire.h>\n\n#include <cstdint>",
                "\n".join([*(enumeration(model, group) for group in ENUMERATIONS), status_text(model)]))


def enumerator(option, choice):
    """A word that C++ takes for a name: "1.6" is v1_6, profile "2" is profile_2."""
    if choice[0].isalpha():
        return choice
    if "." in choice:
        return "v" + choice.replace(".", "_")
    return option.name.split("_")[-1] + "_" + choice


def choices_of(option):
    name = camel(option.name)
    enumerators = ", ".join(enumerator(option, choice) for choice in option.choices)
    rows = "".join(f"    case {name}::{enumerator(option, choice)}:\n      return \"{choice}\";\n" for choice in option.choices)
    return (f"// Values of {option.key}.\nenum class {name} {{ {enumerators} }};\n\nnamespace detail {{\n"
            f"inline const char* option_text({name} value) noexcept {{\n  switch (value) {{\n{rows}  }}\n"
            f"  return \"\";  // a number that is none of them, which the library refuses\n}}\n}}  // namespace detail\n")


def documentation(option):
    about = re.sub(r"\[[^]]*\]\(#([^)]*)\)", r"docs/configuration.md#\1", option.description)
    about = re.sub(r"\[[^]]*\]\(([^)]*)\)", r"docs/\1", about)
    notes = [about]
    if option.type in TAKES:
        notes.append(TAKES[option.type])
    if option.default and option.choices is None:
        notes.append(f"Default: {option.default}.")
    elif option.default:
        notes.append(f"Default: {enumerator(option, option.default)}.")
    if option.minimum is not None:
        notes.append(f"From {option.minimum} to {option.maximum}.")
    if option.secret:
        notes.append(SECRET)
    if option.reloadable:
        notes.append(LIVE)
    return commented(" ".join(notes), "  ")


def function(signature, body):
    line = f"  {signature} {{ {body} }}\n"
    return line if len(line) <= WIDTH + 1 else f"  {signature} {{\n    {body}\n  }}\n"


def functions(option):
    """What sets it, and what gives it unless it is a secret."""
    name = option.name
    if option.type == "map":
        return documentation(option) + function(f"Config& {name}(std::string_view name, std::string_view value)",
                                                f"return set(std::string(\"{option.key}.\").append(name), value);")
    takes, words, gives, value = "std::string_view", "value", "std::string", "%s"
    if option.choices is not None:
        takes = gives = camel(name)
        words, value = "detail::option_text(value)", f"detail::option_choice<{gives}>(%s)"
        if option.type == "list":
            gives, takes, value = f"std::vector<{gives}>", f"const std::vector<{takes}>&", f"detail::option_choices<{camel(name)}>(%s)"
    elif option.type in VALUES:
        takes, words, value = VALUES[option.type]
        gives = takes
    text = documentation(option) + function(f"Config& {name}({takes} value)", f"return set(\"{option.key}\", {words});")
    if option.secret:
        return text
    return text + function(f"{gives} {name}() const", "return " + value % f"get(\"{option.key}\")" + ";")


HELPERS = """namespace detail {

inline std::string option_text(std::chrono::milliseconds value) { return std::to_string(value.count()) + "ms"; }

// In millionths, by hand: the decimal point that the C library would write is the locale's. What is no ratio stays
// none, for the library to refuse.
inline std::string option_text(double value) {
  if (!(value >= 0 && value <= 100)) return "no ratio";
  const long long millionths = std::llround(value * 1000000);
  const std::string fraction = std::to_string(1000000 + millionths % 1000000);
  return std::to_string(millionths / 1000000) + '.' + fraction.substr(1);
}

template <class Choice>
std::string option_text(const std::vector<Choice>& values) {
  std::string text;
  for (const Choice value : values) text.append(text.empty() ? "" : ",").append(option_text(value));
  return text;
}

// Back from text as the library writes it: an amount is a number and its unit, perhaps several, as in "1m30s".
template <class Factor>
std::uint64_t option_amount(std::string_view text, Factor factor) {
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    const std::uint64_t number = std::stoull(std::string(text.substr(0, digits)));
    text.remove_prefix(digits == std::string_view::npos ? text.size() : digits);
    const std::string_view unit = text.substr(0, text.find_first_of("0123456789"));
    text.remove_prefix(unit.size());
    sum += number * factor(unit);
  }
  return sum;
}

inline std::chrono::milliseconds option_milliseconds(std::string_view text) {
  const auto factor = [](std::string_view unit) -> std::uint64_t {
    return unit == "h" ? 3600000 : unit == "m" ? 60000 : unit == "s" ? 1000 : 1;
  };
  return std::chrono::milliseconds(static_cast<std::int64_t>(option_amount(text, factor)));
}

inline std::uint64_t option_bytes(std::string_view text) {
  const auto factor = [](std::string_view unit) -> std::uint64_t {
    return unit == "GiB" ? 1 << 30 : unit == "MiB" ? 1 << 20 : unit == "KiB" ? 1 << 10 : 1;
  };
  return option_amount(text, factor);
}

// "12.5%".
inline double option_ratio(std::string text) {
  const std::size_t point = text.find('.');
  double divisor = 100;
  if (point != std::string::npos) {
    text.erase(point, 1);
    for (std::size_t i = point; text[i] != '%'; ++i) divisor *= 10;
  }
  return static_cast<double>(std::stoll(text)) / divisor;
}

// One that a newer library has is a number that is none of them.
template <class Choice>
Choice option_choice(std::string_view text) {
  for (int number = 0;; ++number) {
    const std::string_view known = option_text(static_cast<Choice>(number));
    if (known.empty() || known == text) return static_cast<Choice>(number);
  }
}

template <class Choice>
std::vector<Choice> option_choices(std::string_view text) {
  std::vector<Choice> values;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(", ");
    values.push_back(option_choice<Choice>(text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : text.find_first_not_of(", ", end));
  }
  return values;
}

}  // namespace detail
"""

CLASS = """// The options as functions of Config, which derives from this. With a value each sets its option and returns the
// Config, so that they can be strung together, and throws Error with Status::config for a value that is out of its
// range; then nothing is changed. Without one it gives the value.
template <class Config>
class Options {
 public:
%s
 private:
  Config& set(std::string_view key, std::string_view value) { return static_cast<Config&>(*this).set(key, value); }
  std::string get(std::string_view key) const { return static_cast<const Config&>(*this).get(key); }
};
"""


def options_hpp(model):
    parts = [choices_of(option) for option in model.options if option.choices is not None]
    parts.append(HELPERS)
    parts.append(CLASS % "\n".join(functions(option) for option in model.options))
    includes = ["chrono", "cmath", "cstdint", "string", "string_view", "vector"]
    return page("Made by bindings/generate from the option schema. Change that, not this file.", "CHARGEWIRE_OPTIONS_HPP",
                "\n".join(f"#include <{header}>" for header in includes), "\n".join(parts))


def files(model):
    return {"include/chargewire/enums.hpp": enums_hpp(model), "include/chargewire/options.hpp": options_hpp(model)}
