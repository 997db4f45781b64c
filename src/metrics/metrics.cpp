#include "metrics/metrics.h"

#include <utility>

#include "base/time.h"

namespace cwire {

Metrics::Metrics() : created_ns_(wall_clock_ns()) {}

EndpointMetrics& Metrics::endpoint(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto known = endpoints_.find(name);
  if (known != endpoints_.end()) return *known->second;
  const std::string shown = endpoints_.size() < kEndpointsMax ? name : kOther;
  const auto other = endpoints_.find(shown);
  if (other != endpoints_.end()) return *other->second;
  auto made = std::make_unique<EndpointMetrics>(shown, wall_clock_ns());
  return *endpoints_.emplace(shown, std::move(made)).first->second;
}

std::vector<EndpointMetrics*> Metrics::endpoints() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<EndpointMetrics*> all;
  all.reserve(endpoints_.size());
  for (const auto& entry : endpoints_) all.push_back(entry.second.get());
  return all;
}

}  // namespace cwire
