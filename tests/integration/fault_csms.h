#pragma once

#include <string>

#include "bystanders.h"
#include "fixture.h"
#include "raw_peer.h"

// The fault CSMS: what a fault of docs/reliability.md is tried on. One station, CP1, whose CSMS does what the test's
// script says, and bystanders of the same manager and the same I/O thread.
//
// CP1 has credentials, of another kind in each test, and logs all there is to log, so that each test also shows that no
// secret appears (secrets.h).
namespace fixture {

class FaultCsms {
 public:
  // receive_buffer: as of raw::Server
  explicit FaultCsms(const Settings& more = {}, int receive_buffer = 0, Fleet::Hook hook = {});

  // What misbehaves.
  raw::Server server;
  Fleet fleet;

  // CP1 begins to connect; without a URL, to `server`.
  cwire_station connect(const Settings& overrides = {}, const std::string& url = "");
  // The next TCP connection of CP1, the same with its request read, and the same with the upgrade accepted.
  raw::Connection accepted();
  raw::Connection asked();
  raw::Connection upgraded();

  // The n-th failed attempt, or lost connection, of CP1. The bystanders have talked since.
  Record failed(std::size_t number = 1);
  Record lost(std::size_t number = 1);
  void bystanders_talk() { bystanders_.talk(); }
  // CP1 connects once more, and its messages go both ways.
  void recovers();

  // Checks what the bystanders saw, then Fleet::finish.
  void finish(std::int32_t drain_ms = 0);

 private:
  Record last_of(std::int32_t type, std::size_t number);

  Bystanders bystanders_;
};

}  // namespace fixture
