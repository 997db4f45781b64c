#pragma once

#include <string_view>
#include <vector>

#include "base/secret.h"
#include "config/settings.h"

namespace cwire {

struct Proxy;

// What a station tells its CSMS and its proxy and nobody else may read. A server can send it back, in a close reason
// perhaps, to have it logged; so what a peer says is searched for it before it is shown to anybody.
class OwnSecrets {
 public:
  OwnSecrets() = default;
  // `path`: of the URL, with its query. `proxy` may be null. Throws std::bad_alloc.
  OwnSecrets(const Settings& settings, const Proxy* proxy, std::string_view station_id, std::string_view path);

  enum class Found { nothing, credentials, header_or_query };
  Found find_in(std::string_view text) const;

 private:
  std::vector<Secret> credentials_;
  std::vector<Secret> headers_and_query_;
};

}  // namespace cwire
