#pragma once

#include <optional>
#include <string>
#include <utility>

#include "fixture.h"
#include "raw_peer.h"
#include "tls_peer.h"

namespace fixture {

inline raw::Connection accept_from(raw::Server& server) { return server.accept(); }
inline raw::TlsConnection accept_from(raw::TlsServer& server) {
  auto peer = server.accept();
  REQUIRE(peer);
  return std::move(*peer);
}

// A station whose server does not read, so that its messages wait sooner or later.
template <class Server = raw::Server>
struct StuckStation {
  static constexpr int kReceiveBuffer = 4096;

  Server server;
  std::optional<decltype(accept_from(std::declval<Server&>()))> peer;
  cwire_station station;
  std::uint64_t accepted = 0;
  std::size_t message_size = 8000;

  explicit StuckStation(Fleet& fleet) : StuckStation(fleet, kReceiveBuffer) {}
  // With what the server is made of.
  template <class... Arguments>
  explicit StuckStation(Fleet& fleet, const Arguments&... arguments)
      : server(arguments...), station(fleet.connect("CP1", server.url())) {
    accept();
    REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  }

  void accept() {
    peer.emplace(accept_from(server));
    peer->upgrade();
  }
  // The next, numbered from 0, which asks for a report.
  cwire_status send(Fleet& fleet) {
    const cwire_status status = fleet.send(station, message(accepted), CWIRE_FLAG_REPORT, accepted);
    if (status == CWIRE_OK) ++accepted;
    return status;
  }
  std::string message(std::uint64_t number) const {
    std::string text = std::to_string(number);
    text.resize(message_size, '.');
    return text;
  }
};

}  // namespace fixture
