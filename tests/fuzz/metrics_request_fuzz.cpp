// A request to who serves the metrics. Input: its bytes.
#include <algorithm>
#include <string>

#include "base/ascii.h"
#include "fuzz.h"
#include "metrics/http_request.h"

using namespace cwire;
using fuzz::require;

namespace {

struct Outcome {
  bool complete = false;
  HttpRequest request;
};

// In slices of so many bytes.
Outcome read(const std::string& bytes, std::size_t slice) {
  Outcome outcome;
  for (std::size_t at = 0; at < bytes.size() && !outcome.complete; at += slice) {
    outcome.complete = outcome.request.take(std::string_view(bytes).substr(at, slice));
  }
  return outcome;
}

// Where the head ends, without the empty line; npos: it does not, within what is read.
std::size_t head_end(const std::string& bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  return end != std::string::npos && end + 4 <= HttpRequest::kHeadMax ? end : std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = read(bytes, std::max<std::size_t>(size, 1));
  const int status = whole.request.status();
  require(whole.complete == (status != 0), "a request that is complete has a status, and no other has");
  require(whole.complete == (head_end(bytes) != std::string::npos || size >= HttpRequest::kHeadMax),
          "it is complete with its empty line, or when it has as many bytes as are read");
  for (const std::size_t slice : {1, 7}) {
    const Outcome sliced = read(bytes, slice);
    require(sliced.complete == whole.complete && sliced.request.status() == status &&
                sliced.request.is_head() == whole.request.is_head() &&
                sliced.request.format() == whole.request.format(),
            "it does not matter in what pieces it comes");
  }
  HttpRequest local(true);
  require(local.take(bytes) == whole.complete && (local.status() == status || local.status() == 403),
          "who listens on the loopback judges alike, but for whom a request is meant");
  if (!whole.complete) return 0;
  require(status == 200 || status == 400 || status == 404 || status == 405 || status == 431 || status == 505,
          "no other statuses");
  if (status == 200) {
    const std::size_t from = bytes.find_first_not_of("\r\n");
    const std::string line = bytes.substr(from, bytes.find("\r\n", from) - from);
    require(line.rfind("GET ", 0) == 0 || line.rfind("HEAD ", 0) == 0, "only GET and HEAD are answered");
    require(line.find("/metrics") != std::string::npos, "and only /metrics");
    require(lowercase(bytes).find("openmetrics-text") != std::string::npos ||
                whole.request.format() == MetricsFormat::prometheus,
            "who does not ask for OpenMetrics does not get it");
  }
  const std::string answer = http_answer(status, whole.request, 4);
  require(answer.find("\r\nConnection: close\r\n") != std::string::npos, "there is no second request");
  const std::size_t body = answer.find("\r\n\r\n") + 4;
  require((status == 200 || whole.request.is_head()) == (body == answer.size()),
          "a HEAD has no body, and why not is one");
  return 0;
}
