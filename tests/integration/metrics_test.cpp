// What a manager shows of itself: by the call, and served at /metrics.
#include <atomic>
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "fixture.h"
#include "raw_peer.h"
#include "scraper.h"

using namespace fixture;
using Catch::Contains;
using scraper::answer_to;
using scraper::Scraper;

namespace {

std::string metrics(cwire_manager manager, std::int32_t format = CWIRE_METRICS_PROMETHEUS) {
  std::string text(1 << 16, '\0');
  for (;;) {
    std::size_t needed = 0;
    const cwire_status status = cwire_manager_metrics(manager, format, text.data(), text.size(), &needed);
    if (status == CWIRE_OK) {
      text.resize(needed - 1);
      return text;
    }
    if (status != CWIRE_E_TOO_BIG) return std::string();
    text.resize(2 * needed);
  }
}

// The value of a sample, "chargewire_stations{endpoint=\"ws://h:1\",state=\"connected\"}"; -1: there is none.
double sample(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, name.size(), name) == 0 && line[name.size()] == ' ')
      return std::stod(line.substr(name.size() + 1));
  }
  return -1;
}

// "name{endpoint="ws://127.0.0.1:1",more}"
std::string at(const char* name, const std::string& url, const std::string& more = "") {
  return std::string(name) + "{endpoint=\"" + url + "\"" + (more.empty() ? "" : "," + more) + "}";
}

std::string metrics_url(cwire_manager manager) {
  char url[128];
  REQUIRE(cwire_manager_metrics_url(manager, url, sizeof url, nullptr) == CWIRE_OK);
  return url;
}

}  // namespace

TEST_CASE("the metrics of an endpoint are the sums of its stations' statistics, and stay when these end") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Options options;
  options.echo = true;
  csms::Csms csms(options);
  Fleet fleet(delivery, quick({{"metrics.enabled", "true"}}));
  const std::string url = csms.url();
  const cwire_station one = fleet.connected("CP1", url), two = fleet.connected("CP2", url);
  for (int i = 0; i < 3; ++i) REQUIRE(fleet.send(one, "1234567890") == CWIRE_OK);
  REQUIRE(fleet.send(two, "12345") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 3));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP2"));

  const auto check = [&](const std::string& text, double connected) {
    CHECK(sample(text, at("chargewire_stations", url, "state=\"connected\"")) == connected);
    CHECK(sample(text, at("chargewire_messages_sent_total", url)) == 4);
    CHECK(sample(text, at("chargewire_messages_received_total", url)) == 4);
    CHECK(sample(text, at("chargewire_payload_sent_bytes_total", url)) == 35);
    CHECK(sample(text, at("chargewire_payload_received_bytes_total", url)) == 35);
    CHECK(sample(text, at("chargewire_connections_total", url)) == 2);
    CHECK(sample(text, at("chargewire_connection_attempts_total", url)) == 2);
    CHECK(sample(text, at("chargewire_dial_wait_seconds_count", url)) == 2);
    CHECK(sample(text, at("chargewire_reconnections_total", url)) == 0);
    CHECK(sample(text, at("chargewire_breaker_state", url, "state=\"closed\"")) == (connected > 0 ? 1 : -1));
    CHECK(sample(text, "chargewire_message_sent_bytes_count") == 4);
    CHECK(sample(text, "chargewire_message_sent_bytes_sum") == 35);
    CHECK(sample(text, "chargewire_message_received_bytes_bucket{le=\"64.0\"}") == 4);
    CHECK(sample(text, "chargewire_events_delivered_total{type=\"message\"}") == 4);
    CHECK(sample(text, "chargewire_io_turns_total") > 0);
    CHECK((sample(text, "chargewire_event_queue_length") >= 0) == (delivery == Delivery::poll));
    CHECK((sample(text, "chargewire_event_queue_bytes") >= 0) == (delivery == Delivery::poll));
    CHECK((sample(text, "chargewire_event_queue_capacity_bytes") == 64 << 20) == (delivery == Delivery::poll));
    CHECK((sample(text, "chargewire_handler_seconds_count") > 0) == (delivery == Delivery::handler));
  };
  // What a handler was given is counted when it has returned.
  REQUIRE(fleet.eventually(
      [&] { return sample(metrics(fleet.manager), "chargewire_events_delivered_total{type=\"message\"}") == 4; }));
  check(metrics(fleet.manager), 2);

  REQUIRE(cwire_manager_disconnect_all(fleet.manager) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP2"));
  REQUIRE(fleet.eventually([&] {
    return sample(metrics(fleet.manager), at("chargewire_disconnections_total", url, "cause=\"requested\"")) == 2 &&
           sample(metrics(fleet.manager), at("chargewire_stations", url, "state=\"closed\"")) == 0;
  }));
  check(metrics(fleet.manager), 0);
  fleet.finish();
}

TEST_CASE("what is counted per message is there only where it was asked for") {
  csms::Csms csms({});
  Fleet fleet(Delivery::poll);
  fleet.connected("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const std::string text = metrics(fleet.manager);
  CHECK(sample(text, at("chargewire_connections_total", csms.url())) == 1);
  for (const char* name : {"chargewire_io_turns", "chargewire_events_delivered", "chargewire_event_batch_size",
                           "chargewire_message_sent_bytes", "chargewire_handler", "chargewire_station_"}) {
    CHECK_THAT(text, !Contains(name));
  }
  CHECK(metrics_url(fleet.manager) == "");
  fleet.finish();
}

TEST_CASE("a station that goes elsewhere leaves what it has counted where that was") {
  csms::Options options;
  options.echo = true;
  csms::Csms first_csms(options), second_csms(options);
  Fleet fleet(Delivery::poll);
  const std::string here = first_csms.url(), there = second_csms.url();
  const cwire_station station = fleet.connected("CP1", here);
  REQUIRE(fleet.send(station, "12") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  REQUIRE(cwire_station_reconfigure(station, there.c_str(), nullptr, CWIRE_RECONFIGURE_RECONNECT, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  const auto sent = [&](const std::string& url) {
    return sample(metrics(fleet.manager), at("chargewire_messages_sent_total", url));
  };
  CHECK(sent(here) == 1);
  CHECK(sent(there) == 0);
  for (int i = 0; i < 2; ++i) REQUIRE(fleet.send(station, "12") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 3));
  // And back.
  REQUIRE(cwire_station_reconfigure(station, here.c_str(), nullptr, CWIRE_RECONFIGURE_RECONNECT, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 3));
  for (int i = 0; i < 4; ++i) REQUIRE(fleet.send(station, "12") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 7));
  CHECK(sent(here) == 5);
  CHECK(sent(there) == 2);
  CHECK(fleet.stats("CP1").messages_sent == 7);
  const std::string text = metrics(fleet.manager);
  CHECK(sample(text, at("chargewire_stations", here, "state=\"connected\"")) == 1);
  CHECK(sample(text, at("chargewire_stations", there, "state=\"connected\"")) == 0);
  CHECK(sample(text, at("chargewire_reconnections_total", there)) == 1);
  CHECK(sample(text, at("chargewire_reconnections_total", here)) == 1);
  fleet.finish();
}

TEST_CASE("failed attempts and lost connections are counted by what they were") {
  csms::Csms csms({});
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::handler, quick({{"csms.max_reconnect_attempts", "2"}}));
  fleet.connect("gone", nobody.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "gone"));
  csms.refuse(401);
  fleet.connect("refused", csms.url(), {{"csms.refused_backoff", "1ms"}});
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "refused"));
  csms.come_back();
  fleet.connected("lost", csms.url());
  csms.close_all(1001, "");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "lost"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "lost", 2));
  const std::string text = metrics(fleet.manager);
  CHECK(sample(text, at("chargewire_connection_failures_total", nobody.url(), "status=\"dial\",phase=\"tcp\"")) == 2);
  CHECK(sample(text, at("chargewire_connection_failures_total", csms.url(), "status=\"auth\",phase=\"http\"")) == 2);
  CHECK(sample(text, at("chargewire_connection_failures_total", csms.url(), "status=\"dial\",phase=\"tcp\"")) == 0);
  CHECK(sample(text, at("chargewire_disconnections_total", csms.url(), "cause=\"closed\"")) == 1);
  CHECK(sample(text, at("chargewire_reconnections_total", csms.url())) == 1);
  // Who gave up is still known, and is counted as that.
  CHECK(sample(text, at("chargewire_stations", nobody.url(), "state=\"error\"")) == 1);
  CHECK(sample(text, at("chargewire_stations", csms.url(), "state=\"error\"")) == 1);
  fleet.finish();
}

TEST_CASE("each station has its own metrics where that was asked for") {
  csms::Csms csms({});
  Fleet fleet(Delivery::poll, quick({{"metrics.per_station", "true"}}));
  fleet.connected("CP1", csms.url());
  fleet.connected("CP\"\\2", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const std::string text = metrics(fleet.manager), endpoint = ",endpoint=\"" + csms.url() + "\"}";
  CHECK(sample(text, "chargewire_station_connected{station=\"CP1\"" + endpoint) == 1);
  CHECK(sample(text, "chargewire_station_connected{station=\"CP\\\"\\\\2\"" + endpoint) == 1);
  CHECK(sample(text, "chargewire_station_connections_total{station=\"CP1\"" + endpoint) == 1);
  fleet.finish();
}

TEST_CASE("the caller brings the buffer for metrics, and is told how large it must be") {
  Fleet fleet(Delivery::poll);
  std::size_t needed = 0;
  CHECK(cwire_manager_metrics(fleet.manager, CWIRE_METRICS_OPEN_METRICS, nullptr, 0, &needed) == CWIRE_E_TOO_BIG);
  REQUIRE(needed > 100);
  std::vector<char> buffer(needed + 100, 'x');
  CHECK(cwire_manager_metrics(fleet.manager, CWIRE_METRICS_OPEN_METRICS, buffer.data(), 50, &needed) ==
        CWIRE_E_TOO_BIG);
  CHECK(buffer[0] == 'x');
  REQUIRE(cwire_manager_metrics(fleet.manager, CWIRE_METRICS_OPEN_METRICS, buffer.data(), buffer.size(), &needed) ==
          CWIRE_OK);
  CHECK(std::strlen(buffer.data()) == needed - 1);
  CHECK(cwire_manager_metrics(fleet.manager, CWIRE_METRICS_PROMETHEUS, buffer.data(), buffer.size(), nullptr) ==
        CWIRE_OK);
  CHECK(cwire_manager_metrics(fleet.manager, 2, buffer.data(), buffer.size(), &needed) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_metrics(fleet.manager, -1, buffer.data(), buffer.size(), &needed) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_metrics(fleet.manager, 0, nullptr, 1, &needed) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_metrics(nullptr, 0, buffer.data(), buffer.size(), &needed) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_metrics_url(fleet.manager, nullptr, 0, &needed) == CWIRE_E_TOO_BIG);
  CHECK(needed == 1);
  CHECK(cwire_manager_metrics_url(fleet.manager, nullptr, 1, &needed) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_metrics_url(nullptr, buffer.data(), buffer.size(), &needed) == CWIRE_E_INVALID_HANDLE);
  fleet.finish();
}

TEST_CASE("metrics are gathered inside a handler too") {
  csms::Csms csms({});
  std::atomic<cwire_manager> manager{nullptr};
  std::atomic<std::size_t> gathered{0};
  Fleet fleet(Delivery::handler, quick(), [&](const cwire_event& event) {
    if (event.type == CWIRE_EVENT_CONNECTED) gathered = metrics(manager).size();
  });
  manager = fleet.manager;
  fleet.connected("CP1", csms.url());
  CHECK(fleet.eventually([&] { return gathered > 0; }));
  fleet.finish();
}

TEST_CASE("metrics are served in the format that was asked for") {
  csms::Csms csms({});
  Fleet fleet(Delivery::poll, quick({{"metrics.listen", "127.0.0.1:0"}}));
  fleet.connected("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const std::string url = metrics_url(fleet.manager);
  CHECK_THAT(url, Catch::Matches("http://127\\.0\\.0\\.1:[1-9][0-9]*/metrics"));

  const std::string text = answer_to(url, "GET /metrics HTTP/1.1");
  CHECK_THAT(text, Contains("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") &&
                       Contains(at("chargewire_connections_total", csms.url()) + " 1\n") &&
                       Contains("chargewire_io_turns_total"));
  const std::size_t body = text.find("\r\n\r\n") + 4;
  CHECK_THAT(text, Contains("Content-Length: " + std::to_string(text.size() - body) + "\r\n"));

  CHECK_THAT(answer_to(url, "GET /metrics HTTP/1.1", "Accept: application/openmetrics-text;version=1.0.0\r\n"),
             Contains("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n") &&
                 Catch::EndsWith("\n# EOF\n"));
  const std::string head = answer_to(url, "HEAD /metrics HTTP/1.1");
  CHECK_THAT(head, Contains("200 OK") && Catch::EndsWith("\r\n\r\n"));
  CHECK_THAT(answer_to(url, "GET / HTTP/1.1"), Contains("404 Not Found"));
  CHECK_THAT(answer_to(url, "POST /metrics HTTP/1.1", "Content-Length: 0\r\n"),
             Contains("405 Method Not Allowed") && Contains("Allow: GET, HEAD\r\n"));
  CHECK_THAT(answer_to(url, "nonsense"), Contains("400 Bad Request"));
  CHECK_THAT(answer_to(url, "GET /metrics HTTP/1.1", "x: " + std::string(10000, 'y') + "\r\n"), Contains("431 "));
  fleet.finish();
}

TEST_CASE("a request may come in pieces, and who says nothing holds up nobody") {
  Fleet fleet(Delivery::poll, quick({{"metrics.listen", "0"}}));
  const std::string url = metrics_url(fleet.manager);
  // As many as there may be connections, all silent. They are given up after some seconds, and who waits is served.
  std::vector<std::unique_ptr<Scraper>> silent;
  for (int i = 0; i < 16; ++i) {
    silent.push_back(std::make_unique<Scraper>(url));
    REQUIRE(silent.back()->connected());
    silent.back()->send("GET /met");
  }
  Scraper late(url);
  REQUIRE(late.connected());
  late.send("GET /metrics HTTP/1.1\r\nHo");
  late.send("st: localhost\r\n\r\n");
  CHECK_THAT(late.read_all(), Contains("200 OK"));
  CHECK(silent.front()->read_all() == "");
  fleet.finish();
}

TEST_CASE("metrics that cannot be served where they should be are an error of cwire_manager_new") {
  Fleet fleet(Delivery::poll, quick({{"metrics.listen", "0"}}));
  const std::string url = metrics_url(fleet.manager);
  const std::string taken = url.substr(7, url.rfind('/') - 7);
  const auto refused = [](const std::string& listen) {
    const Config config(Settings{{"metrics.listen", listen}});
    cwire_manager manager = nullptr;
    Error error;
    CHECK(cwire_manager_new(config, nullptr, 0, &manager, &error) == CWIRE_E_CONFIG);
    CHECK(manager == nullptr);
    return error.text();
  };
  CHECK(refused(taken) == "metrics.listen: cannot listen on " + taken +
                              ": another socket listens there; give each manager a port of its own, or port 0");
  CHECK_THAT(refused("192.0.2.1:0"), Contains("this machine has no such address"));

  // The port is free again as soon as who had it is gone.
  fleet.finish();
  Fleet next(Delivery::poll, quick({{"metrics.listen", taken}}));
  CHECK(metrics_url(next.manager) == url);
  next.finish();
}

TEST_CASE("counters never go back while stations come, go, move and are scraped by several") {
  csms::Options options;
  options.echo = true;
  csms::Csms first_csms(options), second_csms(options);
  Fleet fleet(Delivery::handler, quick({{"metrics.listen", "0"}, {"metrics.per_station", "true"}}),
              [](const cwire_event& event) {
                if (event.type == CWIRE_EVENT_CONNECTED) cwire_station_send(event.station, "hello", 5, 0, 0);
              });
  const std::string url = metrics_url(fleet.manager);
  std::atomic<bool> stop{false};
  std::atomic<int> went_back{0}, scrapes{0};
  const auto scrape = [&](const std::function<std::string()>& gather) {
    std::map<std::string, double> before;
    while (!stop) {
      const std::string text = gather();
      ++scrapes;
      for (const char* name : {"chargewire_messages_sent_total", "chargewire_messages_received_total",
                               "chargewire_payload_sent_bytes_total", "chargewire_connections_total"}) {
        for (const std::string& endpoint : {first_csms.url(), second_csms.url()}) {
          const std::string key = at(name, endpoint);
          // There is no endpoint before a station is there.
          const double now = before[key] == 0 ? std::max(0.0, sample(text, key)) : sample(text, key);
          if (now < before[key]) ++went_back;
          before[key] = std::max(before[key], now);
        }
      }
    }
  };
  std::thread by_call(scrape, [&] { return metrics(fleet.manager, CWIRE_METRICS_OPEN_METRICS); });
  std::thread by_http(scrape, [&] { return answer_to(url, "GET /metrics HTTP/1.1"); });
  constexpr int kRounds = 15, kStations = 8;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<cwire_station> stations;
    for (int i = 0; i < kStations; ++i) {
      stations.push_back(fleet.connect("CP" + std::to_string(round) + "-" + std::to_string(i), first_csms.url()));
    }
    for (const cwire_station station : stations) {
      cwire_station_wait(station, kPatience_ms, nullptr);
      cwire_station_reconfigure(station, second_csms.url().c_str(), nullptr, CWIRE_RECONFIGURE_RECONNECT, nullptr);
    }
    REQUIRE(fleet.eventually(
        [&] { return first(fleet.records(), CWIRE_EVENT_MESSAGE, "CP" + std::to_string(round) + "-0") != nullptr; }));
    cwire_manager_disconnect_all(fleet.manager);
  }
  stop = true;
  by_call.join();
  by_http.join();
  CHECK(went_back == 0);
  CHECK(scrapes > 2);
  // Once all is over the sums are exact.
  REQUIRE(fleet.eventually([&] { return count(fleet.records(), CWIRE_EVENT_CLOSED) == kRounds * kStations; }));
  const std::string text = metrics(fleet.manager);
  const double connections = sample(text, at("chargewire_connections_total", first_csms.url())) +
                             sample(text, at("chargewire_connections_total", second_csms.url()));
  CHECK(connections == static_cast<double>(count(fleet.records(), CWIRE_EVENT_CONNECTED)));
  fleet.finish();
}

TEST_CASE("a manager that is freed while it is scraped ends all the same") {
  for (int round = 0; round < 5; ++round) {
    const Config config(Settings{{"metrics.listen", "0"}});
    cwire_manager manager = nullptr;
    REQUIRE(cwire_manager_new(config, nullptr, 0, &manager, nullptr) == CWIRE_OK);
    const std::string url = metrics_url(manager);
    std::atomic<bool> stop{false};
    std::thread by_http([&] {
      while (!stop) answer_to(url, "GET /metrics HTTP/1.1");
    });
    std::thread by_call([&] {
      while (!stop) metrics(manager);
    });
    Scraper silent(url);
    CHECK(cwire_manager_free(manager) == CWIRE_OK);
    stop = true;
    by_http.join();
    by_call.join();
  }
}
