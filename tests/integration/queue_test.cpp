// What becomes of messages that cannot go out at once: the policies of a full queue, and that each accepted message
// gets exactly one end, whatever happens meanwhile.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "fixture.h"
#include "raw_peer.h"
#include "stuck_station.h"
#include "test_pki.h"
#include "tls_peer.h"

using namespace fixture;

namespace {

constexpr std::size_t kFillsARecord = 16384 - 8;  // of TLS, with the header of its frame
constexpr std::uint64_t kQueueMax = 20;

Settings with_policy(const std::string& policy, Settings more = {}) {
  more.insert(more.begin(), {{"csms.send_queue_policy", policy},
                             {"csms.send_queue_messages", std::to_string(kQueueMax)},
                             {"csms.write_timeout", "1h"},
                             {"csms.ping_interval", "0s"}});
  return quick(more);
}

// The tags of SENT with that status, in order.
std::vector<std::uint64_t> sent_with(const Records& records, cwire_status status) {
  std::vector<std::uint64_t> tags;
  for (const Record& record : records) {
    if (record.type == CWIRE_EVENT_SENT && record.status == status) tags.push_back(record.tag);
  }
  return tags;
}

raw::Frame must_frame(raw::Connection& peer) {
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  return *frame;
}

template <class Server = raw::Server>
struct Stuck : StuckStation<Server> {
  using StuckStation<Server>::StuckStation;

  // A refusal is waited out: WRITABLE has to follow it.
  void send_next(Fleet& fleet) {
    for (;;) {
      const std::size_t writables = count(fleet.records(), CWIRE_EVENT_WRITABLE, "CP1");
      const cwire_status status = this->send(fleet);
      if (status == CWIRE_OK) return;
      REQUIRE(status == CWIRE_E_QUEUE_FULL);
      REQUIRE(fleet.wait_for(CWIRE_EVENT_WRITABLE, "CP1", writables + 1));
    }
  }

  // Until one is reported as dropped, and then so many more.
  void fill(Fleet& fleet, std::uint64_t more) {
    while (sent_with(fleet.records(), CWIRE_E_QUEUE_FULL).empty()) {
      send_next(fleet);
      if (fleet.delivery() == Delivery::poll) fleet.poll(0);
    }
    while (more-- > 0) send_next(fleet);
  }

  // Until 50 wait and the kernel takes no more. Its buffers fill first; when it took none in half a second, they are
  // full.
  void fill_kernel(Fleet& fleet) {
    const auto unsent = [&](const Records& records) { return this->accepted - sent_with(records, CWIRE_OK).size(); };
    do {
      while (unsent(fleet.records()) < 50) send_next(fleet);
    } while (fleet.wait([&](const Records& r) { return unsent(r) < 50; }, std::chrono::milliseconds(500)));
  }
};

}  // namespace

TEST_CASE("a full queue drops by its policy and reports what it dropped") {
  const Delivery delivery = both_deliveries();
  const std::string policy = GENERATE("drop_oldest", "drop_newest");
  CAPTURE(delivery, policy);
  Fleet fleet(delivery, with_policy(policy));
  Stuck<> stuck(fleet);
  stuck.fill(fleet, 3 * kQueueMax);
  // The peer reads now. Whatever was not dropped arrives, in order.
  std::vector<std::uint64_t> received;
  std::thread reader([&] {
    while (const auto frame = stuck.peer->read_frame()) {
      if (frame->opcode == raw::close) break;
      received.push_back(std::stoull(frame->payload));
    }
    stuck.peer->close();
  });
  const bool all = fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_SENT) == stuck.accepted; });
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
  CHECK(ended.size() == stuck.accepted);
  CHECK(sent.size() + dropped.size() == stuck.accepted);
  CHECK(stats.messages_dropped == dropped.size());
  CHECK(stats.messages_not_sent == dropped.size());
  CHECK(stats.messages_sent == sent.size());
  CHECK(stats.queued_messages == 0);
  CHECK(stats.queued_bytes == 0);
  // Nobody turned away while the thread had time to drop.
  if (policy == "drop_oldest") {
    CHECK(dropped.back() + kQueueMax <= stuck.accepted);  // the newest are never those that go
  } else {
    CHECK(dropped.front() >= kQueueMax);  // the oldest are never those that go
    for (std::uint64_t tag = 0; tag < dropped.front(); ++tag) CHECK(sent[tag] == tag);
  }
}

TEST_CASE("beyond dropping are 64 KB and a message at most") {
  constexpr std::uint64_t kMessages = 100;
  Fleet fleet(Delivery::handler, with_policy("drop_oldest", {{"csms.send_queue_messages", "100"}}));
  Stuck<> stuck(fleet);
  stuck.fill_kernel(fleet);
  for (std::uint64_t i = 0; i < 3 * kMessages; ++i) stuck.send_next(fleet);
  // Of the first of them the kernel has taken a part, perhaps.
  const std::uint64_t framed = (64 << 10) / stuck.message_size + 2;
  CHECK(fleet.eventually([&] { return fleet.stats("CP1").queued_messages <= kMessages + framed; }));
  CHECK(fleet.stats("CP1").queued_messages >= kMessages);
  fleet.finish(0);
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

TEST_CASE("a handler that sends more than a queue that drops nothing holds is refused, and told of room") {
  csms::Csms csms{csms::Options()};
  std::atomic<std::uint64_t> accepted{0}, refused{0};
  Fleet fleet(Delivery::handler, with_policy("reject"), [&](const cwire_event& event) {
    if (event.type != CWIRE_EVENT_CONNECTED) return;
    for (std::uint64_t tag = 0; tag < 2 * kQueueMax; ++tag) {
      const cwire_status status = cwire_station_send(event.station, "x", 1, CWIRE_FLAG_REPORT, tag);
      ++(status == CWIRE_OK ? accepted : refused);
    }
  });
  fleet.connected("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_WRITABLE, "CP1"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", kQueueMax));
  CHECK(accepted == kQueueMax);
  CHECK(refused == kQueueMax);
  CHECK(sent_with(fleet.records(), CWIRE_OK).size() == kQueueMax);
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
  const bool offline = GENERATE(false, true);
  CAPTURE(delivery, policy, offline);
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
  Settings settings = {{"csms.send_queue_messages", "4"},
                       {"csms.send_queue_bytes", "1KiB"},
                       {"csms.reconnect_backoff", "1ms"},
                       {"csms.reconnect_max_backoff", "2ms"}};
  if (offline) {
    settings.insert(settings.end(), {{"csms.offline_queue_messages", "6"},
                                     {"csms.offline_queue_bytes", "1KiB"},
                                     {"csms.offline_queue_max_age", "20ms"},
                                     {"csms.offline_replay_rate", "500"},
                                     {"offline_budget_bytes", "3KiB"}});
  }
  Fleet fleet(delivery, with_policy(policy, settings));
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
  const bool in_time = fleet.eventually([&] { return running == 0; });
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
    CHECK(stats.offline_messages == 0);
    CHECK(stats.offline_bytes == 0);
  }
  fleet.finish();
  CHECK(all);
  std::map<std::uint64_t, cwire_status> ends;
  std::uint64_t sent = 0, not_sent = 0, dropped = 0;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_SENT) continue;
    CAPTURE(record);
    REQUIRE(ends.emplace(record.tag, record.status).second);
    REQUIRE((record.status == CWIRE_OK || record.status == CWIRE_E_CLOSED || record.status == CWIRE_E_QUEUE_FULL ||
             (offline && record.status == CWIRE_E_TIMEOUT)));
    if (record.tag % kStations >= kStations - 2) continue;  // its statistics have gone with it
    ++(record.status == CWIRE_OK ? sent : not_sent);
    dropped += record.status == CWIRE_E_QUEUE_FULL;
  }
  CHECK(ends.size() == accepted);
  CHECK(sent == sent_total);
  CHECK(not_sent == not_sent_total);
  CHECK(dropped == dropped_total);
  CHECK(sent > 0);
  if (policy == "reject" && !offline) CHECK(dropped == 0);
  const std::lock_guard<std::mutex> lock(mutex);
  for (const auto& [message, times] : received) {
    const auto end = ends.find(std::stoull(message));
    CAPTURE(message);
    REQUIRE(times == 1);
    REQUIRE(end != ends.end());
    REQUIRE(end->second != CWIRE_E_QUEUE_FULL);  // a dropped one was never on the wire
    REQUIRE(end->second != CWIRE_E_TIMEOUT);
  }
}

// ---- The offline queue ----

namespace {

Settings with_offline_queue(Settings more = {}) {
  more.insert(more.begin(), {{"csms.offline_queue_messages", "200"}, {"csms.offline_replay_rate", "0"}});
  return quick(more);
}

// What a CSMS got, in order, and when.
class Inbox {
 public:
  csms::Options options() {
    csms::Options options;
    options.echo = true;
    options.on_message = [this](const std::string& identity, const std::string& message) {
      const std::lock_guard<std::mutex> lock(mutex_);
      messages_[identity].push_back(message);
      times_[identity].push_back(std::chrono::steady_clock::now());
    };
    return options;
  }
  std::vector<std::string> messages(const std::string& identity) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return messages_[identity];
  }
  std::vector<std::chrono::steady_clock::time_point> times(const std::string& identity) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return times_[identity];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> messages_;
  std::map<std::string, std::vector<std::chrono::steady_clock::time_point>> times_;
};

std::vector<std::string> numbers(std::uint64_t from, std::uint64_t to) {
  std::vector<std::string> all;
  for (; from < to; ++from) all.push_back(std::to_string(from));
  return all;
}

}  // namespace

TEST_CASE("what is sent while the CSMS is away arrives after it is back, once, in order, at its pace") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  constexpr double kRate = 50, kBurst = 1 + kRate / 10;
  constexpr std::uint64_t kAway = 50, kAll = 60;
  Inbox inbox;
  csms::Csms csms(inbox.options());
  Fleet fleet(delivery, with_offline_queue({{"csms.offline_replay_rate", "50"}}));
  const cwire_station station = fleet.connected("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  csms.die();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  for (std::uint64_t i = 0; i < kAway; ++i) {
    REQUIRE(fleet.send(station, std::to_string(i), CWIRE_FLAG_REPORT, i) == CWIRE_OK);
  }
  REQUIRE(fleet.eventually([&] { return fleet.stats("CP1").offline_messages == kAway; }));
  CHECK(fleet.stats("CP1").queued_messages == kAway);
  CHECK(fleet.stats("CP1").offline_bytes == 10 + 2 * 40);
  CHECK(cwire_manager_is_connected(fleet.manager, "CP1") == 0);
  // The replay cannot begin before this; so a slow machine makes it look slower, never faster.
  const auto begin = std::chrono::steady_clock::now();
  csms.come_back();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  // What is new stands in line.
  for (std::uint64_t i = kAway; i < kAll; ++i) {
    REQUIRE(fleet.send(station, std::to_string(i), CWIRE_FLAG_REPORT, i) == CWIRE_OK);
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", kAll));
  REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.messages_in >= kAll; }, kPatience));
  CHECK(inbox.messages("CP1") == numbers(0, kAll));
  const auto times = inbox.times("CP1");
  for (std::size_t i = 0; i < kAway; ++i) {
    const double elapsed = std::chrono::duration<double>(times[i] - begin).count();
    CAPTURE(i, elapsed);
    CHECK(static_cast<double>(i + 1) <= kRate * elapsed + kBurst);
  }
  CHECK(sent_with(fleet.records(), CWIRE_OK).size() == kAll);
  const cwire_stats stats = fleet.stats("CP1");
  CHECK(stats.offline_messages == 0);
  CHECK(stats.offline_bytes == 0);
  CHECK(stats.queued_messages == 0);
  CHECK(stats.messages_sent == kAll);
  fleet.finish();
}

TEST_CASE("with an offline queue a message may be sent before the first connection") {
  Inbox inbox;
  csms::Csms csms(inbox.options());
  csms.refuse_tcp();
  Fleet fleet(Delivery::handler, with_offline_queue());
  const cwire_station station = fleet.connect("CP1", csms.url());
  for (std::uint64_t i = 0; i < 10; ++i) REQUIRE(fleet.send(station, std::to_string(i)) == CWIRE_OK);
  CHECK(cwire_manager_send(fleet.manager, "CP1", "10", 2, 0, 0) == CWIRE_OK);
  std::size_t accepted = 99;
  CHECK(cwire_manager_broadcast(fleet.manager, "to those who are there", 22, 0, &accepted) == CWIRE_OK);
  CHECK(accepted == 0);
  csms.come_back();
  REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.messages_in >= 11; }, kPatience));
  CHECK(inbox.messages("CP1") == numbers(0, 11));
  fleet.finish();
}

TEST_CASE("what the handler sends when it is told of the loss is refused, or waits in the offline queue") {
  const bool offline = GENERATE(false, true);
  CAPTURE(offline);
  Inbox inbox;
  csms::Csms csms(inbox.options());
  std::atomic<int> status{-1};
  Fleet fleet(Delivery::handler, offline ? with_offline_queue() : quick(), [&](const cwire_event& event) {
    if (event.type != CWIRE_EVENT_DISCONNECTED || status != -1) return;
    status = cwire_station_send(event.station, "away", 4, CWIRE_FLAG_REPORT, 0);
  });
  const cwire_station station = fleet.connected("CP1", csms.url());
  csms.die();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  csms.come_back();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  REQUIRE(fleet.send(station, "back", CWIRE_FLAG_REPORT) == CWIRE_OK);
  REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.messages_in >= (offline ? 2 : 1); }, kPatience));
  CHECK(status == (offline ? CWIRE_OK : CWIRE_E_NOT_ESTABLISHED));
  CHECK(inbox.messages("CP1") ==
        (offline ? std::vector<std::string>{"away", "back"} : std::vector<std::string>{"back"}));
  fleet.finish();
}

TEST_CASE("what the kernel has not begun to take when a connection is lost is sent by the next one and never twice") {
  const std::string policy = GENERATE("reject", "drop_oldest");
  CAPTURE(policy);
  Fleet fleet(Delivery::handler, with_offline_queue({{"csms.send_queue_policy", policy},
                                                     {"csms.send_queue_messages", "100"},
                                                     {"csms.write_timeout", "1h"},
                                                     {"csms.ping_interval", "0s"}}));
  Stuck<> stuck(fleet);
  stuck.fill_kernel(fleet);
  stuck.peer->reset();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const std::vector<std::uint64_t> taken = sent_with(fleet.records(), CWIRE_OK);
  const std::vector<std::uint64_t> lost = sent_with(fleet.records(), CWIRE_E_CLOSED);
  stuck.accept();
  std::vector<std::uint64_t> received;
  while (received.size() + lost.size() + taken.size() < stuck.accepted) {
    const auto frame = stuck.peer->read_frame();
    REQUIRE(frame);
    received.push_back(std::stoull(frame->payload));
    REQUIRE(frame->payload == stuck.message(received.back()));
  }
  // One may have been in the middle; it is lost for good.
  CHECK(lost.size() <= 1);
  if (!lost.empty()) CHECK(lost.front() == taken.size());
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t tag = taken.size() + lost.size(); tag < stuck.accepted; ++tag) wanted.push_back(tag);
  CHECK(received == wanted);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", stuck.accepted));
  CHECK(sent_with(fleet.records(), CWIRE_E_QUEUE_FULL).empty());
  CHECK(fleet.stats("CP1").queued_messages == 0);
  CHECK(fleet.stats("CP1").queued_bytes == 0);
  // And nothing comes behind it that came before.
  REQUIRE(fleet.send(stuck.station, "the last") == CWIRE_OK);
  CHECK(stuck.peer->read_frame()->payload == "the last");
  stuck.peer->reset();
  fleet.finish(0);
}

namespace {

raw::Connection& tcp_of(raw::Connection& peer) { return peer; }
raw::Connection& tcp_of(raw::TlsConnection& peer) { return peer.tcp(); }

// The connection of a stuck station is lost, and the peer reads all that the kernel of the station had taken by then.
template <class Server>
void lose_and_come_back(Fleet& fleet, Stuck<Server>& stuck, bool to_connect_again) {
  stuck.fill_kernel(fleet);
  if (to_connect_again) {
    REQUIRE(cwire_station_reconfigure(stuck.station, nullptr, nullptr, CWIRE_RECONFIGURE_RECONNECT, nullptr) ==
            CWIRE_OK);
    for (int i = 0; i < 10; ++i) stuck.send_next(fleet);  // behind all that waits
  } else {
    tcp_of(*stuck.peer).half_close();
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const std::vector<std::uint64_t> taken = sent_with(fleet.records(), CWIRE_OK);
  const std::vector<std::uint64_t> lost = sent_with(fleet.records(), CWIRE_E_CLOSED);
  std::vector<std::uint64_t> received;
  const auto read_one = [&] {
    const auto frame = stuck.peer->read_frame();
    if (!frame || frame->opcode == raw::close) return false;
    received.push_back(std::stoull(frame->payload));
    REQUIRE(frame->payload == stuck.message(received.back()));
    return true;
  };
  while (read_one()) {
  }
  CHECK(received == taken);
  // One may have begun to go out. With TLS only what is in a whole record has, for nobody can read half of one.
  CHECK(lost == (stuck.peer->read_all().empty() ? std::vector<std::uint64_t>{} : std::vector{taken.size()}));
  received.clear();
  stuck.accept();
  while (taken.size() + lost.size() + received.size() < stuck.accepted) REQUIRE(read_one());
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t tag = taken.size() + lost.size(); tag < stuck.accepted; ++tag) wanted.push_back(tag);
  CHECK(received == wanted);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", stuck.accepted));
  CHECK(sent_with(fleet.records(), CWIRE_E_CLOSED) == lost);
  CHECK(sent_with(fleet.records(), CWIRE_OK).size() + lost.size() == stuck.accepted);
  CHECK(fleet.stats("CP1").queued_messages == 0);
  CHECK(fleet.stats("CP1").queued_bytes == 0);
  REQUIRE(fleet.send(stuck.station, "the last") == CWIRE_OK);
  CHECK(stuck.peer->read_frame()->payload == "the last");
  tcp_of(*stuck.peer).reset();
  fleet.finish(0);
}

}  // namespace

TEST_CASE("what the kernel has taken when a connection is lost is never sent again, in part or whole, also over TLS") {
  const auto [tls, message_size] =
      GENERATE(std::pair<bool, std::size_t>{false, 8000}, std::pair<bool, std::size_t>{true, 8000},
               std::pair<bool, std::size_t>{true, kFillsARecord});
  const bool to_connect_again = GENERATE(false, true);
  CAPTURE(tls, message_size, to_connect_again);
  pki::TemporaryDirectory directory;
  const pki::Identity ca = pki::make_self_signed({"CA", {}, true});
  Fleet fleet(Delivery::handler,
              with_offline_queue({{"csms.send_queue_policy", to_connect_again ? "drop_oldest" : "reject"},
                                  {"csms.send_queue_messages", "100"},
                                  {"csms.write_timeout", "1h"},
                                  {"csms.close_timeout", "200ms"},
                                  {"csms.ping_interval", "0s"},
                                  {"csms.tls.ca_cert", directory.write("ca.pem", ca.certificate_pem())}}));
  if (!tls) {
    Stuck<> stuck(fleet);
    return lose_and_come_back(fleet, stuck, to_connect_again);
  }
  const pki::Identity identity = pki::make_signed({"localhost", {"DNS:localhost"}}, ca);
  pki::ServerOptions options;
  options.identity = &identity;
  Stuck<raw::TlsServer> stuck(fleet, options, StuckStation<>::kReceiveBuffer);
  stuck.message_size = message_size;
  lose_and_come_back(fleet, stuck, to_connect_again);
}

TEST_CASE("connecting again in the middle of the replay loses nothing, sends nothing twice and keeps the order") {
  const std::string end = GENERATE("an answer", "a hang-up", "silence");
  CAPTURE(end);
  constexpr std::uint64_t kBefore = 40, kBetween = 50, kAll = 60;
  raw::Server server;
  Fleet fleet(Delivery::handler, with_offline_queue({{"csms.offline_replay_rate", "50"},
                                                     {"csms.close_timeout", end == "silence" ? "100ms" : "1h"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  std::uint64_t accepted = 0;
  const auto send_until = [&](std::uint64_t all) {
    for (; accepted < all; ++accepted) {
      REQUIRE(fleet.send(station, std::to_string(accepted), CWIRE_FLAG_REPORT, accepted) == CWIRE_OK);
    }
  };
  send_until(kBefore);
  auto old_peer = server.accept();
  old_peer.upgrade();
  std::vector<std::string> received;
  while (received.size() < 3) received.push_back(must_frame(old_peer).payload);
  REQUIRE(cwire_station_reconfigure(station, nullptr, nullptr, CWIRE_RECONFIGURE_RECONNECT, nullptr) == CWIRE_OK);
  raw::Frame frame = must_frame(old_peer);
  for (; frame.opcode != raw::close; frame = must_frame(old_peer)) received.push_back(frame.payload);
  send_until(kBetween);  // accepted as ever, and nothing of it follows the close frame
  if (end == "an answer") old_peer.send_frame(raw::close, frame.payload);
  if (end == "a hang-up") old_peer.reset();
  auto new_peer = server.accept();
  if (end != "a hang-up") CHECK_FALSE(old_peer.read_frame());
  new_peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  send_until(kAll);
  while (received.size() < kAll) received.push_back(must_frame(new_peer).payload);
  CHECK(received == numbers(0, kAll));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", kAll));
  CHECK(sent_with(fleet.records(), CWIRE_OK).size() == kAll);
  CHECK(count(fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1") == 1);
  CHECK(fleet.stats("CP1").queued_messages == 0);
  CHECK(fleet.stats("CP1").offline_messages == 0);
  fleet.finish(0);
}

TEST_CASE("what was accepted before goes out before what a handler sends, where there is an order to keep") {
  const Settings settings = GENERATE(with_offline_queue(), with_policy("drop_oldest"));
  Inbox inbox;
  csms::Csms csms(inbox.options());
  Gate gate;
  Fleet fleet(Delivery::handler, settings, [&](const cwire_event& event) {
    if (event.type != CWIRE_EVENT_CONNECTED) return;
    gate.pass();
    cwire_station_send(event.station, "5", 1, 0, 0);
  });
  const cwire_station station = fleet.connected("CP1", csms.url());
  REQUIRE(gate.wait_arrived());
  for (const std::string& text : numbers(0, 5)) REQUIRE(fleet.send(station, text) == CWIRE_OK);
  gate.open();
  REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.messages_in >= 6; }, kPatience));
  CHECK(inbox.messages("CP1") == numbers(0, 6));
  fleet.finish();
}

TEST_CASE("what grows too old offline is reported, and so is what is left when it ends") {
  const Delivery delivery = both_deliveries();
  const std::string how = GENERATE("max_age", "disconnect", "gave up", "shutdown");
  CAPTURE(delivery, how);
  raw::ClosedPort nobody;
  Settings settings = with_offline_queue();
  if (how == "max_age") {
    settings.insert(settings.end(), {{"csms.offline_queue_max_age", "30ms"},
                                     {"csms.reconnect_backoff", "1h"},  // no attempt finds it out by chance
                                     {"csms.reconnect_max_backoff", "1h"}});
  }
  if (how == "gave up") settings.push_back({"csms.max_reconnect_attempts", "3"});
  Fleet fleet(delivery, settings);
  const cwire_station station = fleet.connect("CP1", nobody.url());
  std::uint64_t accepted = 0;
  for (std::uint64_t i = 0; i < 20; ++i) accepted += fleet.send(station, "x", 0, i) == CWIRE_OK;
  if (how != "gave up") CHECK(accepted == 20);
  if (how == "disconnect") REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  if (how == "shutdown") REQUIRE(cwire_manager_shutdown(fleet.manager, 1000) == CWIRE_OK);
  if (how == "max_age") {
    REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", accepted));
    CHECK(fleet.stats("CP1").queued_messages == 0);
    CHECK(fleet.stats("CP1").offline_messages == 0);
    CHECK(fleet.stats("CP1").messages_not_sent == accepted);
  } else {
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
    CHECK(fleet.send(station, "x") == CWIRE_E_INVALID_HANDLE);
  }
  fleet.finish();
  CHECK(sent_with(fleet.records(), how == "max_age" ? CWIRE_E_TIMEOUT : CWIRE_E_CLOSED).size() == accepted);
  CHECK(count(fleet.records(), CWIRE_EVENT_SENT) == accepted);
}

TEST_CASE("a disconnect sends all that is queued, however much it is, and then the close frame") {
  Fleet fleet(Delivery::handler, quick({{"csms.send_queue_messages", "100"},
                                        {"csms.write_timeout", "1h"},
                                        {"csms.close_timeout", "1h"},
                                        {"csms.ping_interval", "0s"}}));
  Stuck<> stuck(fleet);
  stuck.fill_kernel(fleet);
  REQUIRE(cwire_station_disconnect(stuck.station, 0, nullptr) == CWIRE_OK);
  for (std::uint64_t i = 0; i < stuck.accepted; ++i) REQUIRE(must_frame(*stuck.peer).payload == stuck.message(i));
  const raw::Frame close = must_frame(*stuck.peer);
  CHECK(close.opcode == raw::close);
  stuck.peer->send_frame(raw::close, close.payload);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(sent_with(fleet.records(), CWIRE_OK).size() == stuck.accepted);
  fleet.finish();
}

TEST_CASE("what a disconnect finds in front of a stuck peer is closed, whatever room the offline queue has") {
  Fleet fleet(Delivery::handler, with_offline_queue({{"csms.offline_queue_messages", "1"},
                                                     {"csms.send_queue_messages", "100"},
                                                     {"csms.write_timeout", "1h"},
                                                     {"csms.close_timeout", "50ms"},
                                                     {"csms.ping_interval", "0s"}}));
  Stuck<> stuck(fleet);
  stuck.fill_kernel(fleet);
  REQUIRE(cwire_station_disconnect(stuck.station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  const std::size_t sent = sent_with(fleet.records(), CWIRE_OK).size();
  CHECK(sent_with(fleet.records(), CWIRE_E_CLOSED).size() == stuck.accepted - sent);
  CHECK(sent < stuck.accepted);
  fleet.finish();
}

TEST_CASE("a disconnect in the middle of the replay reports what was not replayed") {
  Inbox inbox;
  csms::Csms csms(inbox.options());
  csms.refuse_tcp();
  Fleet fleet(Delivery::handler, with_offline_queue({{"csms.offline_replay_rate", "1"}}));
  const cwire_station station = fleet.connect("CP1", csms.url());
  for (std::uint64_t i = 0; i < 50; ++i)
    REQUIRE(fleet.send(station, std::to_string(i), CWIRE_FLAG_REPORT, i) == CWIRE_OK);
  csms.come_back();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1"));
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  fleet.finish();
  const std::size_t sent = sent_with(fleet.records(), CWIRE_OK).size();
  CHECK(sent >= 1);
  CHECK(sent + sent_with(fleet.records(), CWIRE_E_CLOSED).size() == 50);
  CHECK(inbox.messages("CP1") == numbers(0, sent));
}

TEST_CASE("a full offline queue follows the policy and WRITABLE comes when it has been sent") {
  const std::string policy = GENERATE("reject", "drop_oldest", "drop_newest");
  CAPTURE(policy);
  Inbox inbox;
  csms::Csms csms(inbox.options());
  csms.refuse_tcp();
  Fleet fleet(Delivery::handler,
              with_offline_queue({{"csms.send_queue_policy", policy}, {"csms.offline_queue_messages", "10"}}));
  const cwire_station station = fleet.connect("CP1", csms.url());
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < 15; ++i) {
    const cwire_status status = fleet.send(station, std::to_string(i), 0, i);
    if (status == CWIRE_E_QUEUE_FULL) ++refused;
    if (i == 9) REQUIRE(refused == 0);
  }
  if (policy == "reject") {
    CHECK(refused == 5);
    CHECK(count(fleet.records(), CWIRE_EVENT_WRITABLE) == 0);
    csms.come_back();
    REQUIRE(fleet.wait_for(CWIRE_EVENT_WRITABLE, "CP1"));
    REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.messages_in >= 10; }, kPatience));
    CHECK(inbox.messages("CP1") == numbers(0, 10));
  } else {
    CHECK(refused == 0);
    REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", 5));
    CHECK(fleet.stats("CP1").offline_messages == 10);
    CHECK(fleet.stats("CP1").messages_dropped == 5);
    csms.come_back();
    REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.messages_in >= 10; }, kPatience));
    CHECK(inbox.messages("CP1") == (policy == "drop_oldest" ? numbers(5, 15) : numbers(0, 10)));
    CHECK(sent_with(fleet.records(), CWIRE_E_QUEUE_FULL).size() == 5);
  }
  fleet.finish();
}

TEST_CASE("the offline queues of all stations share a budget and a log line says when it is used up") {
  const std::string policy = GENERATE("reject", "drop_newest");
  CAPTURE(policy);
  Inbox inbox;
  csms::Csms csms(inbox.options());
  csms.refuse_tcp();
  Fleet fleet(Delivery::handler,
              with_offline_queue({{"csms.send_queue_policy", policy},
                                  {"offline_budget_bytes", "1000B"},
                                  {"csms.reconnect_backoff", "1h"},  // no attempt finds it out by chance
                                  {"csms.reconnect_max_backoff", "1h"}}));
  const cwire_station one = fleet.connect("CP1", csms.url()), other = fleet.connect("CP2", csms.url());
  REQUIRE(fleet.send(one, std::string(600, '1')) == CWIRE_OK);
  REQUIRE(fleet.send(other, std::string(400, '2')) == CWIRE_OK);
  REQUIRE(fleet.eventually(
      [&] { return fleet.stats("CP1").offline_bytes == 600 && fleet.stats("CP2").offline_bytes == 400; }));
  if (policy == "reject") {
    CHECK(fleet.send(other, "x") == CWIRE_E_QUEUE_FULL);
  } else {
    CHECK(fleet.send(other, "x", 0, 7) == CWIRE_OK);
    REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP2"));
    CHECK(sent_with(fleet.records(), CWIRE_E_QUEUE_FULL) == std::vector<std::uint64_t>{7});
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_LOG, ""));
  const Records records = fleet.records();
  const Record& line = must(first(records, CWIRE_EVENT_LOG));
  CHECK(line.code == CWIRE_LOG_WARNING);
  CHECK(line.station == nullptr);
  CHECK(line.data.find("raise offline_budget_bytes") != std::string::npos);
  // An attempt that is still under way would not be cut short, and its wait not either.
  for (const char* id : {"CP1", "CP2"}) REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, id));
  csms.come_back();
  for (const cwire_station station : {one, other}) {
    REQUIRE(cwire_station_reconfigure(station, nullptr, nullptr, CWIRE_RECONFIGURE_RECONNECT, nullptr) == CWIRE_OK);
  }
  REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.messages_in >= 2; }, kPatience));
  if (policy == "reject") REQUIRE(fleet.wait_for(CWIRE_EVENT_WRITABLE, "CP2"));
  CHECK(fleet.send(other, "x") == CWIRE_OK);
  CHECK(count(fleet.records(), CWIRE_EVENT_LOG) == 1);
  fleet.finish();
}
