#include "station/connection_quality.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <utility>
#include <vector>

using namespace cwire;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

// On the beginning of a slot of any length.
const TimePoint kBegin = TimePoint() + hours(1000);

// What cwire_stats has of a station that was measured.
cwire_stats measured(milliseconds smoothed = milliseconds(40), milliseconds variation = milliseconds(5)) {
  cwire_stats stats;
  std::memset(&stats, 0, sizeof stats);
  stats.size = sizeof stats;
  stats.state = CWIRE_STATE_CONNECTED;
  stats.round_trip_smoothed_ns = nanoseconds(smoothed).count();
  stats.round_trip_variation_ns = nanoseconds(variation).count();
  return stats;
}

}  // namespace

// ---- RFC 6298, RFC 3550 ------------------------------------------------------------------------------------------

TEST_CASE("RFC 6298 2: SRTT and RTTVAR of a sequence worked out by hand", "[quality]") {
  RoundTrip round_trip;
  CHECK(round_trip.last() == Duration::zero());
  CHECK(round_trip.smoothed() == Duration::zero());
  CHECK(round_trip.variation() == Duration::zero());
  struct Step {
    int sample_ms;
    std::int64_t smoothed_ns, variation_ns;
  };
  // SRTT = R, RTTVAR = R / 2; then RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|, SRTT = 7/8 SRTT + 1/8 R.
  const Step steps[] = {{100, 100'000'000, 50'000'000},
                        {140, 105'000'000, 47'500'000},
                        {60, 99'375'000, 46'875'000},
                        {100, 99'453'125, 35'312'500}};
  TimePoint now = kBegin;
  for (const Step& step : steps) {
    round_trip.add(now += seconds(30), milliseconds(step.sample_ms));
    CAPTURE(step.sample_ms);
    CHECK(round_trip.last() == milliseconds(step.sample_ms));
    CHECK(round_trip.smoothed() == nanoseconds(step.smoothed_ns));
    CHECK(round_trip.variation() == nanoseconds(step.variation_ns));
  }
}

TEST_CASE("RFC 3550 6.4.1: the jitter of a sequence worked out by hand", "[quality]") {
  RoundTrip round_trip;
  // J = J + (|D| - J) / 16, from 0.
  const std::pair<int, std::int64_t> steps[] = {{100, 0}, {140, 2'500'000}, {60, 7'343'750}, {100, 9'384'765}};
  TimePoint now = kBegin;
  for (const auto& [sample_ms, jitter_ns] : steps) {
    round_trip.add(now += seconds(30), milliseconds(sample_ms));
    CAPTURE(sample_ms);
    CHECK(round_trip.jitter() == nanoseconds(jitter_ns));
  }
}

TEST_CASE("A line that never changes is smoothed to itself, without variation or jitter", "[quality]") {
  RoundTrip round_trip;
  for (int n = 0; n < 200; ++n) round_trip.add(kBegin + seconds(30 * n), milliseconds(50));
  CHECK(round_trip.smoothed() == milliseconds(50));
  CHECK(round_trip.variation() < microseconds(1));
  CHECK(round_trip.jitter() == Duration::zero());
}

TEST_CASE("A new connection is measured anew, and the old numbers stay until it is", "[quality]") {
  RoundTrip round_trip;
  for (int sample : {500, 700}) round_trip.add(kBegin, milliseconds(sample));
  round_trip.begin_connection();
  CHECK(round_trip.smoothed() == milliseconds(525));
  CHECK(round_trip.jitter() == microseconds(12'500));
  round_trip.add(kBegin + seconds(30), milliseconds(20));
  CHECK(round_trip.smoothed() == milliseconds(20));
  CHECK(round_trip.variation() == milliseconds(10));
  CHECK(round_trip.jitter() == Duration::zero());  // between two ways nothing jitters
}

// ---- Lately ------------------------------------------------------------------------------------------------------

TEST_CASE("The minimum is that of five minutes, to the minute", "[quality]") {
  RoundTrip round_trip;
  CHECK(round_trip.minimum(kBegin) == Duration::zero());
  round_trip.add(kBegin + seconds(59), milliseconds(10));
  round_trip.add(kBegin + seconds(90), milliseconds(30));
  round_trip.add(kBegin + seconds(100), milliseconds(20));
  round_trip.add(kBegin + seconds(110), milliseconds(25));
  CHECK(round_trip.minimum(kBegin + seconds(110)) == milliseconds(10));
  CHECK(round_trip.minimum(kBegin + seconds(359)) == milliseconds(10));  // exactly five minutes old
  CHECK(round_trip.minimum(kBegin + seconds(360)) == milliseconds(20));
  round_trip.add(kBegin + seconds(400), milliseconds(40));
  CHECK(round_trip.minimum(kBegin + seconds(419)) == milliseconds(20));
  CHECK(round_trip.minimum(kBegin + seconds(420)) == milliseconds(40));
  CHECK(round_trip.minimum(kBegin + minutes(11)) == milliseconds(40));
  CHECK(round_trip.minimum(kBegin + minutes(12)) == Duration::zero());
  CHECK(round_trip.minimum(kBegin + hours(500)) == Duration::zero());
  round_trip.add(kBegin + hours(500), microseconds(77));
  CHECK(round_trip.minimum(kBegin + hours(500)) == microseconds(77));
}

TEST_CASE("The minimum is the one of all samples kept, whatever comes when", "[quality]") {
  RoundTrip round_trip;
  std::vector<std::pair<TimePoint, Duration>> samples;
  std::uint32_t dice = 1;
  TimePoint now = kBegin;
  for (int n = 0; n < 5000; ++n) {
    dice = dice * 1664525 + 1013904223;
    now += milliseconds((dice >> 8) % (n % 500 == 0 ? 900'000 : 40'000));
    const Duration sample = microseconds(1 + (dice >> 5) % 100'000);
    samples.emplace_back(now, sample);
    round_trip.add(now, sample);
    Duration least_of_five = Duration::max(), least_of_six = Duration::max();
    for (auto at = samples.rbegin(); at != samples.rend() && now - at->first <= minutes(6); ++at) {
      least_of_six = std::min(least_of_six, at->second);
      if (now - at->first <= minutes(5)) least_of_five = std::min(least_of_five, at->second);
    }
    REQUIRE(round_trip.minimum(now) <= least_of_five);
    REQUIRE(round_trip.minimum(now) >= least_of_six);
  }
}

TEST_CASE("A round trip shorter than can be told is not none, and one longer than can be told is no minimum of nothing",
          "[quality]") {
  RoundTrip round_trip;
  round_trip.add(kBegin, hours(20));
  CHECK(round_trip.last() == hours(20));
  CHECK(round_trip.minimum(kBegin) > hours(1));
  round_trip.add(kBegin, nanoseconds(3));
  CHECK(round_trip.last() == nanoseconds(3));
  CHECK(round_trip.minimum(kBegin) == microseconds(1));
}

TEST_CASE("Flaps are counted for ever, and those of the last hour to five minutes", "[quality]") {
  ConnectionQuality quality;
  CHECK(quality.flaps() == 0);
  CHECK(quality.flaps_last_hour(kBegin) == 0);
  quality.ended(kBegin, false);  // as it was asked to
  CHECK(quality.flaps() == 0);
  quality.ended(kBegin + seconds(1), true);
  quality.ended(kBegin + minutes(10), true);
  quality.ended(kBegin + minutes(10), true);
  quality.ended(kBegin + minutes(58), true);
  CHECK(quality.flaps() == 4);
  CHECK(quality.flaps_last_hour(kBegin + minutes(58)) == 4);
  CHECK(quality.flaps_last_hour(kBegin + minutes(65) - seconds(1)) == 4);
  CHECK(quality.flaps_last_hour(kBegin + minutes(65)) == 3);
  CHECK(quality.flaps_last_hour(kBegin + minutes(75)) == 1);
  CHECK(quality.flaps_last_hour(kBegin + minutes(119)) == 1);
  CHECK(quality.flaps_last_hour(kBegin + minutes(120)) == 0);
  CHECK(quality.flaps() == 4);
  for (int n = 0; n < 1000; ++n) quality.ended(kBegin + hours(9), true);  // four a second
  CHECK(quality.flaps() == 1004);
  CHECK(quality.flaps_last_hour(kBegin + hours(9)) == 255);
}

TEST_CASE("Who reads a moment behind who writes sees no less", "[quality]") {
  ConnectionQuality quality;
  quality.ended(kBegin + minutes(5), true);
  CHECK(quality.flaps_last_hour(kBegin + minutes(5) - nanoseconds(1)) == 1);
}

// ---- The ping that is out, the handshake --------------------------------------------------------------------------

TEST_CASE("A ping that is out waits until its pong, or the end", "[quality]") {
  ConnectionQuality quality;
  CHECK(quality.pong_awaited(kBegin) == Duration::zero());
  quality.ping_left(kBegin);
  CHECK(quality.pong_awaited(kBegin + seconds(3)) == seconds(3));
  SECTION("its pong") {
    quality.pong(kBegin + seconds(4), seconds(4));
    CHECK(quality.round_trip().smoothed() == seconds(4));
  }
  SECTION("its pong, of which nobody knows when it came") {
    quality.pong(kBegin + seconds(4), std::nullopt);
    CHECK(quality.round_trip().smoothed() == Duration::zero());
  }
  SECTION("the end") { quality.ended(kBegin + seconds(4), true); }
  CHECK(quality.pong_awaited(kBegin + seconds(5)) == Duration::zero());
}

TEST_CASE("While we do not read, no pong is awaited", "[quality]") {
  ConnectionQuality quality;
  quality.ping_left(kBegin);
  quality.reading_paused(kBegin + seconds(3), true);
  CHECK(quality.pong_awaited(kBegin + seconds(2)) == seconds(2));  // who reads a moment behind who writes
  CHECK(quality.pong_awaited(kBegin + hours(1)) == seconds(3));
  quality.reading_paused(kBegin + hours(1), false);
  CHECK(quality.pong_awaited(kBegin + hours(1)) == seconds(3));
  CHECK(quality.pong_awaited(kBegin + hours(1) + seconds(4)) == seconds(7));
  quality.pong(kBegin + hours(1) + seconds(4), std::nullopt);
  CHECK(quality.pong_awaited(kBegin + hours(2)) == Duration::zero());

  // One that stood in the output and leaves during a pause.
  quality.reading_paused(kBegin + hours(3), true);
  quality.ping_left(kBegin + hours(4));
  CHECK(quality.pong_awaited(kBegin + hours(5)) == Duration::zero());
  quality.reading_paused(kBegin + hours(6), false);
  CHECK(quality.pong_awaited(kBegin + hours(6) + seconds(1)) == seconds(1));

  // The pause ends with its connection.
  quality.reading_paused(kBegin + hours(7), true);
  quality.ended(kBegin + hours(8), true);
  CHECK(quality.pong_awaited(kBegin + hours(9)) == Duration::zero());
  quality.ping_left(kBegin + hours(10));
  CHECK(quality.pong_awaited(kBegin + hours(10) + seconds(1)) == seconds(1));
}

TEST_CASE("The phases of a handshake are the whole of it, with nothing in between", "[quality]") {
  HandshakeStopwatch stopwatch(kBegin);
  stopwatch.lap(FailurePhase::resolve, kBegin + milliseconds(3));
  stopwatch.lap(FailurePhase::tcp, kBegin + milliseconds(23));
  stopwatch.lap(FailurePhase::tls, kBegin + milliseconds(73));
  stopwatch.lap(FailurePhase::http, kBegin + milliseconds(80));
  // It was sent elsewhere: the same attempt.
  stopwatch.lap(FailurePhase::resolve, kBegin + milliseconds(81));
  stopwatch.lap(FailurePhase::proxy, kBegin + milliseconds(181));
  stopwatch.lap(FailurePhase::http, kBegin + milliseconds(200));
  ConnectionQuality quality;
  CHECK(quality.handshake().whole() == Duration::zero());
  quality.established(stopwatch.times());
  const HandshakeTimes& times = quality.handshake();
  CHECK(times.resolve == milliseconds(4));
  CHECK(times.tcp == milliseconds(20));
  CHECK(times.proxy == milliseconds(100));
  CHECK(times.tls == milliseconds(50));
  CHECK(times.http == milliseconds(26));
  CHECK(times.whole() == milliseconds(200));
}

// ---- The grade ---------------------------------------------------------------------------------------------------

TEST_CASE("The grade by state: who does not get through is bad, who is not wanted has none", "[quality]") {
  const std::pair<int, int> expected[] = {
      {CWIRE_STATE_DISCONNECTED, CWIRE_QUALITY_NONE}, {CWIRE_STATE_CONNECTING, CWIRE_QUALITY_NONE},
      {CWIRE_STATE_CONNECTED, CWIRE_QUALITY_GOOD},    {CWIRE_STATE_RECONNECTING, CWIRE_QUALITY_BAD},
      {CWIRE_STATE_ERROR, CWIRE_QUALITY_BAD},         {CWIRE_STATE_CLOSED, CWIRE_QUALITY_NONE}};
  for (const auto& [state, quality] : expected) {
    cwire_stats stats = measured();
    stats.state = state;
    CAPTURE(state);
    CHECK(quality_of(stats) == quality);
  }
}

TEST_CASE("The grade by answer: SRTT and four times RTTVAR, up to 0.5, 2 and 5 seconds", "[quality]") {
  struct Case {
    int smoothed_ms, variation_ms, quality;
  };
  const Case cases[] = {
      {500, 0, CWIRE_QUALITY_GOOD},   {100, 100, CWIRE_QUALITY_GOOD}, {501, 0, CWIRE_QUALITY_FAIR},
      {100, 101, CWIRE_QUALITY_FAIR}, {2000, 0, CWIRE_QUALITY_FAIR},  {400, 400, CWIRE_QUALITY_FAIR},
      {2001, 0, CWIRE_QUALITY_POOR},  {5000, 0, CWIRE_QUALITY_POOR},  {1000, 1000, CWIRE_QUALITY_POOR},
      {5001, 0, CWIRE_QUALITY_BAD},   {1, 1250, CWIRE_QUALITY_BAD}};
  for (const Case& one : cases) {
    CAPTURE(one.smoothed_ms, one.variation_ms);
    CHECK(quality_of(measured(milliseconds(one.smoothed_ms), milliseconds(one.variation_ms))) == one.quality);
  }
}

TEST_CASE("The grade by answer: a ping that is out counts for as long as it has waited", "[quality]") {
  cwire_stats stats = measured();
  const std::pair<int, int> expected[] = {
      {500, CWIRE_QUALITY_GOOD}, {501, CWIRE_QUALITY_FAIR}, {2001, CWIRE_QUALITY_POOR}, {5001, CWIRE_QUALITY_BAD}};
  for (const auto& [waited_ms, quality] : expected) {
    stats.pong_awaited_ns = nanoseconds(milliseconds(waited_ms)).count();
    CAPTURE(waited_ms);
    CHECK(quality_of(stats) == quality);
  }
}

TEST_CASE("The grade by flaps of the last hour: up to 1, 3 and 7", "[quality]") {
  const int by_flaps[] = {CWIRE_QUALITY_GOOD, CWIRE_QUALITY_GOOD, CWIRE_QUALITY_FAIR, CWIRE_QUALITY_FAIR,
                          CWIRE_QUALITY_POOR, CWIRE_QUALITY_POOR, CWIRE_QUALITY_POOR, CWIRE_QUALITY_POOR,
                          CWIRE_QUALITY_BAD,  CWIRE_QUALITY_BAD};
  cwire_stats stats = measured();
  stats.flaps = 1000;  // long ago
  for (int flaps = 0; flaps < 10; ++flaps) {
    stats.flaps_last_hour = static_cast<std::uint64_t>(flaps);
    CAPTURE(flaps);
    CHECK(quality_of(stats) == by_flaps[flaps]);
  }
}

TEST_CASE("The grade is the worse of answer and flaps", "[quality]") {
  cwire_stats stats = measured(milliseconds(3000), milliseconds(0));
  stats.flaps_last_hour = 2;
  CHECK(quality_of(stats) == CWIRE_QUALITY_POOR);
  stats.flaps_last_hour = 8;
  CHECK(quality_of(stats) == CWIRE_QUALITY_BAD);
}

TEST_CASE("Without a pong nothing is good, but what is bad is", "[quality]") {
  cwire_stats stats = measured(milliseconds(0), milliseconds(0));
  CHECK(quality_of(stats) == CWIRE_QUALITY_NONE);
  stats.flaps_last_hour = 1;
  CHECK(quality_of(stats) == CWIRE_QUALITY_NONE);
  stats.flaps_last_hour = 2;
  CHECK(quality_of(stats) == CWIRE_QUALITY_FAIR);
  stats.flaps_last_hour = 0;
  stats.pong_awaited_ns = nanoseconds(seconds(6)).count();
  CHECK(quality_of(stats) == CWIRE_QUALITY_BAD);
}

TEST_CASE("Twenty thousand stations fit: what is known of the quality stays small", "[quality]") {
  CHECK(sizeof(ConnectionQuality) <= 128);
}
