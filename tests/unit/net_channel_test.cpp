#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <random>
#include <thread>

#include "net/channel.h"
#include "net/errno_text.h"
#include "net_test_peer.h"
#include "starvation.h"

using namespace cwire;

namespace {

Resolver::Lookup always(std::initializer_list<const char*> literals) {
  Resolver::Addresses addresses;
  for (const char* literal : literals) addresses.push_back(asio::ip::make_address(literal));
  return [addresses](const std::string&, std::error_code&) { return addresses; };
}

std::string random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// One connection that is open at both ends.
struct Open : peer::Dialled {
  peer::Listener listener;
  std::unique_ptr<peer::Connection> server;
  Open() {
    open("127.0.0.1", listener.port());
    server = std::make_unique<peer::Connection>(listener.accept());
    REQUIRE(record.wait_open());
  }
};

}  // namespace

TEST_CASE("an idle channel is small") { STATIC_REQUIRE(sizeof(Channel) <= 160); }

TEST_CASE("a channel opens, carries bytes both ways and knows its peer") {
  Open test;
  REQUIRE(test.peer() == "127.0.0.1:" + std::to_string(test.listener.port()));
  test.write("hello");
  REQUIRE(test.server->receive(5) == "hello");
  test.server->send("world");
  REQUIRE(test.record.wait_bytes(5));
  REQUIRE(test.record.data() == "world");
}

TEST_CASE("on_channel_open never comes from inside open()") {
  peer::Listener listener;
  peer::Dialled test;
  test.loop.run([&] {
    test.channel = std::make_unique<Channel>(test.loop.thread(), test.resolver, test.record);
    Channel::Target target;
    target.host = "127.0.0.1";
    target.port = listener.port();
    test.channel->open(target);
    REQUIRE_FALSE(test.record.opened());
  });
  REQUIRE(test.record.wait_open());
}

TEST_CASE("a channel reaches IPv6 literals and names") {
  peer::Listener v6(AF_INET6);
  {
    peer::Dialled test;
    test.open("::1", v6.port());
    REQUIRE(test.record.wait_open());
    REQUIRE(test.peer() == "[::1]:" + std::to_string(v6.port()));
  }
  peer::Listener v4;
  peer::Dialled test;
  test.open("localhost", v4.port());
  REQUIRE(test.record.wait_open());
}

TEST_CASE("a name that cannot be resolved is a dial failure") {
  peer::Dialled test;
  test.open("name.invalid", 80);
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_DIAL);
  REQUIRE_THAT(failure.message, Catch::StartsWith("dial: resolving name.invalid"));
}

TEST_CASE("a refused connection is a dial failure with address, reason and advice") {
  peer::ClosedPort closed;
  peer::Dialled test;
  test.open("127.0.0.1", closed.port());
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_DIAL);
  REQUIRE(failure.code.number == ECONNREFUSED);
  REQUIRE(failure.message == "dial tcp 127.0.0.1:" + std::to_string(closed.port()) +
                                 ": connection refused; check that the CSMS is running and listens on this port");
  REQUIRE(test.record.ends() == 1);
}

TEST_CASE("the next address is tried when one fails") {
  peer::Listener listener;
  peer::Dialled test(always({"127.0.0.2", "127.0.0.1"}));
  test.open("csms.example", listener.port());
  REQUIRE(test.record.wait_open());
  REQUIRE(test.peer() == "127.0.0.1:" + std::to_string(listener.port()));
}

TEST_CASE("when all addresses fail, the message names three of them and how many there are") {
  peer::ClosedPort closed;
  const std::string port = std::to_string(closed.port());
  peer::Dialled test(always({"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"}));
  test.open("csms.example", closed.port());
  const std::string refused = ":" + port + ": connection refused";
  REQUIRE(test.record.wait_failure().message ==
          "dial tcp 127.0.0.1" + refused + ", 127.0.0.2" + refused + ", 127.0.0.3" + refused +
              ", and 2 more of 5 addresses; check that the CSMS is running and listens on this port");
}

TEST_CASE("an address that does not answer does not hold up the next") {
  peer::Deaf deaf;
  peer::Listener listener(AF_INET, 16, "127.0.0.2", deaf.port());
  peer::Dialled test(always({"127.0.0.1", "127.0.0.2"}));
  const TimePoint begin = Clock::now();
  test.open("csms.example", listener.port());
  REQUIRE(test.record.wait_open());
  REQUIRE(Clock::now() - begin >= ConnectRace::kAttemptDelay);
  REQUIRE(Clock::now() - begin < std::chrono::seconds(4));
  REQUIRE(test.peer() == "127.0.0.2:" + std::to_string(listener.port()));
}

TEST_CASE("addresses that swallow the SYN are a typed dial failure when the time for TCP is over, and nothing spins") {
  peer::Deaf deaf;
  peer::Dialled test(always({"127.0.0.1", "127.0.0.1"}));
  int turns = 0;
  test.loop.run([&] { test.loop.on_end_of_turn = [&] { ++turns; }; });
  Channel::Target target;
  target.host = "csms.example";
  target.port = deaf.port();
  target.tcp_timeout = std::chrono::milliseconds(400);
  const TimePoint begin = Clock::now();
  test.open(target);
  const Failure failure = test.record.wait_failure();
  REQUIRE(Clock::now() - begin >= target.tcp_timeout);
  REQUIRE(failure.status == CWIRE_E_DIAL);
  REQUIRE(failure.code.number == ETIMEDOUT);
  const std::string timed_out = "127.0.0.1:" + std::to_string(deaf.port()) + ": timed out";
  REQUIRE(failure.message == "dial tcp " + timed_out + ", " + timed_out +
                                 "; no TCP connection within 400ms (csms.tcp_timeout); check the network, the route "
                                 "and the firewalls between here and the CSMS");
  test.loop.run([&] {
    test.loop.on_end_of_turn = nullptr;
    REQUIRE(turns < 20);
  });
}

TEST_CASE("only addresses of the source's version of IP are dialled") {
  peer::Listener v4;
  Channel::Target target;
  target.host = "csms.example";
  target.port = v4.port();
  SECTION("the others are left out") {
    peer::Dialled test(always({"::1", "127.0.0.1"}));
    target.source = asio::ip::make_address("127.0.0.2");
    test.open(target);
    REQUIRE(test.record.wait_open());
    REQUIRE(v4.accept().remote_address() == "127.0.0.2");
  }
  SECTION("and where none is left, that is said") {
    peer::Dialled test(always({"127.0.0.1", "127.0.0.3"}));
    target.source = asio::ip::make_address("::1");
    test.open(target);
    const Failure failure = test.record.wait_failure();
    REQUIRE(failure.status == CWIRE_E_DIAL);
    REQUIRE(failure.phase == FailurePhase::tcp);
    REQUIRE(failure.code.number == EAFNOSUPPORT);
    REQUIRE(
        failure.message ==
        "dial: csms.example has no IPv6 address, but csms.source_address, ::1, is one; set one of the other version "
        "of IP, or none");
  }
}

TEST_CASE("a failed dial from a source address names it") {
  peer::ClosedPort closed;
  peer::Dialled test;
  Channel::Target target;
  target.host = "127.0.0.1";
  target.port = closed.port();
  target.source = asio::ip::make_address("127.0.0.2");
  test.open(target);
  REQUIRE_THAT(test.record.wait_failure().message,
               Catch::Contains(": connection refused; dialled from 127.0.0.2; check that the CSMS"));
}

TEST_CASE("a process without descriptors says so, and recovers") {
  peer::Listener listener;
  const int next_free = ::dup(0);
  ::close(next_free);
  peer::Dialled test(always({"127.0.0.1", "127.0.0.2"}));
  peer::Dialled later;
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next_free);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  test.open("csms.example", listener.port());
  const Failure failure = test.record.wait_failure();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(failure.status == CWIRE_E_DIAL);
  REQUIRE(failure.code.number == EMFILE);
  REQUIRE_THAT(failure.message, Catch::Contains("this process has no file descriptors left; raise ulimit -n"));
  REQUIRE(failure.message.find("127.0.0.2") == std::string::npos);  // it would have failed in the same way
  later.open("127.0.0.1", listener.port());
  REQUIRE(later.record.wait_open());
}

TEST_CASE("a socket that is connected to itself counts as refused") {
  // What the kernel does by chance when a station dials a port of the ephemeral range on its own host.
  peer::ClosedPort reserved;
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  REQUIRE(::connect(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
  const asio::ip::tcp::endpoint remote(asio::ip::address_v4::loopback(), ntohs(address.sin_port));
  REQUIRE(connect_result(socket, remote) == ECONNREFUSED);
  ::close(socket);
}

TEST_CASE("ten megabytes go through in both directions, with a slow reader and with pauses") {
  constexpr std::size_t kSize = 10 << 20;
  const std::string sent = random_bytes(kSize);
  Open test;
  std::string output = sent;
  int pauses = 0;
  test.loop.run([&] {
    test.record.when_writable = [&] { test.channel->write(output); };
    test.record.when_data = [&](const char*, std::size_t) {
      if (++pauses % 7 != 0) return;
      test.channel->pause_reading();
      test.loop.thread().post([&] { test.loop.thread().post([&] { test.channel->resume_reading(); }); });
    };
    const std::size_t taken = test.channel->write(output);
    REQUIRE(taken > 0);
    REQUIRE(output.size() == kSize - taken);
    REQUIRE_FALSE(output.empty());
    REQUIRE(test.channel->write(output) == 0);  // blocked: not even tried
  });
  // Not earlier: a peer that reads as fast as we write would never block us.
  std::thread echo([&] {
    try {
      for (std::size_t done = 0; done < kSize;) {
        const std::string part = test.server->receive(std::min<std::size_t>(100000, kSize - done));
        if (part.empty()) return;
        test.server->send(part);
        done += part.size();
      }
    } catch (const std::exception&) {
      // The test sees that bytes are missing.
    }
  });
  const bool came = test.record.wait_bytes(kSize);
  echo.join();
  REQUIRE(came);
  REQUIRE(test.record.data() == sent);
}

TEST_CASE("a paused channel delivers nothing, and everything once resumed") {
  Open test;
  test.loop.run([&] { test.channel->pause_reading(); });
  test.server->send("waits in the kernel");
  for (int turn = 0; turn < 50; ++turn) test.loop.run([] {});
  REQUIRE(test.record.bytes() == 0);
  test.loop.run([&] { test.channel->resume_reading(); });
  REQUIRE(test.record.wait_bytes(19));
}

TEST_CASE("a paused channel whose peer resets it does not make the loop spin") {
  Open test;
  int turns = 0;
  test.loop.run([&] { test.channel->pause_reading(); });
  test.server->send("unread");
  test.server->reset();
  struct Probe final : TimerQueue::Timer {
    std::promise<void> fired;
    void on_timer(TimePoint) override { fired.set_value(); }
  } probe;
  test.loop.run([&] {
    test.loop.thread().timers().register_timer();
    test.loop.thread().timers().arm(probe, test.loop.thread().now() + std::chrono::milliseconds(100));
    test.loop.on_end_of_turn = [&] { ++turns; };
  });
  probe.fired.get_future().wait();
  test.loop.run([&] {
    test.loop.on_end_of_turn = nullptr;
    test.loop.thread().timers().unregister_timer(probe);
    REQUIRE(turns <= 6);
    REQUIRE(test.record.ends() == 0);
    test.channel->resume_reading();
  });
  REQUIRE(test.record.wait_failure().status == CWIRE_E_READ);
  REQUIRE(test.record.data() == "unread");
}

TEST_CASE("FIN is an end, after all bytes before it") {
  Open test;
  test.server->send("last words");
  ::shutdown(test.server->descriptor(), SHUT_WR);
  REQUIRE(test.record.wait_end());
  REQUIRE(test.record.data() == "last words");
  test.write("answer");  // the other direction is still open
  REQUIRE(test.server->receive(6) == "answer");
  REQUIRE(test.record.ends() == 1);
}

TEST_CASE("RST is a read failure") {
  Open test;
  test.server->reset();
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_READ);
  REQUIRE(failure.code.number == ECONNRESET);
  REQUIRE(failure.message ==
          "read tcp 127.0.0.1:" + std::to_string(test.listener.port()) + ": connection reset by peer");
  REQUIRE(test.record.ends() == 1);
}

TEST_CASE("a failed write is told later, after what the peer said before it hung up") {
  Open test;
  test.loop.run([&] {
    test.server->send("bye");
    test.server->reset();
    std::string output = "too late";
    REQUIRE(test.channel->write(output) == 0);
    REQUIRE(test.record.ends() == 0);
    REQUIRE(test.channel->write(output) == 0);
  });
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_WRITE);
  REQUIRE((failure.code.number == ECONNRESET || failure.code.number == EPIPE));
  REQUIRE_THAT(failure.message, Catch::StartsWith("write tcp 127.0.0.1:"));
  REQUIRE(test.record.data() == "bye");
  REQUIRE(test.record.ends() == 1);
}

TEST_CASE("close() delivers what was written, then FIN, even with bytes unread") {
  Open test;
  test.loop.run([&] { test.channel->pause_reading(); });
  test.server->send("never read");
  test.loop.run([&] {
    std::string output = "goodbye";
    test.channel->write(output);
    test.channel->close();
  });
  REQUIRE(test.server->receive(7) == "goodbye");
  char byte;
  REQUIRE(::recv(test.server->descriptor(), &byte, 1, 0) == 0);
  int error = -1;
  socklen_t size = sizeof error;
  REQUIRE(::getsockopt(test.server->descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) == 0);
  REQUIRE(error == 0);  // not reset
  test.loop.run([&] { REQUIRE(test.channel->doing() == "closed"); });
  REQUIRE(test.record.ends() == 0);
}

TEST_CASE("a listener may destroy the channel from inside any call") {
  const std::string which = GENERATE("open", "data", "writable", "end", "failed", "refused");
  CAPTURE(which);
  peer::Listener listener;
  peer::ClosedPort closed;
  peer::Dialled test;
  std::promise<void> destroyed;
  std::string output(64 << 20, 'x');  // more than the kernel takes while nobody reads
  std::promise<std::size_t> taken;
  const auto destroy = [&] {
    test.channel.reset();
    destroyed.set_value();
  };
  if (which == "open") test.record.when_open = destroy;
  if (which == "data") test.record.when_data = [&](const char*, std::size_t) { destroy(); };
  if (which == "writable") {
    test.record.when_open = [&] { taken.set_value(test.channel->write(output)); };
    test.record.when_writable = destroy;
  }
  if (which == "end") test.record.when_end = destroy;
  if (which == "failed" || which == "refused") test.record.when_failed = destroy;
  test.open("127.0.0.1", which == "refused" ? closed.port() : listener.port());
  if (which == "refused") return destroyed.get_future().wait();
  peer::Connection server = listener.accept();
  if (which == "data") server.send("x");
  if (which == "writable") server.receive(taken.get_future().get());
  if (which == "end") ::shutdown(server.descriptor(), SHUT_WR);
  if (which == "failed") server.reset();
  destroyed.get_future().wait();
}

TEST_CASE("a listener may close the channel from inside its data") {
  Open test;
  std::promise<void> closed;
  test.loop.run([&] {
    test.record.when_data = [&](const char*, std::size_t) {
      test.channel->close();
      closed.set_value();
    };
  });
  test.server->send("x");
  closed.get_future().wait();
  test.server->send("y");
  for (int turn = 0; turn < 10; ++turn) test.loop.run([] {});
  REQUIRE(test.record.bytes() == 1);
  REQUIRE(test.record.ends() == 0);
}

TEST_CASE("what a listener throws fails its own channel only") {
  Open test;
  test.loop.run(
      [&] { test.record.when_data = [](const char*, std::size_t) { throw std::runtime_error("a defect"); }; });
  test.server->send("x");
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_INTERNAL);
  REQUIRE(failure.message == "a defect");
  test.loop.run([] {});  // the loop lives
}

TEST_CASE("what a listener throws fails its channel also when there is no memory for the words") {
  struct Wordy : std::exception {
    const char* what() const noexcept override {
      return "a defect that takes many more words than fit into the string";
    }
  };
  Open test;
  test.loop.run([&] {
    test.record.when_data = [](const char*, std::size_t) {
      fixture::starve_this_thread(true);
      throw Wordy();
    };
    test.record.when_failed = [] { fixture::starve_this_thread(false); };
  });
  test.server->send("x");
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_INTERNAL);
  REQUIRE(failure.message.empty());
}

TEST_CASE("a name server that does not answer is a dial failure after five seconds, and its late answer is not lost") {
  // Beyond the test's own life, as the lookup may be.
  struct State {
    std::promise<void> answer, ended;
    std::atomic<int> lookups{0};
  };
  const auto state = std::make_shared<State>();
  const auto answer = state->answer.get_future().share();
  peer::Listener listener;
  peer::Dialled test([state, answer](const std::string&, std::error_code&) {
    struct AtEndOfThread {
      std::shared_ptr<State> state;
      ~AtEndOfThread() { state->ended.set_value(); }
    };
    thread_local AtEndOfThread at_end_of_thread{state};
    ++state->lookups;
    answer.wait();
    return Resolver::Addresses{asio::ip::make_address("127.0.0.1")};
  });
  const TimePoint begin = Clock::now();
  test.open("csms.example", listener.port());
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_DIAL);
  REQUIRE(failure.code.number == ETIMEDOUT);
  REQUIRE_THAT(failure.message,
               Catch::StartsWith("dial: resolving csms.example: no answer from the name server within 5s; "));
  REQUIRE(Clock::now() - begin >= Resolver::kPatience);
  REQUIRE(Clock::now() - begin < Resolver::kPatience + std::chrono::seconds(4));

  state->answer.set_value();
  state->ended.get_future().wait();
  peer::Record record;
  auto again = test.loop.run([&] {
    auto channel = std::make_unique<Channel>(test.loop.thread(), test.resolver, record);
    Channel::Target target;
    target.host = "csms.example";
    target.port = listener.port();
    channel->open(target);
    return channel;
  });
  REQUIRE(record.wait_open());
  REQUIRE(state->lookups == 1);
  test.loop.run([&] { again.reset(); });
}

TEST_CASE("a channel says what it is doing") {
  SECTION("resolving") {
    std::promise<void> opened;
    auto open = opened.get_future().share();
    peer::Dialled test([open](const std::string&, std::error_code&) {
      open.wait();
      return Resolver::Addresses();
    });
    test.open("csms.example", 1);
    test.loop.run([&] {
      REQUIRE(test.channel->doing() == "resolving csms.example");
      test.channel.reset();  // and may be destroyed meanwhile
    });
    opened.set_value();
  }
  SECTION("connecting") {
    peer::Deaf deaf;
    peer::Dialled test;
    test.open("127.0.0.1", deaf.port());
    const std::string expected = "connecting to 127.0.0.1:" + std::to_string(deaf.port());
    std::string doing;
    do {
      doing = test.loop.run([&] { return test.channel->doing(); });
    } while (doing == "resolving 127.0.0.1");
    REQUIRE(doing == expected);
    test.loop.run([&] { test.channel->close(); });
    REQUIRE(test.record.ends() == 0);
  }
  SECTION("connected") {
    Open test;
    test.loop.run([&] { REQUIRE(test.channel->doing() == "connected to " + test.channel->peer()); });
  }
}

TEST_CASE("errors of the system read as people search for them") {
  REQUIRE(errno_text(ECONNREFUSED) == "connection refused");
  REQUIRE(errno_text(EMFILE) == "this process has no file descriptors left");
  REQUIRE(errno_text(EISDIR) == "is a directory");
  REQUIRE(std::string(errno_advice(EMFILE)) == "raise ulimit -n, or connect fewer stations from one process");
  REQUIRE(std::string(errno_advice(EISDIR)).empty());
}
