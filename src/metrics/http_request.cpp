#include "metrics/http_request.h"

#include <algorithm>

#include "base/http_syntax.h"
#include "ocpp/url.h"

namespace cwire {

namespace {

constexpr std::string_view kPath = "/metrics";

// Takes what stands before `separator` off the front, or all if there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

// "0.75" as 750; 1000 if there is none, 0 if it is none that RFC 7231 5.3.1 knows.
int read_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.'))
    return 0;
  int quality = (text[0] - '0') * 1000;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!is_digit(c)) return 0;
    quality += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(quality, 1000);
}

// Takes "127.0.0.1:9464" and what is before it off "http://127.0.0.1:9464/metrics" (RFC 7230 5.3.2). Of "/metrics"
// nothing.
std::string_view take_authority(std::string_view& target) {
  constexpr std::string_view kScheme = "http://";
  if (!equals_ignoring_case(target.substr(0, kScheme.size()), kScheme)) return {};
  target.remove_prefix(kScheme.size());
  const std::string_view authority = target.substr(0, target.find_first_of("/?"));
  target.remove_prefix(authority.size());
  return authority;
}

// "localhost:9464", "127.0.0.1", "[::1]:9464": no name that somebody's DNS could have said is this machine.
bool is_local(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) host = host.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return equals_ignoring_case(host, "localhost") || is_address(std::string(host));
}

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

const char* words(int status) {
  switch (status) {
    case 400:
      return "That is no request of HTTP/1.1.\n";
    case 403:
      return "metrics.listen is on the loopback: ask for localhost or for an address, not for another name.\n";
    case 404:
      return "Here is only /metrics.\n";
    case 405:
      return "Only GET and HEAD.\n";
    case 431:
      return "The request has more headers than are read here.\n";
    case 505:
      return "Only HTTP/1.0 and HTTP/1.1.\n";
    default:
      return "The metrics could not be gathered: out of memory.\n";
  }
}

}  // namespace

MetricsFormat format_for(std::string_view accept) {
  int open_metrics = 0;
  // What matches best counts, not what is liked best: text/plain goes before text/*, and that before */*.
  int text = 0, text_match = 0;
  while (!accept.empty()) {
    std::string_view range = take_until(accept, ',');
    const std::string_view type = trimmed(take_until(range, ';'));
    int quality = 1000;
    bool ours = true;  // the version that we speak, if one is named
    while (!range.empty()) {
      std::string_view value = take_until(range, ';');
      const std::string_view name = trimmed(take_until(value, '='));
      value = trimmed(value);
      if (equals_ignoring_case(name, "q")) {
        quality = read_quality(value);
      } else if (equals_ignoring_case(name, "version")) {
        ours = value == "1.0.0" || value == "\"1.0.0\"";
      }
    }
    if (equals_ignoring_case(type, "application/openmetrics-text")) {
      if (ours) open_metrics = std::max(open_metrics, quality);
      continue;
    }
    const int match = equals_ignoring_case(type, "text/plain") ? 3
                      : equals_ignoring_case(type, "text/*")   ? 2
                      : type == "*/*"                          ? 1
                                                               : 0;
    if (match == 0 || match < text_match) continue;
    text = match == text_match ? std::max(text, quality) : quality;
    text_match = match;
  }
  return open_metrics > 0 && open_metrics >= text ? MetricsFormat::open_metrics : MetricsFormat::prometheus;
}

bool HttpRequest::take(std::string_view bytes) {
  if (status_ != 0) return true;
  bytes_.append(bytes.substr(0, kHeadMax - bytes_.size()));
  const std::size_t end = bytes_.find("\r\n\r\n");
  if (end != std::string::npos) {
    status_ = judge(std::string_view(bytes_).substr(0, end + 2));
  } else if (bytes_.size() == kHeadMax) {
    status_ = 431;
  }
  if (status_ != 0) std::string().swap(bytes_);
  return status_ != 0;
}

int HttpRequest::judge_request_line(std::string_view line) {
  const std::string_view method = take_until(line, ' ');
  std::string_view target = take_until(line, ' ');
  constexpr std::string_view kVersion = "HTTP/1.";
  if (!is_token(method) || target.empty() || line.substr(0, 5) != "HTTP/" || holds_control(target)) return 400;
  if (line.size() != kVersion.size() + 1 || line.substr(0, kVersion.size()) != kVersion || !is_digit(line.back())) {
    return 505;
  }
  version_minor_ = line.back() - '0';
  is_head_ = method == "HEAD";
  const std::string_view host = take_authority(target);
  if (local_only_ && !host.empty() && !is_local(host)) return 403;
  if (take_until(target, '?') != kPath) return 404;
  return is_head_ || method == "GET" ? 200 : 405;
}

int HttpRequest::judge(std::string_view head) {
  // An empty line may stand before the request (RFC 7230 3.5).
  while (head.substr(0, 2) == "\r\n") head.remove_prefix(2);
  int status = 0;
  std::size_t headers = 0, hosts = 0;
  std::string accept;
  std::string_view host;
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (!is_field_value(line)) return 400;
    if (status == 0) {
      status = judge_request_line(line);
      if (status == 400 || status == 505) return status;
      continue;
    }
    if (++headers > kHeadersMax) return 431;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return 400;
    const std::string_view name = line.substr(0, colon), value = line.substr(colon + 1);
    if (equals_ignoring_case(name, "Host")) {
      ++hosts;
      host = trimmed(value);
    }
    if (equals_ignoring_case(name, "Accept")) accept.append(",").append(value);
  }
  if (status == 0) return 400;
  // RFC 7230 5.4.
  if (hosts > 1 || (hosts == 0 && version_minor_ > 0)) return 400;
  if (local_only_ && hosts > 0 && !is_local(host)) return 403;
  format_ = format_for(accept);
  return status;
}

std::string http_answer(int status, const HttpRequest& request, std::size_t text_size) {
  const std::string_view shown = status == 200 ? std::string_view() : words(status);
  std::string out = "HTTP/1.1 " + std::to_string(status) + " " + reason(status) + "\r\n";
  out.append("Content-Type: ")
      .append(status == 200 ? content_type(request.format()) : "text/plain; charset=utf-8")
      .append("\r\nContent-Length: ")
      .append(std::to_string(status == 200 ? text_size : shown.size()))
      .append("\r\n");
  if (status == 405) out += "Allow: GET, HEAD\r\n";
  // The format depends on it.
  if (status == 200) out += "Vary: Accept\r\n";
  out += "Connection: close\r\n\r\n";
  if (!request.is_head()) out += shown;
  return out;
}

}  // namespace cwire
