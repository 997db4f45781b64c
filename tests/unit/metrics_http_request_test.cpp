#include <catch2/catch.hpp>
#include <string>

#include "metrics/http_request.h"

using namespace cwire;
using Catch::Contains;

namespace {

// What a request comes to, whole and byte by byte alike. 0: it goes on.
HttpRequest read(const std::string& text) {
  HttpRequest whole, sliced;
  const bool done = whole.take(text);
  bool sliced_done = false;
  for (const char& c : text) sliced_done = sliced.take({&c, 1});
  CHECK(done == sliced_done);
  CHECK(whole.status() == sliced.status());
  CHECK(done == (whole.status() != 0));
  return whole;
}
int status(const std::string& text) { return read(text).status(); }
int status_of_line(const std::string& line) { return status(line + "\r\nHost: a\r\n\r\n"); }

}  // namespace

TEST_CASE("GET and HEAD of /metrics are answered") {
  CHECK(status("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
  CHECK(status("GET /metrics HTTP/1.0\r\n\r\n") == 200);
  CHECK(status_of_line("HEAD /metrics HTTP/1.1") == 200);
  CHECK(status_of_line("GET /metrics?name[]=x HTTP/1.1") == 200);
  CHECK(status_of_line("GET http://127.0.0.1:9464/metrics HTTP/1.1") == 200);
  CHECK(status_of_line("GET HTTP://a/metrics?x HTTP/1.1") == 200);
  CHECK(status("\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
}

TEST_CASE("who listens on the loopback is asked for by what no DNS can say") {
  const auto status = [](const std::string& head) {
    HttpRequest request(true);
    REQUIRE(request.take(head + "\r\n\r\n"));
    return request.status();
  };
  for (const char* host :
       {"localhost", "LocalHost:9464", "127.0.0.1", "127.0.0.1:9464", " [::1]:9464 ", "[::1]", "192.0.2.1"}) {
    INFO(host);
    CHECK(status(std::string("GET /metrics HTTP/1.1\r\nHost:") + host) == 200);
    CHECK(status_of_line("GET /metrics HTTP/1.1") == 200);  // elsewhere
  }
  for (const char* host :
       {"evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost", "",
        ":9464", "::1", "[]", "[", "]:", "[evil.example]", "localhost@evil.example"}) {
    INFO(host);
    CHECK(status(std::string("GET /metrics HTTP/1.1\r\nHost:") + host) == 403);
  }
  // The target goes before Host (RFC 7230 5.4), but each says for whom it was meant.
  CHECK(status("GET http://127.0.0.1/metrics HTTP/1.1\r\nHost: 127.0.0.1") == 200);
  CHECK(status("GET http://evil.example/metrics HTTP/1.1\r\nHost: 127.0.0.1") == 403);
  CHECK(status("GET http://127.0.0.1/metrics HTTP/1.1\r\nHost: evil.example") == 403);
  // No browser leaves it out.
  CHECK(status("GET /metrics HTTP/1.0") == 200);
}

TEST_CASE("a request that is for something else is told so") {
  CHECK(status_of_line("GET / HTTP/1.1") == 404);
  CHECK(status_of_line("GET /metrics/ HTTP/1.1") == 404);
  CHECK(status_of_line("GET http://a HTTP/1.1") == 404);
  CHECK(status_of_line("GET http://a?/metrics HTTP/1.1") == 404);
  CHECK(status_of_line("OPTIONS * HTTP/1.1") == 404);
  CHECK(status_of_line("POST /metrics HTTP/1.1") == 405);
  CHECK(status_of_line("get /metrics HTTP/1.1") == 405);
  CHECK(status_of_line("GET /metrics HTTP/2.0") == 505);
  CHECK(status_of_line("GET /metrics HTTP/1.12") == 505);
}

TEST_CASE("a request that is none is refused") {
  for (const char* text :
       {"GET /metrics\r\n\r\n", "GET  /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "GET /metrics HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost: a\r\nx\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\nx: b\r\n\r\n", "GET /me\ttrics HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n",
        "\r\n\r\n\r\n", "\x16\x03\x01\r\n\r\n"}) {
    INFO(text);
    CHECK(status(text) == 400);
  }
  CHECK(status(std::string("GET /metrics HTTP/1.1\r\nHost: a\r\nx: \0\r\n\r\n", 41)) == 400);
}

TEST_CASE("a request has so many headers and so many bytes, and not more") {
  const std::string line = "GET /metrics HTTP/1.1\r\nHost: a\r\n";
  std::string headers;
  for (std::size_t i = 1; i < HttpRequest::kHeadersMax; ++i) headers += "x: y\r\n";
  CHECK(status(line + headers + "\r\n") == 200);
  CHECK(status(line + headers + "x: y\r\n\r\n") == 431);
  const auto with = [&](std::size_t size) {
    return line + "x: " + std::string(size - line.size() - 7, 'y') + "\r\n\r\n";
  };
  CHECK(status(with(HttpRequest::kHeadMax)) == 200);
  CHECK(status(with(HttpRequest::kHeadMax + 1)) == 431);
  CHECK(status(std::string(HttpRequest::kHeadMax - 1, 'x')) == 0);
  CHECK(status(std::string(HttpRequest::kHeadMax, 'x')) == 431);
}

TEST_CASE("who asks for OpenMetrics by name gets it, everybody else what everybody reads") {
  const auto open = [](const char* accept) { return format_for(accept) == MetricsFormat::open_metrics; };
  // Prometheus 2.42, 2.5 and 3.
  CHECK(
      open("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
           "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  CHECK_FALSE(open("application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  CHECK(
      open("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
           "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
           "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"));
  CHECK(open("application/openmetrics-text"));
  CHECK(open("Application/OpenMetrics-Text ; VERSION=\"1.0.0\" ; Q=1 , text/plain"));
  CHECK(open("*/*;q=0.9, text/plain;q=0.1, application/openmetrics-text;q=0.2"));
  CHECK_FALSE(open(""));
  CHECK_FALSE(open("*/*"));
  CHECK_FALSE(open("application/*"));
  CHECK_FALSE(open("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"));
  CHECK_FALSE(open("application/openmetrics-text;q=0"));
  CHECK_FALSE(open("application/openmetrics-text;q=0.4,text/plain;q=0.5"));
  CHECK_FALSE(open("application/openmetrics-text;q=0.4,text/*;q=0.5"));
  CHECK_FALSE(open("application/openmetrics-text;q=nonsense"));
  CHECK_FALSE(open("application/openmetrics-text-x"));
  // Over several headers.
  CHECK(read("GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/plain;q=0.5\r\naccept: "
             "application/openmetrics-text\r\n\r\n")
            .format() == MetricsFormat::open_metrics);
}

TEST_CASE("an answer says what it is, how long it is, and that it is the last") {
  const HttpRequest get = read("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(http_answer(200, get, 5) ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 5\r\nVary: "
        "Accept\r\nConnection: close\r\n\r\n");
  const HttpRequest head = read("HEAD /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text\r\n\r\n");
  CHECK_THAT(http_answer(200, head, 5),
             Contains("openmetrics-text; version=1.0.0; charset=utf-8\r\nContent-Length: 5\r\n"));
  const HttpRequest post = read("POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(http_answer(post.status(), post, 0),
             Contains("405 Method Not Allowed") && Contains("Allow: GET, HEAD\r\n") &&
                 Contains("Content-Length: 19\r\n") && Catch::EndsWith("\r\n\r\nOnly GET and HEAD.\n"));
  CHECK_THAT(http_answer(500, get, 5), Contains("500 Internal Server Error") && Catch::EndsWith("out of memory.\n"));
  CHECK_THAT(http_answer(404, head, 0), Contains("404 Not Found") && Catch::EndsWith("\r\n\r\n"));
}
