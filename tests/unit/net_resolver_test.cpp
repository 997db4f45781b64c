#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "net/resolver.h"
#include "net_test_peer.h"

using namespace cwire;

namespace {

struct Answer {
  Failure failure;
  Resolver::Addresses addresses;
};

Answer ask(peer::Loop& loop, Resolver& resolver, const std::string& host) {
  std::promise<Answer> answer;
  std::unique_ptr<Resolver::Query> query;
  loop.run([&] {
    query = resolver.resolve(loop.thread(), host, 9000, [&](const Failure& failure, Resolver::Addresses addresses) {
      REQUIRE(loop.thread().is_current());
      answer.set_value({failure, std::move(addresses)});
    });
  });
  Answer result = answer.get_future().get();
  loop.run([&] { query.reset(); });
  return result;
}

// A lookup that waits until the test lets it end.
struct Gate {
  std::promise<void> opened;
  std::shared_future<void> open{opened.get_future()};
  std::atomic<int> lookups{0};
  Resolver::Lookup lookup() {
    return [this](const std::string&, std::uint16_t port, std::error_code&) {
      ++lookups;
      open.wait();
      return Resolver::Addresses{{asio::ip::make_address("192.0.2.1"), port}};
    };
  }
};

}  // namespace

TEST_CASE("literals are answered without a lookup") {
  Resolver resolver([](const std::string&, std::uint16_t, std::error_code&) -> Resolver::Addresses {
    throw std::logic_error("looked up");
  });
  peer::Loop loop;
  for (const char* literal : {"127.0.0.1", "::1", "2001:db8::1"}) {
    const Answer answer = ask(loop, resolver, literal);
    REQUIRE_FALSE(answer.failure);
    REQUIRE(answer.addresses.size() == 1);
    REQUIRE(answer.addresses[0] == asio::ip::tcp::endpoint(asio::ip::make_address(literal), 9000));
  }
}

TEST_CASE("the answer never comes from inside resolve()") {
  Resolver resolver;
  peer::Loop loop;
  std::promise<bool> answered_inside;
  bool inside = true;
  std::unique_ptr<Resolver::Query> query;
  loop.run([&] {
    query = resolver.resolve(loop.thread(), "127.0.0.1", 1,
                             [&](const Failure&, Resolver::Addresses) { answered_inside.set_value(inside); });
    inside = false;
  });
  REQUIRE_FALSE(answered_inside.get_future().get());
  loop.run([&] { query.reset(); });
}

TEST_CASE("localhost has loopback addresses") {
  Resolver resolver;
  peer::Loop loop;
  const Answer answer = ask(loop, resolver, "localhost");
  REQUIRE_FALSE(answer.failure);
  REQUIRE_FALSE(answer.addresses.empty());
  for (const auto& endpoint : answer.addresses) {
    REQUIRE(endpoint.address().is_loopback());
    REQUIRE(endpoint.port() == 9000);
  }
}

TEST_CASE("a name that does not exist is a dial failure that names it") {
  Resolver resolver;
  peer::Loop loop;
  const Answer answer = ask(loop, resolver, "name.invalid");
  REQUIRE(answer.failure.status == CWIRE_E_DIAL);
  REQUIRE_THAT(answer.failure.message, Catch::StartsWith("dial: resolving name.invalid: "));
  REQUIRE_THAT(answer.failure.message, Catch::Contains("check the host name"));
  REQUIRE(answer.addresses.empty());
}

TEST_CASE("a lookup without addresses is a failure") {
  Resolver resolver([](const std::string&, std::uint16_t, std::error_code&) { return Resolver::Addresses(); });
  peer::Loop loop;
  REQUIRE(ask(loop, resolver, "empty.example").failure.status == CWIRE_E_DIAL);
}

TEST_CASE("a cancelled query is never answered, and others for the name are") {
  Gate gate;
  Resolver resolver(gate.lookup());
  peer::Loop loop;
  bool cancelled_answered = false;
  std::promise<void> other_answered;
  std::unique_ptr<Resolver::Query> cancelled, other;
  loop.run([&] {
    cancelled = resolver.resolve(loop.thread(), "csms.example", 1,
                                 [&](const Failure&, Resolver::Addresses) { cancelled_answered = true; });
    other = resolver.resolve(loop.thread(), "csms.example", 1,
                             [&](const Failure&, Resolver::Addresses) { other_answered.set_value(); });
    cancelled.reset();
  });
  gate.opened.set_value();
  other_answered.get_future().wait();
  loop.run([&] { other.reset(); });
  REQUIRE_FALSE(cancelled_answered);
  REQUIRE(gate.lookups == 1);  // and one lookup served both
}

TEST_CASE("cancelling races with the answer without harm") {
  Resolver resolver([](const std::string&, std::uint16_t port, std::error_code&) {
    return Resolver::Addresses{{asio::ip::make_address("192.0.2.1"), port}};
  });
  peer::Loop loop;
  for (int i = 0; i < 2000; ++i) {
    std::unique_ptr<Resolver::Query> query;
    bool alive = true;
    bool answered_late = false;
    loop.run([&] {
      query = resolver.resolve(loop.thread(), "csms.example", 1,
                               [&](const Failure&, Resolver::Addresses) { answered_late = answered_late || !alive; });
    });
    if (i % 2 == 0) std::this_thread::yield();
    loop.run([&] {
      query.reset();
      alive = false;
    });
    loop.run([&] { REQUIRE_FALSE(answered_late); });
  }
}

TEST_CASE("a completion may destroy its query") {
  Resolver resolver;
  peer::Loop loop;
  std::promise<void> answered;
  std::unique_ptr<Resolver::Query> query;
  loop.run([&] {
    query = resolver.resolve(loop.thread(), "127.0.0.1", 1, [&](const Failure&, Resolver::Addresses) {
      query.reset();
      answered.set_value();
    });
  });
  answered.get_future().wait();
}

TEST_CASE("a lookup may end after its I/O thread is gone") {
  Gate gate;
  auto resolver = std::make_unique<Resolver>(gate.lookup());
  {
    peer::Loop loop;
    std::unique_ptr<Resolver::Query> query;
    loop.run([&] {
      query = resolver->resolve(loop.thread(), "csms.example", 1, [](const Failure&, Resolver::Addresses) {});
    });
    while (gate.lookups == 0) std::this_thread::yield();
    loop.run([&] { query.reset(); });
  }
  gate.opened.set_value();
  resolver.reset();
}

TEST_CASE("a lookup that nobody waits for any more is not begun") {
  Gate gate;
  Resolver resolver(gate.lookup());
  peer::Loop loop;
  std::vector<std::unique_ptr<Resolver::Query>> queries;
  const auto begin = [&](const std::string& host) {
    loop.run([&] {
      queries.push_back(resolver.resolve(loop.thread(), host, 1, [](const Failure&, Resolver::Addresses) {}));
    });
  };
  begin("a.example");
  begin("b.example");
  while (gate.lookups < 2) std::this_thread::yield();  // both threads are busy
  begin("c.example");
  loop.run([&] { queries.clear(); });
  gate.opened.set_value();
  std::promise<void> answered;
  std::unique_ptr<Resolver::Query> last;
  loop.run([&] {
    last = resolver.resolve(loop.thread(), "d.example", 1,
                            [&](const Failure&, Resolver::Addresses) { answered.set_value(); });
  });
  answered.get_future().wait();
  loop.run([&] { last.reset(); });
  REQUIRE(gate.lookups == 3);
}
