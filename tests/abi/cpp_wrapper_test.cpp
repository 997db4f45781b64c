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

// The status that `call` throws; CWIRE_OK if it throws nothing.
template <typename Call>
cwire_status status_of(Call call) {
  try {
    call();
  } catch (const chargewire::Error& error) {
    CHECK_FALSE(std::string_view(error.what()).empty());
    return error.status();
  }
  return CWIRE_OK;
}

// One attempt, then the station gives up.
chargewire::Config one_attempt() {
  chargewire::Config config;
  config.set("csms.max_reconnect_attempts", "1").set("csms.reconnect_backoff", "1ms").set("io_threads", "1");
  return config;
}

// A station stays between its first attempt and its second for as long as a test looks at it.
chargewire::Config patient() {
  chargewire::Config config;
  config.set("csms.reconnect_max_backoff", "1h").set("csms.reconnect_backoff", "1h").set("io_threads", "1");
  return config;
}

}  // namespace

TEST_CASE("the wrapper tells versions and names") {
  CHECK(chargewire::abi_version() >= CWIRE_ABI_VERSION);
  CHECK_FALSE(chargewire::version().empty());
  CHECK(chargewire::status_name(CWIRE_E_DIAL) == "CWIRE_E_DIAL");
  CHECK(chargewire::state_name(CWIRE_STATE_RECONNECTING) == "reconnecting");
}

TEST_CASE("a status alone becomes an Error that says what it means and what to do") {
  try {
    chargewire::Station().send("[]");
    FAIL("no exception");
  } catch (const chargewire::Error& error) {
    CHECK(error.what() == "send: CWIRE_E_INVALID_HANDLE: "s + chargewire::status_text(CWIRE_E_INVALID_HANDLE));
  }
  std::set<std::string_view> texts;
  for (chargewire::Status status = CWIRE_E_WRITE; status <= CWIRE_OK; ++status) {
    CHECK(texts.insert(chargewire::status_text(status)).second);
  }
  CHECK(texts.count(chargewire::status_text(-1000)) == 0);
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

TEST_CASE("what goes wrong in a Config is an Error that says what") {
  chargewire::Config config;
  try {
    config.set("csms.ping_interval", "soon");
    FAIL("no exception");
  } catch (const chargewire::Error& error) {
    CHECK(error.status() == CWIRE_E_CONFIG);
    CHECK(std::string(error.what()).find("csms.ping_interval") != std::string::npos);
  }
  CHECK(status_of([&] { config.set("no.such.key", "1"); }) == CWIRE_E_CONFIG);
  CHECK(status_of([&] { config.get("no.such.key"); }) == CWIRE_E_CONFIG);
  CHECK(status_of([&] { config.load_yaml("csms: ["); }) == CWIRE_E_CONFIG);
  CHECK(status_of([&] { config.load_yaml({}); }) == CWIRE_OK);
  CHECK(status_of([&] { config.load_file("/no/such/file.yaml"); }) == CWIRE_E_CONFIG);
}

TEST_CASE("a NUL inside of text is refused, not cut off") {
  chargewire::Config config;
  CHECK(status_of([&] { config.set("csms.default_url\0x"sv, "ws://localhost"); }) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(status_of([&] { config.set("csms.default_url", "ws://localhost\0x"sv); }) == CWIRE_E_INVALID_ARGUMENT);
  chargewire::Manager manager(config);
  CHECK(status_of([&] { manager.connect("CP\0001"sv); }) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(status_of([&] { chargewire::Station().disconnect(1000, "bye\0bye"sv); }) == CWIRE_E_INVALID_ARGUMENT);
}

TEST_CASE("a Manager that is polled hands out events up to SHUTDOWN") {
  chargewire::Manager manager(one_attempt());
  CHECK(manager.event_fd() >= 0);
  CHECK(manager.poll(0ms).empty());
  manager.wake();
  CHECK(manager.poll(-1ms).empty());

  manager.shutdown();
  std::vector<std::int32_t> types;
  manager.run([&](const chargewire::Event& event) { types.push_back(event.type()); });
  REQUIRE_FALSE(types.empty());
  CHECK(types.back() == CWIRE_EVENT_SHUTDOWN);
  CHECK(status_of([&] { manager.poll(0ms); }) == CWIRE_E_STATE);
  CHECK(status_of([&] { manager.shutdown(-5ms); }) == CWIRE_E_INVALID_ARGUMENT);
}

TEST_CASE("a station that nobody answers gives up, and says why everywhere it is asked") {
  const RefusedPort port;
  chargewire::Manager manager(one_attempt());
  const chargewire::Config overrides = chargewire::Config().set("csms.default_url", port.url());
  const chargewire::Station station = manager.connect("CP001", {{}, &overrides, 42});
  REQUIRE(station);
  CHECK(manager.find("CP001") == station);
  CHECK(manager.find("CP002") == std::nullopt);
  CHECK(station.try_send("x") == CWIRE_E_NOT_ESTABLISHED);
  CHECK(status_of([&] { station.send("x"); }) == CWIRE_E_NOT_ESTABLISHED);
  CHECK(status_of([&] { manager.send("CP001", "x"); }) == CWIRE_E_NOT_ESTABLISHED);
  CHECK(manager.try_send("CP002", "x") == CWIRE_E_NOT_FOUND);
  CHECK(status_of([&] { station.wait(30s); }) == CWIRE_E_DIAL);

  bool told = false;
  bool closed = false;
  while (!closed) {
    for (const chargewire::Event event : manager.poll(30s)) {
      if (event.type() == CWIRE_EVENT_LOG) continue;
      CHECK(event.station_id() == "CP001");
      CHECK(event.user_data() == 42);
      CHECK(event.time() > std::chrono::system_clock::now() - 1h);
      if (event.type() == CWIRE_EVENT_ERROR) {
        told = true;
        CHECK(event.status() == CWIRE_E_DIAL);
        CHECK(event.code() == ECONNREFUSED);
        CHECK_FALSE(event.data().empty());
      }
      if (event.type() == CWIRE_EVENT_CLOSED) closed = true;
    }
  }
  CHECK(told);
  CHECK(status_of([&] { station.state(); }) == CWIRE_E_INVALID_HANDLE);

  CHECK_FALSE(manager.is_connected("CP001"));
  CHECK(status_of([&] { manager.is_connected("CP002"); }) == CWIRE_E_NOT_FOUND);
  CHECK(manager.stats("CP001").state == CWIRE_STATE_ERROR);
  CHECK(manager.stats("CP001").last_error == CWIRE_E_DIAL);
  const std::vector<chargewire::Stats> all = manager.all_stats();
  REQUIRE(all.size() == 1);
  CHECK(all[0].station_id == "CP001"sv);
  CHECK(manager.counts().connected == 0);
  CHECK(manager.counts().total == 1);
  CHECK(manager.broadcast("x") == 0);
  manager.disconnect("CP001");
  manager.disconnect_all();
  CHECK(manager.connect_all() == 0);
}

TEST_CASE("send_many tells of each message by itself") {
  const RefusedPort port;
  chargewire::Manager manager(patient());
  const chargewire::Station station = manager.connect("CP001", {port.url(), nullptr, 0});
  CHECK(station.stats().station_id == "CP001"sv);
  std::vector<chargewire::Outgoing> messages = {chargewire::outgoing(station, "one"),
                                                chargewire::outgoing(chargewire::Station(), "two")};
  CHECK(chargewire::send_many(messages) == 0);
  CHECK(messages[0].status == CWIRE_E_NOT_ESTABLISHED);
  CHECK(messages[1].status == CWIRE_E_INVALID_HANDLE);
  messages[0].size = 1;
  messages[1].size = 1;
  CHECK(status_of([&] { chargewire::send_many(messages); }) == CWIRE_E_INVALID_ARGUMENT);
  station.disconnect(1000, "done");
  CHECK(status_of([&] { station.wait(30s); }) < 0);
}

TEST_CASE("a Pool groups stations and owns none") {
  const RefusedPort port;
  chargewire::Manager manager(patient());
  const chargewire::Station first = manager.connect("CP001", {port.url(), nullptr, 0});
  manager.connect("CP002", {port.url(), nullptr, 0});
  {
    const chargewire::Pool pool(manager);
    pool.add(first);
    CHECK(pool.has("CP001"));
    CHECK_FALSE(pool.has("CP002"));
    CHECK(pool.counts().total == 1);
    CHECK(pool.stats().size() == 1);
    CHECK(pool.try_send("CP001", "x") == CWIRE_E_NOT_ESTABLISHED);
    CHECK(status_of([&] { pool.send("CP002", "x"); }) == CWIRE_E_NOT_FOUND);
    CHECK(pool.broadcast("x") == 0);
    CHECK(pool.remove("CP001"));
    CHECK_FALSE(pool.remove("CP001"));
    pool.add(first);
    CHECK(status_of([&] { pool.add(chargewire::Station()); }) == CWIRE_E_INVALID_HANDLE);
  }
  CHECK(manager.counts().total == 2);
  const chargewire::Pool pool(manager);
  pool.add(first);
  pool.disconnect_all();
  CHECK(status_of([&] { first.wait(30s); }) < 0);
}

TEST_CASE("a Manager with a handler calls it for each event") {
  std::promise<std::int32_t> last;
  chargewire::Manager manager([&](const chargewire::Event& event) {
    if (event.type() == CWIRE_EVENT_SHUTDOWN) last.set_value(event.type());
  });
  CHECK(manager.event_fd() == -1);
  CHECK(status_of([&] { manager.poll(0ms); }) == CWIRE_E_STATE);
  manager.shutdown();
  CHECK(last.get_future().get() == CWIRE_EVENT_SHUTDOWN);
  CHECK(manager.handler_exceptions() == 0);
}

TEST_CASE("an empty handler is refused") {
  CHECK(status_of([] { chargewire::Manager manager{chargewire::Handler()}; }) == CWIRE_E_INVALID_ARGUMENT);
}

TEST_CASE("a handler that throws costs no event, and the exceptions are counted") {
  const RefusedPort port;
  std::atomic<std::uint64_t> thrown{0};
  std::promise<void> over;
  chargewire::Manager manager(one_attempt(), [&](const chargewire::Event& event) {
    ++thrown;
    if (event.type() == CWIRE_EVENT_SHUTDOWN) over.set_value();
    throw std::runtime_error("a defect of the application");
  });
  manager.connect("CP001", {port.url(), nullptr, 0});
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
    if (event.type() == CWIRE_EVENT_LOG && thrown) return report.set_value(std::string(event.data()));
    if (!thrown.exchange(true)) throw std::runtime_error("a defect of the application");
  });
  manager.connect("CP001", {port.url(), nullptr, 0});
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
        if (event.type() == CWIRE_EVENT_STATE || event.type() == CWIRE_EVENT_ERROR) {
          ready_future->wait();
          manager->reset();
        }
        if (event.type() == CWIRE_EVENT_SHUTDOWN && *captured == 7) over.set_value();
      });
  (*manager)->connect("CP001", {port.url(), nullptr, 0});
  ready.set_value();
  over.get_future().get();
  manager.reset();
  let_go.get_future().get();
  SUCCEED("what the handler held was let go");
}
