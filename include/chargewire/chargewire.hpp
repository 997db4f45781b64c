// Chargewire for C++17 and newer: RAII, std::string_view, std::chrono, typed options and statuses, exceptions.
// Everything here is inline and becomes part of your program, so it may be compiled with another compiler and standard
// library than the library was.
//
//     using namespace std::chrono_literals;
//     chargewire::Config config;
//     config.protocol({chargewire::Protocol::v2_0_1, chargewire::Protocol::v1_6}).ping_interval(20s);
//     chargewire::Manager manager(config, [](const chargewire::Event& event) {
//       if (event.type() == chargewire::EventType::message) std::cout << event.data() << '\n';
//     });
//     chargewire::Station station = manager.connect("CP001", "ws://localhost:9000");
//     station.wait(10s);
//     station.send(R"([2,"1","Heartbeat",{}])");
//
// What holds everywhere:
//
// Threads. Any function may be called from any thread, at any time, also inside a handler; nothing blocks but what says
// so. To assign, move or destroy an object while another thread uses that object is a race, as with any C++ object.
// Events of one station arrive in order and never concurrently; between stations there is no order.
//
// Statuses. A status that is an error is thrown as Error, which has it as a number and as one line for people. Each
// function names those it is likely to give; all may give no_memory, and invalid_handle when what they are called on
// has ended or was moved from. What returns a Status itself, and destructors, throw nothing.
//
// Text goes in and comes out as UTF-8. What goes in is copied. What comes out as std::string_view is lent by the object
// that it came from, or is static. Text with a NUL in it is refused with invalid_argument, but in messages.
//
// chargewire.h holds the threading contract in nine rules, and says in full what each call does.
#ifndef CHARGEWIRE_CHARGEWIRE_HPP
#define CHARGEWIRE_CHARGEWIRE_HPP

#include <chargewire/chargewire.h>

#include <atomic>
#include <chargewire/enums.hpp>
#include <chargewire/options.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace chargewire {

// ---- Names and numbers

// The library's version, "0.1.0"; CWIRE_VERSION_MAJOR and its fellows tell the header's. Static.
inline std::string_view version() noexcept { return cwire_version(); }
// The library's; CWIRE_ABI_VERSION is the header's. A library whose number is the larger serves this header.
inline std::uint32_t abi_version() noexcept { return cwire_abi_version(); }

// "CWIRE_E_DIAL". Static.
inline std::string_view name(Status status) noexcept { return cwire_status_name(static_cast<cwire_status>(status)); }
// "reconnecting". Static.
inline std::string_view name(State state) noexcept { return cwire_state_name(static_cast<std::int32_t>(state)); }
// "tls". Static.
inline std::string_view name(Phase phase) noexcept { return cwire_phase_name(static_cast<std::int32_t>(phase)); }
// "good". Static.
inline std::string_view name(Quality quality) noexcept {
  return cwire_quality_name(static_cast<std::int32_t>(quality));
}
// What OCPP calls it, "InvalidCsmsCertificate"; in another version, if that is the subprotocol that CONNECTED brought,
// "ocpp1.6". "" for none. Static.
inline std::string_view name(SecurityEvent event, const char* subprotocol = nullptr) noexcept {
  return cwire_security_event_name(static_cast<std::int32_t>(event), subprotocol);
}

// True for success: ok, and numbers above it.
constexpr bool succeeded(Status status) noexcept { return static_cast<cwire_status>(status) >= 0; }

constexpr Flags operator|(Flags a, Flags b) noexcept {
  return static_cast<Flags>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr Flags operator&(Flags a, Flags b) noexcept {
  return static_cast<Flags>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}

// A call failed. what() is one line for people: what happened, to which station, why, what to do; never a secret.
// status() is what to switch on.
class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

// A moment by the wall clock.
using Time = std::chrono::system_clock::time_point;

namespace detail {

inline Time time(std::int64_t ns) noexcept {
  return Time(std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds(ns)));
}
// 0 is never.
inline std::optional<Time> time_if_any(std::int64_t ns) noexcept {
  if (ns == 0) return std::nullopt;
  return time(ns);
}

inline cwire_error no_error() noexcept {
  cwire_error error = CWIRE_ERROR_INIT;
  return error;
}

// For calls that give a status alone.
[[noreturn]] inline void fail(Status status, const std::string& call) {
  throw Error(status, call + ": " + std::string(name(status)) + ": " + text(status));
}

inline cwire_status check(cwire_status status, const char* call) {
  if (status < 0) fail(static_cast<Status>(status), call);
  return status;
}

inline void check(cwire_status status, const char* call, const cwire_error& error) {
  if (status < 0 && error.message[0] != '\0') throw Error(static_cast<Status>(status), error.message);
  check(status, call);
}

// Text for the C ABI ends at its first NUL. One inside would cut it off unseen, so it is refused, as the library does
// elsewhere.
class Text {
 public:
  Text(std::string_view text, const char* what) : text_(text) {
    if (text.find('\0') != std::string_view::npos) {
      throw Error(Status::invalid_argument, std::string(what) + " has a NUL in it; remove it");
    }
  }
  const char* get() const noexcept { return text_.c_str(); }
  // Null where the C ABI has a default for what is not given.
  const char* get_if_any() const noexcept { return text_.empty() ? nullptr : text_.c_str(); }

 private:
  std::string text_;
};

// Milliseconds for the C ABI. Anything negative is "for ever"; what is longer than the ABI can say (24 days) is cut to
// that.
inline std::int32_t milliseconds(std::chrono::milliseconds time) noexcept {
  if (time.count() < 0) return -1;
  if (time.count() > std::numeric_limits<std::int32_t>::max()) return std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(time.count());
}

// Reads however many there are. Some may be added between two looks, hence the loop.
template <class Element, class Read>
std::vector<Element> all(Read read, const char* call) {
  using Raw = std::remove_reference_t<decltype(std::declval<Element&>().raw())>;
  static_assert(sizeof(Element) == sizeof(Raw) && std::is_standard_layout_v<Element>,
                "an array of one is one of the other");
  std::vector<Element> elements;
  for (std::size_t count = 0;;) {
    const cwire_status status = read(reinterpret_cast<Raw*>(elements.data()), elements.size(), &count);
    if (status != CWIRE_E_TOO_BIG) check(status, call);
    const bool complete = count <= elements.size();
    elements.resize(complete ? count : count + count / 16);
    if (complete) return elements;
  }
}

// A token and the function that gives it back.
template <class Token, cwire_status (*Free)(Token)>
class Owner {
 public:
  Owner() noexcept = default;
  Owner(Owner&& other) noexcept : token_(std::exchange(other.token_, nullptr)) {}
  Owner& operator=(Owner&& other) noexcept {
    Owner(std::move(other)).swap(*this);
    return *this;
  }
  ~Owner() {
    if (token_ != nullptr) Free(token_);
  }
  Token get() const noexcept { return token_; }
  Token* out() noexcept { return &token_; }  // for a call that gives a token; only while empty
  void swap(Owner& other) noexcept { std::swap(token_, other.token_); }

 private:
  Token token_ = nullptr;
};

// A text of which the library says how long it is; it may be longer the next time. `begin_with`: how long it hardly is.
template <class Read>  // cwire_status(char* buffer, std::size_t capacity, std::size_t* needed)
std::string text_of(Read read, std::size_t begin_with, const std::string& what) {
  std::string text(begin_with, '\0');
  for (;;) {
    std::size_t needed = 0;
    const cwire_status status = read(text.data(), text.size() + 1, &needed);
    if (status == CWIRE_E_TOO_BIG) {
      text.resize(needed + needed / 16);
      continue;
    }
    if (status < 0) fail(static_cast<Status>(status), what);
    text.resize(needed - 1);
    return text;
  }
}

}  // namespace detail

// ---- What is known of stations

// Why an attempt failed or a connection was lost, for programs. A value: it stays when the event has gone.
class Failure {
 public:
  explicit Failure(const cwire_failure& failure) noexcept : raw_(failure) {}

  Status status() const noexcept { return static_cast<Status>(raw_.status); }  // what failed, in one word
  Phase phase() const noexcept { return static_cast<Phase>(raw_.phase); }      // what the connection was doing
  std::int32_t os_error() const noexcept { return raw_.os_error; }             // errno, or 0
  std::int32_t x509_error() const noexcept { return raw_.x509_error; }         // X509_V_ERR_* of OpenSSL, or 0
  std::int32_t http_status() const noexcept { return raw_.http_status; }       // of the CSMS or the proxy, or 0
  std::int32_t close_code() const noexcept { return raw_.close_code; }  // RFC 6455 7.4: the peer's, ours, 1006, or 0
  // With the first of a row of such failures only.
  SecurityEvent security_event() const noexcept { return static_cast<SecurityEvent>(raw_.security_event); }
  // Flags::will_retry, Flags::remote, Flags::needs_action.
  bool has(Flags flag) const noexcept { return (static_cast<Flags>(raw_.flags) & flag) == flag; }
  Time time() const noexcept { return detail::time(raw_.time_ns); }
  // When the next attempt is due, if one is; it may begin later.
  std::optional<Time> retry_at() const noexcept { return detail::time_if_any(raw_.retry_at_ns); }

  const cwire_failure& raw() const noexcept { return raw_; }

 private:
  cwire_failure raw_;
};

// What a station did since it was connected for the first time. A value; counters never go back.
class Stats {
 public:
  Stats() noexcept : raw_() { raw_.size = sizeof raw_; }

  std::string_view station_id() const noexcept { return raw_.station_id; }  // lent by this object
  State state() const noexcept { return static_cast<State>(raw_.state); }

  std::optional<Time> connected_at() const noexcept { return detail::time_if_any(raw_.connected_at_ns); }
  std::optional<Time> disconnected_at() const noexcept { return detail::time_if_any(raw_.disconnected_at_ns); }
  std::optional<Time> last_message_at() const noexcept {
    return detail::time_if_any(raw_.last_message_at_ns);
  }                                                                                      // received
  std::uint64_t connections() const noexcept { return raw_.connections; }                // established so far
  std::uint64_t reconnect_attempts() const noexcept { return raw_.reconnect_attempts; }  // all attempts but the first

  std::uint64_t messages_sent() const noexcept { return raw_.messages_sent; }          // taken by the kernel
  std::uint64_t messages_received() const noexcept { return raw_.messages_received; }  // whole ones
  std::uint64_t bytes_sent() const noexcept { return raw_.bytes_sent; }                // payload, without frame headers
  std::uint64_t bytes_received() const noexcept { return raw_.bytes_received; }        // likewise
  std::uint64_t messages_not_sent() const noexcept {
    return raw_.messages_not_sent;
  }  // accepted, then reported as not sent
  std::uint64_t messages_dropped() const noexcept { return raw_.messages_dropped; }  // of those: by a full queue
  std::uint64_t queued_messages() const noexcept {
    return raw_.queued_messages;
  }                                                                          // accepted, not yet taken by the kernel
  std::uint64_t queued_bytes() const noexcept { return raw_.queued_bytes; }  // of those
  std::uint64_t offline_messages() const noexcept { return raw_.offline_messages; }  // of those: in the offline queue
  std::uint64_t offline_bytes() const noexcept { return raw_.offline_bytes; }        // of those
  std::uint64_t reading_pauses() const noexcept { return raw_.reading_pauses; }      // because you were slow to poll

  // From a ping to its pong, the last time; 0 before the first.
  std::chrono::nanoseconds round_trip() const noexcept { return std::chrono::nanoseconds(raw_.round_trip_ns); }
  // SRTT and RTTVAR of RFC 6298 over the pongs of a connection: of the last one until there is a pong of the present; 0
  // before the first.
  std::chrono::nanoseconds round_trip_smoothed() const noexcept {
    return std::chrono::nanoseconds(raw_.round_trip_smoothed_ns);
  }
  std::chrono::nanoseconds round_trip_variation() const noexcept {
    return std::chrono::nanoseconds(raw_.round_trip_variation_ns);
  }
  // The smallest of the last five to six minutes; 0 if there was none.
  std::chrono::nanoseconds round_trip_min() const noexcept { return std::chrono::nanoseconds(raw_.round_trip_min_ns); }
  // How much the round trip changes from pong to pong, smoothed as in RFC 3550 6.4.1.
  std::chrono::nanoseconds jitter() const noexcept { return std::chrono::nanoseconds(raw_.jitter_ns); }
  // For how long the ping that is out has waited for its pong; 0: none is out.
  std::chrono::nanoseconds pong_awaited() const noexcept { return std::chrono::nanoseconds(raw_.pong_awaited_ns); }
  // When bytes of the peer came for the last time on a connection: its last proof of life.
  std::optional<Time> last_alive_at() const noexcept { return detail::time_if_any(raw_.last_alive_at_ns); }
  // By the rule that chargewire.h has at CWIRE_QUALITY_NONE.
  Quality quality() const noexcept { return static_cast<Quality>(raw_.quality); }
  std::uint64_t flaps() const noexcept { return raw_.flaps; }  // connections that ended without being asked to
  std::uint64_t flaps_last_hour() const noexcept { return raw_.flaps_last_hour; }  // of those: of 60 to 65 minutes

  // How long the present or last connection took to make, from dialling to the accepted upgrade, and of that each part,
  // a Phase each; 0 for a part that it did not have.
  std::chrono::nanoseconds handshake() const noexcept { return std::chrono::nanoseconds(raw_.handshake_ns); }
  std::chrono::nanoseconds handshake_resolve() const noexcept {
    return std::chrono::nanoseconds(raw_.handshake_resolve_ns);
  }
  std::chrono::nanoseconds handshake_tcp() const noexcept { return std::chrono::nanoseconds(raw_.handshake_tcp_ns); }
  std::chrono::nanoseconds handshake_proxy() const noexcept {
    return std::chrono::nanoseconds(raw_.handshake_proxy_ns);
  }
  std::chrono::nanoseconds handshake_tls() const noexcept { return std::chrono::nanoseconds(raw_.handshake_tls_ns); }
  std::chrono::nanoseconds handshake_http() const noexcept { return std::chrono::nanoseconds(raw_.handshake_http_ns); }

  // permessage-deflate was agreed on for the present or last connection.
  bool compressed() const noexcept { return raw_.compressed != 0; }
  // bytes_sent and bytes_received as they stood in frames: less where messages were compressed.
  std::uint64_t wire_bytes_sent() const noexcept { return raw_.wire_bytes_sent; }
  std::uint64_t wire_bytes_received() const noexcept { return raw_.wire_bytes_received; }

  // Of the last failed attempt or lost connection; ok, "" and nothing if there was none.
  Status last_error() const noexcept { return static_cast<Status>(raw_.last_error); }
  std::string_view last_error_message() const noexcept { return raw_.last_error_message; }  // lent by this object
  std::optional<Failure> last_failure() const noexcept {
    if (raw_.last_failure.status == CWIRE_OK) return std::nullopt;
    return Failure(raw_.last_failure);
  }

  cwire_stats& raw() noexcept { return raw_; }
  const cwire_stats& raw() const noexcept { return raw_; }

 private:
  cwire_stats raw_;
};

// Scheme, host and port where stations of a manager connect, and how the manager's governor paces them. A value.
class Endpoint {
 public:
  Endpoint() noexcept : raw_() { raw_.size = sizeof raw_; }

  std::string_view name() const noexcept { return raw_.name; }  // "wss://csms.example:443"; lent by this object
  Breaker breaker() const noexcept { return static_cast<Breaker>(raw_.breaker); }
  std::uint32_t handshakes() const noexcept { return raw_.handshakes; }              // attempts under way
  std::uint32_t handshakes_limit() const noexcept { return raw_.handshakes_limit; }  // how many may be at the moment
  // Stations that wait for their turn to dial, by csms.priority.
  std::uint32_t waiting_high() const noexcept { return raw_.waiting_high; }
  std::uint32_t waiting_normal() const noexcept { return raw_.waiting_normal; }
  std::uint32_t waiting_low() const noexcept { return raw_.waiting_low; }
  std::uint32_t attempts() const noexcept { return raw_.attempts; }  // that ended within governor.breaker_window
  std::uint32_t failures() const noexcept { return raw_.failures; }  // of them; and connections lost at once
  // Of a breaker that is open: when the first station may try again.
  std::optional<Time> opens_at() const noexcept { return detail::time_if_any(raw_.opens_at_ns); }

  cwire_endpoint& raw() noexcept { return raw_; }
  const cwire_endpoint& raw() const noexcept { return raw_; }

 private:
  cwire_endpoint raw_;
};

// How many stations are connected, and how many are known, those that gave up included.
struct Counts {
  std::size_t connected = 0;
  std::size_t total = 0;
};

// ---- Configuration

// A set of options: typed ones, of which options.hpp has the list, by key, and from YAML. Copies are independent, and
// whoever takes one copies it, so it may be changed or destroyed right after. docs/configuration.md tells of the keys.
class Config : public Options<Config> {
 public:
  // All defaults.
  Config() { detail::check(cwire_config_new(token_.out()), "a new configuration"); }
  Config(const Config& other) {
    detail::check(cwire_config_copy(other.get(), token_.out()), "a copy of a configuration");
  }
  Config(Config&&) noexcept = default;
  Config& operator=(const Config& other) {
    if (this != &other) *this = Config(other);
    return *this;
  }
  Config& operator=(Config&&) noexcept = default;
  ~Config() = default;  // cleanses its passwords and tokens

  // All options as JSON: key, type, default, range, description. Static.
  static std::string_view schema() noexcept { return cwire_config_schema(); }

  // Reads YAML from a file. `${NAME}` in a value is replaced by the environment variable NAME. Throws config, and then
  // nothing is changed.
  Config& load_file(std::string_view path) {
    cwire_error error = detail::no_error();
    const detail::Text path_text(path, "the path of a configuration file");
    detail::check(cwire_config_load_file(get(), path_text.get(), &error), "load_file", error);
    return *this;
  }
  // The same from memory.
  Config& load_yaml(std::string_view yaml) {
    cwire_error error = detail::no_error();
    // An empty view may have no address, which the C ABI would take for a mistake.
    detail::check(cwire_config_load_yaml(get(), yaml.empty() ? "" : yaml.data(), yaml.size(), &error), "load_yaml",
                  error);
    return *this;
  }

  // Sets one option by its dotted key: "csms.ping_interval", "30s". Throws config, and then nothing is changed.
  Config& set(std::string_view key, std::string_view value) {
    cwire_error error = detail::no_error();
    const detail::Text key_text(key, "the key of an option");
    const detail::Text value_text(value, "the value of an option");
    detail::check(cwire_config_set(get(), key_text.get(), value_text.get(), &error), "set", error);
    return *this;
  }
  // An option's value as text. Secrets read as "***". Throws config for a key that is unknown.
  std::string get(std::string_view key) const {
    const detail::Text key_text(key, "the key of an option");
    return detail::text_of(
        [&](char* buffer, std::size_t capacity, std::size_t* needed) {
          return cwire_config_get(get(), key_text.get(), buffer, capacity, needed);
        },
        63, std::string("no value for \"") + key_text.get() + '"');
  }

  // The token, for calls of the C ABI; owned by this object.
  cwire_config get() const noexcept { return token_.get(); }
  // The same for calls that take NULL for "all defaults", which one that was moved from must not turn into: throws
  // Status::invalid_handle.
  cwire_config given() const {
    if (get() == nullptr)
      throw Error(Status::invalid_handle, "this Config was moved from; give the one that it went to");
    return get();
  }

 private:
  detail::Owner<cwire_config, cwire_config_free> token_;
};

// ---- Station

// One station's connection. A small value, to be copied freely and kept for as long as you like: it owns nothing, and
// one that has ended (its CLOSED was delivered) answers with invalid_handle. A default-constructed one is no station.
class Station {
 public:
  Station() noexcept = default;
  explicit Station(cwire_station token) noexcept : token_(token) {}

  cwire_station get() const noexcept { return token_; }
  explicit operator bool() const noexcept { return token_ != nullptr; }
  friend bool operator==(Station a, Station b) noexcept { return a.token_ == b.token_; }
  friend bool operator!=(Station a, Station b) noexcept { return a.token_ != b.token_; }

  // Sends one message, text unless flags say Flags::binary: copies it, and never blocks. ok: it will be sent, or
  // reported as not sent by a SENT event with this tag; with Flags::report one comes in any case. Else queue_full (go
  // on after WRITABLE), not_established, too_big, invalid_handle, invalid_argument, no_memory: nothing was accepted.
  Status try_send(std::string_view message, Flags flags = Flags{}, std::uint64_t tag = 0) const noexcept {
    return static_cast<Status>(
        cwire_station_send(token_, message.data(), message.size(), static_cast<std::uint32_t>(flags), tag));
  }
  // The same, for those who take a full queue for an error. Throws what try_send returns.
  void send(std::string_view message, Flags flags = Flags{}, std::uint64_t tag = 0) const {
    const Status status = try_send(message, flags, tag);
    if (!succeeded(status)) detail::fail(status, "send");
  }

  // Blocks until connected, for at most `timeout` (negative: without limit). Throws why it is not: timeout, closed, or
  // the status of the last failure if the station gave up. Throws state on an I/O thread, inside a handler for example.
  void wait(std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) const {
    cwire_error error = detail::no_error();
    detail::check(cwire_station_wait(token_, detail::milliseconds(timeout), &error), "wait", error);
  }

  // Throws invalid_handle.
  State state() const {
    std::int32_t state = 0;
    detail::check(cwire_station_state(token_, &state), "state");
    return static_cast<State>(state);
  }
  // Throws invalid_handle; Manager::stats still knows a station that gave up.
  Stats stats() const {
    Stats stats;
    detail::check(cwire_station_stats(token_, &stats.raw()), "stats");
    return stats;
  }

  // Changes how the station connects: the options that `overrides` sets explicitly, and its URL unless that is empty.
  // Live options act at once, the others with the next attempt, which Reconfigure::reconnect makes begin now. Files of
  // passwords, certificates and keys are read again. Returns at once. Throws config, tls, invalid_argument, state.
  void reconfigure(const Config& overrides, std::string_view url = {}, Reconfigure how = Reconfigure{}) const {
    reconfigure(overrides.given(), url, how);
  }
  // The same without options: another URL, or renewed files.
  void reconfigure(std::string_view url = {}, Reconfigure how = Reconfigure{}) const { reconfigure(nullptr, url, how); }

  // Ends the station: sends what is queued, then a close frame, within csms.close_timeout; never reconnects. The code
  // is 1000, 1001, 3000 to 4999, or 0 for 1000; the reason has at most 123 bytes. Returns at once; CLOSED follows. The
  // first call's code and reason count. Throws invalid_handle, invalid_argument.
  void disconnect(std::uint16_t close_code = 0, std::string_view reason = {}) const {
    const detail::Text reason_text(reason, "the close reason");
    detail::check(cwire_station_disconnect(token_, close_code, reason_text.get_if_any()), "disconnect");
  }

 private:
  void reconfigure(cwire_config overrides, std::string_view url, Reconfigure how) const {
    const detail::Text url_text(url, "the URL");
    cwire_error error = detail::no_error();
    detail::check(
        cwire_station_reconfigure(token_, url_text.get_if_any(), overrides, static_cast<std::uint32_t>(how), &error),
        "reconfigure", error);
  }

  cwire_station token_ = nullptr;
};

// One message of send_many. `message` is lent until that call has returned.
class Outgoing {
 public:
  Outgoing(Station station, std::string_view message, Flags flags = Flags{}, std::uint64_t tag = 0) noexcept : raw_() {
    raw_.size = sizeof raw_;
    raw_.station = station.get();
    raw_.data = message.data();
    raw_.data_size = message.size();
    raw_.tag = tag;
    raw_.flags = static_cast<std::uint32_t>(flags);
  }

  // What became of it, as Station::try_send would return.
  Status status() const noexcept { return static_cast<Status>(raw_.status); }

  const cwire_outgoing& raw() const noexcept { return raw_; }

 private:
  cwire_outgoing raw_;
};

// Sends all, to one or many stations, in order, in one call, and returns how many were accepted; each one's status()
// says which. That some were not is no exception.
inline std::size_t send_many(std::vector<Outgoing>& messages) {
  static_assert(sizeof(Outgoing) == sizeof(cwire_outgoing) && std::is_standard_layout_v<Outgoing>,
                "an array of one is one of the other");
  std::size_t accepted = 0;
  cwire_station_send_many(reinterpret_cast<cwire_outgoing*>(messages.data()), messages.size(), &accepted);
  return accepted;
}

// ---- Events

// A look at one event. It and all that it lends live until the handler returns, or until the next Manager::poll or the
// end of the manager. What code(), tag() and data() mean by type says the table in chargewire.h.
class Event {
 public:
  explicit Event(const cwire_event& event) noexcept : event_(&event) {}

  EventType type() const noexcept { return static_cast<EventType>(event_->type); }  // ignore those that you do not know
  Status status() const noexcept { return static_cast<Status>(event_->status); }    // ok, or why
  Station station() const noexcept { return Station(event_->station); }             // none where it is the manager's
  std::string_view station_id() const noexcept { return event_->station_id; }       // "" likewise
  std::uintptr_t user_data() const noexcept { return event_->user_data; }           // as given to Manager::connect
  // The message, the subprotocol, or one line for people. A NUL follows it.
  std::string_view data() const noexcept { return {event_->data, event_->data_size}; }
  std::uint64_t tag() const noexcept { return event_->tag; }   // of the send, or a number
  std::int32_t code() const noexcept { return event_->code; }  // close code, HTTP status, errno
  Flags flags() const noexcept { return static_cast<Flags>(event_->flags); }
  bool has(Flags flag) const noexcept { return (flags() & flag) == flag; }
  Time time() const noexcept { return detail::time(event_->time_ns); }

  // code(), where it is one of these.
  State new_state() const noexcept { return static_cast<State>(event_->code); }        // of STATE
  LogLevel log_level() const noexcept { return static_cast<LogLevel>(event_->code); }  // of LOG
  Breaker breaker() const noexcept { return static_cast<Breaker>(event_->code); }      // of ENDPOINT

  // All that is known of why; of ERROR, and of DISCONNECTED if that was not by request.
  std::optional<Failure> failure() const noexcept {
    if (event_->failure == nullptr) return std::nullopt;
    return Failure(*event_->failure);
  }

  const cwire_event& raw() const noexcept { return *event_; }

 private:
  const cwire_event* event_;
};

static_assert(static_cast<int>(LogLevel::error) == CWIRE_LOG_ERROR &&
                  static_cast<int>(LogLevel::debug) == CWIRE_LOG_DEBUG,
              "what the option log_level calls the levels is what LOG events bring");

// The events of one batch, oldest first. Lent, like each of them.
class Events {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Event;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Event;

    explicit Iterator(const cwire_event* at) noexcept : at_(at) {}
    Event operator*() const noexcept { return Event(*at_); }
    Iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    Iterator operator++(int) noexcept { return Iterator(at_++); }
    friend bool operator==(Iterator a, Iterator b) noexcept { return a.at_ == b.at_; }
    friend bool operator!=(Iterator a, Iterator b) noexcept { return a.at_ != b.at_; }

   private:
    const cwire_event* at_;
  };

  Events() noexcept = default;
  Events(const cwire_event* events, std::size_t count) noexcept : events_(events), count_(count) {}

  Iterator begin() const noexcept { return Iterator(events_); }
  Iterator end() const noexcept { return Iterator(events_ + count_); }
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  Event operator[](std::size_t index) const noexcept { return Event(events_[index]); }

 private:
  const cwire_event* events_ = nullptr;
  std::size_t count_ = 0;
};

// Takes one event, on an I/O thread, whose other stations wait meanwhile. It should not throw. If it does, the events
// after that one are still delivered, the exception is swallowed and counted by Manager::handler_exceptions, and the
// library reports it by a LOG event.
using Handler = std::function<void(const Event&)>;

namespace detail {

// What a manager in handler mode calls. A manager freed inside its own handler goes on until SHUTDOWN, when the C++
// object is gone already; so this lives for as long as either needs it.
struct HandlerState {
  explicit HandlerState(Handler function) : handler(std::move(function)) {}
  Handler handler;
  std::atomic<std::uint64_t> exceptions{0};
};

extern "C" {
// `context` is a heap-allocated shared_ptr, the library's share in the state. Each event has a net of its own, so that
// one that throws costs none of those after it. The first exception of a batch then goes on to the library, which
// swallows and reports it, as it does for any handler.
inline void cwire_hpp_handle(std::uintptr_t context, const cwire_event* events, std::size_t count) {
  auto* share = reinterpret_cast<std::shared_ptr<HandlerState>*>(context);
  HandlerState& state = **share;
  std::exception_ptr first;
  bool last = false;
  for (std::size_t i = 0; i < count; ++i) {
    last = last || events[i].type == CWIRE_EVENT_SHUTDOWN;
    try {
      state.handler(Event(events[i]));
    } catch (...) {
      state.exceptions.fetch_add(1, std::memory_order_relaxed);
      if (!first) first = std::current_exception();
    }
  }
  if (last) delete share;
  if (first) std::rethrow_exception(first);
}
}

}  // namespace detail

// ---- Manager

// A fleet: its I/O threads, its stations by id, its events. It owns them: the destructor shuts down at once and blocks
// until the handler has returned for the last time (inside the handler it returns at once, and the end follows by
// itself). For an orderly end call shutdown first and take events until SHUTDOWN.
class Manager {
 public:
  // Poll mode: take events with poll or run. Throws config (options that contradict each other), internal (no thread or
  // descriptor to be had).
  explicit Manager(const Config& config) : Manager(config.given(), nullptr, 0) {}
  Manager() : Manager(nullptr, nullptr, 0) {}

  // Handler mode: `handler` is called on the I/O threads, for stations of different threads at the same time. It lives
  // until the last event, SHUTDOWN. Throws the same, and invalid_argument for an empty one.
  Manager(const Config& config, Handler handler) : Manager(config.given(), std::move(handler)) {}
  explicit Manager(Handler handler) : Manager(nullptr, std::move(handler)) {}

  Manager(Manager&&) noexcept = default;
  Manager& operator=(Manager&&) noexcept = default;

  // The token, for calls of the C ABI; owned by this object.
  cwire_manager get() const noexcept { return token_.get(); }

  // ---- Events

  // Poll mode: waits for events, at most `timeout` (0: does not wait; negative: without limit), and lends at most `max`
  // of them (1 to 16,384) until the next poll. Empty when the time has passed, or after wake. One thread at a time.
  // Throws state after SHUTDOWN was taken, while another thread polls, and in handler mode.
  Events poll(std::chrono::milliseconds timeout, std::size_t max = 1024) {
    const cwire_event* events = nullptr;
    std::size_t count = 0;
    const cwire_status status = cwire_manager_poll(get(), detail::milliseconds(timeout), max, &events, &count);
    if (status == CWIRE_E_TIMEOUT) return {};
    detail::check(status, "poll");
    return {events, count};
  }

  // Poll mode: gives each event to `handler` on this thread, up to and including SHUTDOWN; blocks until then. What
  // `handler` throws comes out here, and the rest of the batch is lost with it. Throws as poll does.
  template <class Function>
  void run(Function&& handler) {
    for (;;) {
      for (const Event event : poll(std::chrono::milliseconds(-1))) {
        const bool last = event.type() == EventType::shutdown;
        handler(event);
        if (last) return;
      }
    }
  }

  // Poll mode: readable while events wait, for poll(2), epoll or a foreign loop. It belongs to the manager: never read,
  // write or close it. -1 in handler mode.
  std::intptr_t event_fd() const noexcept { return cwire_manager_event_fd(get()); }
  // Poll mode: makes the current or the next poll return at once. Throws state in handler mode.
  void wake() const { detail::check(cwire_manager_wake(get()), "wake"); }
  // Handler mode: how many exceptions the handler has let out. 0 in poll mode.
  std::uint64_t handler_exceptions() const noexcept {
    return state_ ? state_->exceptions.load(std::memory_order_relaxed) : 0;
  }

  // ---- Stations

  // Adds a station and begins to connect it; returns at once, and it keeps trying; failures arrive as events. The id,
  // at most 48 characters without ':', is percent-encoded onto the path of the URL, which if empty is csms.default_url.
  // `user_data` comes back in each event. Throws already_connected, invalid_argument, config, tls (a certificate or key
  // that cannot be used), state (shutting down); then no event follows.
  Station connect(std::string_view station_id, std::string_view url = {}, std::uintptr_t user_data = 0) {
    return connect(station_id, url, nullptr, user_data);
  }
  // The same with options of its own: those that `overrides` sets explicitly go before the manager's.
  Station connect(std::string_view station_id, std::string_view url, const Config& overrides,
                  std::uintptr_t user_data = 0) {
    return connect(station_id, url, overrides.given(), user_data);
  }

  // Connects the `stations:` of the configuration that are not connected yet, and returns how many. All are checked
  // before the first is begun. Throws as connect does.
  std::size_t connect_all() {
    cwire_error error = detail::no_error();
    std::size_t count = 0;
    detail::check(cwire_manager_connect_all(get(), &count, &error), "connect_all", error);
    return count;
  }

  // Nothing if there is no such station, or if it has ended.
  std::optional<Station> find(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    cwire_station station = nullptr;
    const cwire_status status = cwire_manager_find(get(), id.get(), &station);
    if (status == CWIRE_E_NOT_FOUND) return std::nullopt;
    detail::check(status, "find");
    return Station(station);
  }

  // Station::try_send by id; also not_found. Throws only for an id that has a NUL in it.
  Status try_send(std::string_view station_id, std::string_view message, Flags flags = Flags{},
                  std::uint64_t tag = 0) const {
    const detail::Text id(station_id, "the station id");
    return static_cast<Status>(
        cwire_manager_send(get(), id.get(), message.data(), message.size(), static_cast<std::uint32_t>(flags), tag));
  }
  // Station::send by id; also throws not_found.
  void send(std::string_view station_id, std::string_view message, Flags flags = Flags{}, std::uint64_t tag = 0) const {
    const Status status = try_send(station_id, message, flags, tag);
    if (!succeeded(status)) detail::fail(status, "send");
  }

  // Sends the message to every connected station, with tag 0, and returns how many queues took it; one that is full is
  // passed over, and WRITABLE follows. Never blocks. Throws too_big, state (shutting down), invalid_argument.
  std::size_t broadcast(std::string_view message, Flags flags = Flags{}) const {
    std::size_t accepted = 0;
    detail::check(
        cwire_manager_broadcast(get(), message.data(), message.size(), static_cast<std::uint32_t>(flags), &accepted),
        "broadcast");
    return accepted;
  }

  // Station::reconfigure by id; also throws not_found.
  void reconfigure(std::string_view station_id, const Config& overrides, std::string_view url = {},
                   Reconfigure how = Reconfigure{}) const {
    reconfigure(station_id, overrides.given(), url, how);
  }
  void reconfigure(std::string_view station_id, std::string_view url = {}, Reconfigure how = Reconfigure{}) const {
    reconfigure(station_id, nullptr, url, how);
  }

  // Station::disconnect by id, with 1000; a station that gave up is forgotten. Throws not_found.
  void disconnect(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    detail::check(cwire_manager_disconnect(get(), id.get()), "disconnect");
  }
  // All stations. Returns at once.
  void disconnect_all() const { detail::check(cwire_manager_disconnect_all(get()), "disconnect_all"); }

  // Throws not_found for a station that is not known.
  bool is_connected(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    return detail::check(cwire_manager_is_connected(get(), id.get()), "is_connected") == 1;
  }

  Counts counts() const {
    Counts counts;
    detail::check(cwire_manager_counts(get(), &counts.connected, &counts.total), "counts");
    return counts;
  }

  // Also of a station that gave up, and while its CLOSED is being handled. Throws not_found.
  Stats stats(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    Stats stats;
    detail::check(cwire_manager_stats(get(), id.get(), &stats.raw()), "stats");
    return stats;
  }
  // Of all stations, in no order.
  std::vector<Stats> all_stats() const {
    return detail::all<Stats>(
        [this](cwire_stats* out, std::size_t capacity, std::size_t* count) {
          return cwire_manager_all_stats(get(), out, capacity, count);
        },
        "all_stats");
  }

  // ---- Metrics

  // What is counted of the fleet, as text that Prometheus reads; docs/metrics.md says what there is.
  std::string metrics(MetricsFormat format = MetricsFormat::prometheus) const {
    return detail::text_of(
        [&](char* buffer, std::size_t capacity, std::size_t* needed) {
          return cwire_manager_metrics(get(), static_cast<std::int32_t>(format), buffer, capacity, needed);
        },
        65535, "metrics");
  }
  // Where the library serves that itself, "http://127.0.0.1:9464/metrics"; "" if it does not (metrics_listen).
  std::string metrics_url() const {
    return detail::text_of(
        [&](char* buffer, std::size_t capacity, std::size_t* needed) {
          return cwire_manager_metrics_url(get(), buffer, capacity, needed);
        },
        127, "metrics_url");
  }

  // ---- Endpoints

  // Those that stations use, or that are isolated, by name. None if governor.enabled is false.
  std::vector<Endpoint> endpoints() const {
    return detail::all<Endpoint>(
        [this](cwire_endpoint* out, std::size_t capacity, std::size_t* count) {
          return cwire_manager_endpoints(get(), out, capacity, count);
        },
        "endpoints");
  }
  // Takes the endpoint that this URL is on out of use: from now on no station dials it, and connections that stand live
  // on. Idempotent. Throws invalid_argument, state (governor.enabled is false).
  void isolate(std::string_view url) const {
    cwire_error error = detail::no_error();
    const detail::Text url_text(url, "the URL of an endpoint");
    detail::check(cwire_manager_isolate(get(), url_text.get(), &error), "isolate", error);
  }
  // Puts it back into use, closes its breaker and forgets what had failed. Throws the same.
  void reset(std::string_view url) const {
    cwire_error error = detail::no_error();
    const detail::Text url_text(url, "the URL of an endpoint");
    detail::check(cwire_manager_reset(get(), url_text.get(), &error), "reset", error);
  }
  // The network is there again: stations that wait for their next attempt begin it as soon as they may.
  void network_up() const { detail::check(cwire_manager_network_up(get()), "network_up"); }

  // ---- Trace

  // Writes every frame, upgrade and end of this station to trace.file from its next frame on, or ends that. Idempotent.
  // Throws not_found, state (trace.file is not set, or the station gave up), config (it cannot be opened), internal.
  void trace(std::string_view station_id, bool on = true) const {
    cwire_error error = detail::no_error();
    const detail::Text id(station_id, "the station id");
    detail::check(cwire_manager_trace(get(), id.get(), on ? 1 : 0, &error), "trace", error);
  }
  // Of all stations, and those to come. Throws the same.
  void trace_all(bool on = true) const {
    cwire_error error = detail::no_error();
    detail::check(cwire_manager_trace(get(), nullptr, on ? 1 : 0, &error), "trace_all", error);
  }

  // ---- The end

  // Begins an orderly end and returns at once: no new stations; what is queued is sent and each connection closed with
  // 1001, within `drain` (0 to 3,600,000 ms; 0: without waiting for the peer). Every CLOSED follows, then SHUTDOWN. The
  // first call's drain counts. Throws invalid_argument.
  void shutdown(std::chrono::milliseconds drain = std::chrono::milliseconds(0)) const {
    // Negative is no "for ever" here: let the library refuse it.
    detail::check(cwire_manager_shutdown(get(), detail::milliseconds(drain)), "shutdown");
  }

 private:
  Manager(cwire_config config, Handler handler)
      : state_(handler ? std::make_shared<detail::HandlerState>(std::move(handler)) : nullptr) {
    if (!state_) throw Error(Status::invalid_argument, "the event handler is empty; give a function, or none to poll");
    auto share = std::make_unique<std::shared_ptr<detail::HandlerState>>(state_);
    start(config, detail::cwire_hpp_handle, reinterpret_cast<std::uintptr_t>(share.get()));
    // From here on the library has it. SHUTDOWN cannot have come yet: nobody else has the token.
    static_cast<void>(share.release());
  }
  Manager(cwire_config config, cwire_event_handler handler, std::uintptr_t context) { start(config, handler, context); }

  void start(cwire_config config, cwire_event_handler handler, std::uintptr_t context) {
    cwire_error error = detail::no_error();
    detail::check(cwire_manager_new(config, handler, context, token_.out(), &error), "a new manager", error);
  }

  Station connect(std::string_view station_id, std::string_view url, cwire_config overrides, std::uintptr_t user_data) {
    const detail::Text id(station_id, "the station id");
    const detail::Text url_text(url, "the URL");
    cwire_error error = detail::no_error();
    cwire_station station = nullptr;
    detail::check(cwire_manager_connect(get(), id.get(), url_text.get_if_any(), overrides, user_data, &station, &error),
                  "connect", error);
    return Station(station);
  }

  void reconfigure(std::string_view station_id, cwire_config overrides, std::string_view url, Reconfigure how) const {
    const detail::Text id(station_id, "the station id");
    const detail::Text url_text(url, "the URL");
    cwire_error error = detail::no_error();
    detail::check(cwire_manager_reconfigure(get(), id.get(), url_text.get_if_any(), overrides,
                                            static_cast<std::uint32_t>(how), &error),
                  "reconfigure", error);
  }

  std::shared_ptr<detail::HandlerState> state_;
  detail::Owner<cwire_manager, cwire_manager_free> token_;
};

// ---- Pool

// A group of stations of one manager. It owns none of them: its destructor disconnects no one, a station may be in
// several, and one that has ended leaves by itself. It ends with its manager.
class Pool {
 public:
  explicit Pool(const Manager& manager) { detail::check(cwire_pool_new(manager.get(), token_.out()), "a new pool"); }
  Pool(Pool&&) noexcept = default;
  Pool& operator=(Pool&&) noexcept = default;

  // The token, for calls of the C ABI; owned by this object.
  cwire_pool get() const noexcept { return token_.get(); }

  // Idempotent. Throws invalid_handle, invalid_argument (a station of another manager).
  void add(Station station) const { detail::check(cwire_pool_add(get(), station.get()), "add"); }
  // Takes it out of the group; the connection lives on. False if it was not in it.
  bool remove(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    const cwire_status status = cwire_pool_remove(get(), id.get());
    if (status == CWIRE_E_NOT_FOUND) return false;
    detail::check(status, "remove");
    return true;
  }
  bool has(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    return detail::check(cwire_pool_has(get(), id.get()), "has") == 1;
  }

  // As in Manager, over the group; not_found also for a station that is not in it.
  Status try_send(std::string_view station_id, std::string_view message, Flags flags = Flags{},
                  std::uint64_t tag = 0) const {
    const detail::Text id(station_id, "the station id");
    return static_cast<Status>(
        cwire_pool_send(get(), id.get(), message.data(), message.size(), static_cast<std::uint32_t>(flags), tag));
  }
  void send(std::string_view station_id, std::string_view message, Flags flags = Flags{}, std::uint64_t tag = 0) const {
    const Status status = try_send(station_id, message, flags, tag);
    if (!succeeded(status)) detail::fail(status, "send");
  }
  std::size_t broadcast(std::string_view message, Flags flags = Flags{}) const {
    std::size_t accepted = 0;
    detail::check(
        cwire_pool_broadcast(get(), message.data(), message.size(), static_cast<std::uint32_t>(flags), &accepted),
        "broadcast");
    return accepted;
  }
  Counts counts() const {
    Counts counts;
    detail::check(cwire_pool_counts(get(), &counts.connected, &counts.total), "counts");
    return counts;
  }
  std::vector<Stats> stats() const {
    return detail::all<Stats>([this](cwire_stats* out, std::size_t capacity,
                                     std::size_t* count) { return cwire_pool_stats(get(), out, capacity, count); },
                              "stats");
  }
  void disconnect_all() const { detail::check(cwire_pool_disconnect_all(get()), "disconnect_all"); }

 private:
  detail::Owner<cwire_pool, cwire_pool_free> token_;
};

}  // namespace chargewire

// Stations as keys of an unordered_map.
template <>
struct std::hash<chargewire::Station> {
  std::size_t operator()(chargewire::Station station) const noexcept {
    return std::hash<cwire_station>()(station.get());
  }
};

#endif  // CHARGEWIRE_CHARGEWIRE_HPP
