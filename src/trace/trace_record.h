#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ocpp/own_secrets.h"
#include "protocol/frame.h"
#include "trace/redaction.h"

namespace cwire {

// Whose records these are, and what must not be seen in them. Shared by the records of one attempt and what comes of
// it.
struct TraceSubject {
  std::string station_id;
  OwnSecrets own;
};

// One thing that happened, as the I/O thread notes it; what it looks like in the file is the writer's business.
struct TraceRecord {
  enum class Kind : std::uint8_t {
    trace_on,    // from here on
    trace_off,   // nothing of this station follows
    connecting,  // text: where to
    request,     // lines: the upgrade, redacted
    response,    // likewise
    connected,   // text: the subprotocol
    frame,
    refused,  // text: why; header: of the frame. close_code: what we answer
    failed,   // an attempt: status, text
    lost,     // a connection: status, text
    closed    // the station has ended: text
  };

  std::shared_ptr<const TraceSubject> subject;
  Kind kind = Kind::frame;
  std::int64_t time_ns = 0;
  std::uint64_t attempt = 0;     // counted from 1 over the life of the station
  std::uint64_t connection = 0;  // as CONNECTED counts; 0: not connected
  std::string text;              // of a frame: the payload of the message that it completes, or its own
  std::vector<std::string> lines;
  std::string header;  // bytes
  cwire_status status = CWIRE_OK;
  std::uint16_t close_code = 0;

  // Of a frame.
  bool out = false;
  std::uint8_t first_byte = 0;  // FIN, RSV1 to RSV3 and the opcode
  std::uint64_t size = 0;       // of its payload on the wire
  bool has_payload = false;     // a fragment that is not the last has none: only the whole message can be judged
  bool binary = false;          // the message is

  // Set by TraceFile.
  std::uint64_t sequence = 0;
  std::uint64_t dropped_before = 0;

  // Bytes that it holds, nearly.
  std::size_t weight() const;
};

// Appends the record as one line of JSON.
void append_trace_line(std::string& out, const TraceRecord& record, RedactionRules rules);
// The same, without the payload.
void append_trace_line_without_payload(std::string& out, const TraceRecord& record, std::string_view why);
// What stands in for records that are not there.
void append_dropped_line(std::string& out, std::int64_t time_ns, std::uint64_t count, std::string_view why);
// What each file begins with.
void append_first_line(std::string& out, std::int64_t time_ns);

}  // namespace cwire
