#pragma once

#include <cstdint>

#include "config/settings.h"
#include "fate.h"

namespace simulation {

struct Range {
  cwire::Duration low{};
  cwire::Duration high{};
};

// How long a station has to wait: what docs and comments promise, read plainly and without looking at the code that
// keeps it. Chance leaves a range.
class ExpectedWaits {
 public:
  explicit ExpectedWaits(const cwire::ReconnectSettings& settings) : settings_(settings) {}
  // What was found out so far holds no longer.
  void start_over();

  struct Wait {
    Range wait;                // what may be announced
    Range at_least;            // what no hint may go below
    bool is_answer = false;    // a wait that no hint shortens
    bool is_local = false;     // counts as no attempt
    std::uint32_t streak = 0;  // of refusals, or of certificates
    bool is_refusal = false;
    bool is_even = false;  // drawn evenly from `wait`, and comparable with others of which that is said
  };
  // `lasted`: the attempt.
  Wait after(const Fate& fate, cwire::Duration lasted);
  // What was announced thereupon.
  void announced(cwire::Duration wait);
  void waited_longer(cwire::Duration by);
  void established();
  void ended(cwire::Duration lasted);
  // Of the policy alone.
  cwire::Duration minimum() const;
  // No policy ever waits longer.
  cwire::Duration maximum() const;

 private:
  Range of_policy(bool& is_even);

  const cwire::ReconnectSettings& settings_;
  std::uint32_t drawn_ = 0;  // waits of the policy since it began anew
  Range previous_;           // the last of them, as far as it could be seen
  bool pending_ = false;     // `previous_` is the range of one that has yet to be announced
  Range floor_;              // what that one is raised to
  std::uint32_t local_ = 0;
  std::uint32_t streak_ = 0;
  Fate::Kind streak_kind_ = Fate::Kind::none;
  std::int32_t streak_number_ = 0;
};

}  // namespace simulation
