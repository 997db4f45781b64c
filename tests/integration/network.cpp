#include "network.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace fixture {

namespace {

// The words that CMakeLists.txt tells ctest to look for.
[[noreturn]] void skip(const std::string& why) {
  std::printf("skipped, this machine cannot do it: %s\n", why.c_str());
  std::fflush(stdout);
  std::_Exit(0);
}

bool succeeds(const std::string& command) {
  return std::system(("PATH=$PATH:/usr/sbin:/sbin; " + command + " 2>&1").c_str()) == 0;
}

void must(const std::string& command) {
  if (!succeeds(command)) throw std::runtime_error("network: " + command);
}

// Who is no root may be one in a namespace of users.
void become_root() {
  if (::geteuid() == 0) return;
  const std::string user = std::to_string(::geteuid()), group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER) != 0) skip(std::string("no namespace of users: ") + std::strerror(errno));
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " + user + " 1";
  std::ofstream("/proc/self/gid_map") << "0 " + group + " 1";
}

int new_namespace() {
  if (::unshare(CLONE_NEWNET) != 0) skip(std::string("no network namespace: ") + std::strerror(errno));
  const int descriptor = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) skip(std::string("no network namespace: ") + std::strerror(errno));
  return descriptor;
}

void enter(int network_namespace) {
  if (::setns(network_namespace, CLONE_NEWNET) != 0) throw std::runtime_error("network: setns");
}

// Nobody has this address, so that frames to it are dropped by whoever gets them, as a switch's would be.
constexpr const char* kNobody = "02:00:00:00:00:99";
constexpr const char* kStationsMac = "02:00:00:00:00:01";
constexpr const char* kCsmsMac = "02:00:00:00:00:02";

std::string neighbour(const char* address, const char* mac, const char* device) {
  return std::string("ip neigh replace ") + address + " lladdr " + mac + " nud permanent dev " + device;
}

}  // namespace

Network::Network() {
  become_root();
  csms_ = new_namespace();
  must("ip link set lo up");
  stations_ = new_namespace();
  must("ip link set lo up");
  const std::string csms_path = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(csms_);
  const std::string link =
      std::string("ip link add stations address ") + kStationsMac + " type veth peer name csms address " + kCsmsMac;
  if (!succeeds(link)) skip("no pair of virtual Ethernet devices");
  must("ip link set csms netns " + csms_path);
  must(std::string("ip address add ") + kStations + "/24 dev stations");
  must("ip link set stations up");
  on_csms_side(std::string("ip address add ") + kCsms + "/24 dev csms");
  on_csms_side("ip link set csms up");
  swallow_all(false);
}

Network::~Network() {
  ::close(stations_);
  ::close(csms_);
}

void Network::on_csms_side(const std::function<void()>& make) const {
  enter(csms_);
  make();
  enter(stations_);
}

void Network::on_stations_side(const std::string& command) const { must(command); }

void Network::on_csms_side(const std::string& command) const {
  on_csms_side([&] { must(command); });
}

void Network::require_netem() const {
  if (!succeeds("tc qdisc add dev stations root netem loss 1%")) skip("the kernel has no netem");
  must("tc qdisc del dev stations root");
}

void Network::swallow_towards_csms(bool now) const {
  on_stations_side(neighbour(kCsms, now ? kNobody : kCsmsMac, "stations"));
}

void Network::swallow_towards_stations(bool now) const {
  on_csms_side(neighbour(kStations, now ? kNobody : kStationsMac, "csms"));
}

void Network::swallow_all(bool now) const {
  swallow_towards_csms(now);
  swallow_towards_stations(now);
}

}  // namespace fixture
