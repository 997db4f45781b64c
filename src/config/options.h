#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.h"

namespace cwire {

enum class OptionType {
  boolean,
  integer,
  size,
  duration,
  ratio,
  text,
  url,
  host,
  address,
  listen,
  proxy,
  path,
  pem,
  secret,
  secret_pem,
  list,
  map,
  choice
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// The field of Settings that an option fills. Its type decides how text is read and written; the enumerations are
// written by name, in the order of the option's choices.
using FieldRef = std::variant<SecurityProfile*, bool*, std::uint32_t*, std::int32_t*, std::uint64_t*, double*,
                              Duration*, std::string*, Secret*, std::vector<std::string>*, HeaderList*, AuthType*,
                              PasswordFormat*, TlsVersion*, ReconnectPolicyKind*, SendQueuePolicy*, Priority*>;

struct Option {
  const char* group;  // its heading in the documentation
  const char* key;
  OptionType type;
  const char* default_text;
  const char* minimum;  // "" where the type has no range
  const char* maximum;
  const char* choices;  // "a|b|c", for choice and list
  bool reloadable;      // a new value needs no new connection
  FieldRef (*field)(Settings&);
  const char* description;  // one line of Markdown

  // Its value is never shown: not by get, not in an error. Headers count, since an API key often stands in one.
  bool secret() const {
    return type == OptionType::secret || type == OptionType::secret_pem || type == OptionType::map;
  }
  // csms.*, against those of the whole manager.
  bool of_station() const;
};

// THE option table. A new option is one row here, and its field in Settings: `set`, `get`, YAML, the schema and
// docs/configuration.md follow.
const std::vector<Option>& options();

const char* type_name(OptionType type);

// An option and, for one entry of a map, which: "csms.headers.X-Site" is csms.headers and "X-Site".
struct OptionKey {
  const Option* option = nullptr;  // none: no such key
  std::string_view entry;
};

OptionKey find_option(std::string_view key);
std::size_t option_index(const Option& option);
// "csms", "csms.tls": a part of the tree that holds options, but is none.
bool is_section(std::string_view key);
// The known key or section that looks most like this one; empty if none comes near.
std::string nearest_key(std::string_view key);

// Thrown by assign: what is wrong, "expected a duration from 0s to 24h, such as 30s", and nothing of the value itself.
struct BadValue {
  std::string problem;
  bool value_helps = false;  // the message gains by showing the value, and it cannot be a secret
};

void assign(Settings& settings, const OptionKey& key, std::string_view value);
// As assign would read it. Secrets read as "***".
std::string value_text(const Settings& settings, const OptionKey& key);
// Puts an option's value in place of another's. Of a map, only the entries that `from` has.
void copy_value(Settings& to, const Settings& from, const Option& option);

// An attempt to connect with the one is the same as one with the other, but for the URL: what differs, if anything,
// acts on a connection as it is. Both are resolved.
bool make_same_attempts(const Settings& a, const Settings& b);

// Every option at its default.
const Settings& default_settings();

}  // namespace cwire
