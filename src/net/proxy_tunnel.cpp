#include "net/proxy_tunnel.h"

#include <openssl/crypto.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "base/http_syntax.h"
#include "base/user_agent.h"
#include "net/errno_text.h"

namespace cwire {

namespace {

Stream::Outcome outcome_of(Stream::Result result) {
  Stream::Outcome outcome;
  outcome.result = result;
  return outcome;
}

Secret connect_request(const std::string& authority, const Secret& authorization) {
  const std::string head = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority +
                           "\r\nUser-Agent: " + std::string(kUserAgent) + "\r\n";
  if (authorization.empty()) return Secret(head + "\r\n");
  constexpr std::string_view kName = "Proxy-Authorization: ";
  constexpr std::string_view kEnd = "\r\n\r\n";
  std::string text;
  text.reserve(head.size() + kName.size() + authorization.reveal().size() + kEnd.size());
  text.append(head).append(kName).append(authorization.reveal()).append(kEnd);
  Secret request(text);
  OPENSSL_cleanse(text.data(), text.size());
  return request;
}

bool is_success(std::int32_t status) { return status >= 200 && status <= 299; }

}  // namespace

ProxyTunnel::ProxyTunnel(int socket, std::shared_ptr<const Proxy> proxy, std::string authority, HttpHead::Limits limits)
    : socket_(socket),
      proxy_(std::move(proxy)),
      authority_(std::move(authority)),
      request_(connect_request(authority_, proxy_->authorization())),
      head_(limits) {}

Stream::Outcome ProxyTunnel::handshake(char* buffer, std::size_t capacity) {
  Stream::Outcome outcome;
  return write_request(outcome) ? read_answer(buffer, capacity) : outcome;
}

bool ProxyTunnel::write_request(Stream::Outcome& outcome) {
  std::string_view rest = request_.reveal().substr(sent_);
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      sent_ += static_cast<std::size_t>(sent);
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      outcome = outcome_of(Stream::Result::want_write);
      return false;
    } else if (errno != EINTR) {
      const int error = errno;
      outcome = failed("asking for a tunnel to " + authority_ + ": " + errno_text(error), os_error(error));
      return false;
    }
  }
  return true;
}

Stream::Outcome ProxyTunnel::read_answer(char* buffer, std::size_t capacity) {
  // Looked at first, and then taken as far as the head goes.
  ssize_t seen;
  do {
    seen = ::recv(socket_, buffer, capacity, MSG_PEEK);
  } while (seen < 0 && errno == EINTR);
  if (seen == 0) {
    return failed("it closed the TCP connection before it had answered CONNECT " + authority_ +
                      "; check that this is the port of an HTTP proxy",
                  {});
  }
  if (seen < 0) {
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) return outcome_of(Stream::Result::want_read);
    return failed("reading its answer to CONNECT " + authority_ + ": " + errno_text(error), os_error(error));
  }

  std::string_view rest(buffer, static_cast<std::size_t>(seen));
  Stream::Outcome outcome = outcome_of(Stream::Result::want_read);
  for (bool more = true; more;) {
    switch (head_.read(rest)) {
      case HttpHead::Token::more:
        more = false;
        break;
      case HttpHead::Token::status:
        break;
      case HttpHead::Token::header:
        if (!equals_ignoring_case(head_.name(), "Proxy-Authenticate")) break;
        wants_credentials_ = true;
        // Several schemes may stand in one header, with parameters between; a word among them will do for advice.
        for (std::string_view list = head_.value(); !list.empty();) {
          const std::size_t word = std::min(list.find_first_of(" ,"), list.size());
          if (equals_ignoring_case(list.substr(0, word), "Basic")) takes_basic_ = true;
          list.remove_prefix(std::min(word + 1, list.size()));
        }
        break;
      case HttpHead::Token::end:
        outcome = on_end();
        more = false;
        break;
      case HttpHead::Token::malformed:
        return on_malformed();
    }
  }
  for (std::size_t left = static_cast<std::size_t>(seen) - rest.size(); left > 0;) {
    const ssize_t taken = ::recv(socket_, buffer, left, 0);
    if (taken > 0) left -= static_cast<std::size_t>(taken);
    if (taken == 0 || (taken < 0 && errno != EINTR)) break;  // it was there, so this cannot be
  }
  return outcome;
}

Stream::Outcome ProxyTunnel::on_end() const {
  if (is_success(head_.status())) return outcome_of(Stream::Result::done);
  return failed(refusal(), http_status(head_.status()));
}

// What is wrong with an answer that says no anyway is of little interest.
Stream::Outcome ProxyTunnel::on_malformed() const {
  if (head_.status() != 0 && !is_success(head_.status())) return failed(refusal(), http_status(head_.status()));
  std::string what = "its answer to CONNECT " + authority_ + " ";
  switch (head_.defect()) {
    case HttpHead::Defect::size:
      what += "is longer than csms.header_size_max";
      break;
    case HttpHead::Defect::count:
      what += "has more headers than csms.header_count_max";
      break;
    case HttpHead::Defect::protocol:
      what += "is not HTTP/1; check that this is the port of an HTTP proxy";
      break;
    default:
      what += defect_text(head_.defect());
      break;
  }
  return failed(what, {});
}

// No word of the answer itself: it may hold anything, our own credentials as well.
std::string ProxyTunnel::refusal() const {
  const std::string status = " (HTTP " + std::to_string(head_.status()) + ")";
  const std::string settings = proxy_->named_by == "csms.proxy.url"
                                   ? std::string("csms.proxy.username and csms.proxy.password")
                                   : "user and password in " + proxy_->named_by;
  switch (head_.status()) {
    case 403:
      return "it does not allow a tunnel to " + authority_ + status + "; ask its operator to allow it";
    case 407:
      if (wants_credentials_ && !takes_basic_) {
        return "it asks for credentials, but not by Basic, which is all that is supported" + status +
               "; ask its operator for Basic, or for leave without credentials";
      }
      return proxy_->username.empty() ? "it asks for credentials" + status + "; set " + settings
                                      : "it does not accept our credentials" + status + "; check " + settings;
    case 502:
    case 503:
    case 504:
      return "it cannot reach " + authority_ + status +
             "; check host and port of the URL, and the way from the proxy to the CSMS";
    default:
      return "it makes no tunnel to " + authority_ + status +
             "; check that this is an HTTP proxy that allows CONNECT, and its log";
  }
}

Stream::Outcome ProxyTunnel::failed(const std::string& what, Code code) const {
  Stream::Outcome outcome;
  outcome.failure = Failure(CWIRE_E_DIAL, proxy_->text() + ": " + what, FailurePhase::proxy, code);
  return outcome;
}

}  // namespace cwire
