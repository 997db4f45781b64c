#include "ocpp/own_secrets.h"

#include <algorithm>

#include "ocpp/credentials.h"
#include "ocpp/proxy.h"

namespace cwire {

namespace {

// Keys are also given in headers and in the URL's query. A value that is shorter may be anything.
constexpr std::size_t kLeast = 6;

bool is_any_in(const std::vector<Secret>& secrets, std::string_view text) {
  return std::any_of(secrets.begin(), secrets.end(),
                     [text](const Secret& secret) { return text.find(secret.reveal()) != std::string_view::npos; });
}

}  // namespace

OwnSecrets::OwnSecrets(const Settings& settings, const Proxy* proxy, std::string_view station_id,
                       std::string_view path) {
  const auto add = [](std::vector<Secret>& to, std::string_view secret, std::size_t least) {
    if (secret.size() >= least) to.emplace_back(secret);
  };
  const auto add_header = [&](const Secret& header) {
    add(credentials_, header.reveal().substr(header.reveal().find(' ') + 1), 1);
  };
  add(credentials_, settings.auth.password.reveal(), 1);
  add(credentials_, settings.auth.token.reveal(), 1);
  add_header(authorization_header(settings.auth, station_id));
  if (proxy != nullptr) {
    add(credentials_, proxy->password.reveal(), 1);
    add_header(proxy->authorization());
  }
  for (const auto& header : settings.headers) add(headers_and_query_, header.second, kLeast);
  for (std::size_t at = path.find('?'); at < path.size();) {
    const std::size_t end = std::min(path.find_first_of("&;", at + 1), path.size());
    const std::string_view parameter = path.substr(at + 1, end - at - 1);
    const std::size_t equals = parameter.find('=');
    add(headers_and_query_, parameter.substr(equals == std::string_view::npos ? 0 : equals + 1), kLeast);
    at = end;
  }
}

OwnSecrets::Found OwnSecrets::find_in(std::string_view text) const {
  if (is_any_in(credentials_, text)) return Found::credentials;
  return is_any_in(headers_and_query_, text) ? Found::header_or_query : Found::nothing;
}

}  // namespace cwire
