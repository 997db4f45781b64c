#pragma once

// websocketpp's transport policy without a transport: bytes are fed in by hand, and go out into a sink. No sockets, no
// timers, no threads. Part of engine.cpp, the only file that includes websocketpp.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>
#include <websocketpp/transport/base/connection.hpp>
#include <websocketpp/transport/base/endpoint.hpp>

namespace cwire::memory_transport {

namespace lib = websocketpp::lib;
namespace transport = websocketpp::transport;

// Where the bytes go that websocketpp writes.
class ByteSink {
 public:
  virtual void write(const char* data, std::size_t size) = 0;

 protected:
  ~ByteSink() = default;
};

// A timer that never fires: deadlines belong to whoever holds the socket.
struct NoTimer {
  void cancel() {}
};

template <typename config>
class connection : public lib::enable_shared_from_this<connection<config>> {
 public:
  using type = connection<config>;
  using ptr = lib::shared_ptr<type>;
  using timer_ptr = lib::shared_ptr<NoTimer>;
  using alog_type = typename config::alog_type;
  using elog_type = typename config::elog_type;

  connection(bool, const lib::shared_ptr<alog_type>&, const lib::shared_ptr<elog_type>&) {}

  // Must outlive the last feed().
  void set_sink(ByteSink* sink) { sink_ = sink; }

  // Hands bytes to websocketpp. They come out of it again as calls of its handlers, before this returns.
  void feed(const char* data, std::size_t size) {
    while (size != 0 && buffer_ != nullptr) {
      const std::size_t part = std::min(size, capacity_ - filled_);
      std::memcpy(buffer_ + filled_, data, part);
      filled_ += part;
      data += part;
      size -= part;
      if (filled_ < wanted_) continue;
      buffer_ = nullptr;
      if (repeated_handler_ != nullptr) {
        (*repeated_handler_)(lib::error_code(), filled_);
      } else {
        const transport::read_handler handler = std::exchange(single_handler_, nullptr);
        handler(lib::error_code(), filled_);
      }
    }
  }

  // Ends feeding for good. Also breaks the cycle of a read handler that holds the connection which holds the handler.
  void stop() {
    stopped_ = true;
    buffer_ = nullptr;
    repeated_handler_ = nullptr;
    single_handler_ = nullptr;
    sink_ = nullptr;
  }

  // What websocketpp asks of a transport's connection.
  ptr get_shared() { return this->shared_from_this(); }
  bool is_secure() const { return false; }
  void set_uri(websocketpp::uri_ptr) {}
  std::string get_remote_endpoint() const { return std::string(); }
  void set_handle(websocketpp::connection_hdl handle) { handle_ = std::move(handle); }
  websocketpp::connection_hdl get_handle() const { return handle_; }
  timer_ptr set_timer(long, transport::timer_handler) { return timer_ptr(); }
  void init(const transport::init_handler& handler) { handler(lib::error_code()); }
  // After the handshake the handler is a member of the connection and always the same; copying it would allocate once
  // per read.
  void async_read_at_least(std::size_t wanted, char* buffer, std::size_t capacity,
                           const transport::read_handler& handler) {
    repeated_handler_ = &handler;
    begin_read(wanted, buffer, capacity);
  }
  void async_read_at_least(std::size_t wanted, char* buffer, std::size_t capacity, transport::read_handler&& handler) {
    if (!stopped_) single_handler_ = std::move(handler);
    repeated_handler_ = nullptr;
    begin_read(wanted, buffer, capacity);
  }
  void async_write(const char* data, std::size_t size, const transport::write_handler& handler) {
    if (sink_ != nullptr) sink_->write(data, size);
    handler(lib::error_code());
  }
  void async_write(const std::vector<transport::buffer>& buffers, const transport::write_handler& handler) {
    for (const transport::buffer& buffer : buffers) {
      if (sink_ != nullptr) sink_->write(buffer.buf, buffer.len);
    }
    handler(lib::error_code());
  }
  lib::error_code dispatch(const transport::dispatch_handler& handler) {
    handler();
    return lib::error_code();
  }
  void async_shutdown(const transport::shutdown_handler& handler) { handler(lib::error_code()); }

 private:
  void begin_read(std::size_t wanted, char* buffer, std::size_t capacity) {
    if (stopped_) return;
    wanted_ = wanted;
    buffer_ = buffer;
    capacity_ = capacity;
    filled_ = 0;
  }

  ByteSink* sink_ = nullptr;
  char* buffer_ = nullptr;  // null: websocketpp is not reading
  std::size_t capacity_ = 0;
  std::size_t wanted_ = 0;
  std::size_t filled_ = 0;
  const transport::read_handler* repeated_handler_ = nullptr;
  transport::read_handler single_handler_;
  websocketpp::connection_hdl handle_;
  bool stopped_ = false;
};

template <typename config>
class endpoint {
 public:
  using type = endpoint<config>;
  using ptr = lib::shared_ptr<type>;
  using concurrency_type = typename config::concurrency_type;
  using elog_type = typename config::elog_type;
  using alog_type = typename config::alog_type;
  using transport_con_type = connection<config>;
  using transport_con_ptr = typename transport_con_type::ptr;

  bool is_secure() const { return false; }
  void init_logging(const lib::shared_ptr<alog_type>&, const lib::shared_ptr<elog_type>&) {}
  void async_connect(const transport_con_ptr&, const websocketpp::uri_ptr&, const transport::connect_handler& handler) {
    handler(lib::error_code());
  }
  lib::error_code init(const transport_con_ptr&) { return lib::error_code(); }
};

}  // namespace cwire::memory_transport
