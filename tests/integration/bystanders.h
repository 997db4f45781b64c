#pragma once

#include <csms.h>

#include <cstddef>
#include <string>
#include <vector>

#include "fixture.h"

namespace fixture {

// Stations of a fleet to whose CSMS nothing happens, while others are in trouble: they must see nothing but their own
// messages.
class Bystanders {
 public:
  // They are connected, and have talked, when it returns.
  explicit Bystanders(Fleet& fleet);

  // Each says something and is answered.
  void talk();
  // They talk once more, and nothing has happened to them.
  void check();
  static bool is_one(const std::string& station_id);

 private:
  Fleet& fleet_;
  csms::Csms csms_;
  std::vector<cwire_station> stations_;
  std::size_t talks_ = 0;
};

}  // namespace fixture
