#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cwire {

// One option of a YAML file, before `${NAME}` is replaced.
struct YamlValue {
  std::string key;    // in full: "csms.tls.enabled"
  std::string label;  // as the reader of a message finds it: the key, or "stations[3].tls.enabled"
  std::string text;   // a list's items are joined by ", "
  int line = 0;
};

struct YamlStation {
  int line = 0;
  YamlValue id;
  YamlValue url;  // text is empty: none
  std::vector<YamlValue> options;
};

struct YamlFile {
  std::vector<YamlValue> options;
  std::vector<YamlStation> stations;
  bool has_stations = false;  // `stations:` was there, even if empty
};

constexpr std::size_t kYamlSizeMax = 16 * 1024 * 1024;  // bytes

// Reads the structure and checks every key; values are for the option table to judge. Throws Error(CONFIG) with source,
// line and key.
YamlFile read_yaml(std::string_view text, const std::string& source);

// "fleet.yaml:12: ", how messages about a line begin.
std::string place(const std::string& source, int line);

}  // namespace cwire
