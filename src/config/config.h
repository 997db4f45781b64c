#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/failure.h"
#include "config/settings.h"

namespace cwire {

constexpr std::size_t kOptionsMax = 128;

class Config;

// One entry of the YAML's `stations:`: what differs from the rest of the file.
struct StationEntry {
  std::string id;
  std::string url;  // empty: csms.default_url
  std::shared_ptr<const Config> overrides;
};

// A set of options, and which of them were set rather than left at their default. Every operation throws Error (status
// CONFIG) and then changed nothing.
class Config {
 public:
  Config();  // defaults

  void set(std::string_view key, std::string_view value);
  std::string get(std::string_view key) const;  // secrets read as "***" (empty: "")
  void load_yaml(std::string_view text, const std::string& source);
  void load_file(const std::string& path);

  // These settings, with the options that `overrides` set explicitly in place of ours. The manager's options stay ours.
  // Of the headers, those of the same name are replaced. Credentials follow what is overridden: another csms.auth.type
  // leaves ours behind, another csms.proxy.url the proxy's. What can be given in several ways, as the password itself
  // or as its file, takes the place of ours however we gave it.
  Config overridden_by(const Config& overrides) const;

  // As set, without the checks and the files of resolve(). What a manager takes its own options from: a fleet may well
  // leave it to each station to complete, say, its password.
  const Settings& values() const { return values_; }

  // Ready to use: reads password_file, token_file and the like into the secrets, and checks what concerns several
  // options at once (a client certificate without key, backoff above its maximum).
  Settings resolve() const;
  // The manager's own options, checked against each other; the rest of the values are not. Throws Error(CONFIG).
  const Settings& resolve_manager() const;

  // No option was set.
  bool is_default() const { return explicit_.none(); }
  const std::vector<StationEntry>& stations() const { return stations_; }
  // The options alone.
  Config without_stations() const;

  static const char* schema();

 private:
  void load(std::string_view text, const std::string& source, const std::string& directory);

  Settings values_;
  std::bitset<kOptionsMax> explicit_;
  std::vector<StationEntry> stations_;
};

// A configuration at one moment. Its revision names its contents, so that whoever was given the same twice need not
// resolve it twice.
struct ConfigSnapshot {
  Config config;
  std::uint64_t revision = 0;  // 0: the defaults
};
std::uint64_t next_config_revision();

// Ready to use, and what it was made from, so that some of it can be put in place of other options later.
struct ResolvedConfig : Settings {
  explicit ResolvedConfig(ConfigSnapshot from) : Settings(from.config.resolve()), source(std::move(from)) {}
  ConfigSnapshot source;
};

}  // namespace cwire
