// Everything of the caller that goes into the upgrade request. Input: one character for the credentials (kBasic, kHex,
// kBearer), then texts that each end in 0xff: URL, station id, user, secret, header name, header value.
#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/http_syntax.h"
#include "config/config.h"
#include "fuzz.h"
#include "messages.h"
#include "ocpp/credentials.h"
#include "ocpp/identity.h"
#include "ocpp/subprotocol.h"
#include "ocpp/url.h"
#include "ocpp/utf8.h"
#include "protocol/upgrade_request.h"

using namespace cwire;
using fuzz::require;

namespace {

constexpr std::uint8_t kBasic = 1;
constexpr std::uint8_t kHex = 2;
constexpr std::uint8_t kBearer = 4;

// Stands in every secret, and so must stand in no message.
constexpr const char* kCanary = "Kanarienvogel";

struct Given {
  std::uint8_t options;
  std::string url, id, user, secret, header_name, header_value;
  bool hex() const { return (options & kHex) != 0; }
  bool basic() const { return (options & kBasic) != 0; }
  bool bearer() const { return !basic() && (options & kBearer) != 0; }
};

// Runs it and judges the words if it refuses. False: it refused.
template <typename Work>
bool accepts(cwire_status refusal, Work work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    require(error.failure.status == refusal, "a refusal has the status that was said");
    fuzz::require_message(error.failure.message);
    require(error.failure.message.find(kCanary) == std::string::npos, "no secret stands in a message");
    return false;
  }
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string in_full(const Url& url) { return (url.secure ? "wss://" : "ws://") + url.host_header() + url.path; }

bool is_same(const Url& a, const Url& b) {
  return a.secure == b.secure && a.host == b.host && a.host_is_ipv6 == b.host_is_ipv6 && a.port == b.port &&
         a.path == b.path;
}

void check_url(const std::string& text, const Url& url) {
  require(is_visible(text), "a URL is visible ASCII");
  require(!url.host.empty() && url.host.find_first_of("/?#@[]%") == std::string::npos, "the host is one");
  require(url.host_is_ipv6 == (url.host.find(':') != std::string::npos), "only an IPv6 address holds ':'");
  require(host_defect(url.host) == nullptr, "a host that a URL may have is none that an option may not");
  require(url.port != 0, "there is a port");
  require(!url.path.empty() && url.path[0] == '/', "the path begins with '/'");
  require(url.path.find_first_of("\"#<>[\\]^`{|}") == std::string::npos, "the path holds what a path may");
  if (in_full(url).size() <= 4096) require(is_same(parse_url(in_full(url)), url), "a URL written out reads as itself");
  const std::size_t query = url.path.find('?');
  const std::string shown = url.text();
  require(query == std::string::npos || shown.substr(shown.find('?')) == "?***", "the query is not shown");
}

// OCPP 2.0.1 part 4 3.1.1, and no control characters.
bool is_identity(std::string_view id) {
  if (id.empty() || id == "." || id == "..") return false;
  std::size_t characters = 0;
  char32_t character = 0;
  for (std::size_t at = 0; at < id.size(); ++characters) {
    if (!next_utf8(id, at, character) || is_control(character) || character == ':') return false;
  }
  return characters <= 48;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
    } else {
      out += static_cast<char>(std::stoi(std::string(text.substr(at + 1, 2)), nullptr, 16));
      at += 2;
    }
  }
  return out;
}

void check_connection_url(const Url& endpoint, const std::string& id, const Url& url) {
  const std::string path = url.path.substr(0, url.path.find('?'));
  const std::string before = endpoint.path.substr(0, endpoint.path.find('?'));
  const std::size_t slash = path.rfind('/');
  require(percent_decode(path.substr(slash + 1)) == id, "the identity is the last segment of the path");
  require(before == path.substr(0, slash) || before == path.substr(0, slash + 1), "the endpoint's path is kept");
  require(url.path.substr(path.size()) == endpoint.path.substr(before.size()), "the query is kept, and last");
  check_url(in_full(url), url);
}

std::string base64_decoded(std::string_view text) {
  std::string out(text.size(), '\0');
  require(!text.empty() && text.size() % 4 == 0, "base64 comes in fours");
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(&out[0]),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  require(size >= 0, "Basic is base64");
  out.resize(static_cast<std::size_t>(size) - (text[text.size() - 1] == '=') - (text[text.size() - 2] == '='));
  return out;
}

void check_authorization(const Given& given, const AuthSettings& auth, const Secret& header) {
  const std::string value(header.reveal());
  require(is_visible(value.substr(std::min<std::size_t>(value.size(), value.find(' ') + 1))), "a header is visible");
  if (auth.type == AuthType::none) return require(value.empty(), "no credentials, no header");
  if (auth.type == AuthType::bearer) return require(value == "Bearer " + given.secret, "a token goes as it is");
  require(value.substr(0, 6) == "Basic ", "Basic says so");
  const std::string plain = base64_decoded(std::string_view(value).substr(6));
  const std::string user = (auth.username.empty() ? given.id : auth.username) + ":";
  require(plain.substr(0, user.size()) == user, "the user stands first");
  require(user.find(':') == user.size() - 1, "no user holds ':'");
  const std::string password = plain.substr(user.size());
  if (!given.hex()) {
    require(std::none_of(plain.begin(), plain.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }),
            "Basic in text holds no control characters");
  }
  if (!given.hex()) return require(password == given.secret, "a password goes as it is");
  static const char kDigits[] = "0123456789abcdef";
  std::string digits, wanted = given.secret;
  for (const char c : password) {
    digits += {kDigits[static_cast<unsigned char>(c) >> 4], kDigits[static_cast<unsigned char>(c) & 15]};
  }
  for (char& c : wanted) c = to_lower(c);
  require(digits == wanted, "a hex key goes as its bytes");
  require(password.size() >= 16 && password.size() <= 20, "a hex key has 16 to 20 bytes");
}

void check_written(const UpgradeRequest& request) {
  std::string text;
  write_upgrade_request(request, "dGhlIHNhbXBsZSBub25jZQ==", text);
  std::vector<std::string> lines;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    require(end != std::string_view::npos, "each line ends with CRLF");
    lines.emplace_back(rest.substr(0, end));
    require(lines.back().find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "no line is smuggled in");
    rest.remove_prefix(end + 2);
  }
  require(lines.size() > 2 && lines.back().empty(), "an empty line ends the request");
  lines.pop_back();
  require(lines[0] == "GET " + request.url.path + " HTTP/1.1", "the request line is right");
  std::vector<std::string> names;
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    const std::size_t colon = line->find(": ");
    require(colon != std::string::npos && colon != 0, "the empty line is the only one, and each has a name");
    std::string name = line->substr(0, colon);
    for (char& c : name) c = to_lower(c);
    names.push_back(name);
  }
  for (const char* once : {"host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version",
                           "sec-websocket-protocol", "user-agent"}) {
    require(std::count(names.begin(), names.end(), once) == 1, "each header of the handshake stands there once");
  }
  require(std::count(names.begin(), names.end(), "authorization") <= 1, "the credentials stand there once");
  std::size_t wanted = 7 + request.headers.size() + (request.authorization.empty() ? 0 : 1);
  for (const auto& header : request.headers) wanted -= equals_ignoring_case(header.first, "User-Agent") ? 1 : 0;
  require(names.size() == wanted, "there are no other headers");
}

// What the options let pass must be possible to say, and the checks of the protocol agree with those of the options.
void check_options(const Given& given) {
  Config config;
  const auto set = [&](const char* key, std::string_view value) {
    return accepts(CWIRE_E_CONFIG, [&] { config.set(key, value); });
  };
  const auto set_auth = [&] {
    if (!given.basic() && !given.bearer()) return true;
    if (given.basic()) {
      return set("csms.auth.type", "basic") && set("csms.auth.username", given.user) &&
             set("csms.auth.password_format", given.hex() ? "hex" : "text") && set("csms.auth.password", given.secret);
    }
    return set("csms.auth.type", "bearer") && set("csms.auth.token", given.secret);
  };
  const bool with_header =
      accepts(CWIRE_E_CONFIG, [&] { config.set("csms.headers." + given.header_name, given.header_value); });
  if (!set("csms.default_url", given.url) || !set_auth()) return;
  if (!accepts(CWIRE_E_INVALID_ARGUMENT, [&] { check_identity(given.id); })) return;

  Settings settings;
  if (!accepts(CWIRE_E_CONFIG, [&] { settings = config.resolve(); })) return;
  require(settings.headers.size() <= (with_header ? 1u : 0u), "only what was accepted is there");
  UpgradeRequest request;
  request.url = connection_url(parse_url(settings.default_url), given.id);
  for (const std::string& version : settings.protocols) request.subprotocols.emplace_back(subprotocol_of(version));
  // A user that is missing is the station's id, which has no ':' and no control characters.
  request.authorization = authorization_header(settings.auth, given.id);
  request.headers = settings.headers;
  check_authorization(given, settings.auth, request.authorization);
  check_upgrade_request(request);
  check_written(request);
}

// The same without the options before it.
void check_parts(const Given& given) {
  Url endpoint;
  const bool url_good = accepts(CWIRE_E_INVALID_ARGUMENT, [&] { endpoint = parse_url(given.url); });
  if (url_good) check_url(given.url, endpoint);
  const bool id_good = accepts(CWIRE_E_INVALID_ARGUMENT, [&] { check_identity(given.id); });
  require(id_good == is_identity(given.id), "exactly the right identities are accepted");
  require(percent_decode(percent_encode(given.id)) == given.id, "percent-encoding loses nothing");
  const char* defect = host_defect(given.url);
  if (defect != nullptr) fuzz::require_message(defect);

  UpgradeRequest request;
  request.url = endpoint;
  if (url_good && id_good) {
    request.url = connection_url(endpoint, given.id);
    check_connection_url(endpoint, given.id, request.url);
  } else {
    request.url.host = given.url;
    request.url.path = "/" + given.id;
  }
  request.subprotocols = {"ocpp2.0.1", "ocpp1.6"};
  request.headers = {{given.header_name, given.header_value}};
  AuthSettings auth;
  auth.type = given.basic() ? AuthType::basic : given.bearer() ? AuthType::bearer : AuthType::none;
  auth.username = given.user;
  auth.password = Secret(given.secret);
  auth.password_format = given.hex() ? PasswordFormat::hex : PasswordFormat::text;
  auth.token = Secret(given.secret);
  if (accepts(CWIRE_E_CONFIG, [&] { request.authorization = authorization_header(auth, given.id); })) {
    check_authorization(given, auth, request.authorization);
  }
  if (accepts(CWIRE_E_INVALID_ARGUMENT, [&] { check_upgrade_request(request); })) check_written(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Given given;
  given.options = input.byte();
  for (std::string* text :
       {&given.url, &given.id, &given.user, &given.secret, &given.header_name, &given.header_value}) {
    *text = input.until('\xff');
  }
  // A hex key can hold no other word than its digits.
  if (!given.secret.empty() && !(given.basic() && given.hex())) given.secret += kCanary;
  check_parts(given);
  check_options(given);
  return 0;
}
