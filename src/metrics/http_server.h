#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/values.h"
#include "metrics/http_request.h"
#include "net/io_thread.h"
#include "net/socket.h"

namespace cwire {

// Serves /metrics, on a thread of its own, so that who scrapes never holds up a station. One request per connection;
// few connections at a time, each with little time, so that nobody who can reach it can hold it up for long or fill
// memory.
class HttpServer final : private IoThread::Owner, private Poller::Watcher, private TimerQueue::Timer {
 public:
  using Source = std::function<std::string(MetricsFormat)>;

  // Listens, and serves what `source` says on the server's thread. Throws Error(CONFIG) where that address cannot be
  // had, Error(INTERNAL) where there is no thread or descriptor, std::bad_alloc.
  HttpServer(const ListenAddress& address, Source source);
  ~HttpServer();

  const std::string& url() const { return url_; }  // "http://127.0.0.1:9464/metrics"

  static constexpr std::size_t kConnectionsMax = 16;

 private:
  class Connection;

  void begin_thread() override {}
  void end_of_turn() override;
  void on_ready(bool readable, bool writable) override;  // somebody connects
  void on_timer(TimePoint now) override;
  void listen(bool on);
  void accept_all();

  const Source source_;
  IoThread thread_;
  Socket listener_;
  std::string url_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace cwire
