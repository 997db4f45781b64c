#pragma once

#include <cstdint>
#include <memory>

#include "config/config.h"
#include "ocpp/proxy.h"
#include "ocpp/url.h"

namespace cwire {

class TlsContext;

// What a station connects with. It may be replaced while the station lives; what an attempt was begun with, it and the
// connection that comes of it keep.
struct ConnectionConfig {
  Url url;                   // with the identity on the path
  bool has_own_url = false;  // not csms.default_url
  std::shared_ptr<const ResolvedConfig> settings;
  std::shared_ptr<const TlsContext> tls;  // null: ws
  std::shared_ptr<const Proxy> proxy;     // null: none
  std::uint32_t number = 0;               // of this station's, in order

  bool makes_same_attempts(const ConnectionConfig& other) const;
};

}  // namespace cwire
