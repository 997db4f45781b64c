#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "config/settings.h"

namespace cwire {

class TlsConfiguration;

// The TLS configurations of a manager, and so its contexts: one per distinct configuration, kept while any station uses
// it. From any thread.
class TlsContexts {
 public:
  // Its files are read, and can be used. Throws Error(TLS, CONFIG).
  std::shared_ptr<TlsConfiguration> get(const TlsSettings& settings);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<TlsConfiguration>> by_fingerprint_;
  std::size_t kept_ = 0;  // living ones when they were last counted
};

}  // namespace cwire
