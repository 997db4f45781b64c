#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chargewire/chargewire.hpp>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;

using chargewire::EventType;
using chargewire::State;
using chargewire::Status;

namespace {

// A port on which nobody listens, and nobody else can begin to while this lives.
class RefusedPort {
 public:
  RefusedPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no port to be had on the loopback interface");
    }
    url_ = "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~RefusedPort() { close(socket_); }
  RefusedPort(const RefusedPort&) = delete;
  RefusedPort& operator=(const RefusedPort&) = delete;
  const std::string& url() const { return url_; }

 private:
  int socket_;
  std::string url_;
};

// The status that `call` throws; ok if it throws nothing.
template <typename Call>
chargewire::Status status_of(Call call) {
  try {
    call();
  } catch (const chargewire::Error& error) {
    CHECK_FALSE(std::string_view(error.what()).empty());
    return error.status();
  }
  return Status::ok;
}

// One attempt, then the station gives up.
chargewire::Config one_attempt() {
  chargewire::Config config;
  config.max_reconnect_attempts(1).reconnect_backoff(1ms).io_threads(1);
  return config;
}

// A station stays between its first attempt and its second for as long as a test looks at it.
chargewire::Config patient() {
  chargewire::Config config;
  config.reconnect_max_backoff(1h).reconnect_backoff(1h).io_threads(1);
  return config;
}

}  // namespace

TEST_CASE("the wrapper tells versions and names") {
  CHECK(chargewire::abi_version() >= CWIRE_ABI_VERSION);
  CHECK_FALSE(chargewire::version().empty());
  CHECK(chargewire::name(Status::dial) == "CWIRE_E_DIAL");
  CHECK(chargewire::name(State::reconnecting) == "reconnecting");
}

TEST_CASE("a status alone becomes an Error that says what it means and what to do") {
  try {
    chargewire::Station().send("[]");
    FAIL("no exception");
  } catch (const chargewire::Error& error) {
    CHECK(error.what() == "send: CWIRE_E_INVALID_HANDLE: "s + chargewire::text(Status::invalid_handle));
  }
  std::set<std::string_view> texts;
  for (cwire_status status = CWIRE_E_WRITE; status <= CWIRE_OK; ++status) {
    CHECK(texts.insert(chargewire::text(static_cast<Status>(status))).second);
  }
  CHECK(texts.count(chargewire::text(static_cast<Status>(-1000))) == 0);
}

TEST_CASE("a Config takes, gives, copies and moves options") {
  chargewire::Config config;
  config.set("csms.default_url", "ws://localhost:9000").load_yaml("csms: { ping_interval: 17s }");
  CHECK(config.get("csms.default_url") == "ws://localhost:9000");
  CHECK(config.get("csms.ping_interval") == "17s");

  const std::string long_url = "ws://localhost/" + std::string(300, 'x');
  chargewire::Config copy(config);
  copy.set("csms.default_url", long_url);
  CHECK(copy.get("csms.default_url") == long_url);
  CHECK(config.get("csms.default_url") == "ws://localhost:9000");

  config = copy;
  CHECK(config.get("csms.default_url") == long_url);
  const chargewire::Config moved = std::move(config);
  CHECK(moved.get("csms.default_url") == long_url);
  config = moved;  // what was moved from may be given a value again
  CHECK(config.get("csms.ping_interval") == "17s");
  CHECK(chargewire::Config::schema().find("csms.default_url") != std::string_view::npos);
}

TEST_CASE("a Config that was moved from is not taken for one of defaults") {
  chargewire::Config config;
  const chargewire::Config moved(std::move(config));
  const auto is_refused = [](const auto& call) {
    try {
      call();
    } catch (const chargewire::Error& error) {
      return error.status() == chargewire::Status::invalid_handle;
    }
    return false;
  };
  CHECK(is_refused([&] { chargewire::Manager manager(config); }));
  chargewire::Manager manager(moved);
  CHECK(is_refused([&] { manager.connect("CP1", "ws://localhost:9", config); }));
  CHECK(is_refused([&] { manager.reconfigure("CP1", config); }));
}

TEST_CASE("typed options are those of the table") {
  using namespace chargewire;
  const Config config = Config()
                            .protocol({Protocol::v2_0_1, Protocol::v1_6})
                            .ping_interval(90s)
                            .pong_timeout(1500ms)
                            .reconnect_jitter(0.125)
                            .governor_breaker_failures(1)
                            .reconnect_policy(ReconnectPolicy::decorrelated)
                            .security_profile(SecurityProfile::profile_2)
                            .tls_min_version(TlsMinVersion::v1_3)
                            .tls_allow_wildcards(true)
                            .message_size_max(2 << 20)
                            .max_reconnect_attempts(7)
                            .headers("X-Site", "Rotterdam")
                            .tls_ca_cert("ca.pem")
                            .auth_password("secret");
  CHECK(config.get("csms.protocol") == "2.0.1, 1.6");
  CHECK(config.get("csms.ping_interval") == "90s");
  CHECK(config.get("csms.pong_timeout") == "1500ms");
  CHECK(config.get("csms.reconnect_jitter") == "12.5%");
  CHECK(config.get("governor.breaker_failures") == "100%");
  CHECK(config.get("csms.reconnect_policy") == "decorrelated");
  CHECK(config.get("csms.security_profile") == "2");
  CHECK(config.get("csms.tls.min_version") == "1.3");
  CHECK(config.get("csms.tls.allow_wildcards") == "true");
  CHECK(config.get("csms.message_size_max") == "2MiB");
  CHECK(config.get("csms.max_reconnect_attempts") == "7");
  CHECK(config.get("csms.tls.ca_cert") == "ca.pem");
  CHECK(config.get("csms.auth.password") == "***");
  CHECK(config.get("csms.headers.X-Site") == "***");
}

TEST_CASE("typed options are given back as they were set, by whatever way") {
  using namespace chargewire;
  Config config;
  CHECK(config.default_url() == "ws://localhost:9000");
  CHECK(config.protocol() == std::vector<Protocol>{Protocol::v1_6});
  CHECK(config.heartbeat_interval() == 60s);
  CHECK(config.refused_max_backoff() == 1h);
  CHECK(config.offline_budget_bytes() == 64 << 20);
  CHECK(config.reconnect_jitter() == 0.2);
  CHECK(config.governor_enabled());
  CHECK_FALSE(config.tls_enabled());
  CHECK(config.log_level() == LogLevel::warning);
  CHECK(config.tls_ca_cert().empty());
  config.load_yaml(R"(
    io_threads: 12
    offline_budget_bytes: 3GiB
    csms: { protocol: [2.1, 2.0.1, "1.6"], heartbeat_interval: 1h2m3s4ms, message_size_max: 10KB, reconnect_jitter: 0.0125,
            reconnect_policy: full, pong_timeout: 1500ms, tls: { min_version: "1.3", enabled: true } }
  )");
  CHECK(config.io_threads() == 12);
  CHECK(config.offline_budget_bytes() == std::uint64_t{3} << 30);
  CHECK(config.protocol() == std::vector<Protocol>{Protocol::v2_1, Protocol::v2_0_1, Protocol::v1_6});
  CHECK(config.heartbeat_interval() == 1h + 2min + 3s + 4ms);
  CHECK(config.message_size_max() == 10000);
  CHECK(config.reconnect_jitter() == 0.0125);
  CHECK(config.reconnect_policy() == ReconnectPolicy::full);
  CHECK(config.pong_timeout() == 1500ms);
  CHECK(config.tls_min_version() == TlsMinVersion::v1_3);
  CHECK(config.tls_enabled());
  for (const double ratio : {0.0, 0.000001, 0.5, 1.0})
    CHECK(config.reconnect_jitter(ratio).reconnect_jitter() == ratio);
}

TEST_CASE("a typed option out of its range is refused by the library") {
  using namespace chargewire;
  Config config;
  CHECK(status_of([&] { config.ping_interval(-1s); }) == Status::config);
  CHECK(status_of([&] { config.io_threads(-1); }) == Status::config);
  CHECK(status_of([&] { config.reconnect_jitter(1.5); }) == Status::config);
  CHECK(status_of([&] { config.reconnect_jitter(-0.5); }) == Status::config);
  CHECK(status_of([&] { config.reconnect_jitter(std::numeric_limits<double>::quiet_NaN()); }) == Status::config);
  CHECK(status_of([&] { config.protocol({}); }) == Status::config);
  CHECK(status_of([&] { config.priority(static_cast<Priority>(99)); }) == Status::config);
  CHECK(status_of([&] { config.message_size_max(std::uint64_t{1} << 40); }) == Status::config);
}

TEST_CASE("what goes wrong in a Config is an Error that says what") {
  chargewire::Config config;
  try {
    config.set("csms.ping_interval", "soon");
    FAIL("no exception");
  } catch (const chargewire::Error& error) {
    CHECK(error.status() == Status::config);
    CHECK(std::string(error.what()).find("csms.ping_interval") != std::string::npos);
  }
  CHECK(status_of([&] { config.set("no.such.key", "1"); }) == Status::config);
  CHECK(status_of([&] { config.get("no.such.key"); }) == Status::config);
  CHECK(status_of([&] { config.load_yaml("csms: ["); }) == Status::config);
  CHECK(status_of([&] { config.load_yaml({}); }) == Status::ok);
  CHECK(status_of([&] { config.load_file("/no/such/file.yaml"); }) == Status::config);
}

TEST_CASE("a NUL inside of text is refused, not cut off") {
  chargewire::Config config;
  CHECK(status_of([&] { config.set("csms.default_url\0x"sv, "ws://localhost"); }) == Status::invalid_argument);
  CHECK(status_of([&] { config.set("csms.default_url", "ws://localhost\0x"sv); }) == Status::invalid_argument);
  chargewire::Manager manager(config);
  CHECK(status_of([&] { manager.connect("CP\0001"sv); }) == Status::invalid_argument);
  CHECK(status_of([&] { chargewire::Station().disconnect(1000, "bye\0bye"sv); }) == Status::invalid_argument);
}

TEST_CASE("a Manager that is polled hands out events up to SHUTDOWN") {
  chargewire::Manager manager(one_attempt());
  CHECK(manager.event_fd() >= 0);
  CHECK(manager.poll(0ms).empty());
  manager.wake();
  CHECK(manager.poll(-1ms).empty());

  manager.shutdown();
  std::vector<EventType> types;
  manager.run([&](const chargewire::Event& event) { types.push_back(event.type()); });
  REQUIRE_FALSE(types.empty());
  CHECK(types.back() == EventType::shutdown);
  CHECK(status_of([&] { manager.poll(0ms); }) == Status::state);
  CHECK(status_of([&] { manager.shutdown(-5ms); }) == Status::invalid_argument);
}

TEST_CASE("a station that nobody answers gives up, and says why everywhere it is asked") {
  const RefusedPort port;
  chargewire::Manager manager(one_attempt());
  const chargewire::Config overrides = chargewire::Config().set("csms.default_url", port.url());
  const chargewire::Station station = manager.connect("CP001", {}, overrides, 42);
  REQUIRE(station);
  CHECK(manager.find("CP001") == station);
  CHECK(manager.find("CP002") == std::nullopt);
  CHECK(station.try_send("x") == Status::not_established);
  CHECK(status_of([&] { station.send("x"); }) == Status::not_established);
  CHECK(status_of([&] { manager.send("CP001", "x"); }) == Status::not_established);
  CHECK(manager.try_send("CP002", "x") == Status::not_found);
  CHECK(status_of([&] { station.wait(30s); }) == Status::dial);

  bool told = false;
  bool closed = false;
  while (!closed) {
    for (const chargewire::Event event : manager.poll(30s)) {
      if (event.type() == EventType::log) continue;
      CHECK(event.station_id() == "CP001");
      CHECK(event.user_data() == 42);
      CHECK(event.time() > std::chrono::system_clock::now() - 1h);
      if (event.type() == EventType::error) {
        told = true;
        CHECK(event.status() == Status::dial);
        CHECK(event.code() == ECONNREFUSED);
        CHECK_FALSE(event.data().empty());
      }
      if (event.type() == EventType::closed) closed = true;
    }
  }
  CHECK(told);
  CHECK(status_of([&] { station.state(); }) == Status::invalid_handle);

  CHECK_FALSE(manager.is_connected("CP001"));
  CHECK(status_of([&] { manager.is_connected("CP002"); }) == Status::not_found);
  CHECK(manager.stats("CP001").state() == State::error);
  CHECK(manager.stats("CP001").last_error() == Status::dial);
  const std::vector<chargewire::Stats> all = manager.all_stats();
  REQUIRE(all.size() == 1);
  CHECK(all[0].station_id() == "CP001"sv);
  CHECK(manager.counts().connected == 0);
  CHECK(manager.counts().total == 1);
  CHECK(manager.broadcast("x") == 0);
  manager.disconnect("CP001");
  manager.disconnect_all();
  CHECK(manager.connect_all() == 0);
}

TEST_CASE("what is known of a failure, a station and an endpoint has types") {
  const RefusedPort port;
  chargewire::Manager manager(patient());
  const auto before = std::chrono::system_clock::now() - 1s;
  const chargewire::Station station = manager.connect("CP001", port.url());
  std::optional<chargewire::Failure> failure;
  while (!failure) {
    for (const chargewire::Event event : manager.poll(30s)) {
      if (event.type() == EventType::state && event.new_state() == State::connecting)
        CHECK(event.data() == "connecting");
      if (event.type() != EventType::error) continue;
      CHECK(event.has(chargewire::Flags::will_retry));
      CHECK_FALSE(event.has(chargewire::Flags::will_retry | chargewire::Flags::needs_action));
      failure = event.failure();
    }
  }
  CHECK(failure->status() == Status::dial);
  CHECK(failure->phase() == chargewire::Phase::tcp);
  CHECK(failure->os_error() == ECONNREFUSED);
  CHECK(failure->http_status() == 0);
  CHECK(failure->security_event() == chargewire::SecurityEvent::none);
  CHECK(failure->has(chargewire::Flags::will_retry));
  CHECK(failure->time() > before);
  REQUIRE(failure->retry_at());
  CHECK(*failure->retry_at() > failure->time() + 30min);

  const chargewire::Stats stats = station.stats();
  CHECK(stats.state() == State::reconnecting);
  CHECK(stats.connections() == 0);
  CHECK_FALSE(stats.connected_at());
  CHECK(stats.round_trip() == 0ns);
  CHECK(stats.pong_awaited() == 0ns);
  CHECK(stats.flaps_last_hour() == 0);
  CHECK(stats.quality() == chargewire::Quality::bad);
  CHECK(chargewire::name(stats.quality()) == "bad");
  REQUIRE(stats.last_failure());
  CHECK(stats.last_failure()->phase() == chargewire::Phase::tcp);
  CHECK_FALSE(stats.last_error_message().empty());

  std::vector<chargewire::Endpoint> endpoints = manager.endpoints();
  REQUIRE(endpoints.size() == 1);
  CHECK(endpoints[0].name() == port.url());
  CHECK(endpoints[0].breaker() == chargewire::Breaker::closed);
  CHECK(endpoints[0].failures() == 1);
  CHECK(manager.metrics().find("chargewire_stations{endpoint=\"" + port.url() + "\"") != std::string::npos);
  CHECK(manager.metrics(chargewire::MetricsFormat::open_metrics).find("\n# EOF\n") != std::string::npos);
  CHECK(manager.metrics_url().empty());
  manager.isolate(port.url());
  CHECK(manager.endpoints()[0].breaker() == chargewire::Breaker::isolated);
  manager.reset(port.url());
  CHECK(manager.endpoints()[0].breaker() == chargewire::Breaker::closed);
  CHECK(status_of([&] { manager.isolate("nowhere"); }) == Status::invalid_argument);
  manager.network_up();

  // Another URL, other options, or both; by station and by id.
  station.reconfigure(port.url() + "/elsewhere", chargewire::Reconfigure::reconnect);
  bool tried = false;
  while (!tried) {
    for (const chargewire::Event event : manager.poll(30s)) {
      tried = tried || event.data().find("/elsewhere") != std::string_view::npos;
    }
  }
  station.reconfigure(chargewire::Config().max_reconnect_attempts(1));
  manager.reconfigure("CP001", chargewire::Config().pong_timeout(1s), port.url());
  CHECK(status_of([&] { station.reconfigure("http://x"); }) == Status::invalid_argument);
  CHECK(status_of([&] { manager.reconfigure("CP002"); }) == Status::not_found);

  CHECK(std::hash<chargewire::Station>()(station) == std::hash<chargewire::Station>()(*manager.find("CP001")));
}

TEST_CASE("a trace of one station or of all goes to the file that is configured") {
  char directory[] = "/tmp/chargewire-wrapper-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string path = std::string(directory) + "/trace.jsonl";
  chargewire::Config config;
  config.set("trace.file", path);
  {
    chargewire::Manager manager(config);
    CHECK(status_of([&] { manager.trace("nobody"); }) == Status::not_found);
    manager.trace_all();
    CHECK(::access(path.c_str(), R_OK) == 0);
    manager.trace_all(false);
  }
  CHECK(::unlink(path.c_str()) == 0);
  CHECK(::rmdir(directory) == 0);
  chargewire::Manager without;
  CHECK(status_of([&] { without.trace_all(); }) == Status::state);
}

TEST_CASE("send_many tells of each message by itself") {
  const RefusedPort port;
  chargewire::Manager manager(patient());
  const chargewire::Station station = manager.connect("CP001", port.url());
  CHECK(station.stats().station_id() == "CP001"sv);
  std::vector<chargewire::Outgoing> messages = {{station, "one"}, {chargewire::Station(), "two"}};
  CHECK(chargewire::send_many(messages) == 0);
  CHECK(messages[0].status() == Status::not_established);
  CHECK(messages[1].status() == Status::invalid_handle);
  station.disconnect(1000, "done");
  CHECK(status_of([&] { station.wait(30s); }) != Status::ok);
}

TEST_CASE("a Pool groups stations and owns none") {
  const RefusedPort port;
  chargewire::Manager manager(patient());
  const chargewire::Station first = manager.connect("CP001", port.url());
  manager.connect("CP002", port.url());
  {
    const chargewire::Pool pool(manager);
    pool.add(first);
    CHECK(pool.has("CP001"));
    CHECK_FALSE(pool.has("CP002"));
    CHECK(pool.counts().total == 1);
    CHECK(pool.stats().size() == 1);
    CHECK(pool.try_send("CP001", "x") == Status::not_established);
    CHECK(status_of([&] { pool.send("CP002", "x"); }) == Status::not_found);
    CHECK(pool.broadcast("x") == 0);
    CHECK(pool.remove("CP001"));
    CHECK_FALSE(pool.remove("CP001"));
    pool.add(first);
    CHECK(status_of([&] { pool.add(chargewire::Station()); }) == Status::invalid_handle);
  }
  CHECK(manager.counts().total == 2);
  const chargewire::Pool pool(manager);
  pool.add(first);
  pool.disconnect_all();
  CHECK(status_of([&] { first.wait(30s); }) != Status::ok);
}

TEST_CASE("a Manager with a handler calls it for each event") {
  std::promise<EventType> last;
  chargewire::Manager manager([&](const chargewire::Event& event) {
    if (event.type() == EventType::shutdown) last.set_value(event.type());
  });
  CHECK(manager.event_fd() == -1);
  CHECK(status_of([&] { manager.poll(0ms); }) == Status::state);
  manager.shutdown();
  CHECK(last.get_future().get() == EventType::shutdown);
  CHECK(manager.handler_exceptions() == 0);
}

TEST_CASE("an empty handler is refused") {
  CHECK(status_of([] { chargewire::Manager manager{chargewire::Handler()}; }) == Status::invalid_argument);
}

TEST_CASE("a handler that throws costs no event, and the exceptions are counted") {
  const RefusedPort port;
  std::atomic<std::uint64_t> thrown{0};
  std::promise<void> over;
  chargewire::Manager manager(one_attempt(), [&](const chargewire::Event& event) {
    ++thrown;
    if (event.type() == EventType::shutdown) over.set_value();
    throw std::runtime_error("a defect of the application");
  });
  manager.connect("CP001", port.url());
  manager.shutdown();
  over.get_future().get();
  const chargewire::Manager& same = manager;
  // The count of the last one follows its throw by a moment.
  while (same.handler_exceptions() < thrown) std::this_thread::yield();
  CHECK(same.handler_exceptions() == thrown);
  CHECK(thrown >= 2);  // CLOSED and SHUTDOWN at least
}

TEST_CASE("what a handler throws is reported by LOG") {
  const RefusedPort port;
  std::atomic<bool> thrown{false};
  std::promise<std::string> report;
  chargewire::Manager manager(patient(), [&](const chargewire::Event& event) {
    if (event.type() == EventType::log && thrown) return report.set_value(std::string(event.data()));
    if (!thrown.exchange(true)) throw std::runtime_error("a defect of the application");
  });
  manager.connect("CP001", port.url());
  CHECK(report.get_future().get().find("exception") != std::string::npos);
  CHECK(manager.handler_exceptions() == 1);
}

TEST_CASE("a handler lives until its last event, also when the Manager is destroyed inside it") {
  std::promise<void> let_go;
  std::shared_ptr<int> captured(new int(7), [&let_go](const int* number) {
    delete number;
    let_go.set_value();
  });
  const RefusedPort port;
  std::promise<void> ready;
  std::promise<void> over;
  auto ready_future = std::make_shared<std::shared_future<void>>(ready.get_future());
  auto manager = std::make_shared<std::unique_ptr<chargewire::Manager>>();
  *manager = std::make_unique<chargewire::Manager>(
      one_attempt(), [captured = std::move(captured), manager, ready_future, &over](const chargewire::Event& event) {
        if (event.type() == EventType::state || event.type() == EventType::error) {
          ready_future->wait();
          manager->reset();
        }
        if (event.type() == EventType::shutdown && *captured == 7) over.set_value();
      });
  (*manager)->connect("CP001", port.url());
  ready.set_value();
  over.get_future().get();
  manager.reset();
  let_go.get_future().get();
  SUCCEED("what the handler held was let go");
}
