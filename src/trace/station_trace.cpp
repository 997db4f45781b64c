#include "trace/station_trace.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/http_syntax.h"
#include "base/time.h"
#include "ocpp/proxy.h"
#include "trace/redaction.h"

namespace cwire {

using Kind = TraceRecord::Kind;

namespace {

// Whether the line that ends there goes on in the next (RFC 7230 3.2.4).
bool is_folded(std::string_view head, std::size_t end) {
  return end + 1 < head.size() && (head[end + 1] == ' ' || head[end + 1] == '\t');
}

}  // namespace

bool StationTrace::Header::take(std::string_view& from) {
  while (size < size_whole() && !from.empty()) {
    bytes[size++] = from.front();
    from.remove_prefix(1);
  }
  return size == size_whole();
}

std::size_t StationTrace::Header::size_whole() const {
  if (size < 2) return 2;
  const std::size_t length = bytes[1] & 0x7f;
  return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + ((bytes[1] & 0x80) != 0 ? 4 : 0);
}

std::uint64_t StationTrace::Header::payload_size() const {
  const std::size_t length = bytes[1] & 0x7f;
  if (length < 126) return length;
  std::uint64_t value = 0;
  for (std::size_t at = 2; at < (length == 126 ? 4u : 10u); ++at)
    value = value << 8 | static_cast<unsigned char>(bytes[at]);
  return value;
}

template <class Fill>
void StationTrace::add(Kind kind, Fill fill) noexcept {
  if (subject_ == nullptr) return file_.drop();
  try {
    TraceRecord record;
    record.subject = subject_;
    record.kind = kind;
    record.time_ns = wall_clock_ns();
    record.attempt = attempt_;
    record.connection = connection_;
    fill(record);
    file_.add(std::move(record));
  } catch (const std::bad_alloc&) {
    file_.drop();
  }
}

void StationTrace::begin(const Attempt& attempt_under_way) noexcept {
  attempt(attempt_under_way);
  add(Kind::trace_on, [](TraceRecord&) {});
}

void StationTrace::attempt(const Attempt& attempt) noexcept {
  attempt_ = attempt.number;
  connection_ = attempt.connection;
  subject_.reset();
  secret_headers_.clear();
  response_.clear();
  response_cut_ = false;
  try {
    for (const auto& header : attempt.settings.headers) secret_headers_.push_back(header.first);
    auto subject = std::make_shared<TraceSubject>();
    subject->station_id = attempt.station_id;
    subject->own = OwnSecrets(attempt.settings, attempt.proxy, attempt.station_id, attempt.path);
    subject_ = std::move(subject);
  } catch (...) {
    // Without it nothing can be shown: add() drops.
  }
}

void StationTrace::connecting(std::string_view where) noexcept {
  add(Kind::connecting, [&](TraceRecord& record) { record.text = where; });
}

void StationTrace::connected(std::uint64_t connection, std::string_view subprotocol) noexcept {
  connection_ = connection;
  add(Kind::connected, [&](TraceRecord& record) { record.text = subprotocol; });
}

void StationTrace::failed(cwire_status status, std::string_view reason) noexcept {
  add_response();
  add_end(Kind::failed, status, reason);
}

void StationTrace::lost(cwire_status status, std::string_view reason) noexcept {
  add_end(Kind::lost, status, reason);
  connection_ = 0;
}

void StationTrace::closed(cwire_status status, std::string_view reason) noexcept {
  add_end(Kind::closed, status, reason);
}

void StationTrace::end() noexcept {
  add(Kind::trace_off, [](TraceRecord&) {});
}

void StationTrace::add_end(Kind kind, cwire_status status, std::string_view reason) noexcept {
  add(kind, [&](TraceRecord& record) {
    record.status = status;
    record.text = reason;
  });
}

void StationTrace::on_observing(bool inside) noexcept {
  skips_ = inside;
  awaits_message_ = false;
  header_ = Header();
  control_payload_.clear();
}

void StationTrace::on_request(std::string_view head) noexcept { add_head(Kind::request, true, head); }

void StationTrace::on_response(std::string_view part, bool whole) noexcept {
  if (skips_) {
    skips_ = !whole;
    return;
  }
  try {
    response_.append(part);
  } catch (const std::bad_alloc&) {
    response_cut_ = true;
  }
  if (whole) add_response();
}

void StationTrace::add_response() noexcept {
  if (response_cut_) {
    file_.drop();
  } else if (!response_.empty()) {
    add_head(Kind::response, false, response_);
  }
  response_cut_ = false;
  std::string().swap(response_);
}

// The first line as it stands but for a query, then the headers, those that are folded in one. Redacted here and not by
// the writer, so that no copy of the credentials waits in a buffer.
void StationTrace::add_head(Kind kind, bool out, std::string_view head) noexcept {
  add(kind, [&](TraceRecord& record) {
    record.out = out;
    for (std::size_t at = 0; at < head.size();) {
      std::size_t end = std::min(head.find('\n', at), head.size());
      while (is_folded(head, end)) end = std::min(head.find('\n', end + 1), head.size());
      std::string_view line = head.substr(at, end - at);
      at = end + 1;
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.empty()) continue;
      if (record.lines.empty() && out) {
        // "GET /path?query HTTP/1.1"
        const std::size_t version = line.rfind(' ');
        record.lines.push_back(redact_query(line.substr(0, version)) + std::string(line.substr(version)));
        continue;
      }
      const std::string_view name = trimmed(line.substr(0, line.find(':')));
      const bool is_ours = std::any_of(secret_headers_.begin(), secret_headers_.end(),
                                       [name](const std::string& ours) { return equals_ignoring_case(ours, name); });
      record.lines.push_back(redact_header(line, is_ours, record.subject->own));
    }
  });
}

void StationTrace::on_frame_in(std::string_view bytes, bool ends) noexcept {
  if (skips_) {
    skips_ = !ends;
    return;
  }
  if (std::exchange(awaits_message_, false)) header_ = Header();
  if (header_.take(bytes) && header_.is_control()) {
    try {
      control_payload_.append(bytes);
    } catch (const std::bad_alloc&) {
      skips_ = !ends;
      header_ = Header();
      control_payload_.clear();
      return file_.drop();
    }
  }
  if (!ends) return;
  if (header_.is_control()) {
    add_frame_in(control_payload_, true, false);
  } else if (header_.is_last()) {
    awaits_message_ = true;  // and so does the header
    return;
  } else {
    add_frame_in({}, false, false);
  }
  header_ = Header();
  control_payload_.clear();
}

void StationTrace::on_message_in(std::string_view payload, bool binary) noexcept {
  if (!std::exchange(awaits_message_, false)) return;
  add_frame_in(payload, true, binary);
  header_ = Header();
}

void StationTrace::add_frame_in(std::string_view payload, bool has_payload, bool binary) noexcept {
  add(Kind::frame, [&](TraceRecord& record) {
    record.first_byte = static_cast<std::uint8_t>(header_.bytes[0]);
    record.size = header_.payload_size();
    record.has_payload = has_payload;
    record.binary = binary;
    record.text = payload;
  });
}

void StationTrace::on_refused(std::string_view rest, std::uint16_t close_code, const char* reason) noexcept {
  // Not what stands behind the header: it is part of a message that will never be whole.
  if (!skips_) header_.take(rest);
  add(Kind::refused, [&](TraceRecord& record) {
    record.header.assign(header_.bytes.data(), header_.size);
    record.close_code = close_code;
    record.text = reason;
  });
}

void StationTrace::on_frame_out(Opcode opcode, bool compressed, std::string_view payload,
                                std::uint64_t size_on_wire) noexcept {
  add(Kind::frame, [&](TraceRecord& record) {
    record.out = true;
    record.first_byte = static_cast<std::uint8_t>(0x80 | (compressed ? 0x40 : 0) | static_cast<std::uint8_t>(opcode));
    record.size = size_on_wire;
    record.has_payload = true;
    record.binary = opcode == Opcode::binary;
    record.text = payload;
  });
}

}  // namespace cwire
