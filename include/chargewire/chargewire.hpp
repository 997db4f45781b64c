// Chargewire for C++17 and newer: RAII, std::string_view, std::function and exceptions over the C ABI. Everything here
// is inline and becomes part of your program, so it may be compiled with another compiler and standard library than the
// library was.
//
//     chargewire::Config config;
//     config.set("csms.default_url", "ws://localhost:9000");
//     chargewire::Manager manager(config, [](const chargewire::Event& event) {
//       if (event.type() == CWIRE_EVENT_MESSAGE) std::cout << event.data() << '\n';
//     });
//     chargewire::Station station = manager.connect("CP001");
//     station.wait(std::chrono::seconds(10));
//     station.send(R"([2,"1","Heartbeat",{}])");
//
// chargewire.h holds the threading contract and says of each call what it does and which statuses it gives. Here a
// status that is an error is thrown as chargewire::Error, except by the `try_` functions and by destructors, which
// never throw.
#ifndef CHARGEWIRE_CHARGEWIRE_HPP
#define CHARGEWIRE_CHARGEWIRE_HPP

#include <chargewire/chargewire.h>

#include <atomic>
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
#include <utility>
#include <vector>

namespace chargewire {

using Status = cwire_status;
using Stats = cwire_stats;
using Endpoint = cwire_endpoint;
using Outgoing = cwire_outgoing;

// The library's version, "0.1.0"; CWIRE_VERSION_MAJOR and its fellows tell the header's.
inline std::string_view version() noexcept { return cwire_version(); }
inline std::uint32_t abi_version() noexcept { return cwire_abi_version(); }
// "CWIRE_E_DIAL"
inline std::string_view status_name(Status status) noexcept { return cwire_status_name(status); }
// "reconnecting"
inline std::string_view state_name(std::int32_t state) noexcept { return cwire_state_name(state); }
// "tls"
inline std::string_view phase_name(std::int32_t phase) noexcept { return cwire_phase_name(phase); }
// "InvalidCsmsCertificate", or as OCPP 1.6 calls it where `subprotocol` is "ocpp1.6"; "" for none.
inline std::string_view security_event_name(std::int32_t security_event, const char* subprotocol) noexcept {
  return cwire_security_event_name(security_event, subprotocol);
}

// "the send queue is full; go on after WRITABLE": what a status means and what to do about it.
// clang-format off
inline const char* status_text(Status status) noexcept {
  switch (status) {
    case CWIRE_OK: return "done, or accepted";
    case CWIRE_E_INVALID_ARGUMENT: return "an argument is NULL, out of range or malformed; correct the call";
    case CWIRE_E_INVALID_HANDLE: return "it has ended or never was; connect or create it anew";
    case CWIRE_E_NO_MEMORY: return "an allocation failed, nothing was done; use fewer stations or smaller queues";
    case CWIRE_E_INTERNAL: return "no thread or descriptor, or a defect; raise the limits or report it";
    case CWIRE_E_CONFIG: return "an option is unknown or its value is wrong; Config::schema() has them all";
    case CWIRE_E_STATE: return "not possible now; see what chargewire.h says of the call";
    case CWIRE_E_TIMEOUT: return "the time given has passed; wait again, for longer if need be";
    case CWIRE_E_ALREADY_CONNECTED: return "a station of this id exists; use it, or disconnect it and wait for CLOSED";
    case CWIRE_E_NOT_FOUND: return "no station of this id; check the id, or connect it first";
    case CWIRE_E_NOT_ESTABLISHED: return "the station is not connected at the moment; send after CONNECTED";
    case CWIRE_E_QUEUE_FULL: return "the send queue is full; go on after WRITABLE";
    case CWIRE_E_TOO_BIG: return "larger than csms.message_size_max or the protocol allows; send less, or raise it";
    case CWIRE_E_CLOSED: return "the connection ended first; do it again after CONNECTED if it still matters";
    case CWIRE_E_DIAL: return "no TCP connection; check the URL, the CSMS and the network";
    case CWIRE_E_TLS: return "the TLS handshake failed; check the certificates and csms.tls";
    case CWIRE_E_HANDSHAKE: return "no upgrade to WebSocket; check the path of the URL, the station id and the scheme";
    case CWIRE_E_SUBPROTOCOL: return "no OCPP version in common; put one that the CSMS speaks into csms.protocol";
    case CWIRE_E_AUTH: return "the CSMS answered 401 or 403; check csms.auth";
    case CWIRE_E_PROTOCOL: return "the peer broke RFC 6455; report it to the maker of the CSMS or proxy";
    case CWIRE_E_PING_TIMEOUT: return "no pong in time; if the CSMS is merely slow, raise csms.pong_timeout";
    case CWIRE_E_READ: return "reading failed, or nothing came in time; look into the logs of CSMS and proxy";
    case CWIRE_E_WRITE: return "writing failed, or the peer took nothing in time; the CSMS or the line is too slow";
    default: return status > 0 ? "done" : "a status newer than this header; see docs/errors.md of the library";
  }
}
// clang-format on

// A call failed. what() is one line for people: what happened, why, what to do. status() is what to switch on.
class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

namespace detail {

inline cwire_error no_error() noexcept {
  cwire_error error = CWIRE_ERROR_INIT;
  return error;
}

// For calls that give a status alone.
[[noreturn]] inline void fail(Status status, const std::string& call) {
  throw Error(status, call + ": " + cwire_status_name(status) + ": " + status_text(status));
}

inline Status check(Status status, const char* call) {
  if (status < 0) fail(status, call);
  return status;
}

inline Status check(Status status, const char* call, const cwire_error& error) {
  if (status < 0 && error.message[0] != '\0') throw Error(status, error.message);
  return check(status, call);
}

// Text for the C ABI ends at its first NUL. One inside would cut it off unseen, so it is refused, as the library does
// elsewhere.
class Text {
 public:
  Text(std::string_view text, const char* what) : text_(text) {
    if (text.find('\0') != std::string_view::npos) {
      throw Error(CWIRE_E_INVALID_ARGUMENT, std::string(what) + " has a NUL in it; remove it");
    }
  }
  const char* get() const noexcept { return text_.c_str(); }

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

inline Stats empty_stats() noexcept {
  Stats stats = {};
  stats.size = sizeof(Stats);
  return stats;
}

// Reads statistics of however many stations there are. Stations may be added between two looks, hence the loop.
template <typename Read>
std::vector<Stats> all_stats(Read read, const char* call) {
  std::vector<Stats> stats;
  std::size_t count = 0;
  for (;;) {
    const Status status = read(stats.empty() ? nullptr : stats.data(), stats.size(), &count);
    if (status != CWIRE_E_TOO_BIG) {
      check(status, call);
      stats.resize(count);
      return stats;
    }
    stats.assign(count + count / 16 + 1, empty_stats());
  }
}

// A token and the function that gives it back.
template <typename Token, Status (*Free)(Token)>
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
  Token release() noexcept { return std::exchange(token_, nullptr); }
  void swap(Owner& other) noexcept { std::swap(token_, other.token_); }

 private:
  Token token_ = nullptr;
};

}  // namespace detail

// How many stations are connected, and how many are known.
struct Counts {
  std::size_t connected = 0;
  std::size_t total = 0;
};

class Config;

// One station's connection. A small value, to be copied freely: it owns nothing, and one that has ended answers with
// CWIRE_E_INVALID_HANDLE. A default-constructed one belongs to no station.
class Station {
 public:
  Station() noexcept = default;
  explicit Station(cwire_station token) noexcept : token_(token) {}

  cwire_station get() const noexcept { return token_; }
  explicit operator bool() const noexcept { return token_ != nullptr; }
  friend bool operator==(Station a, Station b) noexcept { return a.token_ == b.token_; }
  friend bool operator!=(Station a, Station b) noexcept { return a.token_ != b.token_; }

  // cwire_station_send without an exception, for where CWIRE_E_QUEUE_FULL and CWIRE_E_NOT_ESTABLISHED are everyday
  // answers.
  Status try_send(std::string_view message, std::uint32_t flags = 0, std::uint64_t tag = 0) const noexcept {
    return cwire_station_send(token_, message.data(), message.size(), flags, tag);
  }
  void send(std::string_view message, std::uint32_t flags = 0, std::uint64_t tag = 0) const {
    detail::check(try_send(message, flags, tag), "send");
  }

  // Waits until connected. Throws why not: CWIRE_E_TIMEOUT, CWIRE_E_CLOSED, or the last failure. Negative: without
  // limit.
  void wait(std::chrono::milliseconds timeout = std::chrono::milliseconds(-1)) const {
    cwire_error error = detail::no_error();
    detail::check(cwire_station_wait(token_, detail::milliseconds(timeout), &error), "wait", error);
  }

  std::int32_t state() const {
    std::int32_t state = 0;
    detail::check(cwire_station_state(token_, &state), "state");
    return state;
  }

  Stats stats() const {
    Stats stats = detail::empty_stats();
    detail::check(cwire_station_stats(token_, &stats), "stats");
    return stats;
  }

  // Another URL (empty: as it is), and the options that `overrides` (or null) sets explicitly. Returns at once; see
  // cwire_station_reconfigure for what acts when, and for CWIRE_RECONFIGURE_RECONNECT.
  void reconfigure(const Config* overrides, std::string_view url = {}, std::uint32_t flags = 0) const;

  // Sends what is queued, then a close frame. Returns at once; CLOSED follows.
  void disconnect(std::uint16_t close_code = 0, std::string_view reason = {}) const {
    const detail::Text text(reason, "the close reason");
    detail::check(cwire_station_disconnect(token_, close_code, reason.empty() ? nullptr : text.get()), "disconnect");
  }

 private:
  cwire_station token_ = nullptr;
};

// One message for send_many. `message` is not copied before that call.
inline Outgoing outgoing(Station station, std::string_view message, std::uint32_t flags = 0,
                         std::uint64_t tag = 0) noexcept {
  Outgoing out = {};
  out.size = sizeof(Outgoing);
  out.station = station.get();
  out.data = message.data();
  out.data_size = message.size();
  out.tag = tag;
  out.flags = flags;
  return out;
}

// Sends all in order and returns how many were accepted; each one's `status` says which. A full queue is no exception
// here. Throws only when the call itself is wrong, and then no message was looked at.
inline std::size_t send_many(Outgoing* messages, std::size_t count) {
  std::size_t accepted = 0;
  if (messages == nullptr) count = 0;
  for (std::size_t i = 0; i < count; ++i) messages[i].status = CWIRE_OK;
  const Status status = cwire_station_send_many(messages, count, &accepted);
  bool reported = status >= 0;
  for (std::size_t i = 0; i < count && !reported; ++i) reported = messages[i].status < 0;
  if (!reported) detail::check(status, "send_many");
  return accepted;
}
inline std::size_t send_many(std::vector<Outgoing>& messages) { return send_many(messages.data(), messages.size()); }

// A look at one event. It and all it returns live until the handler returns, or until the next Manager::poll.
class Event {
 public:
  explicit Event(const cwire_event& event) noexcept : event_(&event) {}

  std::int32_t type() const noexcept { return event_->type; }  // CWIRE_EVENT_*; unknown ones are to be ignored
  Status status() const noexcept { return event_->status; }
  Station station() const noexcept { return Station(event_->station); }
  std::uintptr_t user_data() const noexcept { return event_->user_data; }
  std::string_view station_id() const noexcept { return event_->station_id; }
  std::string_view data() const noexcept { return {event_->data, event_->data_size}; }
  std::uint64_t tag() const noexcept { return event_->tag; }
  std::int32_t code() const noexcept { return event_->code; }
  std::uint32_t flags() const noexcept { return event_->flags; }
  bool has(std::uint32_t flag) const noexcept { return (event_->flags & flag) != 0; }
  std::chrono::system_clock::time_point time() const noexcept {
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(event_->time_ns)));
  }
  // Of ERROR, and of DISCONNECTED if not by request; else null. Lent, like the event.
  const cwire_failure* failure() const noexcept { return event_->failure; }
  const cwire_event& raw() const noexcept { return *event_; }

 private:
  const cwire_event* event_;
};

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

// A set of options. Copies are independent, and whoever takes one copies it.
class Config {
 public:
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

  // All options as JSON.
  static std::string_view schema() noexcept { return cwire_config_schema(); }

  // On failure nothing is changed. `path` is a file of YAML.
  Config& load_file(std::string_view path) {
    cwire_error error = detail::no_error();
    const detail::Text text(path, "the path of a configuration file");
    detail::check(cwire_config_load_file(get(), text.get(), &error), "load_file", error);
    return *this;
  }
  Config& load_yaml(std::string_view yaml) {
    cwire_error error = detail::no_error();
    // An empty view may have no address, which the C ABI would take for a mistake.
    detail::check(cwire_config_load_yaml(get(), yaml.empty() ? "" : yaml.data(), yaml.size(), &error), "load_yaml",
                  error);
    return *this;
  }
  Config& set(std::string_view key, std::string_view value) {
    cwire_error error = detail::no_error();
    const detail::Text key_text(key, "the key of an option");
    const detail::Text value_text(value, "the value of an option");
    detail::check(cwire_config_set(get(), key_text.get(), value_text.get(), &error), "set", error);
    return *this;
  }

  // The value as text. Secrets read as "***".
  std::string get(std::string_view key) const {
    const detail::Text text(key, "the key of an option");
    std::string value(63, '\0');
    for (;;) {
      std::size_t needed = 0;
      const Status status = cwire_config_get(get(), text.get(), value.data(), value.size() + 1, &needed);
      if (status == CWIRE_E_TOO_BIG) {
        value.resize(needed);
        continue;
      }
      if (status < 0) detail::fail(status, std::string("no value for \"") + text.get() + '"');
      value.resize(needed - 1);
      return value;
    }
  }

  cwire_config get() const noexcept { return token_.get(); }

 private:
  detail::Owner<cwire_config, cwire_config_free> token_;
};

inline void Station::reconfigure(const Config* overrides, std::string_view url, std::uint32_t flags) const {
  const detail::Text text(url, "the URL");
  cwire_error error = detail::no_error();
  detail::check(cwire_station_reconfigure(token_, url.empty() ? nullptr : text.get(),
                                          overrides == nullptr ? nullptr : overrides->get(), flags, &error),
                "reconfigure", error);
}

// Takes one event, on an I/O thread. It should not throw. If it does, the events after that one are still delivered,
// the exception is swallowed and counted by Manager::handler_exceptions, and the library reports it by a LOG event.
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

// How to connect a station. What is left alone comes from the manager's configuration.
struct ConnectOptions {
  std::string url;                    // empty: csms.default_url
  const Config* overrides = nullptr;  // its explicitly set options go before the manager's; read during the call
  std::uintptr_t user_data = 0;       // comes back in each event
};

// A fleet: its I/O threads, its stations by id, its events. The destructor shuts down at once; for an orderly end call
// shutdown first and take events until SHUTDOWN.
class Manager {
 public:
  // Poll mode: take events with poll or run.
  explicit Manager(const Config& config) : Manager(config.get(), nullptr, 0) {}
  Manager() : Manager(nullptr, nullptr, 0) {}

  // Handler mode: `handler` is called on the I/O threads, for stations of different threads at the same time.
  Manager(const Config& config, Handler handler) : Manager(config.get(), std::move(handler)) {}
  explicit Manager(Handler handler) : Manager(nullptr, std::move(handler)) {}

  Manager(Manager&&) noexcept = default;
  Manager& operator=(Manager&&) noexcept = default;

  cwire_manager get() const noexcept { return token_.get(); }

  // ---- Events

  // Poll mode: waits for events, at most `timeout` (negative: without limit), and lends at most `max` of them until the
  // next poll. Empty when the time has passed, or after wake. Throws CWIRE_E_STATE after SHUTDOWN was taken.
  Events poll(std::chrono::milliseconds timeout, std::size_t max = 1024) {
    const cwire_event* events = nullptr;
    std::size_t count = 0;
    const Status status = cwire_manager_poll(get(), detail::milliseconds(timeout), max, &events, &count);
    if (status == CWIRE_E_TIMEOUT) return {};
    detail::check(status, "poll");
    return {events, count};
  }

  // Poll mode: gives each event to `handler` on this thread, up to and including SHUTDOWN. What `handler` throws comes
  // out here, and the rest of the batch is lost with it.
  template <typename Function>
  void run(Function&& handler) {
    for (;;) {
      for (const Event event : poll(std::chrono::milliseconds(-1))) {
        const bool last = event.type() == CWIRE_EVENT_SHUTDOWN;
        handler(event);
        if (last) return;
      }
    }
  }

  // Poll mode: readable while events wait; belongs to the manager. -1 in handler mode.
  std::intptr_t event_fd() const noexcept { return cwire_manager_event_fd(get()); }
  // Poll mode: makes the current or the next poll return at once.
  void wake() const { detail::check(cwire_manager_wake(get()), "wake"); }
  // Handler mode: how many exceptions the handler has let out. 0 in poll mode.
  std::uint64_t handler_exceptions() const noexcept {
    return state_ ? state_->exceptions.load(std::memory_order_relaxed) : 0;
  }

  // ---- Stations

  // Begins to connect; returns at once. Failures to connect arrive as events.
  Station connect(std::string_view station_id, const ConnectOptions& options = {}) {
    const detail::Text id(station_id, "the station id");
    const detail::Text url(options.url, "the URL");
    cwire_error error = detail::no_error();
    cwire_station station = nullptr;
    detail::check(cwire_manager_connect(get(), id.get(), options.url.empty() ? nullptr : url.get(),
                                        options.overrides == nullptr ? nullptr : options.overrides->get(),
                                        options.user_data, &station, &error),
                  "connect", error);
    return Station(station);
  }

  // Connects the `stations:` of the configuration that are not connected yet; returns how many.
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
    const Status status = cwire_manager_find(get(), id.get(), &station);
    if (status == CWIRE_E_NOT_FOUND) return std::nullopt;
    detail::check(status, "find");
    return Station(station);
  }

  // Station::try_send by id. Throws only for an id that has a NUL in it.
  Status try_send(std::string_view station_id, std::string_view message, std::uint32_t flags = 0,
                  std::uint64_t tag = 0) const {
    const detail::Text id(station_id, "the station id");
    return cwire_manager_send(get(), id.get(), message.data(), message.size(), flags, tag);
  }
  void send(std::string_view station_id, std::string_view message, std::uint32_t flags = 0,
            std::uint64_t tag = 0) const {
    detail::check(try_send(station_id, message, flags, tag), "send");
  }

  // To every connected station; returns how many queues took it.
  std::size_t broadcast(std::string_view message, std::uint32_t flags = 0) const {
    std::size_t accepted = 0;
    detail::check(cwire_manager_broadcast(get(), message.data(), message.size(), flags, &accepted), "broadcast");
    return accepted;
  }

  // As Station::reconfigure, by id.
  void reconfigure(std::string_view station_id, const Config* overrides, std::string_view url = {},
                   std::uint32_t flags = 0) const {
    const detail::Text id(station_id, "the station id");
    const detail::Text text(url, "the URL");
    cwire_error error = detail::no_error();
    detail::check(cwire_manager_reconfigure(get(), id.get(), url.empty() ? nullptr : text.get(),
                                            overrides == nullptr ? nullptr : overrides->get(), flags, &error),
                  "reconfigure", error);
  }

  void disconnect(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    detail::check(cwire_manager_disconnect(get(), id.get()), "disconnect");
  }
  void disconnect_all() const { detail::check(cwire_manager_disconnect_all(get()), "disconnect_all"); }

  // Throws CWIRE_E_NOT_FOUND for a station that is not known.
  bool is_connected(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    return detail::check(cwire_manager_is_connected(get(), id.get()), "is_connected") == 1;
  }

  Counts counts() const {
    Counts counts;
    detail::check(cwire_manager_counts(get(), &counts.connected, &counts.total), "counts");
    return counts;
  }

  Stats stats(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    Stats stats = detail::empty_stats();
    detail::check(cwire_manager_stats(get(), id.get(), &stats), "stats");
    return stats;
  }
  std::vector<Stats> all_stats() const {
    return detail::all_stats(
        [this](Stats* out, std::size_t capacity, std::size_t* count) {
          return cwire_manager_all_stats(get(), out, capacity, count);
        },
        "all_stats");
  }

  // The endpoints that stations use, or that are isolated.
  std::vector<Endpoint> endpoints() const {
    std::vector<Endpoint> endpoints;
    for (std::size_t count = 0;;) {
      const Status status = cwire_manager_endpoints(get(), endpoints.data(), endpoints.size(), &count);
      if (status != CWIRE_E_TOO_BIG) detail::check(status, "endpoints");
      const bool complete = count <= endpoints.size();
      Endpoint empty = {};
      empty.size = sizeof(Endpoint);
      endpoints.resize(count, empty);
      if (complete) return endpoints;
    }
  }
  // No station dials the endpoint that `url` is on, until reset; as cwire_manager_isolate says.
  void isolate(std::string_view url) const {
    cwire_error error = detail::no_error();
    const detail::Text text(url, "the URL of an endpoint");
    detail::check(cwire_manager_isolate(get(), text.get(), &error), "isolate", error);
  }
  void reset(std::string_view url) const {
    cwire_error error = detail::no_error();
    const detail::Text text(url, "the URL of an endpoint");
    detail::check(cwire_manager_reset(get(), text.get(), &error), "reset", error);
  }
  // The network is there again: waits for the next attempt end, as cwire_manager_network_up says.
  void network_up() const { detail::check(cwire_manager_network_up(get()), "network_up"); }
  // Begins an orderly end and returns at once: what is queued is sent within `drain`. Every CLOSED follows, then
  // SHUTDOWN.
  void shutdown(std::chrono::milliseconds drain = std::chrono::milliseconds(0)) const {
    // Negative is no "for ever" here: let the library refuse it.
    detail::check(cwire_manager_shutdown(get(), detail::milliseconds(drain)), "shutdown");
  }

 private:
  Manager(cwire_config config, Handler handler)
      : state_(handler ? std::make_shared<detail::HandlerState>(std::move(handler)) : nullptr) {
    if (!state_) throw Error(CWIRE_E_INVALID_ARGUMENT, "the event handler is empty; give a function, or none to poll");
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

  std::shared_ptr<detail::HandlerState> state_;
  detail::Owner<cwire_manager, cwire_manager_free> token_;
};

// A named group of stations of one manager. It owns none of them: its destructor disconnects no one.
class Pool {
 public:
  explicit Pool(const Manager& manager) { detail::check(cwire_pool_new(manager.get(), token_.out()), "a new pool"); }
  Pool(Pool&&) noexcept = default;
  Pool& operator=(Pool&&) noexcept = default;

  cwire_pool get() const noexcept { return token_.get(); }

  void add(Station station) const { detail::check(cwire_pool_add(get(), station.get()), "add"); }
  // False if it was not in the group.
  bool remove(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    const Status status = cwire_pool_remove(get(), id.get());
    if (status == CWIRE_E_NOT_FOUND) return false;
    detail::check(status, "remove");
    return true;
  }
  bool has(std::string_view station_id) const {
    const detail::Text id(station_id, "the station id");
    return detail::check(cwire_pool_has(get(), id.get()), "has") == 1;
  }

  // As in Manager, over the group.
  Status try_send(std::string_view station_id, std::string_view message, std::uint32_t flags = 0,
                  std::uint64_t tag = 0) const {
    const detail::Text id(station_id, "the station id");
    return cwire_pool_send(get(), id.get(), message.data(), message.size(), flags, tag);
  }
  void send(std::string_view station_id, std::string_view message, std::uint32_t flags = 0,
            std::uint64_t tag = 0) const {
    detail::check(try_send(station_id, message, flags, tag), "send");
  }
  std::size_t broadcast(std::string_view message, std::uint32_t flags = 0) const {
    std::size_t accepted = 0;
    detail::check(cwire_pool_broadcast(get(), message.data(), message.size(), flags, &accepted), "broadcast");
    return accepted;
  }
  Counts counts() const {
    Counts counts;
    detail::check(cwire_pool_counts(get(), &counts.connected, &counts.total), "counts");
    return counts;
  }
  std::vector<Stats> stats() const {
    return detail::all_stats([this](Stats* out, std::size_t capacity,
                                    std::size_t* count) { return cwire_pool_stats(get(), out, capacity, count); },
                             "stats");
  }
  void disconnect_all() const { detail::check(cwire_pool_disconnect_all(get()), "disconnect_all"); }

 private:
  detail::Owner<cwire_pool, cwire_pool_free> token_;
};

}  // namespace chargewire

#endif  // CHARGEWIRE_CHARGEWIRE_HPP
