#pragma once

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

// What all clients take, measure and print, so that they can be compared line by line.
namespace bench {

struct Arguments {
  std::string host;  // an IPv4 literal
  std::uint16_t port = 0;
  std::string path;  // as the URL has it; a client appends /CP and the number of the station
  bool tls = false;
  std::uint32_t stations = 0;
  std::uint32_t in_flight = 0;  // messages on their way at any time, per station
  std::uint32_t messages = 0;   // round trips per station; 0: connect and measure memory only
  std::uint32_t size = 0;       // bytes of payload
  std::string ca;               // PEM file of who is trusted; empty: the system's

  std::uint64_t round_trips() const { return std::uint64_t{stations} * messages; }
  std::uint32_t first_burst() const { return in_flight < messages ? in_flight : messages; }
};

// Walks argv. What is wrong with it ends the program, with the usage on stderr.
class CommandLine {
 public:
  CommandLine(int argc, char** argv, const char* own_usage) : argc_(argc), argv_(argv), own_usage_(own_usage) {}

  bool next() { return ++index_ < argc_; }
  std::string_view option() const { return argv_[index_]; }
  std::string_view value() {
    if (index_ + 1 >= argc_) wrong(std::string(option()) + " takes a value");
    return argv_[++index_];
  }
  std::uint32_t number(std::uint32_t minimum) {
    const std::string name(option());
    const std::string text(value());
    char* end = nullptr;
    const unsigned long long parsed = std::strtoull(text.c_str(), &end, 10);
    const bool digits = text.find_first_not_of("0123456789") == std::string::npos && !text.empty();
    if (!digits || parsed < minimum || parsed > UINT32_MAX) {
      wrong(name + " takes a number from " + std::to_string(minimum) + " on, not " + text);
    }
    return static_cast<std::uint32_t>(parsed);
  }
  [[noreturn]] void wrong(const std::string& what) const {
    std::fprintf(stderr,
                 "%s: %s\nusage: %s --url ws[s]://IPV4:PORT/PATH --stations N --in-flight K --messages M --size S"
                 " [--ca FILE]%s%s\n",
                 argv_[0], what.c_str(), argv_[0], own_usage_[0] == '\0' ? "" : " ", own_usage_);
    std::exit(2);
  }

 private:
  int argc_;
  char** argv_;
  const char* own_usage_;
  int index_ = 0;
};

inline void parse_url(std::string_view url, Arguments& arguments, const CommandLine& line) {
  const std::string whole(url);
  const auto starts_with = [&](std::string_view scheme) { return url.substr(0, scheme.size()) == scheme; };
  arguments.tls = starts_with("wss://");
  if (!arguments.tls && !starts_with("ws://")) line.wrong("not a ws:// or wss:// URL: " + whole);
  url.remove_prefix(arguments.tls ? 6 : 5);
  const std::string_view authority = url.substr(0, url.find('/'));
  arguments.path = url.substr(authority.size());
  const std::size_t colon = authority.find(':');
  if (colon == std::string_view::npos) line.wrong("no port in " + whole);
  arguments.host = authority.substr(0, colon);
  const std::string port(authority.substr(colon + 1));
  const unsigned long parsed = std::strtoul(port.c_str(), nullptr, 10);
  if (parsed == 0 || parsed > 0xffff) line.wrong("no such port: " + whole);
  arguments.port = static_cast<std::uint16_t>(parsed);
}

// `own(line)` is asked about each option that is not common to all clients: it returns false if it does not know
// line.option(), and takes the values of those that it knows by line.value() and line.number(). `own_usage` names them.
template <class Own>
Arguments parse_arguments(int argc, char** argv, const char* own_usage, Own own) {
  CommandLine line(argc, argv, own_usage);
  Arguments arguments;
  bool has_messages = false;
  bool has_size = false;
  while (line.next()) {
    const std::string_view option = line.option();
    if (option == "--url") {
      parse_url(line.value(), arguments, line);
    } else if (option == "--stations") {
      arguments.stations = line.number(1);
    } else if (option == "--in-flight") {
      arguments.in_flight = line.number(1);
    } else if (option == "--messages") {
      arguments.messages = line.number(0);
      has_messages = true;
    } else if (option == "--size") {
      arguments.size = line.number(0);
      has_size = true;
    } else if (option == "--ca") {
      arguments.ca = line.value();
    } else if (!own(line)) {
      line.wrong("unknown option " + std::string(option));
    }
  }
  if (arguments.port == 0 || arguments.stations == 0 || arguments.in_flight == 0 || !has_messages || !has_size) {
    line.wrong("--url, --stations, --in-flight, --messages and --size are needed");
  }
  return arguments;
}

inline Arguments parse_arguments(int argc, char** argv) {
  return parse_arguments(argc, argv, "", [](CommandLine&) { return false; });
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

// What is allocated, on all heaps of the process.
inline double heap_bytes() {
  const struct mallinfo2 heaps = mallinfo2();
  return static_cast<double>(heaps.uordblks + heaps.hblkhd);
}

inline std::int64_t now_ns() {
  const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot).count();
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

// Buckets as HdrHistogram has them: each power of two is cut into 128, so a bucket is at most 0.8 % wide. Its memory is
// touched at construction, which has to come before the resident memory is first read.
class LatencyHistogram {
 public:
  LatencyHistogram() : counts_(bucket_count, 0) {}

  void record(std::int64_t ns) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
    ++counts_[bucket_of(value)];
    ++total_;
    max_ = std::max(max_, value);
  }
  void add(const LatencyHistogram& other) {
    for (std::size_t i = 0; i < bucket_count; ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    max_ = std::max(max_, other.max_);
  }
  std::uint64_t max() const { return max_; }

  // In nanoseconds, the upper end of the bucket that the percentile falls into; 0 if nothing was recorded.
  std::uint64_t percentile(double p) const {
    if (total_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(std::ceil(p / 100 * static_cast<double>(total_)));
    const std::uint64_t wanted = std::clamp<std::uint64_t>(rank, 1, total_);
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    while ((seen += counts_[bucket]) < wanted) ++bucket;
    return std::min(last_of(bucket), max_);
  }

 private:
  static constexpr int cut_bits = 7;
  static constexpr std::uint64_t cuts = std::uint64_t{1} << cut_bits;
  // Up to 2^40 ns, 18 minutes. What is longer counts as that; max() knows better.
  static constexpr int value_bits = 40;
  static constexpr std::size_t bucket_count = (value_bits - cut_bits + 1) * cuts;

  // The first `cuts` values have a bucket each; from then on the bits below the highest `cut_bits` + 1 are dropped.
  static std::size_t bucket_of(std::uint64_t value) {
    value = std::min(value, (std::uint64_t{1} << value_bits) - 1);
    if (value < cuts) return value;
    const int dropped = 63 - __builtin_clzll(value) - cut_bits;
    return static_cast<std::size_t>(dropped) * cuts + (value >> dropped);
  }
  static std::uint64_t last_of(std::size_t bucket) {
    if (bucket < cuts) return bucket;
    const std::size_t dropped = bucket / cuts - 1;
    return ((bucket - dropped * cuts + 1) << dropped) - 1;
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

// When each message that is on its way was sent: a station's answers come in the order of its messages. One thread may
// call sent() and another answered(), as a message is answered only after it was sent.
class SendTimes {
 public:
  SendTimes(std::uint32_t stations, std::uint32_t in_flight)
      : in_flight_(in_flight), times_(std::size_t{stations} * in_flight, 0), positions_(stations) {}

  void sent(std::size_t station, std::int64_t ns) { slot(station, positions_[station].sent) = ns; }
  // Returns when the message was sent that is answered now.
  std::int64_t answered(std::size_t station) { return slot(station, positions_[station].answered); }

 private:
  struct Positions {
    std::uint32_t sent = 0;
    std::uint32_t answered = 0;
  };
  std::int64_t& slot(std::size_t station, std::uint32_t& position) {
    const std::size_t index = station * in_flight_ + position;
    if (++position == in_flight_) position = 0;
    return times_[index];
  }

  const std::uint32_t in_flight_;
  std::vector<std::int64_t> times_;
  std::vector<Positions> positions_;
};

// Messages that are due at a fixed rate, one station after the other, beginning now; those of a tenth of a millisecond
// together, so that what is measured is not how often a timer can wake a thread.
class Schedule {
 public:
  Schedule(std::uint32_t stations, std::uint32_t per_second)
      : stations_(stations), interval_ns_(1e9 / per_second), begin_(now_ns()) {}

  std::int64_t due(std::uint64_t message) const {
    const auto exactly = static_cast<std::int64_t>(interval_ns_ * static_cast<double>(message));
    return begin_ + exactly - exactly % 100000;
  }
  // Of one station's messages, counted from 0.
  std::int64_t due(std::size_t station, std::uint32_t message) const {
    return due(std::uint64_t{message} * stations_ + station);
  }

 private:
  const std::uint32_t stations_;
  const double interval_ns_;
  const std::int64_t begin_;
};

// By default the kernel lets a sleeper oversleep by 50 us, more than what is measured here. For this thread.
inline void be_punctual() { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

// What was before the first station is dialled.
struct Dialing {
  const double heap = heap_bytes();
  const long resident = resident_bytes();
  const Stopwatch watch;
};

struct Result {
  const char* client = "";
  std::uint64_t round_trips = 0;
  double seconds = 0;
  double user_us = 0;
  double system_us = 0;
  double rss_per_connection_bytes = 0;
  double heap_per_connection_bytes = 0;
  double connects_per_second = 0;
  double cpu_us_per_connect = 0;

  // To be called when the last station is connected.
  void connected(const Dialing& dialing, std::uint32_t stations) {
    connects_per_second = stations / dialing.watch.seconds();
    cpu_us_per_connect = (dialing.watch.user_us() + dialing.watch.system_us()) / stations;
    heap_per_connection_bytes = (heap_bytes() - dialing.heap) / stations;
    rss_per_connection_bytes = static_cast<double>(resident_bytes() - dialing.resident) / stations;
  }
  // To be called when the last message is answered.
  void exchanged(const Stopwatch& exchange, std::uint64_t trips) {
    round_trips = trips;
    seconds = exchange.seconds();
    user_us = exchange.user_us();
    system_us = exchange.system_us();
  }
};

inline void print(const Arguments& arguments, const Result& result, const LatencyHistogram& latency) {
  const double trips = result.round_trips == 0 ? 1 : static_cast<double>(result.round_trips);
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
  std::printf(
      "{\"client\":\"%s\",\"stations\":%u,\"in_flight\":%u,\"size\":%u,\"tls\":%s,\"round_trips\":%llu,"
      "\"seconds\":%.4f,\"cpu_user_us_per_trip\":%.4f,\"cpu_sys_us_per_trip\":%.4f,\"rss_per_connection_bytes\":%.0f,"
      "\"heap_per_connection_bytes\":%.0f,"
      "\"connects_per_second\":%.0f,\"cpu_us_per_connect\":%.2f,\"latency_us\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,"
      "\"p99.9\":%.1f,"
      "\"max\":%.1f}}\n",
      result.client, arguments.stations, arguments.in_flight, arguments.size, arguments.tls ? "true" : "false",
      static_cast<unsigned long long>(result.round_trips), result.seconds, result.user_us / trips,
      result.system_us / trips, result.rss_per_connection_bytes, result.heap_per_connection_bytes,
      result.connects_per_second, result.cpu_us_per_connect, us(latency.percentile(50)), us(latency.percentile(90)),
      us(latency.percentile(99)), us(latency.percentile(99.9)), us(latency.max()));
}

}  // namespace bench
