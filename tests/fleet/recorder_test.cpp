#include "recorder.h"

#include <algorithm>
#include <thread>

#include "catch2/catch.hpp"
#include "failure_text.h"
#include "news.h"
#include "text.h"
#include "view.h"

using namespace fleet;

namespace {

Setup setup_of(std::size_t stations) {
  Setup setup;
  setup.file = "test.yaml";
  setup.url = "ws://csms.example/ocpp";
  setup.stations = setup.stations_of_all = stations;
  return setup;
}

std::vector<std::string> ids_of(std::size_t stations) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < stations; ++i) ids.push_back("CP" + std::to_string(i));
  return ids;
}

cwire_event event_of(std::int32_t type, cwire_status status, const std::string& data, const cwire_failure* failure) {
  cwire_event event{};
  event.size = sizeof event;
  event.type = type;
  event.status = status;
  event.station_id = "";
  event.data = data.c_str();
  event.data_size = data.size();
  event.failure = failure;
  return event;
}

void fail_attempt(Recorder& recorder, std::uint32_t station, const std::string& message) {
  cwire_failure failure{};
  failure.size = sizeof failure;
  failure.status = CWIRE_E_DIAL;
  failure.phase = CWIRE_PHASE_TCP;
  const cwire_event event = event_of(CWIRE_EVENT_ERROR, CWIRE_E_DIAL, message, &failure);
  recorder.attempt_failed(station, chargewire::Event(event));
}

Call call_of(std::uint32_t station, Action action) {
  Call call;
  call.station = station;
  call.action = action;
  return call;
}

// As wide as the terminal shows it: without colours, and each character of UTF-8 once.
std::string plain(const std::string& line) {
  std::string result;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      while (line[i] != 'm') ++i;
      continue;
    }
    if ((static_cast<unsigned char>(line[i]) & 0xc0) != 0x80) result += line[i];
  }
  return result;
}

std::string all_of(const std::vector<std::string>& lines) {
  std::string result;
  for (const std::string& line : lines) result += plain(line) + '\n';
  return result;
}

}  // namespace

TEST_CASE("percentiles are the values that so many do not exceed") {
  std::vector<double> values;
  for (int i = 100; i >= 0; --i) values.push_back(i);
  const Percentiles result = percentiles_of(values);
  CHECK(result.count == 101);
  CHECK(result.p50 == 50);
  CHECK(result.p90 == 90);
  CHECK(result.p99 == 99);
  CHECK(result.max == 100);
  std::vector<double> one{7};
  CHECK(percentiles_of(one).p50 == 7);
  CHECK(percentiles_of(one).max == 7);
  std::vector<double> none;
  CHECK(percentiles_of(none).count == 0);
}

TEST_CASE("a reservoir of a few stands for many") {
  Reservoir reservoir(10000);
  for (int i = 0; i <= 1000000; ++i) reservoir.add(i);
  const Percentiles result = reservoir.percentiles();
  CHECK(result.count == 1000001);
  CHECK(result.p50 == Approx(500000).epsilon(0.05));
  CHECK(result.p99 == Approx(990000).epsilon(0.01));
  CHECK(result.max == 1000000);
}

TEST_CASE("the samples of a run of days fit, and say the same in sum") {
  Samples samples;
  constexpr int seconds = 3 * 24 * 3600 + 17;
  double sent = 0;
  for (int i = 1; i <= seconds; ++i) {
    Sample sample;
    sample.at = i;
    sample.span = 1;
    sample.messages_sent = i % 7;
    sample.stations[CWIRE_STATE_CONNECTED] = static_cast<std::uint64_t>(i);
    sample.call_latency = {1, 0.1, 0.2, i == 100000 ? 9.0 : 0.3, 0.4};
    sent += sample.messages_sent;
    samples.add(sample);
  }
  const std::vector<Sample> all = samples.take();
  CHECK(all.size() <= RunRecord::samples_max);
  CHECK(all.size() > RunRecord::samples_max / 3);
  double sum = 0;
  double before = 0;
  double largest = 0;
  std::uint64_t measurements = 0;
  for (const Sample& sample : all) {
    CHECK(sample.at - before == Approx(sample.span));
    CHECK(sample.stations[CWIRE_STATE_CONNECTED] == static_cast<std::uint64_t>(sample.at));
    before = sample.at;
    sum += sample.messages_sent * sample.span;
    largest = std::max(largest, sample.call_latency.p99);
    measurements += sample.call_latency.count;
  }
  CHECK(before == seconds);
  CHECK(sum == Approx(sent));
  CHECK(largest == 9.0);
  CHECK(measurements == seconds);
}

TEST_CASE("the worst stations are those that are not there, then those with more trouble") {
  Recorder recorder(setup_of(40), ids_of(40), true);
  for (std::uint32_t i = 0; i < 40; ++i) {
    recorder.begun(i);
    recorder.state_changed(i, chargewire::State::connected);
    recorder.connected(i);
  }
  recorder.state_changed(7, chargewire::State::reconnecting);
  for (std::uint32_t i = 10; i < 30; ++i) {
    for (std::uint32_t n = 0; n < i; ++n) fail_attempt(recorder, i, "CP" + std::to_string(i) + ": refused");
  }
  recorder.begin_look();
  recorder.end_look();
  const std::vector<WorstStation>& worst = recorder.record().worst;
  REQUIRE(worst.size() == 10);
  CHECK(worst[0].id == "CP7");
  CHECK(worst[1].id == "CP29");
  CHECK(worst[1].attempts_failed == 29);
  CHECK(worst[1].last_error == "refused");
  CHECK(worst[9].id == "CP21");
  REQUIRE(recorder.record().failures.size() == 1);
  CHECK(recorder.record().failures[0].stations == 20);
  CHECK(recorder.record().failures[0].count == 390);
  CHECK(recorder.record().failures[0].example == "CP10: refused");
}

TEST_CASE("a run is judged by what was promised") {
  Recorder recorder(setup_of(3), ids_of(3), true);
  for (std::uint32_t i = 0; i < 2; ++i) {
    recorder.begun(i);
    recorder.connected(i);
    recorder.message_accepted();
    recorder.call_sent(call_of(i, Action::boot));
    recorder.call_answered(call_of(i, Action::boot), 0.002);
    recorder.booted(i);
  }
  fail_attempt(recorder, 1, "CP1: refused");
  recorder.call_sent(call_of(0, Action::heartbeat));
  recorder.call_failed(call_of(0, Action::heartbeat), "timeout", "no answer within 30s");
  recorder.call_sent(call_of(1, Action::heartbeat));
  recorder.call_failed(call_of(1, Action::heartbeat), reason_connection_lost, "CP1: lost");
  cwire_stats stats{};
  stats.messages_sent = 1;
  recorder.look_last(0, stats);
  recorder.look_last(0, stats);  // counted once
  recorder.begin_look();
  recorder.end_look();
  recorder.finish(true, "the duration is over");
  const std::vector<Promise>& promises = recorder.record().promises;
  REQUIRE(promises.size() == 4);
  for (const Promise& promise : promises) CHECK_FALSE(promise.kept);
  CHECK(promises[0].detail == "2 of 3. CP2: the turn to begin had not come");
  CHECK(promises[1].detail == "2 of 3. CP2: never connected");
  CHECK(promises[2].detail == "2 of 4; 1 lost with their connection; 1 Heartbeat: timeout");
  CHECK(recorder.record().totals.messages_unreported == 1);
  CHECK_FALSE(recorder.all_promises_kept());
  CHECK(recorder.record().call_failures.size() == 2);
  CHECK(recorder.record().actions.at(0).action == "BootNotification");
}

TEST_CASE("what the library tells of an endpoint is an incident once, whatever comes between its event and its log") {
  Recorder recorder(setup_of(1), ids_of(1), true);
  for (int i = 0; i < 2; ++i) {
    recorder.endpoint("csms: see cwire_manager_reset", "csms: too many attempts failed");
    recorder.incident("CP0 received a message that it does not understand");
    recorder.logged("csms: see cwire_manager_reset");
  }
  recorder.logged("this machine was suspended");
  recorder.logged("this machine was suspended");
  std::vector<std::string> texts;
  for (const Incident& incident : recorder.record().incidents) texts.push_back(incident.text);
  CHECK(texts ==
        std::vector<std::string>{"csms: too many attempts failed", "CP0 received a message that it does not understand",
                                 "csms: too many attempts failed", "CP0 received a message that it does not understand",
                                 "this machine was suspended", "this machine was suspended"});
}

TEST_CASE("those that wait for their turn to dial are held back, and neither connect nor reconnect") {
  Recorder recorder(setup_of(50), ids_of(50), true);
  for (std::uint32_t i = 0; i < 50; ++i) {
    recorder.begun(i);
    recorder.state_changed(i, i < 30 ? chargewire::State::connecting : chargewire::State::reconnecting);
  }
  const auto look = [&](std::uint64_t waiting, std::uint64_t dialling, double left) {
    std::this_thread::sleep_for(std::chrono::milliseconds(260));  // less is no sample
    recorder.begin_look();
    recorder.look_at_endpoints(waiting, dialling, left);
    recorder.end_look();
  };
  look(45, 0, 20.4);
  CHECK(recorder.recent().back().held_back == 45);
  CHECK(recorder.recent().back().stations[CWIRE_STATE_CONNECTING] == 0);
  CHECK(recorder.recent().back().stations[CWIRE_STATE_RECONNECTING] == 5);
  CHECK(line_of(recorder, false).find("connected 0 of 50, held back 45, 21 s left, reconnecting 5;") !=
        std::string::npos);
  CHECK(all_of(picture_of(recorder, false, Look{})).find("45 held back, 21 s left  ") != std::string::npos);
  recorder.metrics_are_served("http://127.0.0.1:9464/metrics");
  CHECK(all_of(picture_of(recorder, false, Look{})).find("metrics: http://127.0.0.1:9464/metrics") !=
        std::string::npos);
  look(10, 25, 0);  // under the limit of handshakes
  CHECK(recorder.recent().back().held_back == 10);
  CHECK(recorder.recent().back().stations[CWIRE_STATE_CONNECTING] == 25);
  CHECK(recorder.recent().back().stations[CWIRE_STATE_RECONNECTING] == 15);
  look(1000, 0, 0);  // looked at a moment later
  CHECK(recorder.recent().back().held_back == 50);
}

TEST_CASE("many connections lost at once are an outage, until few are away") {
  Recorder recorder(setup_of(40), ids_of(40), true);
  const auto look = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(260));  // less is no sample
    recorder.begin_look();
    recorder.end_look();
  };
  const auto lose = [&](std::uint32_t station) {
    cwire_failure failure{};
    failure.size = sizeof failure;
    recorder.disconnected(station,
                          chargewire::Event(event_of(CWIRE_EVENT_DISCONNECTED, CWIRE_E_READ, "CP: reset", &failure)));
    recorder.state_changed(station, chargewire::State::reconnecting);
  };
  for (std::uint32_t i = 0; i < 40; ++i) {
    recorder.begun(i);
    recorder.state_changed(i, chargewire::State::connected);
  }
  look();
  for (std::uint32_t i = 0; i < 3; ++i) lose(i);
  look();
  CHECK(recorder.record().outages.empty());
  for (std::uint32_t i = 3; i < 40; ++i) lose(i);
  look();
  REQUIRE(recorder.record().outages.size() == 1);
  CHECK(recorder.record().outages[0].to == 0);
  CHECK(recorder.record().incidents.back().text == "an outage begins: 37 of 37 connections were lost within 1 s");
  look();
  for (std::uint32_t i = 0; i < 36; ++i) recorder.state_changed(i, chargewire::State::connected);
  look();
  CHECK(recorder.record().outages[0].to == 0);
  recorder.state_changed(36, chargewire::State::connected);
  look();
  REQUIRE(recorder.record().outages.size() == 1);
  CHECK(recorder.record().outages[0].to > recorder.record().outages[0].from);
  CHECK(recorder.record().incidents.back().text == "the outage is over after 2 s: 37 of 40 stations are connected");
}

TEST_CASE("a failure is told when it is first met, and again after a minute if it went on") {
  RunRecord record;
  News news;
  CHECK(news.of(record, 1).empty());
  record.incidents = {{1.5, "the breaker has opened"}};
  record.failures = {
      {false, chargewire::Status::dial, chargewire::Phase::tcp, 20, 19, "refused", "CP7: refused (ws:)"}};
  record.call_failures = {{"Heartbeat", "timeout", 1, 1, "Heartbeat: no answer", "CP8: Heartbeat: no answer"}};
  CHECK(news.of(record, 2) ==
        std::vector<std::string>{"00:00:01  the breaker has opened",
                                 "00:00:02  no connection: refused (20 times at 19 stations, CP7 first)",
                                 "00:00:02  a call failed: Heartbeat: no answer (CP8)"});
  record.failures[0].count = 40;
  CHECK(news.of(record, 61).empty());
  record.incidents_left_out = 3;
  record.failures.push_back({true, chargewire::Status::read, chargewire::Phase::read, 1, 1, "refused", "CP9: refused"});
  CHECK(news.of(record, 62) ==
        std::vector<std::string>{"00:01:02  3 more incidents",
                                 "00:01:02  no connection: refused (40 times so far at 19 stations, CP7 first)",
                                 "00:01:02  connection lost: refused (CP9)"});
  CHECK(news.of(record, 1000).empty());
}

TEST_CASE("a cause is a message without what is true of one station at one moment") {
  const std::string message =
      "CP1: dial tcp 127.0.0.1:9: connection refused; check that the CSMS is running (ws://127.0.0.1:9/CP1); next "
      "attempt in 5.5 s";
  CHECK(cause_of(message, "CP1") == "dial tcp 127.0.0.1:9: connection refused; check that the CSMS is running");
  CHECK(cause_of("CP1: lost (why) (wss://a/CP1, where wss://b/CP1 sent it); gave up", "CP1") == "lost (why)");
  CHECK(cause_of("no answer (yet)", "CP1") == "no answer (yet)");
  CHECK(brief(cause_of(message, "CP1")) == "connection refused (dial tcp 127.0.0.1:9)");
  CHECK(brief("the CSMS answered the WebSocket upgrade with HTTP 503: overloaded; wait") == "HTTP 503: overloaded");
  CHECK(brief("Heartbeat: no answer within 30 s") == "Heartbeat: no answer within 30 s");
}

TEST_CASE("the picture fits into any terminal, and says how the fleet is") {
  Recorder recorder(setup_of(2000), ids_of(2000), true);
  for (std::uint32_t i = 0; i < 1500; ++i) {
    recorder.begun(i);
    recorder.state_changed(i, i < 1490 ? chargewire::State::connected : chargewire::State::reconnecting);
    if (i >= 1480)
      fail_attempt(
          recorder, i,
          "CP" + std::to_string(i) + ": dial tcp: connection refused; \x1b[2J\n na\xffme \xe4\xb8\xad\xe6\x96\x87");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  recorder.begin_look();
  recorder.look(0, cwire_stats{});
  recorder.end_look();
  for (const std::size_t columns : {1u, 20u, 79u, 80u, 81u, 132u, 400u}) {
    for (const std::size_t rows : {1u, 5u, 24u, 28u, 60u}) {
      for (const bool unicode : {true, false}) {
        Look look;
        look.columns = columns;
        look.rows = rows;
        look.unicode = unicode;
        const std::vector<std::string> picture = picture_of(recorder, false, look);
        CAPTURE(columns, rows, unicode);
        REQUIRE(picture.size() == rows);
        for (const std::string& line : picture) {
          const std::string text = plain(line);
          // A Chinese character counts once here and takes two columns there.
          CHECK(text.size() <= columns);
          CHECK(text.find('\n') == std::string::npos);
          CHECK(line.find("\x1b[2J") == std::string::npos);
        }
        if (columns < 80 || rows < 24) continue;
        const std::string text = all_of(picture);
        CHECK(text.find("1,490 connected") != std::string::npos);
        CHECK(text.find("10 reconnecting") != std::string::npos);
        CHECK(text.find("500 to come") != std::string::npos);
        CHECK((columns < 100) == (text.find("of 2,000") == std::string::npos));
        CHECK(text.find("CP1490") != std::string::npos);
        CHECK(text.find("connection refused") != std::string::npos);
        CHECK(text.find("quality 1 none") != std::string::npos);
        CHECK((rows < 60) == (text.find("failures") == std::string::npos));
      }
    }
  }
  Look look;
  look.colour = false;
  for (const std::string& line : picture_of(recorder, true, look)) CHECK(line.find('\x1b') == std::string::npos);
  CHECK(line_of(recorder, false).find("connected 1,490 of 2,000, reconnecting 10") != std::string::npos);
}

TEST_CASE("the end says each thing once, in plain words") {
  Recorder recorder(setup_of(20), ids_of(20), true);
  for (std::uint32_t i = 0; i < 19; ++i) {
    recorder.begun(i);
    fail_attempt(recorder, i, "CP" + std::to_string(i) + ": refused; start it (ws://a/CP0); next attempt in 1.1 s");
  }
  recorder.begin_look();
  recorder.end_look();
  recorder.finish(true, "SIGINT");
  RunRecord record = recorder.record();
  record.totals.bytes_sent = 1000000;
  record.totals.wire_bytes_sent = 250000;
  record.call_failures = {{"Heartbeat", "timeout", 1, 1, "Heartbeat: no answer", ""}};
  record.ended_at = record.started_at + std::chrono::seconds(100);
  const std::string text = summary_of(record, false);
  CHECK(text.find("test.yaml ran for 1 min 40 s; its end: SIGINT\n") == 0);
  CHECK(text.find("0 of 20. 19 stations, CP0 for one: refused; start it | CP19: the turn to begin had not come\n") !=
        std::string::npos);
  CHECK(text.find("0 of 20. 20 stations, CP0 for one: never connected\n") != std::string::npos);
  CHECK(text.find("refused") == text.rfind("refused"));
  CHECK(text.find("next attempt") == std::string::npos);
  CHECK(text.find("  compressed: sent 1.0 MB as 250.0 kB (25 %); received 0 B as 0 B\n") != std::string::npos);
  CHECK(text.find("  1 call failed at 1 station: Heartbeat: no answer\n") != std::string::npos);
}

TEST_CASE("numbers are written for people") {
  CHECK(span_text(0.25) == "250 ms");
  CHECK(span_text(2.45) == "2.45 s");
  CHECK(span_text(30) == "30 s");
  CHECK(span_text(99.99) == "1 min 40 s");
  CHECK(span_text(7200) == "2 h");
  CHECK(span_text(90061) == "1 d 1 h 1 min 1 s");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(grouped(999) == "999");
  CHECK(latency_text(0.00031) == "0.31 ms");
  CHECK(latency_text(0.0123) == "12.3 ms");
  CHECK(latency_text(0.345) == "345 ms");
  CHECK(latency_text(1.239) == "1.24 s");
  CHECK(rate_text(0.44) == "0.4");
  CHECK(rate_text(1234.4) == "1,234");
  CHECK(clock_text(3723) == "01:02:03");
  CHECK(clock_text(90061) == "1 d 01:01:01");
  CHECK(bytes_text(12345678) == "12.3 MB");
  CHECK(percent_text(0.041) == "4.1 %");
}
