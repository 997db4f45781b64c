#include "base/handle_table.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

using namespace cwire;

namespace {

std::atomic<int> alive{0};

struct Thing {
  explicit Thing(int v) : value(v) { ++alive; }
  ~Thing() {
    value = -1;
    --alive;
  }
  std::atomic<int> value;
  std::uintptr_t token = 0;
};

using Things = HandleTable<Thing, 5>;

// Tables are never destroyed, here as little as in the library; kept, so that no leak is reported.
template <class Table>
Table* table() {
  static std::vector<Table*>& all = *new std::vector<Table*>;
  all.push_back(new Table);
  return all.back();
}

}  // namespace

TEST_CASE("a token finds its object until it is retired, and no longer") {
  Things& things = *table<Things>();
  auto pin = things.insert(std::make_unique<Thing>(7));
  const std::uintptr_t token = pin->token;
  CHECK(token != 0);
  CHECK(things.find(token)->value == 7);
  CHECK(things.retire(token));
  CHECK_FALSE(things.find(token));
  CHECK_FALSE(things.retire(token));
  CHECK(pin->value == 7);  // the pin keeps what the token no longer finds
  CHECK(alive == 1);
  pin = Things::Pin();
  CHECK(alive == 0);
}

TEST_CASE("a token is not that of the object that takes its slot") {
  Things& things = *table<Things>();
  std::set<std::uintptr_t> seen;
  for (int i = 0; i < 1000; ++i) {
    auto pin = things.insert(std::make_unique<Thing>(i));
    const std::uintptr_t token = pin->token;
    CHECK(seen.insert(token).second);
    things.retire(token);
  }
  auto last = things.insert(std::make_unique<Thing>(1));
  for (const std::uintptr_t token : seen) CHECK_FALSE(things.find(token));
  CHECK(things.find(last->token));
}

TEST_CASE("forged tokens and tokens of another kind find nothing") {
  Things& things = *table<Things>();
  auto& others = *table<HandleTable<Thing, 6>>();
  auto thing = things.insert(std::make_unique<Thing>(1));
  auto other = others.insert(std::make_unique<Thing>(2));
  CHECK_FALSE(things.find(other->token));
  CHECK_FALSE(others.find(thing->token));
  CHECK_FALSE(things.find(0));
  CHECK_FALSE(things.find(1));
  CHECK_FALSE(things.find(~std::uintptr_t{0}));
  CHECK_FALSE(things.find(reinterpret_cast<std::uintptr_t>(&things)));
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const auto forged = static_cast<std::uintptr_t>(random());
    if (forged != thing->token) CHECK_FALSE(things.find(forged));
  }
}

TEST_CASE("slots are used again and the table grows beyond one chunk") {
  Things& things = *table<Things>();
  std::vector<Things::Pin> pins;
  for (int i = 0; i < 5000; ++i) pins.push_back(things.insert(std::make_unique<Thing>(i)));
  for (int i = 0; i < 5000; ++i) CHECK(things.find(pins[static_cast<std::size_t>(i)]->token)->value == i);
  CHECK(alive == 5000);
  pins.clear();
  CHECK(alive == 0);
}

TEST_CASE("an abandoned table knows no token, uses its slots again, and leaves the objects as they are") {
  Things& things = *table<Things>();
  std::vector<std::unique_ptr<Thing>> left;
  std::set<std::uintptr_t> stale;
  for (int i = 0; i < 300; ++i) {
    left.emplace_back(things.insert(std::make_unique<Thing>(i)).leak());
    stale.insert(left.back()->token);
  }
  things.lock();
  things.abandon();
  things.unlock();
  CHECK(alive == 300);
  std::vector<Things::Pin> pins;
  for (int i = 0; i < 300; ++i) {
    pins.push_back(things.insert(std::make_unique<Thing>(i)));
    CHECK(stale.count(pins.back()->token) == 0);
  }
  for (const std::uintptr_t token : stale) CHECK_FALSE(things.find(token));
  for (const Things::Pin& pin : pins) things.retire(pin->token);
}

TEST_CASE("finding, retiring and inserting from many threads never shows a dead object") {
  Things& things = *table<Things>();
  std::atomic<std::uintptr_t> published{0};
  std::atomic<bool> done{false};
  std::atomic<int> bad{0};
  std::vector<std::thread> finders;
  for (int i = 0; i < 3; ++i) {
    finders.emplace_back([&] {
      while (!done) {
        if (auto pin = things.find(published.load())) {
          if (pin->value < 0) ++bad;
        }
      }
    });
  }
  for (int i = 0; i < 20000; ++i) {
    auto pin = things.insert(std::make_unique<Thing>(i));
    published = pin->token;
    auto second = things.pin(*pin);
    things.retire(pin->token);
  }
  done = true;
  for (auto& finder : finders) finder.join();
  CHECK(bad == 0);
  CHECK(alive == 0);
}
