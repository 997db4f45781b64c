#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cwire {

constexpr std::size_t kUrlMax = 4096;  // bytes

// The absolute ws:// or wss:// URL of RFC 6455 3, split. Parsing throws Error(INVALID_ARGUMENT) with what to change.
struct Url {
  bool secure = false;  // wss
  std::string host;     // without brackets; an IPv6 literal as written
  bool host_is_ipv6 = false;
  std::uint16_t port = 0;  // 80 and 443 when the URL has none
  std::string path;        // begins with '/', with query; percent-encoded as given

  // The Host header of RFC 7230 5.4: IPv6 in brackets, the port only if it is not the scheme's own.
  std::string host_header() const;
  // "wss://host:port": the endpoint.
  std::string origin() const;
  // "wss://host:port/path", for messages. A URL with userinfo is refused when parsed, so no secret can be in it.
  std::string text() const;
};

// "csms.example:443", "[::1]:9000".
std::string authority_text(const std::string& host, std::uint16_t port);

// The host and port of RFC 3986 3.2, without user or password.
struct Authority {
  std::string host;  // without brackets, in small letters
  bool host_is_ipv6 = false;
  std::uint16_t port = 0;  // 0: none is given
};
// Throws Error(INVALID_ARGUMENT) with what to change.
Authority parse_authority(std::string_view text);

// What is wrong, by the rules for URLs, with a host name or an address (IPv6 without brackets); null: nothing.
const char* host_defect(const std::string& host);

// An IPv4 address, or an IPv6 address without brackets and zone.
bool is_address(const std::string& text);

Url parse_url(std::string_view text);

// Where a redirect leads (RFC 7231 7.1.2, RFC 3986 5.2): `location` is absolute with ws, wss, http or https, or
// relative to `from`. A fragment is left out. Throws Error(INVALID_ARGUMENT) where it is no such URL.
Url redirect_target(const Url& from, std::string_view location);

// Scheme, host and port are the same, so that what is meant for the one may go to the other.
bool is_same_origin(const Url& a, const Url& b);

}  // namespace cwire
