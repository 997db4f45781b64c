#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "net/resolver.h"
#include "net_test_peer.h"

using namespace cwire;

namespace {

// An attempt that did not have to wait for its turn.
constexpr TimePoint kNow = TimePoint::max();

struct Answer {
  Failure failure;
  Resolver::Addresses addresses;
};

Answer ask(peer::Loop& loop, Resolver& resolver, const std::string& host, TimePoint due = kNow) {
  std::promise<Answer> answer;
  std::unique_ptr<Resolver::Query> query;
  loop.run([&] {
    query = resolver.resolve(loop.thread(), host, due, [&](const Failure& failure, Resolver::Addresses addresses) {
      REQUIRE(loop.thread().is_current());
      answer.set_value({failure, std::move(addresses)});
    });
  });
  Answer result = answer.get_future().get();
  loop.run([&] { query.reset(); });
  return result;
}

const asio::ip::address kAddress = asio::ip::make_address("192.0.2.1");

// A lookup that waits until the test lets it end, if need be after the test.
class Gate {
 public:
  ~Gate() { open(); }
  void open() {
    if (!std::exchange(open_, true)) state_->opened.set_value();
  }
  int lookups() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->lookups;
  }
  void wait_lookups(int times) const {
    std::unique_lock<std::mutex> lock(state_->mutex);
    state_->begun.wait(lock, [&] { return state_->lookups >= times; });
  }
  Resolver::Lookup lookup() {
    return [state = state_](const std::string&, std::error_code&) {
      {
        const std::lock_guard<std::mutex> lock(state->mutex);
        ++state->lookups;
        state->begun.notify_all();
      }
      state->open.wait();
      return Resolver::Addresses{kAddress};
    };
  }

 private:
  struct State {
    std::promise<void> opened;
    std::shared_future<void> open{opened.get_future()};
    std::mutex mutex;
    std::condition_variable begun;
    int lookups = 0;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  bool open_ = false;
};

}  // namespace

TEST_CASE("literals are answered without a lookup") {
  Resolver resolver(
      [](const std::string&, std::error_code&) -> Resolver::Addresses { throw std::logic_error("looked up"); });
  peer::Loop loop;
  for (const char* literal : {"127.0.0.1", "::1", "2001:db8::1"}) {
    const Answer answer = ask(loop, resolver, literal);
    REQUIRE_FALSE(answer.failure);
    REQUIRE(answer.addresses.size() == 1);
    REQUIRE(answer.addresses[0] == asio::ip::make_address(literal));
  }
}

TEST_CASE("the answer never comes from inside resolve()") {
  Resolver resolver;
  peer::Loop loop;
  std::promise<bool> answered_inside;
  bool inside = true;
  std::unique_ptr<Resolver::Query> query;
  loop.run([&] {
    query = resolver.resolve(loop.thread(), "127.0.0.1", kNow,
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
  for (const auto& address : answer.addresses) REQUIRE(address.is_loopback());
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
  Resolver resolver([](const std::string&, std::error_code&) { return Resolver::Addresses(); });
  peer::Loop loop;
  REQUIRE(ask(loop, resolver, "empty.example").failure.status == CWIRE_E_DIAL);
}

TEST_CASE("an answer serves whoever was due to ask before it came, and nobody else") {
  const bool found = GENERATE(true, false);
  std::atomic<int> lookups{0};
  peer::Loop loop;
  Resolver resolver([&](const std::string&, std::error_code& error) {
    ++lookups;
    if (found) return Resolver::Addresses{kAddress};
    error = std::make_error_code(std::errc::host_unreachable);
    return Resolver::Addresses();
  });
  const TimePoint before = Clock::now();
  const auto check = [&](TimePoint due) {
    const Answer answer = ask(loop, resolver, "csms.example", due);
    CHECK(bool(answer.failure) == !found);
    CHECK(answer.addresses.empty() == !found);
  };
  check(before);
  CHECK(lookups == 1);
  for (int i = 0; i < 100; ++i) check(before);
  CHECK(lookups == 1);
  check(Clock::now());
  CHECK(lookups == 2);
  check(kNow);
  CHECK(lookups == 3);
  // Names are not kept for ever, and another one is none of it.
  for (int i = 0; i < 100; ++i) ask(loop, resolver, "csms" + std::to_string(i) + ".example", before);
  CHECK(lookups == 103);
}

TEST_CASE("a cancelled query is never answered, and others for the name are") {
  Gate gate;
  Resolver resolver(gate.lookup());
  peer::Loop loop;
  bool cancelled_answered = false;
  std::promise<void> other_answered;
  std::unique_ptr<Resolver::Query> cancelled, other;
  loop.run([&] {
    cancelled = resolver.resolve(loop.thread(), "csms.example", kNow,
                                 [&](const Failure&, Resolver::Addresses) { cancelled_answered = true; });
    other = resolver.resolve(loop.thread(), "csms.example", kNow,
                             [&](const Failure&, Resolver::Addresses) { other_answered.set_value(); });
    cancelled.reset();
  });
  gate.open();
  other_answered.get_future().wait();
  loop.run([&] { other.reset(); });
  REQUIRE_FALSE(cancelled_answered);
  REQUIRE(gate.lookups() == 1);  // and one lookup served both
}

TEST_CASE("cancelling races with the answer without harm") {
  Resolver resolver([](const std::string&, std::error_code&) { return Resolver::Addresses{kAddress}; });
  peer::Loop loop;
  for (int i = 0; i < 2000; ++i) {
    std::unique_ptr<Resolver::Query> query;
    bool alive = true;
    bool answered_late = false;
    loop.run([&] {
      query = resolver.resolve(loop.thread(), "csms.example", kNow,
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
    query = resolver.resolve(loop.thread(), "127.0.0.1", kNow, [&](const Failure&, Resolver::Addresses) {
      query.reset();
      answered.set_value();
    });
  });
  answered.get_future().wait();
}

TEST_CASE("what a lookup throws is a failure of those who asked") {
  peer::Loop loop;
  SECTION("an exception") {
    Resolver resolver(
        [](const std::string&, std::error_code&) -> Resolver::Addresses { throw std::runtime_error("a defect"); });
    const Failure failure = ask(loop, resolver, "csms.example").failure;
    REQUIRE(failure.status == CWIRE_E_INTERNAL);
    REQUIRE(failure.message == "dial: resolving csms.example: a defect");
    REQUIRE(ask(loop, resolver, "csms.example").failure);  // and the next who asks is answered too
  }
  SECTION("no memory") {
    Resolver resolver([](const std::string&, std::error_code&) -> Resolver::Addresses { throw std::bad_alloc(); });
    REQUIRE(ask(loop, resolver, "csms.example").failure.status == CWIRE_E_NO_MEMORY);
  }
  SECTION("anything") {
    Resolver resolver([](const std::string&, std::error_code&) -> Resolver::Addresses { throw 1; });
    REQUIRE(ask(loop, resolver, "csms.example").failure.status == CWIRE_E_INTERNAL);
  }
}

TEST_CASE("names that hang stop no other name") {
  Gate gate;
  Resolver resolver([hang = gate.lookup()](const std::string& host, std::error_code& error) {
    return host == "fast.example" ? Resolver::Addresses{kAddress} : hang(host, error);
  });
  peer::Loop loop;
  std::vector<std::unique_ptr<Resolver::Query>> hanging;
  for (int i = 1; i < Resolver::kThreadsMax; ++i) {
    loop.run([&] {
      hanging.push_back(resolver.resolve(loop.thread(), "hangs" + std::to_string(i) + ".example", kNow,
                                         [](const Failure&, Resolver::Addresses) {}));
    });
  }
  gate.wait_lookups(Resolver::kThreadsMax - 1);
  REQUIRE_FALSE(ask(loop, resolver, "fast.example").failure);
  loop.run([&] { hanging.clear(); });
}

TEST_CASE("a resolver does not wait for its lookups when it is destroyed") {
  Gate gate;
  peer::Loop loop;
  {
    Resolver resolver(gate.lookup());
    std::unique_ptr<Resolver::Query> query;
    loop.run([&] {
      query = resolver.resolve(loop.thread(), "csms.example", kNow, [](const Failure&, Resolver::Addresses) {});
    });
    gate.wait_lookups(1);
    loop.run([&] { query.reset(); });
  }
  // Only now: a destructor that waited would wait for ever.
  gate.open();
}

TEST_CASE("a lookup may end after its I/O thread is gone") {
  Gate gate;
  auto resolver = std::make_unique<Resolver>(gate.lookup());
  {
    peer::Loop loop;
    std::unique_ptr<Resolver::Query> query;
    loop.run([&] {
      query = resolver->resolve(loop.thread(), "csms.example", kNow, [](const Failure&, Resolver::Addresses) {});
    });
    gate.wait_lookups(1);
    loop.run([&] { query.reset(); });
  }
  gate.open();
  resolver.reset();
}

TEST_CASE("a lookup that nobody waits for any more is not begun") {
  Gate gate;
  Resolver resolver(gate.lookup());
  peer::Loop loop;
  std::vector<std::unique_ptr<Resolver::Query>> queries;
  const auto begin = [&](const std::string& host) {
    loop.run([&] {
      queries.push_back(resolver.resolve(loop.thread(), host, kNow, [](const Failure&, Resolver::Addresses) {}));
    });
  };
  for (int i = 0; i < Resolver::kThreadsMax; ++i) begin("busy" + std::to_string(i) + ".example");
  gate.wait_lookups(Resolver::kThreadsMax);
  begin("given-up.example");
  loop.run([&] { queries.clear(); });
  gate.open();
  REQUIRE_FALSE(ask(loop, resolver, "last.example").failure);
  REQUIRE(gate.lookups() == Resolver::kThreadsMax + 1);
}
