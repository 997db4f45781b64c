#include <string>
#include <string_view>

#include "config/config.h"
#include "config/options.h"

namespace cwire {
namespace {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;  // the table holds no control characters
  }
  return out + '"';
}

std::string json_string_or_null(std::string_view text) { return text.empty() ? "null" : json_string(text); }

std::string json_choices(std::string_view choices) {
  if (choices.empty()) return "null";
  std::string out = "[\"";
  for (const char c : choices) out += c == '|' ? "\",\"" : std::string(1, c);
  return out + "\"]";
}

std::string json_option(const Option& option) {
  // Defaults and limits are text, as cwire_config_set takes them.
  return "{\"key\":" + json_string(option.key) + ",\"type\":" + json_string(type_name(option.type)) +
         ",\"default\":" + json_string(option.default_text) + ",\"minimum\":" + json_string_or_null(option.minimum) +
         ",\"maximum\":" + json_string_or_null(option.maximum) + ",\"choices\":" + json_choices(option.choices) +
         ",\"description\":" + json_string(option.description) +
         ",\"reloadable\":" + (option.reloadable ? "true" : "false") +
         ",\"secret\":" + (option.secret() ? "true" : "false") + "}";
}

}  // namespace

const char* Config::schema() {
  static const std::string json = [] {
    std::string out = "{\"options\":[";
    for (const Option& option : options()) out += (option_index(option) == 0 ? "\n" : ",\n") + json_option(option);
    return out + "\n]}\n";
  }();
  return json.c_str();
}

}  // namespace cwire
