#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "metrics/endpoint_metrics.h"

namespace cwire {

// What a manager counts by endpoint. Every function may be called from any thread.
class Metrics {
 public:
  Metrics();

  // The endpoint of that name; the same object each time, as long as this lives. A fleet in which each station has an
  // endpoint of its own must not flood whoever stores its metrics: beyond the first kEndpointsMax all are one, kOther.
  EndpointMetrics& endpoint(const std::string& name);
  static constexpr std::size_t kEndpointsMax = 100;
  static constexpr char kOther[] = "other";

  // In the order of their names. An endpoint stays.
  std::vector<EndpointMetrics*> endpoints() const;
  std::int64_t created_ns() const { return created_ns_; }

 private:
  const std::int64_t created_ns_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<EndpointMetrics>> endpoints_;
};

}  // namespace cwire
