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

  // A copy is changed, and takes the place of the original unless that was changed meanwhile: no lock is held while a
  // file is read, and a change that throws has changed nothing.
  template <class Change>
  void change(Change change) {
    for (;;) {
      ConfigSnapshot now = snapshot();
      change(now.config);
      std::lock_guard<std::mutex> lock(mutex());
      if (revision_ != now.revision) continue;
      config_ = std::move(now.config);
      revision_ = next_config_revision();
      return;
    }
  }
  ConfigSnapshot snapshot() const {
    std::lock_guard<std::mutex> lock(mutex());
    return ConfigSnapshot{config_, revision_};
  }
  std::string get(std::string_view key) const {
    std::lock_guard<std::mutex> lock(mutex());
    return config_.get(key);
  }
  // One for all of them, so that fork() can hold it; what is done under it is short.
  static std::mutex& mutex() {
    static std::mutex& instance = *new std::mutex;  // never destroyed: a thread may call during exit()
    return instance;
  }

  std::uintptr_t token = 0;

 private:
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
