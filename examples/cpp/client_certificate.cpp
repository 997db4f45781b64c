// TLS with a client certificate, OCPP's security profile 3. Connects, exchanges one Heartbeat, closes.
//
//     client_certificate wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem
//
// Whatever is wrong with a certificate, on either side, is told in one line. The password of an encrypted key is taken
// from the environment variable KEY_PASSWORD.
#include <chargewire/chargewire.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>

using namespace std::chrono_literals;
using chargewire::EventType;

// Prints the first message that comes. False if none did.
static bool print_answer(chargewire::Manager& manager) {
  for (;;) {
    const chargewire::Events events = manager.poll(10s);  // lends them until the next poll
    if (events.empty()) return false;
    for (const chargewire::Event event : events) {
      if (event.type() == EventType::closed) return false;
      if (event.type() != EventType::message) continue;
      std::cout << event.station_id() << ": " << event.data() << '\n';
      return true;
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: " << argv[0] << " wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem\n";
    return 2;
  }
  try {
    chargewire::Config config;
    config
        .security_profile(chargewire::SecurityProfile::profile_3)  // ws:// is now refused
        .tls_ca_cert(argv[3])
        .tls_client_cert(argv[4])
        .tls_client_key(argv[5])
        .max_reconnect_attempts(1);  // so that what is wrong is told at once
    if (const char* password = std::getenv("KEY_PASSWORD")) config.tls_client_key_password(password);

    chargewire::Manager manager(config);
    // The files are read and checked here, not at the first handshake: a mistake in them is thrown at once.
    const chargewire::Station station = manager.connect(argv[2], argv[1]);
    station.wait(10s);  // or says why not: "unable to get local issuer certificate", "Connection refused"
    station.send(R"([2,"heartbeat-1","Heartbeat",{}])");
    const bool answered = print_answer(manager);
    manager.shutdown(5s);
    manager.run([](const chargewire::Event&) {});  // up to SHUTDOWN
    return answered ? 0 : 1;
  } catch (const chargewire::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
