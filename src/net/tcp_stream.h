#pragma once

#include "net/stream.h"

namespace cwire {

// TCP as it is.
class TcpStream final : public Stream {
 public:
  explicit TcpStream(int socket) : socket_(socket) {}

  Outcome handshake() override;
  Outcome read(char* buffer, std::size_t capacity) override;
  Outcome write(const char* data, std::size_t size) override;
  bool has_buffered() const override { return false; }
  void shutdown() override {}

 private:
  int socket_;
};

}  // namespace cwire
