// A proxy's answer to CONNECT, and what stands behind it. Input: one character for the limits (kTight), then the
// answer.
#include <fcntl.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "fuzz.h"
#include "messages.h"
#include "net/proxy_tunnel.h"
#include "net/socket.h"

using namespace cwire;
using fuzz::require;
using Result = Stream::Result;

namespace {

constexpr std::uint8_t kTight = 1;
constexpr std::size_t kAnswerMax = 65536;  // what a socket surely holds

// RFC 7230 and the limits once more, plainly: does this head open the tunnel?
bool is_acceptable(std::string_view head, const HttpHead::Limits& limits) {
  if (head.size() > limits.size_max) return false;
  std::vector<std::string_view> lines;
  for (std::string_view rest = head; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r') return false;
    lines.push_back(rest.substr(0, end - 1));
    rest.remove_prefix(end + 1);
  }
  lines.pop_back();  // the empty one
  for (const std::string_view line : lines) {
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
    }
  }
  if (lines.empty()) return false;
  const auto is_digit = [&](std::size_t at) { return lines[0][at] >= '0' && lines[0][at] <= '9'; };
  if (lines[0].size() < 12 || lines[0].substr(0, 7) != "HTTP/1." || !is_digit(7) || lines[0].substr(8, 2) != " 2" ||
      !is_digit(10) || !is_digit(11) || (lines[0].size() > 12 && lines[0][12] != ' ')) {
    return false;
  }
  if (lines.size() - 1 > limits.count_max) return false;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    for (const char c : lines[i].substr(0, colon)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte <= 0x20 || byte > 0x7e || std::string_view("\"(),/;<=>?@[\\]{}").find(c) != std::string_view::npos) {
        return false;
      }
    }
  }
  return true;
}

struct Outcome {
  Result result = Result::want_read;
  Failure failure;
  std::string left;  // on the socket once it was decided
};

Outcome play(std::string_view answer, fuzz::Slicing slicing, const HttpHead::Limits& limits) {
  const auto proxy = std::make_shared<Proxy>();
  proxy->host = "proxy.example";
  proxy->port = 3128;
  proxy->named_by = "https_proxy";
  proxy->username = "user";
  proxy->password = Secret("never to be repeated");
  int both[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) == 0, "there are sockets");
  const Socket ours(both[0]), theirs(both[1]);
  ProxyTunnel tunnel(ours.get(), proxy, "csms.example:443", limits);
  std::vector<char> buffer(4096);
  Outcome outcome;
  fuzz::arrive(answer, slicing, [&](const char* bytes, std::size_t count) {
    require(::send(theirs.get(), bytes, count, 0) == static_cast<ssize_t>(count), "the socket holds it");
    // As the poller does: again for as long as there is something to read.
    char byte;
    while (outcome.result == Result::want_read && ::recv(ours.get(), &byte, 1, MSG_PEEK) == 1) {
      Stream::Outcome one = tunnel.handshake(buffer.data(), buffer.size());
      outcome.result = one.result;
      outcome.failure = std::move(one.failure);
    }
    // At once, for a socket holds few small slices.
    for (ssize_t size; (size = ::recv(ours.get(), buffer.data(), buffer.size(), 0)) > 0;) {
      outcome.left.append(buffer.data(), static_cast<std::size_t>(size));
    }
  });
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool tight = (input.byte() & kTight) != 0;
  const HttpHead::Limits limits{tight ? 128u : 16384u, tight ? 3u : 100u};
  const std::string_view answer = input.rest().substr(0, kAnswerMax);

  const Outcome whole = play(answer, fuzz::Slicing::whole, limits);
  const std::size_t end = answer.find("\r\n\r\n");
  const bool complete = end != std::string_view::npos;
  require((whole.result == Result::done) == (complete && is_acceptable(answer.substr(0, end + 4), limits)),
          "exactly the right answers open the tunnel");
  switch (whole.result) {
    case Result::done:
      require(whole.left == answer.substr(end + 4), "what follows the head is left for the tunnel");
      break;
    case Result::want_read:
      require(!complete && answer.size() <= limits.size_max, "an unfinished head is within its limit");
      break;
    case Result::failed:
      require(whole.failure.status == CWIRE_E_DIAL && whole.failure.phase == FailurePhase::proxy,
              "a refusal is DIAL, of phase proxy");
      require(whole.failure.code.number == 0 ||
                  (whole.failure.code.kind == Code::Kind::http_status && whole.failure.code.number / 100 != 2),
              "its number is the status, which is no success");
      require(whole.failure.message.find("never to be repeated") == std::string::npos &&
                  whole.failure.message.find("dXNlcjpuZXZlciB0by") == std::string::npos,
              "no credentials are repeated");
      fuzz::require_message(whole.failure.message);
      break;
    default:
      require(false, "a tunnel stands, waits to read, or has failed");
  }
  for (const auto slicing : {fuzz::Slicing::single, fuzz::Slicing::mixed}) {
    const Outcome sliced = play(answer, slicing, limits);
    require(sliced.result == whole.result, "the result does not depend on slices");
    require(sliced.failure.code.number == whole.failure.code.number && sliced.failure.message == whole.failure.message,
            "the failure does not depend on slices");
    if (whole.result == Result::done)
      require(sliced.left == whole.left, "where the head ends does not depend on slices");
  }
  return 0;
}
