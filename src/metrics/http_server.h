#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/values.h"
#include "metrics/http_request.h"
#include "net/io_thread.h"
#include "net/socket.h"

namespace cwire {

// Serves /metrics, on a thread of its own, so that who scrapes never holds up a station. One request per connection;
// few connections at a time, of which the longest makes room for the next; and few texts, which all share who ask at
// about the same time. So nobody who can reach it can hold it up for long, fill memory or keep a processor busy.
class HttpServer final : private IoThread::Owner, private Poller::Watcher, private TimerQueue::Timer {
 public:
  using Source = std::function<std::string(MetricsFormat)>;

  // Listens, and serves what `source` says on the server's thread; `shared_for`: to all who ask within that time.
  // Throws Error(CONFIG) where that address cannot be had, Error(INTERNAL) where there is no thread or descriptor,
  // std::bad_alloc.
  HttpServer(const ListenAddress& address, Source source, Duration shared_for = std::chrono::seconds(1));
  ~HttpServer();

  const std::string& url() const { return url_; }  // "http://127.0.0.1:9464/metrics"

  static constexpr std::size_t kConnectionsMax = 16;
  static constexpr std::uint64_t kTextsMax = 4;  // that are being written

 private:
  class Connection;
  struct Text {
    std::string body;
    std::uint64_t number;  // of all that were made
    TimePoint made;
  };

  void begin_thread() override {}
  void end_of_turn() override;
  void on_ready(bool readable, bool writable) override;  // somebody connects
  void on_timer(TimePoint now) override;
  void listen(bool on);
  void accept_all();
  void look_again();
  std::shared_ptr<const Text> text(MetricsFormat format);

  const Source source_;
  const Duration shared_for_;
  bool is_local_ = false;
  IoThread thread_;
  Socket listener_;
  std::string url_;
  std::vector<std::unique_ptr<Connection>> connections_;  // in the order in which they came
  std::array<std::shared_ptr<const Text>, 2> latest_;     // by format
  std::uint64_t texts_made_ = 0;
  bool looks_again_ = false;
};

}  // namespace cwire
