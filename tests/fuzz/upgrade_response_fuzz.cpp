// The head of a server's answer to the upgrade request. Input: one character for limits and offer (kTight, kNoOffer),
// then the answer.
#include <algorithm>
#include <string>
#include <vector>

#include "base/http_syntax.h"
#include "fuzz.h"
#include "messages.h"
#include "ocpp/url.h"
#include "protocol/retry_after.h"
#include "protocol/upgrade_response.h"

using namespace cwire;
using fuzz::require;
using State = UpgradeResponse::State;

namespace {

constexpr std::uint8_t kTight = 1;
constexpr std::uint8_t kNoOffer = 2;

UpgradeResponse::Expected expected(std::uint8_t options) {
  UpgradeResponse::Expected expected;
  expected.accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // of RFC 6455 1.3
  if ((options & kNoOffer) == 0) expected.subprotocols = {"ocpp2.0.1", "ocpp1.6"};
  const bool tight = (options & kTight) != 0;
  expected.header_size_max = tight ? 256 : 16384;
  expected.header_count_max = tight ? 6 : 100;
  return expected;
}

// RFC 6455 4.1 once more, plainly: may this head be taken for an accepted upgrade?
bool is_acceptable(std::string_view head, const UpgradeResponse::Expected& expected) {
  if (head.size() > expected.header_size_max) return false;
  std::vector<std::string_view> lines;
  for (std::string_view rest = head; !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return false;
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(end + 2);
  }
  if (lines.size() < 2 || !lines.back().empty()) return false;
  lines.pop_back();
  for (const std::string_view line : lines) {
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
    }
  }
  const std::string_view status = lines[0];
  if (status.substr(0, 12) != "HTTP/1.1 101" || (status.size() > 12 && status[12] != ' ')) return false;
  lines.erase(lines.begin());
  if (lines.size() > expected.header_count_max) return false;

  std::vector<std::string> upgrades, connections, accepts, subprotocols;
  for (const std::string_view line : lines) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    std::string name(line.substr(0, colon)), value(line.substr(colon + 1));
    for (char& c : name) {
      if (std::string_view("\"(),/:;<=>?@[\\]{} \t").find(c) != std::string_view::npos) return false;
      if (static_cast<unsigned char>(c) > 0x7e) return false;
      c = to_lower(c);
    }
    value.erase(0, value.find_first_not_of(" \t"));
    value.erase(value.find_last_not_of(" \t") + 1);
    if (name == "upgrade") upgrades.push_back(value);
    if (name == "connection") connections.push_back("," + value + ",");
    if (name == "sec-websocket-accept") accepts.push_back(value);
    if (name == "sec-websocket-protocol") subprotocols.push_back(value);
    if (name == "sec-websocket-extensions") return false;
  }
  if (upgrades.size() != 1 || connections.size() != 1 || accepts.size() != 1 || subprotocols.size() > 1) return false;
  for (std::string* value : {&upgrades[0], &connections[0]}) {
    for (char& c : *value) c = to_lower(c);
  }
  // Blanks stand around the elements of the list, not in them.
  std::string list;
  for (const char c : connections[0]) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && list.back() == ',') continue;
    if (c == ',') list.erase(list.find_last_not_of(" \t") + 1);
    list += c;
  }
  if (upgrades[0] != "websocket" || list.find(",upgrade,") == std::string::npos) return false;
  if (accepts[0] != expected.accept) return false;
  const auto& offered = expected.subprotocols;
  if (subprotocols.empty()) return offered.empty();
  return std::find(offered.begin(), offered.end(), subprotocols[0]) != offered.end();
}

void check_refusal(const UpgradeResponse& response) {
  const Failure& failure = response.failure();
  require(
      failure.status == CWIRE_E_HANDSHAKE || failure.status == CWIRE_E_SUBPROTOCOL || failure.status == CWIRE_E_AUTH,
      "a refused upgrade is HANDSHAKE, SUBPROTOCOL or AUTH");
  const std::int32_t code = failure.code.number;
  require(code == 0 || (code >= 100 && code <= 599), "the code is the HTTP status");
  require((failure.code.kind == Code::Kind::http_status) == (code != 0), "no number is of no kind");
  require((failure.status == CWIRE_E_AUTH) == (code == 401 || code == 403), "AUTH is 401 and 403");
  require(failure.phase == (failure.status == CWIRE_E_SUBPROTOCOL ? FailurePhase::subprotocol : FailurePhase::http),
          "the phase is http, or subprotocol");
  fuzz::require_message(failure.message);
}

// RFC 7231 7.1.2. Where it leads is for the station to judge; here only that it is a place, and of which origin.
void check_location(const std::string& location) {
  const Url from = parse_url("wss://csms.example:8443/ocpp/CP1?token=1");
  Url to;
  try {
    to = redirect_target(from, location);
  } catch (const Error& error) {
    require(error.failure.status == CWIRE_E_INVALID_ARGUMENT, "what leads nowhere is told");
    return fuzz::require_message(error.failure.message);
  }
  const std::string full = to.origin() + to.path;
  if (full.size() <= kUrlMax) {
    const Url again = parse_url(full);
    require(is_same_origin(again, to) && again.path == to.path, "a place written out reads as itself");
  }
  const std::size_t authority = location.find("//");
  if (authority == std::string::npos) require(is_same_origin(from, to), "a path alone leads to the same origin");
  if (location.rfind("http:", 0) == 0 || location.rfind("ws:", 0) == 0) require(!to.secure, "http and ws are no TLS");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const UpgradeResponse::Expected expectation = expected(input.byte());
  const std::string_view answer = input.rest();

  UpgradeResponse whole(expectation);
  const std::size_t taken = whole.consume(answer.data(), answer.size());
  require(taken <= answer.size(), "no more is taken than came");
  require(whole.failure().retry_after_s >= -1 && whole.failure().retry_after_s <= kRetryAfterMaxSeconds,
          "Retry-After is clamped");
  // The server's head ends with the first empty line, whatever is in it.
  const std::size_t end = answer.find("\r\n\r\n");
  const bool complete = end != std::string_view::npos;
  const bool acceptable = complete && is_acceptable(answer.substr(0, end + 4), expectation);
  require((whole.state() == State::accepted) == acceptable, "exactly the right answers are accepted");
  if (whole.state() == State::accepted) {
    require(taken == end + 4, "what follows the head is left for the frames");
    require(!whole.failure(), "an accepted upgrade has no failure");
  } else if (whole.state() == State::refused) {
    check_refusal(whole);
    if (!whole.location().empty()) check_location(whole.location());
  } else {
    require(!complete, "a complete head is judged");
    require(taken == answer.size() && taken <= expectation.header_size_max, "an unfinished head is within its limit");
  }

  for (const auto slicing : {fuzz::Slicing::single, fuzz::Slicing::mixed}) {
    UpgradeResponse sliced(expectation);
    std::size_t sum = 0;
    fuzz::arrive(answer, slicing, [&](const char* bytes, std::size_t count) {
      const bool over = sliced.state() != State::reading;
      const std::size_t part = sliced.consume(bytes, count);
      require(part <= count && (!over || part == 0), "nothing is taken behind the end");
      sum += part;
    });
    require(sliced.state() == whole.state(), "the state does not depend on slices");
    require(sliced.failure().status == whole.failure().status &&
                sliced.failure().code.number == whole.failure().code.number &&
                sliced.failure().message == whole.failure().message,
            "the failure does not depend on slices");
    require(sliced.subprotocol() == whole.subprotocol(), "the subprotocol does not depend on slices");
    require(sliced.location() == whole.location(), "the location does not depend on slices");
    if (whole.state() != State::refused) require(sum == taken, "where the head ends does not depend on slices");
    // A date is some seconds nearer now.
    require(whole.failure().retry_after_s - sliced.failure().retry_after_s >= 0 &&
                whole.failure().retry_after_s - sliced.failure().retry_after_s < 60,
            "Retry-After does not depend on slices");
  }
  return 0;
}
