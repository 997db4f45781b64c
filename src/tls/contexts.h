#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "config/settings.h"

namespace cwire {

class TlsContext;

// The contexts of a manager: one per distinct configuration and state of its files, kept while any station uses it.
// From any thread.
class TlsContexts {
 public:
  std::shared_ptr<const TlsContext> get(const TlsSettings& settings);  // throws Error(TLS)

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const TlsContext>> by_fingerprint_;
  std::size_t kept_ = 0;  // living ones when they were last counted
};

}  // namespace cwire
