#include "governor/concurrency_limit.h"

#include <algorithm>

namespace cwire {

namespace {

constexpr double kCut = 0.7;
constexpr int kSmoothing = 5;  // a fifth of each new value
constexpr int kForgetting = 1024;
// A handshake that short is no sign of load, however much shorter others were.
constexpr Duration kShort = std::chrono::milliseconds(20);

}  // namespace

ConcurrencyLimit::ConcurrencyLimit(const Settings& settings)
    : settings_(settings), limit_(settings.start), sustained_(settings.max) {
  clamp();
}

void ConcurrencyLimit::succeeded(Duration took, std::uint32_t under_way) {
  proven_ = true;
  took = std::max(took, kShort);
  if (shortest_ == Duration::zero()) shortest_ = smoothed_ = took;
  shortest_ = took < shortest_ ? took : shortest_ + (took - shortest_) / kForgetting;
  smoothed_ += (took - smoothed_) / kSmoothing;
  if (smoothed_ > shortest_ + shortest_ / 2) {
    sustained_ = std::min(sustained_, limit_);
    return;
  }
  if (2 * under_way < limit()) return;
  limit_ += limit_ < sustained_ ? 1 : 1 / limit_;
  clamp();
}

void ConcurrencyLimit::overloaded(TimePoint began, TimePoint now) {
  if (began <= last_cut_) return;
  last_cut_ = now;
  limit_ *= kCut;
  clamp();
  // While nothing succeeds, each cut says only that the server is still away, not how much it can take.
  if (proven_) sustained_ = limit_;
  proven_ = false;
}

void ConcurrencyLimit::restart(std::uint32_t limit) {
  limit_ = limit;
  clamp();
}

void ConcurrencyLimit::clamp() { limit_ = std::min<double>(std::max<double>(limit_, settings_.min), settings_.max); }

}  // namespace cwire
