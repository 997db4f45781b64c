#include "config/config.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <unordered_set>
#include <vector>

#include "config/environment.h"
#include "config/file.h"
#include "config/options.h"
#include "config/values.h"
#include "config/yaml.h"
#include "ocpp/identity.h"
#include "ocpp/url.h"

namespace cwire {
namespace {

using Explicit = std::bitset<kOptionsMax>;

// Several ways to give the same thing. Whoever overrides one of them does without the others.
constexpr std::array<std::array<const char*, 3>, 7> kAlternatives = {{
    {"csms.auth.password", "csms.auth.password_file"},
    {"csms.auth.token", "csms.auth.token_file"},
    {"csms.proxy.password", "csms.proxy.password_file"},
    {"csms.tls.ca_cert", "csms.tls.ca_cert_pem"},
    {"csms.tls.client_cert", "csms.tls.client_cert_pem"},
    {"csms.tls.client_key", "csms.tls.client_key_pem", "csms.tls.client_key_uri"},
    {"csms.tls.client_key_password", "csms.tls.client_key_password_file"},
}};

[[noreturn]] void refuse(std::string why) { throw Error(CWIRE_E_CONFIG, std::move(why)); }

// `shown`: the value as it was written, before an environment variable, which may be a secret, took its place in
// `value`.
void assign_or_refuse(Settings& settings, Explicit& set, const OptionKey& key, std::string_view value,
                      const std::string& where, std::string_view shown) {
  try {
    assign(settings, key, value);
  } catch (const BadValue& bad) {
    const bool show = bad.value_helps && !key.option->secret();
    refuse(where + bad.problem + (show ? ", got " + quoted(shown) : ""));
  }
  set.set(option_index(*key.option));
}

// What stands in a file is resolved against the file's own directory, so that a configuration and its keys can move
// together.
std::string beside(const std::string& directory, std::string_view path) {
  const bool as_is = directory.empty() || path.empty() || path[0] == '/';
  return as_is ? std::string(path) : directory + "/" + std::string(path);
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  return slash == 0 ? "/" : path.substr(0, slash);
}

void apply(Settings& settings, Explicit& set, const YamlValue& entry, const std::string& source,
           const std::string& directory) {
  const std::string where = place(source, entry.line) + entry.label + ": ";
  const OptionKey key = find_option(entry.key);
  const Secret value = expand_environment(entry.text, where);
  if (key.option->type == OptionType::path) {
    assign_or_refuse(settings, set, key, beside(directory, value.reveal()), where, entry.text);
  } else {
    assign_or_refuse(settings, set, key, value.reveal(), where, entry.text);
  }
}

// The checks that a connect would make, made while the line is still known.
template <typename Check>
std::string checked(const YamlValue& entry, const std::string& source, Check check) {
  const std::string where = place(source, entry.line) + entry.label + ": ";
  const std::string text(expand_environment(entry.text, where).reveal());
  try {
    check(text);
  } catch (const Error& error) {
    refuse(where + error.failure.message);
  }
  return text;
}

}  // namespace

Config::Config() : values_(default_settings()) {}

void Config::set(std::string_view key, std::string_view value) {
  const OptionKey found = find_option(key);
  if (found.option == nullptr) {
    const std::string near = nearest_key(key);
    refuse(quoted(key) + ": unknown option; " +
           (near.empty() ? "docs/configuration.md lists them all" : "did you mean " + near + "?"));
  }
  // One field is written, and only once its value is found to be right, so there is nothing to undo.
  assign_or_refuse(values_, explicit_, found, value, std::string(found.option->key) + ": ", value);
}

std::string Config::get(std::string_view key) const {
  const OptionKey found = find_option(key);
  if (found.option == nullptr) refuse(quoted(key) + ": unknown option; docs/configuration.md lists them all");
  return value_text(values_, found);
}

void Config::load_yaml(std::string_view text, const std::string& source) { load(text, source, {}); }

void Config::load_file(const std::string& path) {
  load(read_file(path, kYamlSizeMax, "configuration"), path, directory_of(path));
}

void Config::load(std::string_view text, const std::string& source, const std::string& directory) {
  const YamlFile file = read_yaml(text, source);
  Config loaded = *this;
  for (const YamlValue& entry : file.options) apply(loaded.values_, loaded.explicit_, entry, source, directory);
  if (file.has_stations) {
    loaded.stations_.clear();
    loaded.stations_.reserve(file.stations.size());
    std::unordered_set<std::string> ids;
    const auto no_overrides = std::make_shared<const Config>();
    for (const YamlStation& station : file.stations) {
      StationEntry entry;
      entry.id = checked(station.id, source, [](const std::string& id) { check_identity(id); });
      if (!station.url.text.empty()) {
        entry.url = checked(station.url, source, [](const std::string& url) { parse_url(url); });
      }
      if (!ids.insert(entry.id).second) {
        refuse(place(source, station.id.line) + station.id.label + ": " + quoted(entry.id) +
               " is the id of another station above; each needs its own");
      }
      entry.overrides = no_overrides;
      if (!station.options.empty()) {
        auto overrides = std::make_shared<Config>();
        for (const YamlValue& option : station.options) {
          apply(overrides->values_, overrides->explicit_, option, source, directory);
        }
        entry.overrides = std::move(overrides);
      }
      loaded.stations_.push_back(std::move(entry));
    }
  }
  *this = std::move(loaded);
}

std::uint64_t next_config_revision() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

Config Config::without_stations() const {
  Config out;
  out.values_ = values_;
  out.explicit_ = explicit_;
  return out;
}

Config Config::overridden_by(const Config& overrides) const {
  const auto index = [](const char* key) { return option_index(*find_option(key).option); };
  Config out;
  out.values_ = values_;
  out.explicit_ = explicit_;
  const auto forget = [&](const char* key) {
    const Option& option = *find_option(key).option;
    if (overrides.explicit_[option_index(option)]) return;
    copy_value(out.values_, default_settings(), option);
    out.explicit_.reset(option_index(option));
  };
  if (overrides.explicit_[index("csms.auth.type")] && overrides.values_.auth.type != values_.auth.type) {
    for (const char* key : {"csms.auth.username", "csms.auth.password", "csms.auth.password_file",
                            "csms.auth.password_format", "csms.auth.token", "csms.auth.token_file"}) {
      forget(key);
    }
  }
  // One proxy's credentials are nothing for another.
  if (overrides.explicit_[index("csms.proxy.url")] && overrides.values_.proxy.url != values_.proxy.url) {
    for (const char* key : {"csms.proxy.username", "csms.proxy.password", "csms.proxy.password_file"}) forget(key);
  }
  for (const auto& alternatives : kAlternatives) {
    const auto end = std::find(alternatives.begin(), alternatives.end(), nullptr);
    const bool replaced =
        std::any_of(alternatives.begin(), end, [&](const char* key) { return overrides.explicit_[index(key)]; });
    if (replaced) std::for_each(alternatives.begin(), end, forget);
  }
  for (const Option& option : options()) {
    if (!option.of_station() || !overrides.explicit_[option_index(option)]) continue;
    try {
      copy_value(out.values_, overrides.values_, option);
    } catch (const BadValue& bad) {
      refuse(std::string(option.key) + ", together with what was set before: " + bad.problem);
    }
    out.explicit_.set(option_index(option));
  }
  return out;
}

}  // namespace cwire
