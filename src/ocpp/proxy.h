#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "config/settings.h"
#include "ocpp/url.h"

namespace cwire {

// An HTTP proxy that makes tunnels (CONNECT, RFC 9110 9.3.6).
struct Proxy {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string username;  // of Basic auth; empty: no credentials are sent
  Secret password;
  std::string named_by;  // for messages: "csms.proxy.url", "https_proxy"

  // The value of Proxy-Authorization; empty without a username.
  Secret authorization() const;
  // "proxy proxy.example:3128 (https_proxy)", for messages.
  std::string text() const;
};

// Reads "http://host:port". The scheme may be missing, as many write it so; the port may not, for programs disagree on
// what it is then. Credentials may stand before the host, percent-encoded. Throws Error(CONFIG) that repeats nothing of
// the text.
Proxy parse_proxy(std::string_view text);

// What is wrong with credentials for Basic (RFC 7617); null: nothing.
const char* basic_defect(std::string_view username, const Secret& password);

// The hosts that are reached without the environment's proxy, in the way curl and others read no_proxy: entries with
// commas or spaces between. A name stands for itself and all below it, with or without a dot or "*." before it; an
// address for itself; "10.0.0.0/8" for a network; "*" for everything. Each may end with a port, and then counts for
// that port alone. Names are not looked up. What is none of this covers nothing.
class NoProxy {
 public:
  NoProxy() = default;
  explicit NoProxy(std::string_view list);

  // `host`: a name in small letters, or an address without brackets.
  bool covers(const std::string& host, std::uint16_t port) const;

 private:
  struct Rule {
    std::string name;  // "*": all; empty: the network counts
    std::array<unsigned char, 16> network{};
    std::size_t address_size = 0;  // bytes: 4 or 16
    unsigned bits = 0;             // that must be the same
    std::uint16_t port = 0;        // 0: any

    bool covers(const std::string& host, const std::array<unsigned char, 16>& address, std::size_t size) const;
  };
  static bool read_entry(std::string_view entry, Rule& rule);

  std::vector<Rule> rules_;
};

// The proxy that the environment asks for: https_proxy for wss, http_proxy for ws, unless no_proxy covers the host.
// Each but http_proxy may be written in capitals too: HTTP_PROXY is what a web server makes of a client's header
// "Proxy". This machine itself (localhost, 127.0.0.0/8, ::1) is never reached by way of another. Read once, never
// again.
class ProxyEnvironment {
 public:
  using Variable = std::function<const char*(const char* name)>;  // null: not set

  ProxyEnvironment() = default;  // asks for none
  explicit ProxyEnvironment(const Variable& variable);

  // Null: none. Throws Error(CONFIG) that names the variable.
  std::shared_ptr<const Proxy> proxy_for(const Url& url) const;

 private:
  struct Choice {
    std::shared_ptr<const Proxy> proxy;
    std::string defect;
  };
  static Choice read(const Variable& variable, const char* name, const char* in_capitals);

  Choice ws_, wss_;
  NoProxy no_proxy_;
};

// The proxy of one station's connections, null for none: that of the options, or with none there the environment's.
// Throws Error(CONFIG).
std::shared_ptr<const Proxy> proxy_for(const ProxySettings& settings, const ProxyEnvironment& environment,
                                       const Url& url);

}  // namespace cwire
