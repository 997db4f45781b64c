#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/http_head.h"
#include "base/secret.h"
#include "net/stream.h"
#include "ocpp/proxy.h"

namespace cwire {

// Asks a proxy for a tunnel to a host (CONNECT, RFC 9110 9.3.6), on a connected, non-blocking socket that it does not
// own. Takes no byte off the socket that stands behind the answer's head: it belongs to whoever speaks through the
// tunnel.
class ProxyTunnel {
 public:
  // `authority`: "csms.example:443", "[2001:db8::1]:9000".
  ProxyTunnel(int socket, std::shared_ptr<const Proxy> proxy, std::string authority, HttpHead::Limits limits);
  ProxyTunnel(const ProxyTunnel&) = delete;
  ProxyTunnel& operator=(const ProxyTunnel&) = delete;

  // As Stream::handshake, with a buffer for the time of the call. A failure is DIAL, of phase proxy.
  Stream::Outcome handshake(char* buffer, std::size_t capacity);

 private:
  bool write_request(Stream::Outcome& outcome);
  Stream::Outcome read_answer(char* buffer, std::size_t capacity);
  Stream::Outcome on_end() const;
  Stream::Outcome on_malformed() const;
  std::string refusal() const;
  Stream::Outcome failed(const std::string& what, Code code) const;

  const int socket_;
  const std::shared_ptr<const Proxy> proxy_;
  const std::string authority_;
  Secret request_;  // with our credentials
  std::size_t sent_ = 0;
  HttpHead head_;
  bool wants_credentials_ = false;  // there is a Proxy-Authenticate
  bool takes_basic_ = false;
};

}  // namespace cwire
