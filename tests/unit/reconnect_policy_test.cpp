#include "station/reconnect_policy.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace cwire;
using std::chrono::duration;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

ReconnectSettings settings_of(ReconnectPolicyKind kind) {
  ReconnectSettings settings;
  settings.policy = kind;
  settings.backoff = seconds(5);
  settings.backoff_max = seconds(60);
  settings.jitter = 0.2;
  settings.stable_after = seconds(30);
  settings.wait_minimum = seconds(10);
  settings.random_range = seconds(10);
  settings.repeat_times = 3;
  return settings;
}

ReconnectSettings ocpp(int minimum_s, int range_s, std::uint32_t repeat_times) {
  ReconnectSettings settings = settings_of(ReconnectPolicyKind::ocpp);
  settings.wait_minimum = seconds(minimum_s);
  settings.random_range = seconds(range_s);
  settings.repeat_times = repeat_times;
  return settings;
}

double in_seconds(Duration wait) { return duration<double>(wait).count(); }

// The wait after `failures` failures in a row, drawn for many stations.
std::vector<double> waits(const ReconnectSettings& settings, int failures, int stations = 10000) {
  std::minstd_rand random(7);
  std::vector<double> result;
  for (int i = 0; i < stations; ++i) {
    ReconnectPolicy policy(settings);
    Duration wait{};
    for (int n = 0; n < failures; ++n) wait = policy.next(random);
    result.push_back(in_seconds(wait));
  }
  return result;
}

double least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }
double most(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

// The largest share of the values that falls into one of `bins` equal parts of [low, high].
double thickest_share(const std::vector<double>& values, double low, double high, int bins) {
  std::vector<int> counts(static_cast<std::size_t>(bins));
  for (double value : values) {
    int bin = static_cast<int>((value - low) / (high - low) * bins);
    ++counts[static_cast<std::size_t>(std::clamp(bin, 0, bins - 1))];
  }
  return static_cast<double>(*std::max_element(counts.begin(), counts.end())) / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("The exponential wait starts at the base, doubles, and stays at the cap", "[reconnect_policy]") {
  ReconnectSettings settings = settings_of(ReconnectPolicyKind::exponential);
  settings.jitter = 0;
  ReconnectPolicy policy(settings);
  std::minstd_rand random(1);
  for (int expected : {5, 10, 20, 40, 60, 60, 60}) CHECK(policy.next(random) == seconds(expected));
}

TEST_CASE("The exponential wait varies by the jitter around each step", "[reconnect_policy]") {
  const ReconnectSettings settings = settings_of(ReconnectPolicyKind::exponential);
  const double steps[] = {5, 10, 20, 40, 60, 60};
  for (int failures = 1; failures <= 6; ++failures) {
    const std::vector<double> drawn = waits(settings, failures, 2000);
    const double step = steps[failures - 1];
    CHECK(least(drawn) >= step * 0.8);
    CHECK(most(drawn) <= step * 1.2);
    CHECK(least(drawn) < step * 0.82);
    CHECK(most(drawn) > step * 1.18);
  }
}

TEST_CASE("At the cap the waits spread over the whole jitter and do not cluster", "[reconnect_policy]") {
  const std::vector<double> drawn = waits(settings_of(ReconnectPolicyKind::exponential), 8);
  CHECK(std::count(drawn.begin(), drawn.end(), 60.0) < 100);  // under 1 % exactly at the cap
  CHECK(least(drawn) >= 48);
  CHECK(most(drawn) <= 72);
  CHECK(most(drawn) > 71);  // jitter before the cap would end at 60
  CHECK(thickest_share(drawn, 48, 72, 20) < 0.07);
}

TEST_CASE("A jitter of the whole wait never comes near zero and does not cluster there", "[reconnect_policy]") {
  ReconnectSettings settings = settings_of(ReconnectPolicyKind::exponential);
  settings.jitter = 1;
  ReconnectPolicy policy(settings);
  CHECK(policy.minimum() == milliseconds(500));
  const std::vector<double> drawn = waits(settings, 1);
  CHECK(least(drawn) >= 0.5);
  CHECK(most(drawn) <= 10);
  CHECK(thickest_share(drawn, 0.5, 10, 20) < 0.07);
}

TEST_CASE("The full policy draws from the whole of the doubled wait, but never spins", "[reconnect_policy]") {
  const ReconnectSettings settings = settings_of(ReconnectPolicyKind::full);
  CHECK(ReconnectPolicy(settings).minimum() == milliseconds(500));
  const double ceilings[] = {5, 10, 20, 40, 60, 60};
  for (int failures = 1; failures <= 6; ++failures) {
    const std::vector<double> drawn = waits(settings, failures);
    const double ceiling = ceilings[failures - 1];
    CHECK(least(drawn) >= 0.5);
    CHECK(least(drawn) < 0.5 + ceiling * 0.01);
    CHECK(most(drawn) <= ceiling);
    CHECK(most(drawn) > ceiling * 0.99);
    CHECK(std::count(drawn.begin(), drawn.end(), ceiling) < 100);
    CHECK(thickest_share(drawn, 0.5, ceiling, 20) < 0.07);
  }
}

TEST_CASE("The decorrelated wait lies between the base and three times the wait before, up to the cap",
          "[reconnect_policy]") {
  const ReconnectSettings settings = settings_of(ReconnectPolicyKind::decorrelated);
  std::minstd_rand random(3);
  std::vector<double> late;
  for (int station = 0; station < 2000; ++station) {
    ReconnectPolicy policy(settings);
    double before = 5;
    for (int n = 0; n < 12; ++n) {
      const double wait = in_seconds(policy.next(random));
      REQUIRE(wait >= 5);
      REQUIRE(wait <= std::min(60.0, 3 * before) + 1e-6);
      before = wait;
    }
    late.push_back(before);
  }
  CHECK(most(late) > 55);
  CHECK(std::count(late.begin(), late.end(), 60.0) < 20);
}

TEST_CASE("Stations with different random numbers wait differently under every policy", "[reconnect_policy]") {
  for (ReconnectPolicyKind kind : {ReconnectPolicyKind::exponential, ReconnectPolicyKind::ocpp,
                                   ReconnectPolicyKind::full, ReconnectPolicyKind::decorrelated}) {
    std::vector<double> drawn = waits(settings_of(kind), 1, 1000);
    std::sort(drawn.begin(), drawn.end());
    CHECK(std::unique(drawn.begin(), drawn.end()) - drawn.begin() > 990);
  }
}

TEST_CASE("Long after the waits have stopped growing, no policy brings a fleet back all at once",
          "[reconnect_policy]") {
  constexpr struct {
    ReconnectPolicyKind kind;
    double low, high;  // of what is drawn
    double share;      // in the fullest twentieth of it; one in twenty if all were alike
  } kRows[] = {
      {ReconnectPolicyKind::exponential, 48, 72, 0.07},
      {ReconnectPolicyKind::ocpp, 80, 230, 0.12},
      {ReconnectPolicyKind::full, 0.5, 60, 0.07},
      {ReconnectPolicyKind::decorrelated, 5, 60, 0.12},
  };
  for (const auto& row : kRows) {
    CAPTURE(static_cast<int>(row.kind));
    ReconnectSettings settings = settings_of(row.kind);
    if (row.kind == ReconnectPolicyKind::ocpp) settings = ocpp(10, 10, 3);
    std::vector<double> drawn = waits(settings, 20);
    CHECK(least(drawn) >= row.low);
    CHECK(most(drawn) <= row.high);
    CHECK(thickest_share(drawn, row.low, row.high, 20) < row.share);
    // Nor do many draw the very same.
    std::sort(drawn.begin(), drawn.end());
    CHECK(std::unique(drawn.begin(), drawn.end()) - drawn.begin() > 9900);
  }
}

TEST_CASE("RetryBackOff without a random range doubles the minimum the given number of times", "[reconnect_policy]") {
  struct Vector {
    int minimum;
    std::uint32_t repeat_times;
    std::vector<int> expected;
  };
  for (const Vector& vector : {Vector{10, 3, {10, 20, 40, 80, 80, 80}}, Vector{7, 2, {7, 14, 28, 28}},
                               Vector{30, 0, {30, 30, 30}}, Vector{1, 5, {1, 2, 4, 8, 16, 32, 32}}}) {
    const ReconnectSettings settings = ocpp(vector.minimum, 0, vector.repeat_times);
    ReconnectPolicy policy(settings);
    std::minstd_rand random(1);
    for (int expected : vector.expected) CHECK(policy.next(random) == seconds(expected));
  }
}

TEST_CASE("RetryBackOff of 10, 10 and 3 ends between 80 and 230 seconds", "[reconnect_policy]") {
  const ReconnectSettings settings = ocpp(10, 10, 3);
  for (int doublings = 0; doublings <= 3; ++doublings) {
    const double power = std::pow(2, doublings);
    const std::vector<double> drawn = waits(settings, doublings + 1, 100000);
    CHECK(least(drawn) >= power * 10);
    CHECK(most(drawn) <= power * 10 + 10 * (2 * power - 1));
    if (doublings == 3) {
      // Both ends are reached, or nearly: that takes four low or four high draws in a row.
      CHECK(least(drawn) < 95);
      CHECK(most(drawn) > 215);
    }
  }
}

TEST_CASE("RetryBackOff doubles the whole wait before, random part included", "[reconnect_policy]") {
  const ReconnectSettings settings = ocpp(10, 10, 3);
  std::minstd_rand random(5);
  for (int station = 0; station < 1000; ++station) {
    ReconnectPolicy policy(settings);
    Duration before = policy.next(random);
    for (int doubling = 0; doubling < 3; ++doubling) {
      const Duration wait = policy.next(random);
      REQUIRE(wait >= 2 * before);
      REQUIRE(wait <= 2 * before + seconds(10));
      before = wait;
    }
    for (int kept = 0; kept < 3; ++kept) REQUIRE(policy.next(random) == before);
  }
}

TEST_CASE("RetryBackOff doubles the wait as it was, not as it was drawn", "[reconnect_policy]") {
  const ReconnectSettings settings = ocpp(10, 0, 2);
  ReconnectPolicy policy(settings);
  std::minstd_rand random(1);
  CHECK(policy.next(random) == seconds(10));
  policy.waited_longer(milliseconds(30));
  policy.waited_longer(milliseconds(20));
  CHECK(policy.next(random) == milliseconds(20100));
  policy.waited_longer(milliseconds(100));
  CHECK(policy.next(random) == milliseconds(40400));
  policy.waited_longer(milliseconds(100));
  CHECK(policy.next(random) == milliseconds(40400));  // the kept wait does not creep
}

TEST_CASE("One stall of the machine does not blow up RetryBackOff", "[reconnect_policy]") {
  const ReconnectSettings settings = ocpp(10, 0, 2);
  ReconnectPolicy policy(settings);
  std::minstd_rand random(1);
  policy.next(random);
  policy.waited_longer(hours(3));
  CHECK(policy.next(random) == seconds(30));
  policy.waited_longer(seconds(-3));
  CHECK(policy.next(random) == seconds(60));
}

TEST_CASE("A late timer changes nothing for the other policies", "[reconnect_policy]") {
  for (ReconnectPolicyKind kind :
       {ReconnectPolicyKind::exponential, ReconnectPolicyKind::full, ReconnectPolicyKind::decorrelated}) {
    const ReconnectSettings settings = settings_of(kind);
    ReconnectPolicy late(settings), punctual(settings);
    std::minstd_rand random(1), same(1);
    for (int n = 0; n < 8; ++n) {
      CHECK(late.next(random) == punctual.next(same));
      late.waited_longer(seconds(4));
    }
  }
}

TEST_CASE("RetryBackOff starts over as soon as a connection is established", "[reconnect_policy]") {
  const ReconnectSettings settings = ocpp(10, 0, 3);
  ReconnectPolicy policy(settings);
  std::minstd_rand random(1);
  for (int n = 0; n < 5; ++n) policy.next(random);
  policy.established();
  policy.ended(seconds(0));
  CHECK(policy.next(random) == seconds(10));
  CHECK(policy.next(random) == seconds(20));
}

TEST_CASE("The other policies start over only after a stable connection", "[reconnect_policy]") {
  std::minstd_rand random(1);
  ReconnectSettings settings = settings_of(ReconnectPolicyKind::exponential);
  settings.jitter = 0;
  ReconnectPolicy policy(settings);
  CHECK(policy.next(random) == seconds(5));
  CHECK(policy.next(random) == seconds(10));
  policy.established();
  policy.ended(milliseconds(29999));
  CHECK(policy.next(random) == seconds(20));
  policy.established();
  policy.ended(seconds(30));
  CHECK(policy.next(random) == seconds(5));

  const ReconnectSettings full_settings = settings_of(ReconnectPolicyKind::full);
  ReconnectPolicy full(full_settings);
  const ReconnectSettings decorrelated_settings = settings_of(ReconnectPolicyKind::decorrelated);
  ReconnectPolicy decorrelated(decorrelated_settings);
  double full_most = 0, decorrelated_most = 0;
  for (int n = 0; n < 1000; ++n) {
    for (int failures = 0; failures < 10; ++failures) {
      full.next(random);
      decorrelated.next(random);
    }
    full.ended(seconds(30));
    decorrelated.ended(seconds(30));
    full_most = std::max(full_most, in_seconds(full.next(random)));
    decorrelated_most = std::max(decorrelated_most, in_seconds(decorrelated.next(random)));
    full.ended(seconds(30));
    decorrelated.ended(seconds(30));
  }
  CHECK(full_most <= 5);
  CHECK(decorrelated_most <= 15);
}

TEST_CASE("Other settings of the same policy go on where it was, another policy starts over", "[reconnect_policy]") {
  std::minstd_rand random(5);
  ReconnectSettings steady = settings_of(ReconnectPolicyKind::exponential);
  steady.jitter = 0;
  ReconnectSettings slower = steady;
  slower.backoff = seconds(6);
  const ReconnectSettings back_off = ocpp(10, 0, 3);
  ReconnectPolicy policy(steady);
  for (int n = 0; n < 2; ++n) policy.next(random);
  policy.use(slower);
  CHECK(policy.next(random) == seconds(24));
  policy.use(back_off);
  CHECK(policy.next(random) == seconds(10));
  policy.use(steady);
  CHECK(policy.next(random) == seconds(5));
}

TEST_CASE("The minimum is never undercut, and RetryBackOff's is WaitMinimum", "[reconnect_policy]") {
  CHECK(ReconnectPolicy(ocpp(10, 10, 3)).minimum() == seconds(10));
  std::minstd_rand random(9);
  for (ReconnectPolicyKind kind : {ReconnectPolicyKind::exponential, ReconnectPolicyKind::ocpp,
                                   ReconnectPolicyKind::full, ReconnectPolicyKind::decorrelated}) {
    for (double jitter : {0.0, 0.2, 0.95, 1.0}) {
      ReconnectSettings settings = settings_of(kind);
      settings.jitter = jitter;
      ReconnectPolicy policy(settings);
      for (int n = 0; n < 1000; ++n) {
        REQUIRE(policy.next(random) >= policy.minimum());
        if (n % 7 == 0) policy.ended(seconds(30));
        if (n % 5 == 0) policy.established();
      }
    }
  }
}

TEST_CASE("No settings make a station spin or the arithmetic overflow", "[reconnect_policy]") {
  std::minstd_rand random(11);
  for (ReconnectPolicyKind kind : {ReconnectPolicyKind::exponential, ReconnectPolicyKind::ocpp,
                                   ReconnectPolicyKind::full, ReconnectPolicyKind::decorrelated}) {
    for (Duration extreme : {Duration::zero(), Duration::min(), Duration(1), Duration::max()}) {
      for (Duration other : {Duration::zero(), Duration(seconds(5)), Duration::max()}) {
        ReconnectSettings settings = settings_of(kind);
        settings.backoff = settings.wait_minimum = extreme;
        settings.backoff_max = settings.random_range = other;
        settings.jitter = 50;
        settings.repeat_times = ~0U;
        ReconnectPolicy policy(settings);
        REQUIRE(policy.minimum() >= milliseconds(1));
        for (int n = 0; n < 200; ++n) {
          const Duration wait = policy.next(random);
          REQUIRE(wait >= milliseconds(1));
          REQUIRE(wait <= 2 * hours(24 * 365));
          policy.waited_longer(Duration::max());
        }
      }
    }
  }
}
