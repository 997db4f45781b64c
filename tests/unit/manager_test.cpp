#include "manager/manager.h"

#include <catch2/catch.hpp>
#include <memory>

#include "net/process_exit.h"
#include "starvation.h"

using namespace cwire;

namespace {

// In poll mode, nothing but defaults.
std::unique_ptr<Manager> a_manager() { return std::make_unique<Manager>(ConfigSnapshot(), nullptr, 0); }

}  // namespace

TEST_CASE("a manager that there is no memory to make a token for ends its threads") {
  REQUIRE_NOTHROW(a_manager().reset());
}

TEST_CASE("an I/O thread needs no memory to be known to exit()") {
  process_exit::Presence before;
  fixture::starve_this_thread(true);
  {
    process_exit::Presence first, second;
    fixture::starve_this_thread(false);
  }
  process_exit::Presence after;
  SUCCEED("none of them threw");
}
