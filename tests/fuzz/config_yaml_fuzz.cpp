// A configuration file. Input: YAML.
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/options.h"
#include "fuzz.h"
#include "messages.h"
#include "ocpp/identity.h"
#include "ocpp/subprotocol.h"
#include "ocpp/url.h"

using namespace cwire;
using fuzz::require;

namespace {

// The value of ${CANARY}: what comes from the environment may be a secret, and so must stand in no message.
constexpr const char* kCanary = "Kanarienvogel";

std::vector<std::string> all_values(const Config& config) {
  std::vector<std::string> values;
  for (const Option& option : options()) values.push_back(config.get(option.key));
  return values;
}

// What can be read can be set, and reads the same.
void check_values(const Config& config) {
  for (const Option& option : options()) {
    if (option.secret()) continue;
    const std::string value = config.get(option.key);
    Config again;
    again.set(option.key, value);
    require(again.get(option.key) == value, "a value that is read and set again is the same");
  }
}

void check_settings(const Settings& settings) {
  for (const std::string& version : settings.protocols) {
    require(!subprotocol_of(version).empty(), "each OCPP version has a subprotocol");
  }
  require(!settings.protocols.empty(), "there is an OCPP version");
  require(settings.message_size_max > 0 && settings.send_queue_messages > 0, "limits are within their ranges");
  require(settings.reconnect.backoff <= settings.reconnect.backoff_max, "the backoff is below its maximum");
  require(settings.reconnect.jitter >= 0 && settings.reconnect.jitter <= 1, "the jitter is a share");
  parse_url(settings.default_url);
}

// A mutation may name a file that never ends or never begins; this one is always there.
void use_harmless_files(Config& config) {
  for (const char* key : {"csms.auth.password_file", "csms.auth.token_file"}) {
    if (!config.get(key).empty()) config.set(key, "/proc/self/comm");
  }
}

void check_resolve(Config config) {
  use_harmless_files(config);
  try {
    check_settings(config.resolve());
  } catch (const Error& error) {
    require(error.failure.status == CWIRE_E_CONFIG, "what does not fit together is CONFIG");
    fuzz::require_message(error.failure.message);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int set = ::setenv("CANARY", kCanary, 1);
  require(set == 0, "the environment can be set");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Config config;
  config.set("csms.ping_interval", "17s");
  const auto before = all_values(config);
  try {
    config.load_yaml(text, "fleet.yaml");
  } catch (const Error& error) {
    const std::string& message = error.failure.message;
    require(error.failure.status == CWIRE_E_CONFIG, "bad YAML is CONFIG");
    fuzz::require_message(message);
    require(message.rfind("fleet.yaml:", 0) == 0, "the message begins with the file and the line");
    // Of values, only the id of a station that is there twice is shown as it came out, and that is no secret.
    require(message.find(kCanary) == std::string::npos ||
                message.find("is the id of another station above") != std::string::npos,
            "nothing of the environment stands in a message");
    require(all_values(config) == before && config.stations().empty(), "nothing is half-applied");
    return 0;
  }
  check_values(config);
  check_resolve(config);
  std::set<std::string> ids;
  for (const StationEntry& station : config.stations()) {
    check_identity(station.id);
    require(ids.insert(station.id).second, "no station is there twice");
    if (!station.url.empty()) parse_url(station.url);
    check_resolve(config.overridden_by(*station.overrides));
  }

  // The same once more changes nothing.
  const auto values = all_values(config);
  config.load_yaml(text, "fleet.yaml");
  require(all_values(config) == values && config.stations().size() == ids.size(), "loading again changes nothing");
  return 0;
}
