#include "connect_proxy.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace raw {

namespace {

bool send_all(int descriptor, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(descriptor, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

// False: nothing more comes.
bool relay(int from, int to) {
  char bytes[65536];
  const ssize_t size = ::recv(from, bytes, sizeof bytes, 0);
  return size > 0 && send_all(to, bytes, static_cast<std::size_t>(size));
}

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(&out[0]),
                                                      reinterpret_cast<const unsigned char*>(text.data()),
                                                      static_cast<int>(text.size()))));
  return out;
}

}  // namespace

ConnectProxy::ConnectProxy(Options options) : options_(std::move(options)) {
  if (::pipe2(wake_, O_CLOEXEC) != 0) throw std::runtime_error("connect proxy: pipe");
  thread_ = std::thread([this] { serve(); });
}

ConnectProxy::~ConnectProxy() {
  ends_ = true;
  wake();
  thread_.join();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

std::string ConnectProxy::url() const { return "http://127.0.0.1:" + std::to_string(port()); }

std::vector<std::string> ConnectProxy::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

void ConnectProxy::drop_tunnels() {
  drop_ = true;
  wake();
}

void ConnectProxy::wake() {
  while (::write(wake_[1], "", 1) < 0 && errno == EINTR) {
  }
}

void ConnectProxy::serve() {
  while (!ends_) {
    std::vector<pollfd> ready = {{wake_[0], POLLIN, 0}, {server_.descriptor(), POLLIN, 0}};
    for (const Client& client : clients_) {
      ready.push_back({client.station, POLLIN, 0});
      ready.push_back({client.host, POLLIN, 0});  // -1 is passed over
    }
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    char ignored[64];
    if (ready[0].revents != 0 && ::read(wake_[0], ignored, sizeof ignored) < 0) continue;
    const bool drop = drop_.exchange(false);
    std::vector<Client> left;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      Client& client = clients_[i];
      const bool goes_on = (ready[2 + 2 * i].revents == 0 || on_station(client)) &&
                           (ready[3 + 2 * i].revents == 0 || relay(client.host, client.station)) &&
                           !(drop && client.host >= 0);
      if (goes_on) {
        left.push_back(std::move(client));
      } else {
        ::close(client.station);
        if (client.host >= 0) ::close(client.host);
      }
    }
    clients_ = std::move(left);
    if (ready[1].revents != 0) {
      Client client;
      client.station = ::accept4(server_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
      if (client.station >= 0) clients_.push_back(std::move(client));
    }
  }
  for (const Client& client : clients_) {
    ::close(client.station);
    if (client.host >= 0) ::close(client.host);
  }
}

bool ConnectProxy::on_station(Client& client) {
  if (client.host >= 0) return relay(client.station, client.host);
  char bytes[65536];
  const ssize_t size = ::recv(client.station, bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  client.head.append(bytes, static_cast<std::size_t>(size));
  const std::size_t end = client.head.find("\r\n\r\n");
  if (end == std::string::npos) return true;
  if (client.head.size() != end + 4) return false;  // nothing may be said before we have answered
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    requests_.push_back(client.head);
  }
  const std::string status = answer(client);
  if (client.host >= 0) ++tunnels_;
  const std::string head = "HTTP/1.1 " + status + "\r\n\r\n";
  return send_all(client.station, head.data(), head.size()) && client.host >= 0;
}

std::string ConnectProxy::answer(Client& client) {
  const std::string authorization = Connection::header(client.head, "Proxy-Authorization");
  if (!options_.credentials.empty() && authorization != "Basic " + base64(options_.credentials)) {
    return "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"";
  }
  const std::string line = client.head.substr(0, client.head.find("\r\n"));
  const std::size_t name = line.find(' ') + 1;
  if (line.substr(0, name) != "CONNECT " || line.size() < name + 10) return "405 Method Not Allowed";
  const auto known = options_.hosts.find(line.substr(name, line.rfind(' ') - name));
  if (known == options_.hosts.end()) return "502 Bad Gateway";
  client.host = dial(known->second);
  return client.host < 0 ? "504 Gateway Timeout" : "200 Connection established";
}

}  // namespace raw
