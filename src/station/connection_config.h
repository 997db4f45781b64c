#pragma once

#include <cstdint>
#include <memory>

#include "config/config.h"
#include "ocpp/proxy.h"
#include "ocpp/url.h"

namespace cwire {

class TlsConfiguration;

// What a station connects with. It may be replaced while the station lives; what an attempt was begun with, it and the
// connection that comes of it keep.
struct ConnectionConfig {
  Url url;                   // with the identity on the path
  bool has_own_url = false;  // not csms.default_url
  std::shared_ptr<const ResolvedConfig> settings;
  std::shared_ptr<TlsConfiguration> tls;  // null: only ws
  std::uint64_t tls_version = 0;          // of its files, when this was made
  std::shared_ptr<const Proxy> proxy;     // null: none
  std::uint32_t number = 0;               // of this station's, in order

  bool makes_same_attempts(const ConnectionConfig& other) const;
};

}  // namespace cwire
