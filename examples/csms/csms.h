#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// A small OCPP-J server for examples and tests: it lets stations in, answers their boots and heartbeats, and can be
// told to misbehave in the ways a real CSMS does. It shares no code with Chargewire.
namespace csms {

struct Options {
  std::string address = "127.0.0.1";  // a literal: 127.0.0.1, ::1
  std::uint16_t port = 0;             // 0: the system picks one, see Csms::port()
  std::vector<std::string> subprotocols = {"ocpp2.1", "ocpp2.0.1", "ocpp1.6"};
  std::function<bool(const std::string& identity)> knows;  // an unknown identity gets 404; empty: all are known

  // With any of these, who has no matching credentials gets 401. A station's own password goes before the common one.
  std::string password;                          // of all stations; raw bytes
  std::map<std::string, std::string> passwords;  // by identity
  std::string bearer_token;

  // PEM files. With a certificate the server speaks wss, with a client CA it wants a certificate of each station too.
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;

  int heartbeat_interval_seconds = 300;  // told to each station that boots
  bool deflate = false;                  // agree to permessage-deflate, and compress all that is sent
  bool echo = false;                     // return each message as it came; a subprotocol is then not demanded

  // Sees each message on the server's thread, before it is answered. It may call the server's functions.
  std::function<void(const std::string& identity, const std::string& message)> on_message;
};

struct Counters {
  std::uint64_t stations = 0;              // WebSockets open now
  std::uint64_t connections_accepted = 0;  // TCP
  std::uint64_t upgrades_accepted = 0;
  std::uint64_t upgrades_refused = 0;  // answered with a status other than 101
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t boots = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t pings = 0;
  std::uint64_t pongs = 0;
};

// Runs on one thread of its own from construction to destruction. Every function may be called from any thread, also
// from Options::on_message, and has taken effect when it returns.
class Csms {
 public:
  // How a dying server's connections end.
  enum class Death { reset, fin };

  // Listens. Throws std::runtime_error with one line that says what is wrong.
  explicit Csms(Options options);
  // Drops all connections.
  ~Csms();
  Csms(const Csms&) = delete;
  Csms& operator=(const Csms&) = delete;

  std::uint16_t port() const;
  // "ws://127.0.0.1:4711", what a station's identity is put behind.
  std::string url() const;

  // Drops every TCP connection without a close frame and stops listening, as a crash does. The port stays reserved.
  void die(Death death = Death::reset);
  // Answers upgrades with this HTTP status, and with Retry-After if retry_after_seconds is not 0. Open connections
  // stay.
  void refuse(int http_status, int retry_after_seconds = 0);
  // Stops listening: new connections are refused by TCP. Open ones stay.
  void refuse_tcp();
  // Keeps every connection but answers nothing any more, not even pings: the half-open connection.
  void fall_silent();
  // Ends all of the above; listens on the same port again.
  void come_back();
  // Ends each open connection by a close frame.
  void close_all(std::uint16_t code, const std::string& reason);

  // Sends a text message. False if the station is not connected.
  bool send_to(const std::string& identity, const std::string& message);
  // Pings every station.
  void ping_all();
  // Sets a station's own password from its next connection on.
  void set_password(const std::string& identity, const std::string& password);

  bool connected(const std::string& identity) const;
  std::size_t stations() const;
  Counters counters() const;
  // Waits until the counters are as wanted, at most so long. Not to be called from on_message.
  bool wait_until(const std::function<bool(const Counters&)>& wanted, std::chrono::milliseconds at_most) const;

 private:
  class Server;
  template <class Config>
  class WebSocketServer;
  std::unique_ptr<Server> server_;
};

// Raises the number of descriptors this process may have to what the system allows: one is needed per station.
void raise_descriptor_limit();

}  // namespace csms
