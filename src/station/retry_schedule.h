#pragma once

#include <cstdint>

#include "base/failure.h"
#include "station/failure_class.h"
#include "station/reconnect_policy.h"

namespace cwire {

// How long to wait after a failure: the policy's wait, or what the kind of failure asks for beyond it.
//
//   network     the policy's; where a server was reached and then took long to fail, not less than it took (up to
//               backoff_max), so that a slow CSMS is not busy with the attempts of the same station all the time
//   throttled   the policy's, but not less than Retry-After
//   restarting  the policy's, but not less than 5 to 30 s, drawn uniformly
//   overloaded  the policy's, but not less than 60 s
//   refused     refused_backoff, doubling to refused_backoff_max, +-20 %
//   unverified  the policy's for three tries, then refused_backoff, doubling to 15 minutes, +-20 %
//   local       1 s, doubling to 30 s, +-20 %
//
// What was asked for is kept to and up to a tenth exceeded, so that not everybody comes back at once. No wait is
// shorter than the policy's minimum, but that of `local`, which is not about the CSMS.
class RetrySchedule {
 public:
  explicit RetrySchedule(const ReconnectSettings& settings) : settings_(&settings), policy_(settings) {}
  // From the next wait on.
  void use(const ReconnectSettings& settings);

  struct Wait {
    Duration wait{};
    Duration at_least{};       // no hint may shorten it below this
    std::uint32_t streak = 0;  // how often in a row the same was answered, this time included; 0: it was no answer
  };
  // `lasted`: how long the attempt took; 0 for a connection that was lost.
  Wait after(const Failure& failure, Duration lasted, std::minstd_rand& random);
  void waited_longer(Duration by) { policy_.waited_longer(by); }
  void established();
  void ended(Duration lasted) { policy_.ended(lasted); }
  // What was found out so far does not hold any more: the URL, the credentials or the certificates are others.
  void start_over();
  // The class of the last failure, whether or not something else happened since.
  FailureClass last_class() const { return last_class_; }

 private:
  std::uint32_t count_streak(const Failure& failure);

  const ReconnectSettings* settings_;
  ReconnectPolicy policy_;
  FailureClass last_class_ = FailureClass::network;
  FailureClass streak_class_ = FailureClass::network;  // of the answers that streak_ counts
  FailurePhase streak_phase_ = FailurePhase::none;     // likewise: a proxy's 403 is not the CSMS's
  std::int32_t streak_code_ = 0;
  std::uint32_t streak_ = 0;
  std::uint32_t local_ = 0;  // local failures since something else happened
};

}  // namespace cwire
