// What becomes of messages that cannot go out at once: the policies of a full queue, and that each accepted message
// gets exactly one end, whatever happens meanwhile.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "fixture.h"
#include "raw_peer.h"

using namespace fixture;

namespace {

constexpr std::uint64_t kQueueMax = 20;

Settings with_policy(const std::string& policy, Settings more = {}) {
  more.insert(more.begin(), {{"csms.send_queue_policy", policy},
                             {"csms.send_queue_messages", std::to_string(kQueueMax)},
                             {"csms.write_timeout", "1h"},
                             {"csms.ping_interval", "0s"}});
  return quick(more);
}

std::string numbered(std::uint64_t number) { return std::to_string(number) + std::string(8000, '.'); }

// The tags of SENT with that status, in order.
std::vector<std::uint64_t> sent_with(const Records& records, cwire_status status) {
  std::vector<std::uint64_t> tags;
  for (const Record& record : records) {
    if (record.type == CWIRE_EVENT_SENT && record.status == status) tags.push_back(record.tag);
  }
  return tags;
}

// A station whose server does not read.
struct Stuck {
  raw::Server server{4096};
  std::optional<raw::Connection> peer;
  cwire_station station = nullptr;
  std::uint64_t accepted = 0;

  explicit Stuck(Fleet& fleet) {
    station = fleet.connect("CP1", server.url());
    peer.emplace(server.accept());
    peer->upgrade();
    REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  }

  // With numbers from 0. A refusal is waited out: WRITABLE has to follow it.
  void send_next(Fleet& fleet) {
    for (;;) {
      const std::size_t writables = count(fleet.records(), CWIRE_EVENT_WRITABLE, "CP1");
      const cwire_status status = fleet.send(station, numbered(accepted), CWIRE_FLAG_REPORT, accepted);
      if (status == CWIRE_OK) break;
      REQUIRE(status == CWIRE_E_QUEUE_FULL);
      REQUIRE(fleet.wait_for(CWIRE_EVENT_WRITABLE, "CP1", writables + 1));
    }
    ++accepted;
  }

  // Until one is reported as dropped, and then so many more.
  void fill(Fleet& fleet, std::uint64_t more) {
    while (sent_with(fleet.records(), CWIRE_E_QUEUE_FULL).empty()) {
      send_next(fleet);
      if (fleet.delivery() == Delivery::poll) fleet.poll(0);
    }
    while (more-- > 0) send_next(fleet);
  }
};

}  // namespace

TEST_CASE("a full queue drops by its policy and reports what it dropped") {
  const Delivery delivery = both_deliveries();
  const std::string policy = GENERATE("drop_oldest", "drop_newest");
  CAPTURE(delivery, policy);
  Fleet fleet(delivery, with_policy(policy));
  Stuck stuck(fleet);
  stuck.fill(fleet, 3 * kQueueMax);
  // The peer reads now. Whatever was not dropped arrives, in order.
  REQUIRE(fleet.send(stuck.station, "the last", CWIRE_FLAG_REPORT, stuck.accepted) == CWIRE_OK);
  std::vector<std::uint64_t> received;
  std::thread reader([&] {
    while (const auto frame = stuck.peer->read_frame()) {
      if (frame->opcode == raw::close) break;
      received.push_back(frame->payload == "the last" ? stuck.accepted : std::stoull(frame->payload));
    }
    stuck.peer->close();
  });
  const bool all = fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_SENT) == stuck.accepted + 1; });
  CHECK(cwire_station_disconnect(stuck.station, 0, nullptr) == CWIRE_OK);
  const cwire_stats stats = fleet.stats("CP1");
  fleet.finish();
  reader.join();
  REQUIRE(all);
  const std::vector<std::uint64_t> dropped = sent_with(fleet.records(), CWIRE_E_QUEUE_FULL);
  const std::vector<std::uint64_t> sent = sent_with(fleet.records(), CWIRE_OK);
  CHECK(sent == received);
  CHECK(std::is_sorted(received.begin(), received.end()));
  CHECK(std::is_sorted(dropped.begin(), dropped.end()));
  std::set<std::uint64_t> ended(sent.begin(), sent.end());
  ended.insert(dropped.begin(), dropped.end());
  CHECK(ended.size() == stuck.accepted + 1);
  CHECK(sent.size() + dropped.size() == stuck.accepted + 1);
  CHECK(stats.messages_dropped == dropped.size());
  CHECK(stats.messages_not_sent == dropped.size());
  CHECK(stats.messages_sent == sent.size());
  CHECK(stats.queued_messages == 0);
  CHECK(stats.queued_bytes == 0);
  // Nobody turned away while the thread had time to drop.
  if (policy == "drop_oldest") {
    CHECK(dropped.back() + kQueueMax <= stuck.accepted + 1);  // the newest are never those that go
  } else {
    CHECK(dropped.front() >= kQueueMax);  // the oldest are never those that go
    for (std::uint64_t tag = 0; tag < dropped.front(); ++tag) CHECK(sent[tag] == tag);
  }
}

TEST_CASE("a handler that sends more than the queue holds gets the policy at once and not twice the room") {
  const std::string policy = GENERATE("drop_oldest", "drop_newest");
  CAPTURE(policy);
  csms::Options options;
  options.echo = true;
  csms::Csms csms(options);
  std::atomic<int> refused{0};
  std::atomic<std::uint64_t> most_queued{0};
  Fleet fleet(Delivery::handler, with_policy(policy), [&](const cwire_event& event) {
    if (event.type != CWIRE_EVENT_CONNECTED) return;
    for (std::uint64_t tag = 0; tag < 5 * kQueueMax; ++tag) {
      const std::string text = std::to_string(tag);
      if (cwire_station_send(event.station, text.data(), text.size(), CWIRE_FLAG_REPORT, tag) != CWIRE_OK) ++refused;
      cwire_stats stats{};
      stats.size = sizeof stats;
      cwire_station_stats(event.station, &stats);
      most_queued = std::max<std::uint64_t>(most_queued, stats.queued_messages);
    }
  });
  fleet.connected("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", 5 * kQueueMax));
  CHECK(refused == 0);
  CHECK(most_queued == kQueueMax);
  std::vector<std::uint64_t> wanted;
  const std::uint64_t first = policy == "drop_oldest" ? 4 * kQueueMax : 0;
  for (std::uint64_t tag = first; tag < first + kQueueMax; ++tag) wanted.push_back(tag);
  CHECK(sent_with(fleet.records(), CWIRE_OK) == wanted);
  CHECK(sent_with(fleet.records(), CWIRE_E_QUEUE_FULL).size() == 4 * kQueueMax);
  CHECK(count(fleet.records(), CWIRE_EVENT_WRITABLE) == 0);
  fleet.finish();
}

TEST_CASE("while a handler holds its thread up twice the queue is accepted and then QUEUE_FULL and WRITABLE follow") {
  const std::string policy = GENERATE("drop_oldest", "drop_newest");
  CAPTURE(policy);
  csms::Options options;
  options.echo = true;
  csms::Csms csms(options);
  Gate gate;
  Fleet fleet(Delivery::handler, with_policy(policy, {{"io_threads", "1"}}), [&](const cwire_event& event) {
    if (event.type == CWIRE_EVENT_CONNECTED) gate.pass();
  });
  const cwire_station station = fleet.connected("CP1", csms.url());
  REQUIRE(gate.wait_arrived());
  for (std::uint64_t tag = 0; tag < 2 * kQueueMax; ++tag) REQUIRE(fleet.send(station, "x", 0, tag) == CWIRE_OK);
  CHECK(fleet.send(station, "x") == CWIRE_E_QUEUE_FULL);
  CHECK(fleet.stats("CP1").queued_messages == 2 * kQueueMax);
  gate.open();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_WRITABLE, "CP1"));
  CHECK(fleet.send(station, "x") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", kQueueMax));
  CHECK(sent_with(fleet.records(), CWIRE_E_QUEUE_FULL).size() == kQueueMax);
  fleet.finish();
}

TEST_CASE("each accepted message gets exactly one end, whatever the policy and whatever happens to the connection") {
  const Delivery delivery = both_deliveries();
  const std::string policy = GENERATE("reject", "drop_oldest", "drop_newest");
  CAPTURE(delivery, policy);
  constexpr std::uint64_t kSenders = 4, kStations = 6, kMessages = 500;
  std::mutex mutex;
  std::map<std::string, int> received;
  csms::Options options;
  options.echo = true;
  options.on_message = [&](const std::string&, const std::string& message) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++received[message];
  };
  csms::Csms csms(options);
  Fleet fleet(delivery, with_policy(policy, {{"csms.send_queue_messages", "4"},
                                             {"csms.send_queue_bytes", "1KiB"},
                                             {"csms.reconnect_backoff", "1ms"},
                                             {"csms.reconnect_max_backoff", "2ms"}}));
  std::vector<cwire_station> stations;
  for (std::uint64_t i = 0; i < kStations; ++i)
    stations.push_back(fleet.connected("CP" + std::to_string(i), csms.url()));
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> running{kSenders};
  std::vector<std::thread> senders;
  for (std::uint64_t s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      for (std::uint64_t m = 0; m < kMessages; ++m) {
        const std::uint64_t tag = s * kMessages + m;
        const std::string text = std::to_string(tag) + ":" + std::string(tag * 37 % 500, '.');
        const cwire_station station = stations[tag % kStations];
        const cwire_status status = cwire_station_send(station, text.data(), text.size(), CWIRE_FLAG_REPORT, tag);
        if (status == CWIRE_OK) ++accepted;
        if (status == CWIRE_E_QUEUE_FULL) std::this_thread::yield();
        if (status == CWIRE_E_NOT_ESTABLISHED) cwire_station_wait(station, kPatience_ms, nullptr);
        if (s == 0 && m % 100 == 50) {
          csms.die();
          csms.come_back();
        }
        // The last two stations are disconnected in the middle of it all, the others when there is nothing left to do.
        if (s == 1 && m == kMessages / 2) cwire_station_disconnect(stations[kStations - 1], 0, nullptr);
        if (s == 2 && m == kMessages / 2) cwire_station_disconnect(stations[kStations - 2], 0, nullptr);
      }
      --running;
    });
  }
  const bool in_time = fleet.wait([&](const Records&) { return running == 0; });
  for (std::thread& sender : senders) sender.join();
  REQUIRE(in_time);
  const bool all = fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_SENT) >= accepted; });
  std::uint64_t sent_total = 0, not_sent_total = 0, dropped_total = 0;
  for (std::uint64_t i = 0; i < kStations - 2; ++i) {
    const cwire_stats stats = fleet.stats("CP" + std::to_string(i));
    sent_total += stats.messages_sent;
    not_sent_total += stats.messages_not_sent;
    dropped_total += stats.messages_dropped;
    CHECK(stats.queued_messages == 0);
    CHECK(stats.queued_bytes == 0);
  }
  fleet.finish();
  CHECK(all);
  std::map<std::uint64_t, cwire_status> ends;
  std::uint64_t sent = 0, not_sent = 0, dropped = 0;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_SENT) continue;
    CAPTURE(record);
    REQUIRE(ends.emplace(record.tag, record.status).second);
    REQUIRE((record.status == CWIRE_OK || record.status == CWIRE_E_CLOSED || record.status == CWIRE_E_QUEUE_FULL));
    if (record.tag % kStations >= kStations - 2) continue;  // its statistics have gone with it
    ++(record.status == CWIRE_OK ? sent : not_sent);
    dropped += record.status == CWIRE_E_QUEUE_FULL;
  }
  CHECK(ends.size() == accepted);
  CHECK(sent == sent_total);
  CHECK(not_sent == not_sent_total);
  CHECK(dropped == dropped_total);
  CHECK(sent > 0);
  if (policy == "reject") CHECK(dropped == 0);
  const std::lock_guard<std::mutex> lock(mutex);
  for (const auto& [message, times] : received) {
    const auto end = ends.find(std::stoull(message));
    CAPTURE(message);
    REQUIRE(times == 1);
    REQUIRE(end != ends.end());
    REQUIRE(end->second != CWIRE_E_QUEUE_FULL);  // a dropped one was never on the wire
  }
}
