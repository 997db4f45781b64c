#pragma once

#include <functional>
#include <string>

// A network of its own between stations and a CSMS, for faults that no server can make: two network namespaces with a
// cable between them. It goes with the process. Where the machine allows none, the test ends at once, as one that was
// skipped.
namespace fixture {

class Network {
 public:
  static constexpr const char* kStations = "10.0.0.1";
  static constexpr const char* kCsms = "10.0.0.2";

  // The calling thread, and all that it starts from now on, are on the stations' side. To be made before any thread.
  Network();
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // What is made in here, sockets and threads, is on the CSMS's side.
  void on_csms_side(const std::function<void()>& make) const;

  // A command of iproute2, "ip link set stations down", which must succeed.
  void on_stations_side(const std::string& command) const;
  void on_csms_side(const std::string& command) const;
  // The kernel can lose, delay and reorder packets as one asks for; if not, the test is skipped.
  void require_netem() const;

  // What goes towards the CSMS, or comes from it, vanishes without a trace.
  void swallow_towards_csms(bool now) const;
  void swallow_towards_stations(bool now) const;
  void swallow_all(bool now) const;

 private:
  int stations_;  // namespaces
  int csms_;
};

}  // namespace fixture
