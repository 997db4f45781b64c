// Happy eyeballs, RFC 8305: real sockets on loopback, and a clock that the test moves.
#include <dirent.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "net/connect_race.h"
#include "net_test_peer.h"

using namespace cwire;
using std::chrono::milliseconds;

namespace {

Resolver::Addresses addresses(std::initializer_list<const char*> literals) {
  Resolver::Addresses out;
  for (const char* literal : literals) out.push_back(asio::ip::make_address(literal));
  return out;
}

std::size_t open_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  std::size_t count = 0;
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

struct Race : ConnectRace::Listener {
  Poller poller;
  TimePoint now = TimePoint() + std::chrono::hours(1);
  int told = 0;
  ConnectRace race;

  Race(Resolver::Addresses all, std::uint16_t port, std::optional<asio::ip::address> source = std::nullopt)
      : race(poller, *this, std::move(all), port, source) {}
  ~Race() { const Socket closed(race.take_winner().socket); }
  void on_attempt_decided() override { ++told; }

  ConnectRace::Outcome advance(Duration by = Duration::zero()) { return race.advance(now += by); }
  // Until the kernel has decided an attempt.
  ConnectRace::Outcome decided() {
    for (told = 0; told == 0;) {
      poller.wait(Clock::now() + milliseconds(peer::kPatience_ms));
      poller.serve();
    }
    return advance();
  }
};

constexpr auto kPending = ConnectRace::Outcome::pending;
constexpr auto kConnected = ConnectRace::Outcome::connected;
constexpr auto kFailed = ConnectRace::Outcome::failed;

}  // namespace

TEST_CASE("the families take turns, beginning with that of the first address") {
  const auto interleaved = [](std::initializer_list<const char*> literals) {
    Resolver::Addresses all = addresses(literals);
    interleave_families(all);
    std::string text;
    for (const auto& address : all) text += address.to_string() + " ";
    return text;
  };
  REQUIRE(interleaved({"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"}) ==
          "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 ");
  REQUIRE(interleaved({"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"}) ==
          "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3 ");
  REQUIRE(interleaved({"192.0.2.1", "192.0.2.2"}) == "192.0.2.1 192.0.2.2 ");
  REQUIRE(interleaved({"2001:db8::1"}) == "2001:db8::1 ");
}

TEST_CASE("an address that is silent is given 250 ms before the next is tried beside it, and the loser is closed") {
  peer::Deaf deaf;
  peer::Listener listener(AF_INET, 16, "127.0.0.2", deaf.port());
  Race test(addresses({"127.0.0.1", "127.0.0.2"}), deaf.port());
  const std::size_t before = open_descriptors();
  REQUIRE(test.advance() == kPending);
  REQUIRE(test.race.due() == test.now + milliseconds(250));
  const std::string port = ":" + std::to_string(deaf.port());
  REQUIRE(test.advance(milliseconds(249)) == kPending);
  REQUIRE(test.race.under_way() == "127.0.0.1" + port);
  REQUIRE(test.advance(milliseconds(1)) == kPending);
  REQUIRE(test.race.under_way() == "127.0.0.1" + port + " and 1 more");
  REQUIRE(test.race.due() == kNever);
  REQUIRE(open_descriptors() == before + 2);
  REQUIRE(test.decided() == kConnected);
  const ConnectRace::Winner winner = test.race.take_winner();
  const Socket socket(winner.socket);
  REQUIRE(endpoint_text(winner.remote) == "127.0.0.2" + port);
  REQUIRE(winner.watched);
  REQUIRE(open_descriptors() == before + 1);
  REQUIRE(test.race.due() == kNever);
}

TEST_CASE("a refusal begins the next attempt at once, however many there are") {
  peer::ClosedPort closed;
  peer::Listener listener(AF_INET, 16, "127.0.0.4", closed.port());
  Race test(addresses({"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}), closed.port());
  ConnectRace::Outcome outcome = test.advance();
  const TimePoint begin = test.now;
  while (outcome == kPending) outcome = test.decided();
  REQUIRE(outcome == kConnected);
  REQUIRE(test.now == begin);
}

TEST_CASE("the silent first address wins if it answers before the second") {
  peer::Listener listener;
  peer::Listener other(AF_INET, 16, "127.0.0.2", listener.port());
  Race test(addresses({"127.0.0.1", "127.0.0.2"}), listener.port());
  REQUIRE(test.advance() == kPending);
  REQUIRE(test.decided() == kConnected);
  const ConnectRace::Winner winner = test.race.take_winner();
  const Socket socket(winner.socket);
  REQUIRE(winner.remote.address().to_string() == "127.0.0.1");
}

TEST_CASE("a host with many silent addresses takes eight descriptors, and all of its addresses are tried") {
  peer::Deaf deaf("0.0.0.0");
  const auto all = addresses({"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7",
                              "127.0.0.8", "127.0.0.9", "127.0.0.10"});
  const std::size_t before = open_descriptors();
  Race test(all, deaf.port());
  REQUIRE(test.advance() == kPending);
  for (int step = 1; step < 10; ++step) REQUIRE(test.advance(ConnectRace::kAttemptDelay) == kPending);
  REQUIRE(open_descriptors() == before + 2 + ConnectRace::kAttemptsMax);  // and the poller's two
  REQUIRE(test.race.due() == kNever);
  test.race.give_up();
  REQUIRE(test.advance() == kFailed);
  REQUIRE(open_descriptors() == before + 2);
  const std::string timed_out = ":" + std::to_string(deaf.port()) + ": timed out";
  REQUIRE(test.race.refusals() == "127.0.0.1" + timed_out + ", 127.0.0.2" + timed_out + ", 127.0.0.3" + timed_out +
                                      ", and 7 more of 10 addresses");
  REQUIRE(test.race.error() == ETIMEDOUT);
}

TEST_CASE("a refusal says more than that this machine cannot reach one of the families") {
  peer::ClosedPort closed;
  const auto all = GENERATE(addresses({"2001:db8::1", "127.0.0.1"}), addresses({"127.0.0.1", "2001:db8::1"}));
  Race test(all, closed.port());
  ConnectRace::Outcome outcome = test.advance();
  while (outcome == kPending && test.race.under_way().find("127.0.0.1") != std::string::npos) outcome = test.decided();
  // A machine with a route to 2001:db8::/32 may still wait for it.
  test.race.give_up();
  if (outcome == kPending) return;
  REQUIRE(test.race.error() == ECONNREFUSED);
}

TEST_CASE("without descriptors no more addresses are tried, and what is under way goes on") {
  peer::Deaf deaf("0.0.0.0");
  Race test(addresses({"127.0.0.1", "127.0.0.2", "127.0.0.3"}), deaf.port());
  REQUIRE(test.advance() == kPending);
  const int next_free = ::dup(0);
  ::close(next_free);
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next_free);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const ConnectRace::Outcome outcome = test.advance(ConnectRace::kAttemptDelay);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(outcome == kPending);
  REQUIRE(test.race.due() == kNever);
  REQUIRE(test.race.error() == EMFILE);
  test.race.give_up();
  const std::string port = ":" + std::to_string(deaf.port());
  REQUIRE(test.race.refusals() ==
          "127.0.0.2" + port + ": this process has no file descriptors left, 127.0.0.1" + port + ": timed out");
  REQUIRE(test.race.error() == EMFILE);
}

TEST_CASE("every address is dialled from the source address") {
  peer::Listener listener;
  Race test(addresses({"127.0.0.3", "127.0.0.1"}), listener.port(), asio::ip::make_address("127.0.0.2"));
  ConnectRace::Outcome outcome = test.advance();
  while (outcome == kPending) outcome = test.decided();
  REQUIRE(outcome == kConnected);
  REQUIRE(listener.accept().remote_address() == "127.0.0.2");
}

// qemu-user does not.
bool kernel_can_choose_a_port_late() {
  const Socket socket(open_tcp_socket(AF_INET));
  const int on = 1;
  return ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0;
}

TEST_CASE("a source address takes no port before it is known for which peer") {
  if (!kernel_can_choose_a_port_late()) {
    WARN("IP_BIND_ADDRESS_NO_PORT is not known here");
    return;
  }
  const char* source = GENERATE("127.0.0.2", "::1");
  const auto address = asio::ip::make_address(source);
  const int family = address.is_v6() ? AF_INET6 : AF_INET;
  const Socket socket(open_tcp_socket(family));
  REQUIRE(bind_source(socket.get(), address) == 0);
  asio::ip::tcp::endpoint local;
  socklen_t size = static_cast<socklen_t>(local.capacity());
  REQUIRE(::getsockname(socket.get(), local.data(), &size) == 0);
  REQUIRE(local.address() == address);
  REQUIRE(local.port() == 0);
}

TEST_CASE("a source address that this machine does not have is told apart from ports that ran out, and tried once") {
  peer::ClosedPort closed;
  Race test(addresses({"127.0.0.1", "127.0.0.2"}), closed.port(), asio::ip::make_address("192.0.2.77"));
  const std::size_t before = open_descriptors();
  REQUIRE(test.advance() == kFailed);
  REQUIRE(test.race.lacks_source());
  REQUIRE(test.race.error() == EADDRNOTAVAIL);
  REQUIRE(test.race.refusals().find("127.0.0.2") == std::string::npos);
  REQUIRE(open_descriptors() == before);
}
