// Who serves the metrics, among people who mean it no good.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "metrics/http_server.h"
#include "scraper.h"

using namespace cwire;
using scraper::answer_to;
using scraper::Scraper;

namespace {

constexpr char kGet[] = "GET /metrics HTTP/1.1";
constexpr char kEnd[] = "end";

// Says how often it was asked before; and enough that no kernel takes all of it for who does not read.
struct Source {
  std::string operator()(MetricsFormat) const {
    return "text " + std::to_string((*asked)++) + std::string(16 << 20, '.') + kEnd;
  }
  std::shared_ptr<std::atomic<int>> asked = std::make_shared<std::atomic<int>>(0);
};

// Asks, sees the answer begin and reads no more of it.
std::unique_ptr<Scraper> stuck(const std::string& url) {
  constexpr int kFew = 4096;
  auto scraper = std::make_unique<Scraper>(url, kFew);
  scraper->send("GET /metrics HTTP/1.0\r\n\r\n");
  REQUIRE(scraper->readable(scraper::kPatience_ms));
  return scraper;
}

// "text 3", without the rest that no report of a test should show.
std::string text_of(const std::string& answer) {
  const std::size_t head = answer.find("\r\n\r\n");
  if (head == std::string::npos || head + 4 == answer.size()) return "none";
  return answer.substr(head + 4, answer.find('.', head + 4) - head - 4);
}
bool is_whole(const std::string& answer) {
  const std::size_t end = answer.size() - std::min(answer.size(), sizeof kEnd - 1);
  return answer.compare(end, std::string::npos, kEnd) == 0;
}
std::string status_of(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

}  // namespace

TEST_CASE("who asks at about the same time gets the same text, made once") {
  Source source;
  const HttpServer server({"127.0.0.1", 0}, source, std::chrono::hours(1));
  for (int i = 0; i < 3; ++i) {
    const std::string answer = answer_to(server.url(), kGet);
    CHECK(text_of(answer) == "text 0");
    CHECK(is_whole(answer));
  }
  CHECK(text_of(answer_to(server.url(), "HEAD /metrics HTTP/1.1")) == "none");
  for (int i = 0; i < 3; ++i) {
    CHECK(text_of(answer_to(server.url(), kGet, "Accept: application/openmetrics-text\r\n")) == "text 1");
  }
  CHECK(*source.asked == 2);
}

TEST_CASE("a text that is as old as it may be is made anew") {
  const HttpServer server({"127.0.0.1", 0}, Source(), Duration::zero());
  CHECK(text_of(answer_to(server.url(), kGet)) == "text 0");
  CHECK(text_of(answer_to(server.url(), kGet)) == "text 1");
}

TEST_CASE("who asks and does not read keeps the metrics from nobody") {
  const HttpServer server({"127.0.0.1", 0}, Source(), std::chrono::hours(1));
  std::vector<std::unique_ptr<Scraper>> all;
  while (all.size() < HttpServer::kConnectionsMax) all.push_back(stuck(server.url()));
  // As long as Prometheus waits if it is not told otherwise.
  constexpr int kScrapeTimeout_ms = 10000;
  Scraper late(server.url());
  late.send("GET /metrics HTTP/1.0\r\n\r\n");
  REQUIRE(late.readable(kScrapeTimeout_ms));
  CHECK(is_whole(late.read_all()));
  // Only one had to make room for that, who had been there longest.
  CHECK_FALSE(is_whole(all.front()->read_all()));
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(is_whole(all[i]->read_all()));
}

TEST_CASE("texts that nobody takes do not add up") {
  Source source;
  const HttpServer server({"127.0.0.1", 0}, source, Duration::zero());
  constexpr std::size_t kTooMany = 3;
  std::vector<std::unique_ptr<Scraper>> all;
  while (all.size() < HttpServer::kTextsMax + kTooMany) all.push_back(stuck(server.url()));
  CHECK(*source.asked == static_cast<int>(all.size()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(i);
    CHECK(is_whole(all[i]->read_all()) == (i >= kTooMany));
  }
}

TEST_CASE("on the loopback nobody is answered who asks for another name, elsewhere a machine may have any") {
  const HttpServer local({"127.0.0.1", 0}, Source()), any({"0.0.0.0", 0}, Source());
  const std::string refused = answer_to(local.url(), kGet, "", "evil.example");
  CHECK(status_of(refused) == "HTTP/1.1 403 Forbidden");
  CHECK(status_of(answer_to(local.url(), kGet, "", "localhost:9464")) == "HTTP/1.1 200 OK");
  CHECK(status_of(answer_to(any.url(), kGet, "", "fleet.example")) == "HTTP/1.1 200 OK");
}
