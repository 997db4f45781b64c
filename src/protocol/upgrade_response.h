#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.h"
#include "base/http_head.h"
#include "protocol/deflate_negotiation.h"

namespace cwire {

// The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (RFC 6455 4.2.2).
std::string accept_for(std::string_view key);

// Reads and judges the head of the server's answer to the upgrade request, as strictly as RFC 6455 4.1 and RFC 7230
// ask. A body is never read.
class UpgradeResponse {
 public:
  struct Expected {
    std::string accept;
    std::vector<std::string> subprotocols;  // what was offered
    std::size_t header_size_max = 0;        // bytes, from the status line to the empty line
    std::uint32_t header_count_max = 0;
    DeflateSettings deflate;  // was offered if enabled
  };
  enum class State { reading, accepted, refused };

  explicit UpgradeResponse(Expected expected)
      : expected_(std::move(expected)), head_({expected_.header_size_max, expected_.header_count_max}) {}

  // Returns how many bytes belong to the head. What follows once the state is `accepted` are frames.
  std::size_t consume(const char* data, std::size_t size);

  State state() const { return state_; }
  bool has_begun() const { return head_.has_begun(); }
  // One of those offered; empty if none was.
  const std::string& subprotocol() const { return subprotocol_; }
  // What was agreed on for permessage-deflate, if the server takes it.
  const std::optional<DeflateAgreement>& deflate() const { return deflate_; }
  // Where a redirect (301, 302, 303, 307, 308) leads, as the server wrote it; empty if the answer is none, or names no
  // one place.
  const std::string& location() const { return location_; }
  // HANDSHAKE, SUBPROTOCOL or AUTH; code: the HTTP status; with what Retry-After asked for.
  const Failure& failure() const { return failure_; }

 private:
  void on_header(std::string_view name, std::string_view value);
  void on_end();
  void on_malformed();
  // The answer itself is malformed. When its status has already said no, that is the more useful news.
  void malformed(const std::string& what);
  bool read_extensions();
  void refuse(cwire_status status, std::string text);
  void refuse_by_status();

  Expected expected_;
  HttpHead head_;
  State state_ = State::reading;
  std::int32_t retry_after_s_ = -1;
  std::uint32_t upgrades_ = 0, connections_ = 0, accepts_ = 0, subprotocols_ = 0, locations_ = 0,
                extension_headers_ = 0;
  bool upgrade_right_ = false, connection_right_ = false, accept_right_ = false;
  std::string subprotocol_;
  std::string location_;
  std::string extensions_;
  std::optional<DeflateAgreement> deflate_;
  Failure failure_;
};

}  // namespace cwire
