// How things end when something else goes wrong at the same time: no memory, a handler that throws, a full queue, a
// peer that has the last word.
#include <chargewire/chargewire.h>
#include <csms.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include "fixture.h"
#include "raw_peer.h"
#include "starvation.h"

using namespace fixture;
using Catch::Contains;

namespace {

// Has the queue of 100 events full and the station paused. The message that finds the queue full is read, and then
// reading pauses; so each waits for the one before.
void pause(Fleet& fleet, raw::Connection& peer) {
  std::uint64_t sent = 0;
  for (const std::uint64_t messages : {99, 100, 101}) {
    for (; sent < messages; ++sent) peer.send_frame(raw::text, "flood");
    while (fleet.stats("CP1").messages_received < messages) std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("a handler that always throws is called for events and not for its own exceptions for ever") {
  csms::Csms csms{csms::Options()};
  struct Seen {
    std::atomic<int> logs{0}, closed{0}, shutdowns{0};
  } seen;
  const auto handler = [](std::uintptr_t context, const cwire_event* events, std::size_t size) {
    auto& seen = *reinterpret_cast<Seen*>(context);
    for (std::size_t i = 0; i < size; ++i) {
      if (events[i].type == CWIRE_EVENT_LOG) ++seen.logs;
      if (events[i].type == CWIRE_EVENT_CLOSED) ++seen.closed;
      if (events[i].type == CWIRE_EVENT_SHUTDOWN) ++seen.shutdowns;
    }
    throw std::runtime_error("a handler must not throw");
  };
  const Config config(quick({{"io_threads", "1"}}));
  cwire_manager manager = nullptr;
  REQUIRE(cwire_manager_new(config, handler, reinterpret_cast<std::uintptr_t>(&seen), &manager, nullptr) == CWIRE_OK);
  cwire_station station = nullptr;
  REQUIRE(cwire_manager_connect(manager, "CP1", csms.url().c_str(), nullptr, 0, &station, nullptr) == CWIRE_OK);
  CHECK(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  CHECK(cwire_manager_free(manager) == CWIRE_OK);
  CHECK(seen.closed == 1);
  CHECK(seen.shutdowns == 1);
  CHECK(seen.logs == 1);  // it never returned normally, so this was one episode
}

TEST_CASE("shutdown and free need no memory") {
  csms::Csms csms{csms::Options()};
  for (const bool shutdown_first : {true, false}) {
    Fleet fleet(Delivery::poll, quick({{"io_threads", "3"}}));
    for (int i = 0; i < 10; ++i) fleet.connected("CP" + std::to_string(i), csms.url());
    const cwire_manager manager = fleet.release();
    starve_this_thread(true);
    const cwire_status shut_down = shutdown_first ? cwire_manager_shutdown(manager, 1000) : CWIRE_OK;
    const cwire_status freed = cwire_manager_free(manager);
    starve_this_thread(false);
    CHECK(shut_down == CWIRE_OK);
    CHECK(freed == CWIRE_OK);
  }
}

TEST_CASE("nothing follows CLOSED when a message could not be framed for want of memory") {
  csms::Csms csms{csms::Options()};
  struct Seen {
    std::string message = std::string(900000, 'x');
    std::atomic<bool> closed{false};
    std::atomic<int> after_closed{0}, reports{0};
    std::promise<cwire_status> sent;
  } seen;
  const auto handler = [](std::uintptr_t context, const cwire_event* events, std::size_t size) {
    auto& seen = *reinterpret_cast<Seen*>(context);
    for (std::size_t i = 0; i < size; ++i) {
      if (events[i].type == CWIRE_EVENT_CONNECTED) {
        seen.sent.set_value(cwire_station_send(events[i].station, seen.message.data(), seen.message.size(), 0, 1));
        cwire_station_disconnect(events[i].station, 0, nullptr);
        starve_this_thread(true);
      }
      if (events[i].type == CWIRE_EVENT_SENT) ++seen.reports;
      if (seen.closed && events[i].station != nullptr) ++seen.after_closed;
      if (events[i].type == CWIRE_EVENT_CLOSED) {
        seen.closed = true;
        starve_this_thread(false);
      }
    }
  };
  const Config config(quick({{"io_threads", "1"}}));
  cwire_manager manager = nullptr;
  REQUIRE(cwire_manager_new(config, handler, reinterpret_cast<std::uintptr_t>(&seen), &manager, nullptr) == CWIRE_OK);
  REQUIRE(cwire_manager_connect(manager, "CP1", csms.url().c_str(), nullptr, 0, nullptr, nullptr) == CWIRE_OK);
  // Not before: a manager that is being freed accepts no messages.
  auto sent = seen.sent.get_future();
  REQUIRE(sent.wait_for(std::chrono::milliseconds(kPatience_ms)) == std::future_status::ready);
  CHECK(sent.get() == CWIRE_OK);
  CHECK(cwire_manager_free(manager) == CWIRE_OK);
  CHECK(seen.closed);
  CHECK(seen.after_closed == 0);
  CHECK(seen.reports == 1);  // it was accepted, so it is reported, without memory as well
}

TEST_CASE("free does not wait out the drain time because nobody polled") {
  // The peer floods until the queue is full and the station paused; an hour is what a broken library would take.
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"io_threads", "1"}, {"event_queue_max", "100"}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  pause(fleet, peer);
  auto polite = std::async(std::launch::async, [&] {
    while (auto frame = peer.read_frame()) {
      if (frame->opcode == raw::close) {
        peer.send_frame(raw::close, frame->payload);
        break;
      }
    }
  });
  const cwire_manager manager = fleet.release();
  CHECK(cwire_manager_shutdown(manager, 3600000) == CWIRE_OK);
  CHECK(cwire_manager_free(manager) == CWIRE_OK);
  polite.get();
}

TEST_CASE("a shutdown without drain time still says goodbye to a peer in the middle of its speech") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"io_threads", "1"}, {"event_queue_max", "100"}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  pause(fleet, peer);
  // Unread, so that the kernel would answer a mere close() with a reset.
  for (int i = 0; i < 5000; ++i) peer.send_frame(raw::text, "speech");
  REQUIRE(cwire_manager_shutdown(fleet.manager, 0) == CWIRE_OK);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == raw::close);
  CHECK(frame->payload == "\x03\xe9");  // 1001
  fleet.finish(0);
}

TEST_CASE("a peer's reason cannot break our line or carry our credentials into it") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.security_profile", "1"},
                                     {"csms.auth.type", "basic"},
                                     {"csms.auth.password", "very-secret-password"}}));
  fleet.connect("CP1", server.url());
  const auto say = [&](const std::string& reason) {
    auto peer = server.accept();
    peer.upgrade();
    peer.send_frame(raw::close, "\x03\xe8" + reason);
    peer.read_all();
  };
  say("bye\r\nCP2: all is well\x1b[31m");
  say(std::string("nul\0nul", 7));
  say("you said very-secret-password");
  say("you said Q1AxOnZlcnktc2VjcmV0LXBhc3N3b3Jk");  // base64 of CP1:very-secret-password
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1", 4));
  Records ends;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_DISCONNECTED) ends.push_back(record);
  }
  CHECK_THAT(ends[0].data, Contains("(bye??CP2: all is well?[31m)"));
  CHECK_THAT(ends[1].data, Contains("(nul?nul)"));
  for (const int i : {2, 3}) CHECK_THAT(ends[i].data, Contains("withheld") && !Contains("you said"));
  fleet.finish(0);
}

TEST_CASE("a peer's reason cannot carry what our headers or our query hold") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.headers.X-Api-Key", "key-of-ours"}, {"csms.headers.X-Site", "7"}}));
  fleet.connect("CP1", server.url() + "/ocpp?site=7&token=token-of-ours;bare-of-ours");
  const std::string repeated = GENERATE("key-of-ours", "token-of-ours", "bare-of-ours");
  for (const std::string& reason : {std::string("site 7 is closed"), "you said " + repeated}) {
    auto peer = server.accept();
    peer.upgrade();
    peer.send_frame(raw::close, std::string("\x03\xe8") + reason);
    peer.read_all();
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1", 2));
  CHECK_THAT(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).data, Contains("(site 7 is closed)"));
  CHECK_THAT(must(last(fleet.records(), CWIRE_EVENT_DISCONNECTED)).data, Contains("withheld") && !Contains("you said"));
  fleet.finish(0);
}

TEST_CASE("waiting for ever is never answered by TIMEOUT, however often the connection comes and goes") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::handler, quick({{"io_threads", "1"}}));
  const cwire_station station = fleet.connected("CP1", csms.url());
  std::atomic<bool> done{false};
  std::thread closer([&] {
    for (int i = 0; i < 200; ++i) {
      csms.close_all(1001, "again");
      cwire_station_wait(station, kPatience_ms, nullptr);
    }
    done = true;
  });
  int wrong = 0;
  while (!done) {
    if (cwire_station_wait(station, -1, nullptr) != CWIRE_OK) ++wrong;
  }
  closer.join();
  CHECK(wrong == 0);
  fleet.finish();
}
