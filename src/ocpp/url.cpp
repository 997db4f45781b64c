#include "ocpp/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/failure.h"

namespace cwire {
namespace {

constexpr std::size_t kHostMax = 253;  // RFC 1035 2.3.4, as text
constexpr std::size_t kLabelMax = 63;

// Nothing of the URL is ever repeated in a message: a password may stand anywhere in one that is wrong.
[[noreturn]] void refuse(const char* why) { throw Error(CWIRE_E_INVALID_ARGUMENT, std::string("URL: ") + why); }

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// Takes "ws://" or "wss://" off the front.
bool take_scheme(std::string_view& rest) {
  const std::size_t end = rest.find("://");
  if (end == std::string_view::npos) refuse("it must begin with ws:// or wss://");
  const std::string scheme = lowercase(rest.substr(0, end));
  rest.remove_prefix(end + 3);
  if (scheme == "wss") return true;
  if (scheme == "ws") return false;
  if (scheme == "https") refuse("the scheme is https; write wss:// for WebSocket over TLS");
  if (scheme == "http") refuse("the scheme is http; write ws:// for WebSocket without TLS");
  refuse("the scheme must be ws or wss");
}

// A last label that is a number makes a host an IPv4 address, or nothing: resolvers would read "127.1" or "0x7f" as
// one.
bool ends_in_number(std::string_view host) {
  const std::size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (last.size() >= 2 && last[0] == '0' && (last[1] == 'x' || last[1] == 'X')) return true;
  for (const char c : last) {
    if (!is_digit(c)) return false;
  }
  return true;
}

bool is_ipv4(const std::string& text) {
  in_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// Null: nothing is wrong.
const char* name_defect(const std::string& host) {
  if (host.empty()) return "the host is missing";
  if (host.size() > kHostMax) return "the host is longer than 253 characters";
  if (host.back() == '.') return "the host ends with a dot; leave it out";
  std::size_t label = 0;
  char before = '.';
  for (const char c : host) {
    if (c == '.') {
      if (label == 0) return "the host has an empty label; remove the extra dot";
      if (before == '-') return "a label of the host begins or ends with '-'";
      label = 0;
    } else {
      // '_' is no host name by RFC 1123, but container and service names have it.
      if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_') {
        return "the host may hold letters, digits, '-', '_' and '.' only; write other names in their xn-- form";
      }
      if (c == '-' && label == 0) return "a label of the host begins or ends with '-'";
      if (++label > kLabelMax) return "a label of the host is longer than 63 characters";
    }
    before = c;
  }
  if (before == '-') return "a label of the host begins or ends with '-'";
  if (ends_in_number(host) && !is_ipv4(host)) {
    return "the host looks like an IPv4 address but is none; write four decimal numbers from 0 to 255";
  }
  return nullptr;
}

void check_ipv6(const std::string& host) {
  if (host.find('%') != std::string::npos) refuse("an IPv6 zone id means nothing to the CSMS; leave out '%' and after");
  if (!is_ipv6(host)) refuse("what stands in brackets is not an IPv6 address");
}

std::uint16_t port_of(std::string_view text) {
  if (text.empty()) refuse("the port after ':' is missing; write one, or leave out the ':'");
  unsigned value = 0;
  for (const char c : text) {
    if (!is_digit(c) || value > 65535) refuse("the port must be a number from 1 to 65535");
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value < 1 || value > 65535) refuse("the port must be a number from 1 to 65535");
  return static_cast<std::uint16_t>(value);
}

void check_path(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%') {
      if (path.size() - i < 3 || hex_digit(path[i + 1]) < 0 || hex_digit(path[i + 2]) < 0) {
        refuse("'%' in the path must be followed by two hex digits; write %25 for the character itself");
      }
    } else if (std::string_view("\"<>[\\]^`{|}").find(c) != std::string_view::npos) {
      refuse("the path holds a character that must be percent-encoded, one of \"<>[\\]^`{|}");
    }
  }
}

// RFC 3986 5.2.4, on a path that begins with '/'.
std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    if (segment == "/..") out.erase(std::min(out.rfind('/'), out.size()));
    if (segment == "/." || segment == "/..") {
      if (path.empty()) out += '/';
    } else {
      out += segment;
    }
  }
  return out;
}

}  // namespace

std::string Url::host_header() const {
  std::string out = host_is_ipv6 ? "[" + host + "]" : host;
  if (port != (secure ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::origin() const {
  std::string out = secure ? "wss://" : "ws://";
  return out + authority_text(host, port);
}

std::string Url::text() const {
  std::string out = origin();
  // Some servers take a token in the query, and this text goes into messages.
  const std::size_t query = path.find('?');
  out += path.substr(0, query);
  if (query != std::string::npos) out += "?***";
  return out;
}

std::string authority_text(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Authority parse_authority(std::string_view text) {
  Authority authority;
  std::string_view after_host;
  if (!text.empty() && text[0] == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) refuse("the ']' of the IPv6 address is missing");
    authority.host = std::string(text.substr(1, close - 1));
    authority.host_is_ipv6 = true;
    check_ipv6(authority.host);
    after_host = text.substr(close + 1);
    if (!after_host.empty() && after_host[0] != ':') refuse("only a port may follow the ']' of the IPv6 address");
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    after_host = text.substr(colon);
    if (after_host.find(':', 1) != std::string_view::npos) refuse("an IPv6 address needs brackets: [::1]:9000");
    authority.host = lowercase(text.substr(0, colon));
    if (const char* defect = name_defect(authority.host)) refuse(defect);
  }
  if (!after_host.empty()) authority.port = port_of(after_host.substr(1));
  return authority;
}

const char* host_defect(const std::string& host) {
  if (host.find_first_of(":[]") == std::string::npos) return name_defect(host);
  if (is_ipv6(host)) return nullptr;
  return "a host with ':' must be an IPv6 address; leave out brackets, zone and port";
}

Url redirect_target(const Url& from, std::string_view location) {
  location = location.substr(0, location.find('#'));
  const std::size_t scheme_end = location.find_first_of(":/?");
  if (scheme_end != std::string_view::npos && location[scheme_end] == ':') {
    const std::string scheme = lowercase(location.substr(0, scheme_end));
    const char* mapped = scheme == "http" || scheme == "ws"     ? "ws"
                         : scheme == "https" || scheme == "wss" ? "wss"
                                                                : nullptr;
    if (mapped == nullptr) refuse("the scheme must be ws, wss, http or https");
    return parse_url(mapped + std::string(location.substr(scheme_end)));
  }
  if (location.substr(0, 2) == "//") return parse_url((from.secure ? "wss:" : "ws:") + std::string(location));
  const std::size_t query = std::min(location.find('?'), location.size());
  const std::string_view path = location.substr(0, query);
  const std::string base = from.path.substr(0, from.path.find('?'));
  std::string target = base;
  if (!path.empty()) {
    target = path[0] == '/' ? std::string(path) : base.substr(0, base.rfind('/') + 1) + std::string(path);
  }
  return parse_url(from.origin() + without_dots(target) + std::string(location.substr(query)));
}

bool is_same_origin(const Url& a, const Url& b) { return a.secure == b.secure && a.host == b.host && a.port == b.port; }

bool is_address(const std::string& text) { return is_ipv4(text) || is_ipv6(text); }

Url parse_url(std::string_view text) {
  if (text.empty()) refuse("it is empty; write one such as ws://localhost:9000/ocpp");
  if (text.size() > kUrlMax) refuse("it is longer than 4096 bytes");
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e) {  // whether char is signed or not, this takes in all bytes above ASCII
      refuse(
          "it holds a space, a control character or one outside ASCII; percent-encode it in a path, remove it "
          "elsewhere");
    }
  }
  if (text.find('#') != std::string_view::npos) refuse("a WebSocket URL has no fragment; remove '#' and what follows");

  Url url;
  std::string_view rest = text;
  url.secure = take_scheme(rest);
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  url.path = std::string(rest.substr(authority_end));
  if (url.path.empty() || url.path[0] == '?') url.path.insert(0, "/");

  if (authority.find('@') != std::string_view::npos) {
    refuse(
        "it holds a user or password; remove what stands before '@' and use csms.auth.username and csms.auth.password");
  }
  Authority parsed = parse_authority(authority);
  url.host = std::move(parsed.host);
  url.host_is_ipv6 = parsed.host_is_ipv6;
  url.port = parsed.port != 0 ? parsed.port : (url.secure ? 443 : 80);
  check_path(url.path);
  return url;
}

}  // namespace cwire
