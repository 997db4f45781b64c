#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.h"

namespace raw {

// An HTTP proxy that makes tunnels, on a thread of its own. It alone knows where the hosts are that it is asked for, as
// behind a firewall, whose names mean nothing outside.
class ConnectProxy {
 public:
  struct Options {
    std::map<std::string, std::uint16_t> hosts;  // "csms.example:443" -> a port of 127.0.0.1. Others get 502
    std::string credentials;                     // "user:password"; who has others gets 407. Empty: nobody is asked
  };

  explicit ConnectProxy(Options options);
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  std::uint16_t port() const { return server_.port(); }
  // "http://127.0.0.1:4711"
  std::string url() const;
  // The heads of the requests so far.
  std::vector<std::string> requests() const;
  // Tunnels made so far.
  std::size_t tunnels() const { return tunnels_; }
  // Ends every tunnel, as a proxy does that is restarted.
  void drop_tunnels();

 private:
  struct Client {
    int station = -1;
    int host = -1;
    std::string head;
  };

  void serve();
  // False: this client's connections are to be closed.
  bool on_station(Client& client);
  std::string answer(Client& client);
  void wake();

  const Options options_;
  Server server_;
  int wake_[2];
  std::atomic<bool> ends_{false};
  std::atomic<bool> drop_{false};
  std::atomic<std::size_t> tunnels_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<Client> clients_;  // the thread's
  std::thread thread_;
};

}  // namespace raw
