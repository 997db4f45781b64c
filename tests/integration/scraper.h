#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

// Who asks for the metrics.
namespace scraper {

constexpr int kPatience_ms = 40000;

// A TCP connection to who serves the metrics, which does what a test says.
class Scraper {
 public:
  // `receive_buffer`: 0 for what the system gives.
  explicit Scraper(const std::string& url, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer != 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const std::size_t colon = url.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(url.substr(colon + 1))));
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Scraper() { ::close(socket_); }
  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;

  bool connected() const { return connected_; }
  void send(const std::string& text) { ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  // Until the server has closed, or patience is over.
  std::string read_all() {
    std::string all;
    char buffer[65536];
    while (readable(kPatience_ms)) {
      const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
      if (size <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(size));
    }
    return "nothing came for too long";
  }
  bool readable(int timeout_ms) {
    pollfd ready{socket_, POLLIN, 0};
    return ::poll(&ready, 1, timeout_ms) > 0;
  }

 private:
  int socket_;
  bool connected_;
};

inline std::string answer_to(const std::string& url, const std::string& request_line, const std::string& headers = "",
                             const std::string& host = "127.0.0.1") {
  Scraper scraper(url);
  scraper.send(request_line + "\r\nHost: " + host + "\r\n" + headers + "\r\n");
  return scraper.read_all();
}

}  // namespace scraper
