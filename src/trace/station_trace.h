#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.h"
#include "protocol/frame_observer.h"
#include "trace/trace_file.h"

namespace cwire {

struct Proxy;

// What is traced of one station, from when it was asked for until it is not wanted any more. Made on the caller's
// thread, where it may fail; all else on the station's I/O thread, where nothing does: what finds no memory is dropped,
// and counted.
class StationTrace final : public FrameObserver {
 public:
  explicit StationTrace(TraceFile::Hold file) : file_(std::move(file)) {}

  // The attempt that begins, or that is under way when the trace begins; `connection`: the number of what came of it,
  // 0 if nothing has yet.
  struct Attempt {
    std::string_view station_id;
    const Settings& settings;
    const Proxy* proxy;
    std::string_view path;  // of the URL, with its query
    std::uint64_t number;
    std::uint64_t connection;
  };
  void begin(const Attempt& attempt) noexcept;       // the trace itself
  void attempt(const Attempt& attempt) noexcept;     // another attempt
  void connecting(std::string_view where) noexcept;  // without secrets
  void connected(std::uint64_t connection, std::string_view subprotocol) noexcept;
  void failed(cwire_status status, std::string_view reason) noexcept;
  void lost(cwire_status status, std::string_view reason) noexcept;
  void closed(cwire_status status, std::string_view reason) noexcept;
  void end() noexcept;  // nobody wants it any more

  void on_observing(bool inside) noexcept override;
  void on_request(std::string_view head) noexcept override;
  void on_response(std::string_view part, bool whole) noexcept override;
  void on_frame_in(std::string_view bytes, bool ends) noexcept override;
  void on_message_in(std::string_view payload, bool binary) noexcept override;
  void on_refused(std::string_view rest, std::uint16_t close_code, const char* reason) noexcept override;
  void on_frame_out(Opcode opcode, bool compressed, std::string_view payload,
                    std::uint64_t size_on_wire) noexcept override;

 private:
  // The most that a frame's header has (RFC 6455 5.2), mask included.
  static constexpr std::size_t kHeaderMax = 14;

  // The bytes of the header of the frame that is coming in.
  struct Header {
    std::array<char, kHeaderMax> bytes{};
    std::size_t size = 0;

    // Takes what belongs to it off the front. True: it is complete.
    bool take(std::string_view& from);
    std::size_t size_whole() const;  // as far as is known
    std::uint64_t payload_size() const;
    bool is_control() const { return (bytes[0] & 0x08) != 0; }
    bool is_last() const { return (bytes[0] & 0x80) != 0; }
  };

  template <class Fill>
  void add(TraceRecord::Kind kind, Fill fill) noexcept;
  void add_end(TraceRecord::Kind kind, cwire_status status, std::string_view reason) noexcept;
  void add_head(TraceRecord::Kind kind, bool out, std::string_view head) noexcept;
  void add_frame_in(std::string_view payload, bool has_payload, bool binary) noexcept;
  void add_response() noexcept;

  TraceFile::Hold file_;
  std::shared_ptr<const TraceSubject> subject_;  // null: there was no memory for it
  std::vector<std::string> secret_headers_;      // their names
  std::uint64_t attempt_ = 0;
  std::uint64_t connection_ = 0;
  std::string response_;
  bool response_cut_ = false;
  bool skips_ = false;           // to the end of a frame, or a response, whose beginning was not seen
  bool awaits_message_ = false;  // that the frame which has come in completes
  Header header_;
  std::string control_payload_;
};

}  // namespace cwire
