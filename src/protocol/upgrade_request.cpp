#include "protocol/upgrade_request.h"

#include <algorithm>

#include "base/http_syntax.h"
#include "base/user_agent.h"
#include "protocol/deflate_negotiation.h"

namespace cwire {

namespace {

[[noreturn]] void refuse(std::string text) { throw Error(CWIRE_E_INVALID_ARGUMENT, std::move(text)); }

bool has_header(const UpgradeRequest& request, std::string_view name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [name](const auto& header) { return equals_ignoring_case(header.first, name); });
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

void check_upgrade_request(const UpgradeRequest& request) {
  if (request.url.host.empty() || !is_visible(request.url.host))
    refuse("the URL's host is empty or holds a space or control character");
  if (request.url.path.empty() || request.url.path[0] != '/' || !is_visible(request.url.path) ||
      request.url.path.find('#') != std::string::npos) {
    refuse(
        "the URL's path must begin with '/' and hold neither '#' nor spaces nor control characters; percent-encode "
        "them");
  }
  for (auto it = request.subprotocols.begin(); it != request.subprotocols.end(); ++it) {
    if (!is_token(*it)) refuse("a subprotocol must be a token such as ocpp1.6");
    if (std::find(request.subprotocols.begin(), it, *it) != it) refuse("the subprotocol " + *it + " is listed twice");
  }
  if (!is_field_value(request.authorization.reveal()))
    refuse("the credentials hold a control character, which no HTTP header may");
  if (!request.authorization.empty() && has_header(request, "Authorization")) {
    refuse(
        "the header Authorization is written from the credentials; remove it from the extra headers, or the "
        "credentials");
  }
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) refuse("the name of an extra header is empty or holds characters that HTTP does not allow");
    if (is_handshake_header(name))
      refuse("the header " + name + " belongs to the handshake; remove it from the extra headers");
    if (!is_field_value(value))
      refuse("the value of the header " + name + " holds a control character such as CR, LF or NUL");
  }
}

void write_upgrade_request(const UpgradeRequest& request, std::string_view key, std::string& out) {
  std::string text =
      "GET " + request.url.path + " HTTP/1.1\r\nHost: " + request.url.host_header() +
      "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
  text.append(key).append("\r\n");
  const char* separator = "Sec-WebSocket-Protocol: ";
  for (const std::string& subprotocol : request.subprotocols) {
    text.append(separator).append(subprotocol);
    separator = ", ";
  }
  if (!request.subprotocols.empty()) text.append("\r\n");
  if (request.deflate.enabled)
    text.append("Sec-WebSocket-Extensions: ").append(deflate_offer(request.deflate)).append("\r\n");
  if (!has_header(request, "User-Agent")) text.append("User-Agent: ").append(kUserAgent).append("\r\n");

  std::size_t size =
      out.size() + text.size() + sizeof "Authorization: \r\n\r\n" + request.authorization.reveal().size();
  for (const auto& [name, value] : request.headers) size += name.size() + value.size() + sizeof ": \r\n";
  out.reserve(size);
  out.append(text);
  for (const auto& [name, value] : request.headers) out.append(name).append(": ").append(value).append("\r\n");
  if (!request.authorization.empty())
    out.append("Authorization: ").append(request.authorization.reveal()).append("\r\n");
  out.append("\r\n");
}

}  // namespace cwire
