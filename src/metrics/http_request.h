#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "metrics/exposition.h"

namespace cwire {

// The head of a request to /metrics: from bytes to what is to be answered, without I/O. Whoever asks is no friend yet:
// all is checked, little is kept.
class HttpRequest {
 public:
  // `local_only`: who serves listens on the loopback. A page in a browser of this machine can make its own name lead
  // there (DNS rebinding) and would read what it gets, so only what no DNS can say is answered: localhost, and
  // addresses.
  explicit HttpRequest(bool local_only = false) : local_only_(local_only) {}

  // Of the request line and all headers together, and how many headers there may be. Prometheus sends some 400 bytes.
  static constexpr std::size_t kHeadMax = 8192;
  static constexpr std::size_t kHeadersMax = 64;

  // What came; true: the request is complete, or will never be. Nothing that comes afterwards is looked at.
  bool take(std::string_view bytes);

  // Once it is complete.
  int status() const { return status_; }  // of HTTP: 200, or why not
  bool is_head() const { return is_head_; }
  MetricsFormat format() const { return format_; }

 private:
  int judge(std::string_view head);
  int judge_request_line(std::string_view line);

  const bool local_only_;
  std::string bytes_;
  int status_ = 0;
  int version_minor_ = 0;
  bool is_head_ = false;
  MetricsFormat format_ = MetricsFormat::prometheus;
};

// What the values of Accept, joined by commas, like best of the two formats (RFC 7231 5.3.2). Who does not ask for
// OpenMetrics by name gets the format that everybody reads.
MetricsFormat format_for(std::string_view accept);

// The whole answer, but for the text that follows if `status` is 200 and it is no HEAD: it is of many, and not copied.
std::string http_answer(int status, const HttpRequest& request, std::size_t text_size);

}  // namespace cwire
