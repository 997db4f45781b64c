#include "protocol/upgrade_response.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "base/http_syntax.h"
#include "base/time.h"
#include "protocol/retry_after.h"

namespace cwire {

namespace {

bool list_contains(std::string_view list, std::string_view token) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (equals_ignoring_case(trimmed(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

// What a server chose is shown only if it looks like an OCPP version: an answer may hold anything, also our own
// credentials.
std::string shown(std::string_view subprotocol) {
  if (subprotocol.size() <= 32 && is_token(subprotocol) && equals_ignoring_case(subprotocol.substr(0, 4), "ocpp")) {
    return "\"" + std::string(subprotocol) + "\"";
  }
  return "one";
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& item : list) out.append(out.empty() ? "" : ", ").append(item);
  return out;
}

const char* hint_for(std::int32_t status) {
  if (status >= 300 && status <= 399) return "it redirects, which is not followed; put the final address into the URL";
  switch (status) {
    case 200:
      return "an ordinary web page; the URL does not lead to an OCPP-J endpoint, check its path";
    case 400:
      return "bad request; check the path of the URL, the station id and the OCPP version";
    case 401:
      return "unauthorized; the credentials are missing or wrong, check user name and password, key or token";
    case 403:
      return "forbidden; the CSMS does not admit this station, check its credentials and that it is enabled there";
    case 404:
      return "not found; the CSMS does not know this identity, check the station id and the path of the URL";
    case 407:
      return "a proxy on the way asks for credentials of its own";
    case 426:
      return "upgrade required; the CSMS asks for another protocol or version, check the OCPP version";
    case 429:
      return "too many requests; the CSMS asks to come back later";
    case 503:
      return "unavailable; the CSMS or a proxy before it is overloaded or down, try again later";
    default:
      return status >= 500 && status <= 599
                 ? "an error inside the CSMS or a proxy before it; try again later, or ask its operator"
                 : "101 was expected; check the URL, and ask the operator of the CSMS";
  }
}

}  // namespace

std::string accept_for(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) != 1)
    throw std::runtime_error("SHA-1 is not available");
  unsigned char encoded[2 * EVP_MAX_MD_SIZE];
  const int length = EVP_EncodeBlock(encoded, digest, static_cast<int>(size));
  return std::string(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length));
}

std::size_t UpgradeResponse::consume(const char* data, std::size_t size) {
  std::size_t at = 0;
  while (at < size && state_ == State::reading) {
    const void* end = std::memchr(data + at, '\n', size - at);
    const std::size_t part =
        end == nullptr ? size - at : static_cast<std::size_t>(static_cast<const char*>(end) - (data + at)) + 1;
    const std::size_t room = expected_.header_size_max - size_;
    line_.append(data + at, std::min(part, room));
    if (http_status_ == 0) {
      // Noticed at once, because what does not speak HTTP may never send a line's end.
      constexpr std::string_view kPrefix = "HTTP/1.";
      const std::size_t known = std::min(kPrefix.size(), line_.size());
      if (line_.compare(0, known, kPrefix, 0, known) != 0) {
        malformed("is not HTTP/1.1; check the port, and whether the URL must begin with wss://");
        break;
      }
    }
    // After that, or the words would depend on how much came at once.
    if (part > room) {
      malformed("is longer than csms.header_size_max");
      break;
    }
    size_ += part;
    at += part;
    if (end == nullptr) break;
    if (line_.size() < 2 || line_[line_.size() - 2] != '\r') {
      malformed("has a line that ends without CR");
      break;
    }
    on_line(std::string_view(line_).substr(0, line_.size() - 2));
    line_.clear();
  }
  return at;
}

void UpgradeResponse::on_line(std::string_view line) {
  if (http_status_ == 0) return on_status_line(line);
  if (line.empty()) return on_end();
  if (++headers_ > expected_.header_count_max) return malformed("has more headers than csms.header_count_max");
  if (line[0] == ' ' || line[0] == '\t') return malformed("has a header folded over two lines");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return malformed("has a header whose name is not valid");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) return malformed("has a header with a control character such as CR or NUL");
  on_header(line.substr(0, colon), value);
}

void UpgradeResponse::on_status_line(std::string_view line) {
  const auto digit = [&](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
  if (line.size() < 12 || !digit(7) || line[8] != ' ' || line[9] < '1' || line[9] > '5' || !digit(10) || !digit(11) ||
      (line.size() > 12 && line[12] != ' ') || !is_field_value(line)) {
    return malformed("has a status line that is not valid");
  }
  const std::int32_t status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  // A refusal means the same in every version of HTTP; an upgrade exists in 1.1 alone.
  if (status == 101 && line[7] != '1')
    return malformed("is not HTTP/1.1, perhaps because of a proxy that cannot upgrade");
  http_status_ = status;
}

void UpgradeResponse::on_header(std::string_view name, std::string_view value) {
  if (equals_ignoring_case(name, "Upgrade")) {
    ++upgrades_;
    upgrade_right_ = equals_ignoring_case(value, "websocket");
  } else if (equals_ignoring_case(name, "Connection")) {
    ++connections_;
    connection_right_ = list_contains(value, "upgrade");
  } else if (equals_ignoring_case(name, "Sec-WebSocket-Accept")) {
    ++accepts_;
    accept_right_ = value == expected_.accept;
  } else if (equals_ignoring_case(name, "Sec-WebSocket-Protocol")) {
    ++subprotocols_;
    subprotocol_ = value;
  } else if (equals_ignoring_case(name, "Sec-WebSocket-Extensions")) {
    extension_ = true;
  } else if (equals_ignoring_case(name, "Retry-After")) {
    retry_after_s_ = parse_retry_after(value, wall_clock_ns() / 1'000'000'000);
  }
}

void UpgradeResponse::on_end() {
  if (http_status_ != 101) return refuse_by_status();
  if (upgrades_ != 1 || !upgrade_right_) return malformed("must have exactly one header \"Upgrade: websocket\"");
  if (connections_ != 1 || !connection_right_) return malformed("must have exactly one header \"Connection: Upgrade\"");
  if (accepts_ != 1) return malformed("must have exactly one header Sec-WebSocket-Accept");
  if (!accept_right_) {
    return malformed("has a wrong Sec-WebSocket-Accept: it answers another request, perhaps out of a proxy's cache");
  }
  if (extension_) return malformed("names an extension in Sec-WebSocket-Extensions, though none was offered");

  const std::vector<std::string>& offered = expected_.subprotocols;
  const std::string offer = offered.empty() ? "none was offered" : "offered were: " + joined(offered);
  if (subprotocols_ > 1) return refuse(CWIRE_E_SUBPROTOCOL, "the CSMS chose more than one subprotocol; " + offer);
  if (subprotocols_ == 0 && !offered.empty()) {
    return refuse(CWIRE_E_SUBPROTOCOL,
                  "the CSMS chose no subprotocol; " + offer + "; configure an OCPP version that it speaks");
  }
  if (subprotocols_ == 1 && std::find(offered.begin(), offered.end(), subprotocol_) == offered.end()) {
    return refuse(CWIRE_E_SUBPROTOCOL,
                  "the CSMS chose " + shown(subprotocol_) + " as subprotocol, which was not offered; " + offer);
  }
  state_ = State::accepted;
}

void UpgradeResponse::malformed(const char* what) {
  if (http_status_ != 0 && http_status_ != 101) return refuse_by_status();
  refuse(CWIRE_E_HANDSHAKE, std::string("the answer to the WebSocket upgrade ") + what);
}

void UpgradeResponse::refuse_by_status() {
  const cwire_status status = http_status_ == 401 || http_status_ == 403 ? CWIRE_E_AUTH : CWIRE_E_HANDSHAKE;
  refuse(status, "the CSMS answered the WebSocket upgrade with HTTP " + std::to_string(http_status_) + ": " +
                     hint_for(http_status_));
}

void UpgradeResponse::refuse(cwire_status status, std::string text) {
  state_ = State::refused;
  const FailurePhase phase = status == CWIRE_E_SUBPROTOCOL ? FailurePhase::subprotocol : FailurePhase::http;
  failure_ = Failure(status, std::move(text), phase, http_status(http_status_));
  failure_.retry_after_s = retry_after_s_;
  // What OCPP calls so: the credentials of the station were rejected.
  if (http_status_ == 401) failure_.security = SecurityEvent::failed_to_authenticate;
}

}  // namespace cwire
