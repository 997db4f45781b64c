#include "protocol/upgrade_response.h"

#include <openssl/evp.h>

#include <algorithm>
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

bool is_redirect(std::int32_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

const char* hint_for(std::int32_t status) {
  if (is_redirect(status)) return "it redirects";
  if (status >= 300 && status <= 399) return "the CSMS is somewhere else; put its final address into the URL";
  switch (status) {
    case 200:
      return "an ordinary web page; the URL does not lead to an OCPP-J endpoint, check its path";
    case 400:
      return "bad request; check the path of the URL, the station id and the OCPP version";
    case 401:
      return "unauthorized; the credentials are missing or wrong, check csms.auth: user name and password, key or "
             "token";
    case 403:
      return "forbidden; the CSMS does not admit this station, check csms.auth, and that it is enabled there";
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
  std::string_view rest(data, size);
  while (state_ == State::reading) {
    switch (head_.read(rest)) {
      case HttpHead::Token::more:
        return size;
      case HttpHead::Token::status:
        // A refusal means the same in every version of HTTP; an upgrade exists in 1.1 alone.
        if (head_.status() == 101 && head_.version_minor() != 1) {
          malformed("is not HTTP/1.1, perhaps because of a proxy that cannot upgrade");
        }
        break;
      case HttpHead::Token::header:
        on_header(head_.name(), head_.value());
        break;
      case HttpHead::Token::end:
        on_end();
        break;
      case HttpHead::Token::malformed:
        on_malformed();
        break;
    }
  }
  return size - rest.size();
}

void UpgradeResponse::on_malformed() {
  switch (head_.defect()) {
    case HttpHead::Defect::size:
      return malformed("is longer than csms.header_size_max");
    case HttpHead::Defect::count:
      return malformed("has more headers than csms.header_count_max");
    case HttpHead::Defect::protocol:
      return malformed("is not HTTP/1.1; check the port, and whether the URL must begin with wss://");
    default:
      return malformed(defect_text(head_.defect()));
  }
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
    ++extension_headers_;
    extensions_ = value;
  } else if (equals_ignoring_case(name, "Location")) {
    ++locations_;
    location_ = value;
  } else if (equals_ignoring_case(name, "Retry-After")) {
    retry_after_s_ = parse_retry_after(value, wall_clock_ns() / 1'000'000'000);
  }
}

void UpgradeResponse::on_end() {
  if (head_.status() != 101) return refuse_by_status();
  if (upgrades_ != 1 || !upgrade_right_) return malformed("must have exactly one header \"Upgrade: websocket\"");
  if (connections_ != 1 || !connection_right_) return malformed("must have exactly one header \"Connection: Upgrade\"");
  if (accepts_ != 1) return malformed("must have exactly one header Sec-WebSocket-Accept");
  if (!accept_right_) {
    return malformed("has a wrong Sec-WebSocket-Accept: it answers another request, perhaps out of a proxy's cache");
  }
  if (extension_headers_ != 0 && !read_extensions()) return;

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

// False: it is refused.
bool UpgradeResponse::read_extensions() {
  std::string problem;
  if (!expected_.deflate.enabled) {
    problem = "names an extension in Sec-WebSocket-Extensions, though none was offered";
  } else if (extension_headers_ > 1) {
    problem = "has more than one header Sec-WebSocket-Extensions";  // RFC 6455 11.3.2
  } else {
    problem = read_deflate_answer(extensions_, expected_.deflate, deflate_.emplace());
  }
  if (problem.empty()) return true;
  malformed(problem);
  return false;
}

void UpgradeResponse::malformed(const std::string& what) {
  locations_ = 0;  // nobody knows what else stands in such a head: no redirect is followed by it
  if (head_.status() != 0 && head_.status() != 101) return refuse_by_status();
  refuse(CWIRE_E_HANDSHAKE, "the answer to the WebSocket upgrade " + what);
}

void UpgradeResponse::refuse_by_status() {
  const std::int32_t http = head_.status();
  refuse(http == 401 || http == 403 ? CWIRE_E_AUTH : CWIRE_E_HANDSHAKE,
         "the CSMS answered the WebSocket upgrade with HTTP " + std::to_string(http) + ": " + hint_for(http));
}

void UpgradeResponse::refuse(cwire_status status, std::string text) {
  state_ = State::refused;
  if (!is_redirect(head_.status()) || locations_ != 1) location_.clear();
  if (is_redirect(head_.status()) && location_.empty()) text += ", but names no one place; ask its operator";
  const FailurePhase phase = status == CWIRE_E_SUBPROTOCOL ? FailurePhase::subprotocol : FailurePhase::http;
  failure_ = Failure(status, std::move(text), phase, http_status(head_.status()));
  failure_.retry_after_s = retry_after_s_;
  // What OCPP calls so: the credentials of the station were rejected.
  if (head_.status() == 401) failure_.security = SecurityEvent::failed_to_authenticate;
}

}  // namespace cwire
