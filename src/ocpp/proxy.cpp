#include "ocpp/proxy.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/failure.h"
#include "base/http_syntax.h"
#include "ocpp/credentials.h"

namespace cwire {
namespace {

using AddressBytes = std::array<unsigned char, 16>;

[[noreturn]] void refuse(const std::string& why) { throw Error(CWIRE_E_CONFIG, why); }

Secret percent_decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());  // a buffer that grows leaves copies behind
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) refuse("'%' before '@' must be followed by two hex digits; write %25 for the character itself");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    plain.push_back(c);
  }
  Secret secret{plain};
  OPENSSL_cleanse(plain.data(), plain.size());
  return secret;
}

void take_scheme(std::string_view& rest) {
  const std::size_t end = rest.find("://");
  if (end == std::string_view::npos) return;
  const std::string_view scheme = rest.substr(0, end);
  rest.remove_prefix(end + 3);
  if (equals_ignoring_case(scheme, "http")) return;
  if (equals_ignoring_case(scheme, "https")) {
    refuse("TLS to the proxy itself is not supported; if it also speaks HTTP, write http:// and that port");
  }
  refuse("only HTTP proxies are supported; it must begin with http://");
}

void take_credentials(std::string_view& rest, Proxy& proxy) {
  const std::size_t at = rest.rfind('@');
  if (at == std::string_view::npos) return;
  const std::string_view credentials = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  const std::size_t colon = std::min(credentials.find(':'), credentials.size());
  proxy.username = std::string(percent_decoded(credentials.substr(0, colon)).reveal());
  if (colon < credentials.size()) proxy.password = percent_decoded(credentials.substr(colon + 1));
  if (proxy.username.empty()) refuse("the user before '@' is missing");
  if (const char* defect = basic_defect(proxy.username, proxy.password)) refuse(defect);
}

// The number of bytes of the address, 0 if it is none.
std::size_t read_address(const std::string& text, AddressBytes& bytes) {
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return 4;
  return inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1 ? 16 : 0;
}

// At most `most`; false: it is no such number.
bool read_number(std::string_view text, unsigned most, unsigned& number) {
  if (text.empty() || text.size() > 5) return false;
  number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number <= most;
}

bool same_bits(const AddressBytes& a, const AddressBytes& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool is_below(std::string_view host, std::string_view name) {
  if (host.size() <= name.size()) return host == name;
  return host[host.size() - name.size() - 1] == '.' && host.substr(host.size() - name.size()) == name;
}

bool is_this_machine(const std::string& host) {
  if (is_below(host, "localhost")) return true;
  AddressBytes address{};
  const std::size_t size = read_address(host, address);
  if (size == 4) return address[0] == 127;
  return size == 16 && std::all_of(address.begin(), address.end() - 1, [](unsigned char b) { return b == 0; }) &&
         address.back() == 1;
}

}  // namespace

Secret Proxy::authorization() const { return username.empty() ? Secret() : basic_authorization(username, password); }

std::string Proxy::text() const { return "proxy " + authority_text(host, port) + " (" + named_by + ")"; }

const char* basic_defect(std::string_view username, const Secret& password) {
  if (username.find(':') != std::string_view::npos) {
    return "the user name holds ':', where the password would begin (RFC 7617)";
  }
  if (holds_control(username)) return "the user name holds a control character; remove it";
  if (holds_control(password.reveal())) return "the password holds a control character; remove it";
  return nullptr;
}

Proxy parse_proxy(std::string_view text) {
  if (text.size() > kUrlMax) refuse("it is longer than " + std::to_string(kUrlMax) + " bytes");
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e) refuse("it holds a space, a control character or one outside ASCII; percent-encode it");
  }
  Proxy proxy;
  std::string_view rest = text;
  take_scheme(rest);
  const std::size_t end = rest.find_first_of("/?#");
  if (end != std::string_view::npos) {
    if (rest.substr(end) != "/") {
      refuse("nothing may follow the port; percent-encode '/', '?' and '#' where they belong to user or password");
    }
    rest = rest.substr(0, end);
  }
  take_credentials(rest, proxy);
  Authority authority;
  try {
    authority = parse_authority(rest);
  } catch (const Error& error) {
    refuse(error.failure.message);
  }
  if (authority.port == 0) refuse("the port is missing; write it, as in http://proxy.example:3128");
  proxy.host = std::move(authority.host);
  proxy.port = authority.port;
  return proxy;
}

NoProxy::NoProxy(std::string_view list) {
  constexpr std::string_view kSeparators = ", \t\r\n";
  while (true) {
    const std::size_t begin = list.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) return;
    list.remove_prefix(begin);
    const std::size_t size = std::min(list.find_first_of(kSeparators), list.size());
    Rule rule;
    if (read_entry(list.substr(0, size), rule)) rules_.push_back(std::move(rule));
    list.remove_prefix(size);
  }
}

bool NoProxy::read_entry(std::string_view entry, Rule& rule) {
  const auto is_address = [&rule](std::string_view text) {
    rule.address_size = read_address(std::string(text), rule.network);
    rule.bits = static_cast<unsigned>(rule.address_size * 8);
    return rule.address_size != 0;
  };
  const std::size_t slash = entry.find('/');
  if (slash != std::string_view::npos) {
    return is_address(entry.substr(0, slash)) && read_number(entry.substr(slash + 1), rule.bits, rule.bits);
  }
  if (is_address(entry)) return true;  // an IPv6 address without brackets has no port

  std::string_view host = entry;
  std::string_view port;
  bool has_port = false;
  if (entry[0] == '[') {
    const std::size_t close = entry.find(']');
    if (close == std::string_view::npos) return false;
    host = entry.substr(1, close - 1);
    const std::string_view after = entry.substr(close + 1);
    has_port = !after.empty();
    if (has_port && after[0] != ':') return false;
    if (has_port) port = after.substr(1);
    if (!is_address(host) || rule.address_size != 16) return false;
  } else {
    const std::size_t colon = entry.rfind(':');
    has_port = colon != std::string_view::npos;
    if (has_port) {
      host = entry.substr(0, colon);
      port = entry.substr(colon + 1);
    }
  }
  unsigned number = 0;
  if (has_port && (!read_number(port, 65535, number) || number == 0)) return false;
  rule.port = static_cast<std::uint16_t>(number);
  if (rule.address_size != 0 || is_address(host)) return true;

  if (host != "*") {
    if (host.substr(0, 2) == "*.") host.remove_prefix(1);
    if (!host.empty() && host.front() == '.') host.remove_prefix(1);
    if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  }
  rule.name = lowercase(host);
  return !rule.name.empty();
}

bool NoProxy::covers(const std::string& host, std::uint16_t port) const {
  AddressBytes address{};
  const std::size_t size = read_address(host, address);
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return (rule.port == 0 || rule.port == port) && rule.covers(host, address, size);
  });
}

bool NoProxy::Rule::covers(const std::string& host, const AddressBytes& address, std::size_t size) const {
  if (name == "*") return true;
  if (size == 0) return !name.empty() && is_below(host, name);
  return size == address_size && same_bits(network, address, bits);
}

ProxyEnvironment::ProxyEnvironment(const Variable& variable)
    : ws_(read(variable, "http_proxy", nullptr)), wss_(read(variable, "https_proxy", "HTTPS_PROXY")) {
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const char* value = variable(name);
    if (value == nullptr || *value == '\0') continue;
    no_proxy_ = NoProxy(value);
    return;
  }
}

// One that is empty counts as not set.
ProxyEnvironment::Choice ProxyEnvironment::read(const Variable& variable, const char* name, const char* in_capitals) {
  Choice choice;
  const char* value = variable(name);
  if ((value == nullptr || *value == '\0') && in_capitals != nullptr) value = variable(name = in_capitals);
  if (value == nullptr || *value == '\0') return choice;
  try {
    Proxy proxy = parse_proxy(value);
    proxy.named_by = name;
    choice.proxy = std::make_shared<const Proxy>(std::move(proxy));
  } catch (const Error& error) {
    choice.defect = "the environment variable " + std::string(name) + ": " + error.failure.message +
                    "; correct it, or set csms.proxy.url (none: no proxy)";
  }
  return choice;
}

std::shared_ptr<const Proxy> ProxyEnvironment::proxy_for(const Url& url) const {
  if (is_this_machine(url.host) || no_proxy_.covers(url.host, url.port)) return nullptr;
  const Choice& choice = url.secure ? wss_ : ws_;
  if (!choice.defect.empty()) refuse(choice.defect);
  return choice.proxy;
}

std::shared_ptr<const Proxy> proxy_for(const ProxySettings& settings, const ProxyEnvironment& environment,
                                       const Url& url) {
  if (settings.url.empty()) return environment.proxy_for(url);
  if (settings.url == kNoProxyUrl) return nullptr;
  Proxy proxy = parse_proxy(settings.url);
  proxy.username = settings.username;
  proxy.password = settings.password;
  proxy.named_by = "csms.proxy.url";
  return std::make_shared<const Proxy>(std::move(proxy));
}

}  // namespace cwire
