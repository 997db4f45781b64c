#include "control.h"

#include <sstream>
#include <stdexcept>

namespace csms {
namespace {

std::string rest_of(std::istringstream& words) {
  std::string rest;
  std::getline(words >> std::ws, rest);
  return rest;
}

Outcome refuse(Csms& csms, std::istringstream& words) {
  std::string what;
  words >> what;
  if (what == "tcp") {
    csms.refuse_tcp();
    return {"ok"};
  }
  int status = 0;
  std::istringstream(what) >> status;
  if (status < 300 || status > 599) return {"error: refuse what? A status from 300 to 599, or tcp"};
  int retry_after_seconds = 0;
  words >> retry_after_seconds;
  csms.refuse(status, retry_after_seconds);
  return {"ok"};
}

Outcome close(Csms& csms, std::istringstream& words) {
  int code = 0;
  if (!(words >> code) || code < 1000 || code > 4999) return {"error: close with what? A code from 1000 to 4999"};
  csms.close_all(static_cast<std::uint16_t>(code), rest_of(words));
  return {"ok"};
}

Outcome send(Csms& csms, std::istringstream& words) {
  std::string identity;
  words >> identity;
  return {csms.send_to(identity, rest_of(words)) ? "ok" : "error: station " + identity + " is not connected"};
}

}  // namespace

std::string to_json(const Counters& counters) {
  std::ostringstream json;
  json << "{\"stations\":" << counters.stations << ",\"connections_accepted\":" << counters.connections_accepted
       << ",\"upgrades_accepted\":" << counters.upgrades_accepted
       << ",\"upgrades_refused\":" << counters.upgrades_refused << ",\"messages_in\":" << counters.messages_in
       << ",\"messages_out\":" << counters.messages_out << ",\"boots\":" << counters.boots
       << ",\"heartbeats\":" << counters.heartbeats << ",\"pings\":" << counters.pings
       << ",\"pongs\":" << counters.pongs << "}";
  return json.str();
}

Outcome carry_out(Csms& csms, const std::string& line) {
  std::istringstream words(line);
  std::string command;
  words >> command;
  try {
    if (command == "quit") return {"ok", true};
    if (command == "stats") return {to_json(csms.counters())};
    if (command == "refuse") return refuse(csms, words);
    if (command == "close") return close(csms, words);
    if (command == "send") return send(csms, words);
    if (command == "die") {
      csms.die(rest_of(words) == "fin" ? Csms::Death::fin : Csms::Death::reset);
    } else if (command == "back") {
      csms.come_back();
    } else if (command == "silent") {
      csms.fall_silent();
    } else if (command == "ping") {
      csms.ping_all();
    } else {
      return {"error: unknown command " + command + ": see --help"};
    }
  } catch (const std::runtime_error& error) {
    return {std::string("error: ") + error.what()};
  }
  return {"ok"};
}

}  // namespace csms
