#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "base/handle_table.h"
#include "manager/manager.h"

namespace cwire::abi {

// What a cwire_config token stands for. Each change gives it a new revision, see ConfigSnapshot.
class ConfigObject {
 public:
  explicit ConfigObject(Config config) : config_(std::move(config)), revision_(next_revision()) {}

  template <class Change>
  void change(Change change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change(config_);
    revision_ = next_revision();
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
  static std::uint64_t next_revision() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }

  mutable std::mutex mutex_;
  Config config_;
  std::uint64_t revision_;
};

using ConfigTable = HandleTable<ConfigObject, 3>;
ConfigTable& config_table();
// Throws Error(INVALID_HANDLE).
ConfigTable::Pin find_config(cwire_config config);

}  // namespace cwire::abi
