// What the thread of many stations promises where threads meet, without a network.
#include "station/worker.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "station/station.h"

using namespace cwire;
using namespace std::chrono_literals;

namespace {

struct Owner final : StationOwner {
  void station_ended(Station&) noexcept override {}
};

// A worker in poll mode, whose events are read when it has ended.
class Bench {
 public:
  explicit Bench(std::shared_ptr<Governor> governor = nullptr) {
    Worker::Options options;
    options.log_level = CWIRE_LOG_WARNING;
    options.queue = queue_;
    options.metrics = std::make_shared<Metrics>();
    options.keeps_governor = governor != nullptr;
    options.governor = std::move(governor);
    options.fell_silent = [this] {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++silences_;
      changed_.notify_all();
    };
    worker = std::make_shared<Worker>(std::move(options));
  }
  ~Bench() { worker->stop_and_join(); }

  // Whatever was ordered before is done.
  void fall_silent() {
    std::unique_lock<std::mutex> lock(mutex_);
    const int before = silences_;
    worker->order_silence();
    changed_.wait(lock, [&] { return silences_ > before; });
  }
  std::vector<std::string> words() {
    std::vector<std::string> all;
    const cwire_event* events = nullptr;
    std::size_t count = 0;
    bool drained = false;
    while (queue_->poll(0, 16, &events, &count, &drained) == CWIRE_OK) {
      for (std::size_t i = 0; i < count; ++i) all.emplace_back(events[i].data);
    }
    return all;
  }

  std::shared_ptr<Worker> worker;

 private:
  const std::shared_ptr<EventQueue> queue_ = std::make_shared<EventQueue>(1000, 1 << 20);
  std::mutex mutex_;
  std::condition_variable changed_;
  int silences_ = 0;
};

StationTable::Pin a_station(std::shared_ptr<Worker> worker, StationOwner& owner) {
  Station::Description description;
  description.id = "CP1";
  description.url = parse_url("ws://csms.example/CP1");
  description.settings = std::make_shared<ResolvedConfig>(ConfigSnapshot());
  return station_table().insert(std::make_unique<Station>(std::move(worker), owner, std::move(description)));
}

}  // namespace

TEST_CASE("of two threads that change a station's settings at once one is told to look again") {
  Bench bench;
  Owner owner;
  const StationTable::Pin station = a_station(bench.worker, owner);
  ConnectionConfig next = station->newest_config();
  ++next.number;
  CHECK(station->reconfigure(next, false));
  CHECK_FALSE(station->reconfigure(next, false));
  CHECK(station->newest_config().number == next.number);
  ++next.number;
  CHECK(station->reconfigure(next, false));
  station_table().retire(station->token);
}

TEST_CASE("a station that has ended takes no new settings, also while its CLOSED waits to be taken") {
  Bench bench;
  Owner owner;
  const StationTable::Pin station = a_station(bench.worker, owner);
  station_table().pin(*station).leak();  // the library's own, given back with CLOSED
  station->disconnect(1000, "");
  bench.worker->start();
  bench.fall_silent();
  REQUIRE(station->state() == State::closed);
  try {
    station->reconfigure(station->newest_config(), true);
    FAIL("it took them");
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_STATE);
    CHECK(error.failure.message.rfind("CP1: ", 0) == 0);
  }
  CHECK(bench.words() == std::vector<std::string>{"closed", "closed by request"});
}

TEST_CASE("an order that comes when the I/O thread has ended keeps no station alive") {
  Owner owner;
  Bench bench;
  bench.worker->start();
  bench.worker->stop_and_join();
  {
    const StationTable::Pin station = a_station(bench.worker, owner);
    station->connect();
    station->disconnect(1000, "");
    CHECK(station->state() == State::disconnected);
    station_table().retire(station->token);
  }
  CHECK(bench.worker.use_count() == 1);  // the station held it, too
}

TEST_CASE("a worker that falls silent delivers what is pending, and nothing is told after it") {
  GovernorSettings settings;
  settings.handshakes_start = settings.handshakes_min = settings.handshakes_max = 1;
  settings.breaker_window = 10s;
  std::weak_ptr<Worker> keeper;
  const auto governor = std::make_shared<Governor>(settings, [&] {
    if (const auto worker = keeper.lock()) worker->order_governing();
  });
  Bench bench(governor);
  keeper = bench.worker;
  bench.worker->log(CWIRE_LOG_WARNING, nullptr, "pending");
  bench.worker->order_silence();
  bench.worker->start();
  bench.fall_silent();
  CHECK(bench.words() == std::vector<std::string>{"pending"});
  governor->isolate("ws://csms.example:80", TimePoint());
  bench.worker->thread().post([&] { bench.worker->log(CWIRE_LOG_WARNING, nullptr, "late"); });
  // Twice: the turn that takes the first of these orders may have looked for the governor's before it was given.
  bench.fall_silent();
  bench.fall_silent();
  CHECK(bench.words().empty());
}
