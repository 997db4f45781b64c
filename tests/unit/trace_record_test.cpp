#include "trace/trace_record.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "ocpp/utf8.h"
#include "trace/json_text.h"

using namespace cwire;
using nlohmann::json;

namespace {

TraceRecord frame(std::uint8_t first_byte, std::string payload) {
  auto subject = std::make_shared<TraceSubject>();
  subject->station_id = "CP1";
  TraceRecord record;
  record.subject = subject;
  record.first_byte = first_byte;
  record.size = payload.size();
  record.has_payload = true;
  record.text = std::move(payload);
  record.time_ns = 1764130171000000001;
  record.connection = 3;
  record.sequence = 7;
  return record;
}

json line_of(const TraceRecord& record) {
  std::string line;
  append_trace_line(line, record, {});
  REQUIRE(line.find('\n') == line.size() - 1);
  return json::parse(line);
}

}  // namespace

TEST_CASE("trace: the fields of a frame") {
  const json text = line_of(frame(0x81, "[3,\"1\",{}]"));
  CHECK(text == json::parse(R"({"time":"2025-11-26T04:09:31.000000001Z","sequence":7,"station":"CP1","connection":3,
    "event":"frame","direction":"in","opcode":"text","fin":true,"size":10,"payload":"[3,\"1\",{}]"})"));
  TraceRecord last = frame(0x80, "whole message");
  last.size = 4;
  CHECK(line_of(last)["message_size"] == 13);
  TraceRecord first = frame(0x01, "");
  first.has_payload = false;
  first.size = 9;
  CHECK(line_of(first)["fin"] == false);
  CHECK_FALSE(line_of(first).contains("payload"));
  TraceRecord binary = frame(0xc2, std::string("\0\1\2\xff", 4));
  binary.binary = true;
  CHECK(line_of(binary)["payload_base64"] == "AAEC/w==");
  CHECK(line_of(binary)["rsv1"] == true);
  CHECK(line_of(frame(0x89, "pi"))["payload_base64"] == "cGk=");
  const json close = line_of(frame(0x88, "\x03\xe8 bye"));
  CHECK(close["code"] == 1000);
  CHECK(close["reason"] == " bye");
  CHECK_FALSE(line_of(frame(0x88, "")).contains("code"));
  const json secret = line_of(frame(0x81, R"({"password":"x"})"));
  CHECK(secret["payload"] == R"({"password":"***"})");
  CHECK(secret["redacted"] == true);
  CHECK(line_of(frame(0x81, "password x"))["withheld"].is_string());
}

TEST_CASE("trace: whatever the bytes, a record is one line of valid JSON") {
  std::mt19937 random(20261126);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 40, '\0');
    // Of few kinds, so that there is something of everything: UTF-8 and what looks like it, JSON, control characters.
    static const char kLikely[] = "\"\\{}[]:,u0041d8\n\r\t\x7f\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\xed\xa0\x80password";
    for (char& byte : bytes)
      byte = random() % 3 == 0 ? static_cast<char>(random()) : kLikely[random() % (sizeof kLikely - 1)];
    TraceRecord record = frame(static_cast<std::uint8_t>(random()), bytes);
    record.kind = static_cast<TraceRecord::Kind>(random() % 11);
    record.binary = random() % 2 == 0;
    record.header = bytes.substr(0, 14);
    record.lines = {bytes, bytes};
    CAPTURE(bytes);
    const json line = line_of(record);  // throws if it is none, and in invalid UTF-8 too
    if (line.contains("payload") && is_utf8(bytes) && !line.contains("redacted")) CHECK(line["payload"] == bytes);
  }
}

TEST_CASE("trace: bytes that are no UTF-8 become U+FFFD") {
  std::string out;
  append_json_string(out, "a\xff\x80z");
  CHECK(out == "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}
