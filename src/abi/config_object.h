#pragma once

#include <cstdint>
#include <mutex>

#include "abi/guard.h"
#include "base/handle_table.h"
#include "manager/manager.h"

namespace cwire::abi {

// What a cwire_config token stands for. Each change gives it a new revision, see ConfigSnapshot.
class ConfigObject {
 public:
  explicit ConfigObject(Config config) : config_(std::move(config)), revision_(next_config_revision()) {}

  template <class Change>
  void change(Change change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change(config_);
    revision_ = next_config_revision();
  }
  ConfigSnapshot snapshot() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return ConfigSnapshot{config_, revision_};
  }
  std::string get(std::string_view key) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return config_.get(key);
  }

  std::uintptr_t token = 0;

 private:
  mutable std::mutex mutex_;
  Config config_;
  std::uint64_t revision_;
};

using ConfigTable = HandleTable<ConfigObject, 3>;
ConfigTable& config_table();
// Throws Error(INVALID_HANDLE).
ConfigTable::Pin find_config(cwire_config config);

// By token and by id alike.
inline void reconfigure(Manager& manager, Station& station, const char* url, cwire_config overrides,
                        std::uint32_t flags) {
  if ((flags & ~CWIRE_RECONFIGURE_RECONNECT) != 0) invalid_argument("flags: only CWIRE_RECONFIGURE_RECONNECT");
  ConfigSnapshot snapshot;
  if (overrides != nullptr) snapshot = find_config(overrides)->snapshot();
  manager.reconfigure(station, url, overrides != nullptr ? &snapshot : nullptr,
                      (flags & CWIRE_RECONFIGURE_RECONNECT) != 0);
}

}  // namespace cwire::abi
