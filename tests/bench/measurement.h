#pragma once

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

// What both clients take and print, so that they can be compared line by line.
namespace bench {

struct Arguments {
  const char* host;  // an IPv4 literal
  std::uint16_t port;
  std::uint32_t stations;
  std::uint32_t in_flight;  // messages on their way at any time, per station
  std::uint32_t messages;   // round trips per station; 0: connect and measure memory only
  std::uint32_t size;       // bytes of payload

  std::uint64_t round_trips() const { return std::uint64_t{stations} * messages; }
  std::uint32_t first_burst() const { return in_flight < messages ? in_flight : messages; }
};

inline Arguments parse_arguments(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: %s HOST PORT STATIONS IN_FLIGHT MESSAGES SIZE\n", argv[0]);
    std::exit(2);
  }
  const auto number = [&](int index) { return static_cast<std::uint32_t>(std::strtoul(argv[index], nullptr, 10)); };
  const Arguments arguments{argv[1], static_cast<std::uint16_t>(number(2)), number(3), number(4), number(5), number(6)};
  if (arguments.port == 0 || arguments.stations == 0 || arguments.in_flight == 0) {
    std::fprintf(stderr, "%s: PORT, STATIONS and IN_FLIGHT must be at least 1\n", argv[0]);
    std::exit(2);
  }
  return arguments;
}

// One descriptor is needed per station.
inline void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

inline long resident_bytes() {
  malloc_trim(0);
  long total = 0;
  long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &total, &resident) != 2) std::abort();
  std::fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

// Wall clock and CPU of the whole process, from construction on.
class Stopwatch {
 public:
  Stopwatch() : start_(std::chrono::steady_clock::now()) { getrusage(RUSAGE_SELF, &usage_); }
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  double user_us() const { return us(now().ru_utime) - us(usage_.ru_utime); }
  double system_us() const { return us(now().ru_stime) - us(usage_.ru_stime); }

 private:
  static rusage now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage;
  }
  static double us(const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  }
  std::chrono::steady_clock::time_point start_;
  rusage usage_{};
};

struct Result {
  std::uint64_t round_trips = 0;
  double seconds = 0;
  double user_us = 0;
  double system_us = 0;
  double rss_per_connection_bytes = 0;
  double connects_per_second = 0;
};

inline void print(const Result& result) {
  const double trips = result.round_trips == 0 ? 1 : static_cast<double>(result.round_trips);
  std::printf(
      "{\"round_trips\":%llu,\"seconds\":%.4f,\"cpu_user_us_per_trip\":%.4f,\"cpu_sys_us_per_trip\":%.4f,"
      "\"rss_per_connection_bytes\":%.0f,\"connects_per_second\":%.0f}\n",
      static_cast<unsigned long long>(result.round_trips), result.seconds, result.user_us / trips,
      result.system_us / trips, result.rss_per_connection_bytes, result.connects_per_second);
}

}  // namespace bench
