#include "ocpp/identity.h"

#include "base/failure.h"
#include "ocpp/utf8.h"

namespace cwire {
namespace {

constexpr std::size_t kCharactersMax = 48;
// A character takes at most four bytes of UTF-8, and statistics hand the id out with a NUL.
static_assert(sizeof(cwire_stats::station_id) > 4 * kCharactersMax, "a station id must fit into cwire_stats");

[[noreturn]] void refuse(std::string why) { throw Error(CWIRE_E_INVALID_ARGUMENT, "station id: " + std::move(why)); }

bool is_unreserved(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

void check_identity(std::string_view station_id) {
  if (station_id.empty()) refuse("it is empty; give the identity that the CSMS knows the station by");
  // Neither would survive as the last segment of a path: proxies and servers resolve them away (RFC 3986 5.2.4).
  if (station_id == "." || station_id == "..") refuse("\".\" and \"..\" cannot stand in a URL path; choose another");
  std::size_t characters = 0;
  for (std::size_t at = 0; at < station_id.size(); ++characters) {
    char32_t character = 0;
    if (!next_utf8(station_id, at, character)) refuse("it is not valid UTF-8; encode it as UTF-8");
    if (is_control(character)) refuse("it holds a control character; remove it");
    if (character == ':') refuse("it holds ':', which OCPP does not allow because Basic auth ends the username there");
  }
  if (characters > kCharactersMax) {
    refuse("it has " + std::to_string(characters) + " characters; OCPP allows at most 48");
  }
}

std::string percent_encode(std::string_view text) {
  static const char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte)) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Url connection_url(const Url& endpoint, std::string_view station_id) {
  Url url = endpoint;
  const std::size_t query = endpoint.path.find('?');
  url.path = endpoint.path.substr(0, query);
  // An endpoint written with a trailing slash means the same as one without.
  if (url.path.empty() || url.path.back() != '/') url.path += '/';
  url.path += percent_encode(station_id);
  if (query != std::string::npos) url.path += endpoint.path.substr(query);
  return url;
}

}  // namespace cwire
