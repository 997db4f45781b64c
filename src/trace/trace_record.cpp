#include "trace/trace_record.h"

#include "base/user_agent.h"
#include "trace/json_text.h"

namespace cwire {

namespace {

using Kind = TraceRecord::Kind;

// Grows when a reader would have to know.
constexpr int kFormat = 1;

const char* event_name(Kind kind) {
  switch (kind) {
    case Kind::trace_on:
      return "trace_on";
    case Kind::trace_off:
      return "trace_off";
    case Kind::connecting:
      return "connecting";
    case Kind::request:
      return "request";
    case Kind::response:
      return "response";
    case Kind::connected:
      return "connected";
    case Kind::frame:
      return "frame";
    case Kind::refused:
      return "refused";
    case Kind::failed:
      return "failed";
    case Kind::lost:
      return "lost";
    case Kind::closed:
      return "closed";
  }
  return "";
}

void append_name(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_name(out, name);
  append_json_string(out, text);
}

void append_number(std::string& out, std::string_view name, std::uint64_t number) {
  append_name(out, name);
  out += std::to_string(number);
}

void append_true(std::string& out, std::string_view name) {
  append_name(out, name);
  out += "true";
}

void begin(std::string& out, std::int64_t time_ns) {
  out += '{';
  append_name(out, "time");
  append_json_time(out, time_ns);
}

void end(std::string& out) { out += "}\n"; }

std::string opcode_name(std::uint8_t opcode) {
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::continuation:
      return "continuation";
    case Opcode::text:
      return "text";
    case Opcode::binary:
      return "binary";
    case Opcode::close:
      return "close";
    case Opcode::ping:
      return "ping";
    case Opcode::pong:
      return "pong";
  }
  return "reserved " + std::to_string(opcode);
}

void append_first_byte(std::string& out, std::uint8_t byte) {
  append_member(out, "opcode", opcode_name(byte & 0x0f));
  append_name(out, "fin");
  out += (byte & 0x80) != 0 ? "true" : "false";
  if ((byte & 0x40) != 0) append_true(out, "rsv1");
  if ((byte & 0x20) != 0) append_true(out, "rsv2");
  if ((byte & 0x10) != 0) append_true(out, "rsv3");
}

void append_head(std::string& out, const TraceRecord& record) {
  begin(out, record.time_ns);
  append_number(out, "sequence", record.sequence);
  append_member(out, "station", record.subject->station_id);
  if (record.connection != 0) {
    append_number(out, "connection", record.connection);
  } else if (record.attempt != 0) {
    append_number(out, "attempt", record.attempt);
  }
  append_member(out, "event", event_name(record.kind));
  if (record.kind != Kind::frame && record.kind != Kind::request && record.kind != Kind::response &&
      record.kind != Kind::refused) {
    return;
  }
  append_member(out, "direction", record.out ? "out" : "in");
}

void append_payload(std::string& out, const TraceRecord& record, RedactionRules rules) {
  const auto opcode = static_cast<Opcode>(record.first_byte & 0x0f);
  const bool is_control = opcode == Opcode::ping || opcode == Opcode::pong;
  std::string_view payload = record.text;
  if (opcode == Opcode::close) {
    if (payload.size() < 2) return;
    append_number(
        out, "code",
        static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 | static_cast<unsigned char>(payload[1]));
    payload.remove_prefix(2);
    if (payload.empty()) return;
  }
  const Redacted shown = redact_message(payload, record.binary || is_control, record.subject->own, rules);
  if (shown.withheld != nullptr) {
    append_member(out, "withheld", shown.withheld);
  } else if (opcode == Opcode::close) {
    append_member(out, "reason", shown.text);
  } else if (record.binary || is_control) {
    append_name(out, "payload_base64");
    append_json_base64(out, shown.text);
  } else {
    append_member(out, "payload", shown.text);
  }
  if (shown.changed && shown.withheld == nullptr) append_true(out, "redacted");
}

void append_frame_head(std::string& out, const TraceRecord& record) {
  append_first_byte(out, record.first_byte);
  append_number(out, "size", record.size);
  if (record.has_payload && record.text.size() != record.size) append_number(out, "message_size", record.text.size());
}

void append_rest(std::string& out, const TraceRecord& record, RedactionRules rules) {
  switch (record.kind) {
    case Kind::trace_on:
    case Kind::trace_off:
      return;
    case Kind::connecting:
      return append_member(out, "url", record.text);
    case Kind::request:
    case Kind::response:
      append_name(out, "head");
      out += '[';
      for (const std::string& line : record.lines) {
        if (out.back() != '[') out += ',';
        append_json_string(out, line);
      }
      out += ']';
      return;
    case Kind::connected:
      return append_member(out, "subprotocol", record.text);
    case Kind::frame:
      append_frame_head(out, record);
      if (record.has_payload) append_payload(out, record, rules);
      return;
    case Kind::refused:
      if (!record.header.empty()) append_first_byte(out, static_cast<std::uint8_t>(record.header[0]));
      append_name(out, "header_hex");
      append_json_hex(out, record.header);
      append_number(out, "code", record.close_code);
      return append_member(out, "reason", record.text);
    case Kind::failed:
    case Kind::lost:
    case Kind::closed:
      append_member(out, "status", cwire_status_name(record.status));
      return append_member(out, "reason", record.text);
  }
}

}  // namespace

std::size_t TraceRecord::weight() const {
  std::size_t bytes = sizeof *this + text.size() + header.size();
  for (const std::string& line : lines) bytes += sizeof line + line.size();
  return bytes;
}

void append_trace_line(std::string& out, const TraceRecord& record, RedactionRules rules) {
  append_head(out, record);
  append_rest(out, record, rules);
  end(out);
}

void append_trace_line_without_payload(std::string& out, const TraceRecord& record, std::string_view why) {
  append_head(out, record);
  if (record.kind == Kind::frame) append_frame_head(out, record);
  append_member(out, "withheld", why);
  end(out);
}

void append_dropped_line(std::string& out, std::int64_t time_ns, std::uint64_t count, std::string_view why) {
  begin(out, time_ns);
  append_member(out, "event", "dropped");
  append_number(out, "dropped", count);
  append_member(out, "reason", why);
  end(out);
}

void append_first_line(std::string& out, std::int64_t time_ns) {
  begin(out, time_ns);
  append_member(out, "event", "file");
  append_number(out, "format", kFormat);
  append_member(out, "library", kUserAgent);
  end(out);
}

}  // namespace cwire
