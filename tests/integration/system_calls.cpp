#include "system_calls.h"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <set>

namespace fixture::system_calls {

std::atomic<unsigned> dials{0};
std::atomic<unsigned> dials_per_turn_max{0};

namespace {

// Of one thread; added up over turns of its loop, which begin by waiting.
thread_local unsigned dials_of_this_turn = 0;
std::atomic<int> socket_error{0};
std::atomic<int> connect_error{0};
std::atomic<std::int64_t> wall_clock_off_s{0};
std::atomic<std::int64_t> boot_time_ahead_s{0};

struct Host {
  Name::Answer answer;
  unsigned queries = 0;
};
struct Hosts {
  std::mutex mutex;
  std::map<std::string, Host> all;
};
Hosts& hosts() {
  static Hosts& instance = *new Hosts;  // a lookup may outlive the tests
  return instance;
}

// Of timers that end when the wall clock jumps. Some may be closed by now, or be something else: then setting them
// fails.
struct JumpWatchers {
  std::mutex mutex;
  std::set<int> descriptors;
};
JumpWatchers& jump_watchers() {
  static JumpWatchers& instance = *new JumpWatchers;
  return instance;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool on_io_thread() {
  thread_local const bool is = [] {
    char name[16] = "";
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    return std::strcmp(name, "cwire-io") == 0;
  }();
  return is;
}

using SteadyTime = std::chrono::steady_clock::time_point;

thread_local SteadyTime told;  // by the poller, in this turn

// By the port of the peer.
struct Journeys {
  std::mutex mutex;
  std::map<std::uint16_t, SteadyTime> under_way;
  std::map<std::uint16_t, std::vector<std::chrono::nanoseconds>> over;
};
Journeys& journeys() {
  static Journeys& instance = *new Journeys;  // the library's threads may outlive the tests
  return instance;
}
std::atomic<bool> times_round_trips{false};

std::uint16_t port_of_peer(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  return ::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? ntohs(address.sin_port) : 0;
}

using SetTimer = int(int, int, const itimerspec*, itimerspec*);

// As the kernel does after a suspend and when somebody sets the clock, as far as a reader can tell.
void tell_of_jump() {
  static const auto real = next<SetTimer>("timerfd_settime");
  JumpWatchers& watchers = jump_watchers();
  const std::lock_guard<std::mutex> lock(watchers.mutex);
  itimerspec at_once{};
  at_once.it_value.tv_nsec = 1;
  for (const int descriptor : watchers.descriptors) real(descriptor, 0, &at_once, nullptr);
}

}  // namespace

Failing::Failing(Call call, int error) { (call == socket ? socket_error : connect_error) = error; }
Failing::~Failing() { socket_error = connect_error = 0; }

WallClockOff::WallClockOff(std::int64_t seconds) {
  wall_clock_off_s = seconds;
  tell_of_jump();
}
WallClockOff::~WallClockOff() {
  wall_clock_off_s = 0;
  tell_of_jump();
}

void suspend(std::int64_t seconds) {
  boot_time_ahead_s += seconds;
  tell_of_jump();
}

RoundTrips::RoundTrips() { times_round_trips = true; }

RoundTrips::~RoundTrips() {
  times_round_trips = false;
  forget();
}

void RoundTrips::forget() {
  const std::lock_guard<std::mutex> lock(journeys().mutex);
  journeys().under_way.clear();
  journeys().over.clear();
}

std::vector<std::chrono::nanoseconds> RoundTrips::to(std::uint16_t port) const {
  const std::lock_guard<std::mutex> lock(journeys().mutex);
  return journeys().over[port];
}

Name::Name(std::string host, Answer answer) : host_(std::move(host)) { this->answer(std::move(answer)); }

Name::~Name() {
  const std::lock_guard<std::mutex> lock(hosts().mutex);
  hosts().all.erase(host_);
}

void Name::answer(Answer answer) {
  const std::lock_guard<std::mutex> lock(hosts().mutex);
  hosts().all[host_].answer = std::move(answer);
}

unsigned Name::queries() const {
  const std::lock_guard<std::mutex> lock(hosts().mutex);
  return hosts().all[host_].queries;
}

}  // namespace fixture::system_calls

using namespace fixture::system_calls;

extern "C" {

int socket(int family, int type, int protocol) {
  static const auto real = next<int(int, int, int)>("socket");
  if (socket_error != 0 && on_io_thread()) {
    errno = socket_error;
    return -1;
  }
  return real(family, type, protocol);
}

int connect(int socket, const sockaddr* address, socklen_t size) {
  static const auto real = next<int(int, const sockaddr*, socklen_t)>("connect");
  dials.fetch_add(1);
  ++dials_of_this_turn;
  unsigned max = dials_per_turn_max.load();
  while (max < dials_of_this_turn && !dials_per_turn_max.compare_exchange_weak(max, dials_of_this_turn)) {
  }
  if (connect_error != 0 && on_io_thread()) {
    errno = connect_error;
    return -1;
  }
  return real(socket, address, size);
}

int epoll_wait(int epoll, epoll_event* events, int max, int timeout) {
  static const auto real = next<int(int, epoll_event*, int, int)>("epoll_wait");
  dials_of_this_turn = 0;
  const int count = real(epoll, events, max, timeout);
  told = std::chrono::steady_clock::now();
  return count;
}

ssize_t send(int socket, const void* data, std::size_t size, int flags) {
  static const auto real = next<ssize_t(int, const void*, std::size_t, int)>("send");
  if (times_round_trips && on_io_thread()) {
    const std::lock_guard<std::mutex> lock(journeys().mutex);
    journeys().under_way[port_of_peer(socket)] = std::chrono::steady_clock::now();
  }
  return real(socket, data, size, flags);
}

ssize_t recv(int socket, void* buffer, std::size_t size, int flags) {
  static const auto real = next<ssize_t(int, void*, std::size_t, int)>("recv");
  const ssize_t received = real(socket, buffer, size, flags);
  if (received > 0 && times_round_trips && on_io_thread()) {
    const std::lock_guard<std::mutex> lock(journeys().mutex);
    const auto sent = journeys().under_way.find(port_of_peer(socket));
    if (sent != journeys().under_way.end()) {
      journeys().over[sent->first].push_back(told - sent->second);
      journeys().under_way.erase(sent);
    }
  }
  return received;
}

int getsockopt(int socket, int level, int name, void* value, socklen_t* size) noexcept {
  static const auto real = next<int(int, int, int, void*, socklen_t*)>("getsockopt");
  const int result = real(socket, level, name, value, size);
  if (level == IPPROTO_TCP && name == TCP_INFO && result == 0 && times_round_trips && on_io_thread()) {
    static_cast<tcp_info*>(value)->tcpi_last_data_recv = 0;
  }
  return result;
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static const auto real = next<int(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, now);
  if (clock == CLOCK_REALTIME && wall_clock_off_s != 0 && on_io_thread()) now->tv_sec += wall_clock_off_s;
  if (clock == CLOCK_BOOTTIME) now->tv_sec += boot_time_ahead_s;
  return result;
}

int timerfd_settime(int descriptor, int flags, const itimerspec* value, itimerspec* old) noexcept {
  static const auto real = next<SetTimer>("timerfd_settime");
  if ((flags & TFD_TIMER_CANCEL_ON_SET) != 0) {
    JumpWatchers& watchers = jump_watchers();
    const std::lock_guard<std::mutex> lock(watchers.mutex);
    watchers.descriptors.insert(descriptor);
  }
  return real(descriptor, flags, value, old);
}

time_t time(time_t* now) noexcept {
  timespec exact{};
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now != nullptr) *now = exact.tv_sec;
  return exact.tv_sec;
}

int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  static const auto real = next<int(const char*, const char*, const addrinfo*, addrinfo**)>("getaddrinfo");
  Name::Answer answer;
  if (node != nullptr) {
    const std::lock_guard<std::mutex> lock(hosts().mutex);
    const auto host = hosts().all.find(node);
    if (host != hosts().all.end()) {
      ++host->second.queries;
      answer = host->second.answer;
    }
  }
  if (!answer) return real(node, service, hints, result);
  std::vector<std::string> addresses;
  const int error = answer(addresses);
  if (error != 0) return error;
  *result = nullptr;
  addrinfo** end = result;
  for (const std::string& address : addresses) {
    if (real(address.c_str(), service, hints, end) != 0) return EAI_FAIL;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return addresses.empty() ? EAI_NONAME : 0;
}

}  // extern "C"
