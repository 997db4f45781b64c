// A station for the scripts of this directory. usage: chargewire_peer_client SCENARIO URL ID [KEY=VALUE ...]
//
//   boot    boots, beats three times, answers the server's CALLs, and disconnects. Exits 0 if all was accepted
//   echo    sends messages of many sizes and expects each back, then disconnects
//   listen  writes a line for each event, and disconnects with 3005 when it receives "disconnect"
//
// The options are those of cwire_config_set. Every scenario ends by CLOSED, or by itself after a minute.
#include <chargewire/chargewire.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "peer client: %s\n", why.c_str());
  std::exit(1);
}

void must(cwire_status status, const cwire_error& error, const char* what) {
  if (status != CWIRE_OK) fail(std::string(what) + ": " + cwire_status_name(status) + ": " + error.message);
}

struct Client {
  cwire_manager manager = nullptr;
  cwire_station station = nullptr;
  std::string subprotocol;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);

  // The next batch of events, each given to `take`. False when the time is up.
  template <class Take>
  bool poll(Take take) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const cwire_event* events;
    std::size_t size;
    if (left.count() <= 0 ||
        cwire_manager_poll(manager, static_cast<int32_t>(left.count()), 64, &events, &size) != CWIRE_OK) {
      return false;
    }
    for (std::size_t i = 0; i < size; ++i) take(events[i]);
    return true;
  }
  // The next message. Whatever ends the connection first is a failure.
  std::string receive() {
    while (next_ == received_.size()) {
      if (!poll([this](const cwire_event& e) { note(e); })) fail("no message came");
    }
    return received_[next_++];
  }
  void send(const std::string& text, uint32_t flags = 0) {
    const cwire_status status = cwire_station_send(station, text.data(), text.size(), flags, 0);
    if (status != CWIRE_OK) fail(std::string("send: ") + cwire_status_name(status));
  }
  void wait_connected() {
    while (subprotocol.empty()) {
      if (!poll([this](const cwire_event& e) { note(e); })) fail("not connected");
    }
  }
  void disconnect() {
    if (cwire_station_disconnect(station, 1000, "done") != CWIRE_OK) fail("disconnect");
    closing_ = true;
    while (!closed_) {
      if (!poll([this](const cwire_event& e) { note(e); })) fail("no CLOSED came");
    }
  }

 private:
  void note(const cwire_event& e) {
    if (e.type == CWIRE_EVENT_CONNECTED) subprotocol = e.data;
    if (e.type == CWIRE_EVENT_MESSAGE) received_.emplace_back(e.data, e.data_size);
    if (e.type == CWIRE_EVENT_ERROR) fail(e.data);
    if (e.type == CWIRE_EVENT_DISCONNECTED && !(closing_ && e.status == CWIRE_OK && e.code == 1000)) fail(e.data);
    if (e.type == CWIRE_EVENT_CLOSED) closed_ = true;
  }
  std::vector<std::string> received_;
  std::size_t next_ = 0;
  bool closing_ = false;
  bool closed_ = false;
};

// The answer to a CALL of ours. CALLs of the server are accepted meanwhile.
std::string call(Client& client, const std::string& id, const std::string& action, const std::string& payload) {
  client.send("[2,\"" + id + "\",\"" + action + "\"," + payload + "]");
  for (;;) {
    const std::string message = client.receive();
    const std::size_t begin = message.find('"') + 1;
    const std::string message_id = message.substr(begin, message.find('"', begin) - begin);
    if (message.compare(0, 2, "[2") == 0) {
      client.send("[3,\"" + message_id + "\",{\"status\":\"Accepted\"}]");
    } else if (message_id == id && message.compare(0, 2, "[3") == 0) {
      return message;
    } else {
      fail("unexpected: " + message);
    }
  }
}

void boot(Client& client) {
  client.wait_connected();
  const std::string accepted =
      call(client, "boot", "BootNotification",
           client.subprotocol == "ocpp1.6"
               ? R"({"chargePointVendor":"Chargewire","chargePointModel":"peer"})"
               : R"({"reason":"PowerUp","chargingStation":{"model":"peer","vendorName":"Chargewire"}})");
  if (accepted.find("\"Accepted\"") == std::string::npos) fail("not accepted: " + accepted);
  for (int i = 0; i < 3; ++i) {
    const std::string answer = call(client, "beat" + std::to_string(i), "Heartbeat", "{}");
    if (answer.find("currentTime") == std::string::npos) fail("no time in " + answer);
  }
  client.disconnect();
  std::printf("%s booted\n", client.subprotocol.c_str());
}

void echo(Client& client) {
  client.wait_connected();
  for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 200000}) {
    for (const uint32_t flags : {0u, CWIRE_FLAG_BINARY}) {
      std::string message(size, flags == 0 ? 'x' : '\xff');
      client.send(message, flags);
      if (client.receive() != message) fail("an echo of " + std::to_string(size) + " bytes differs");
    }
  }
  client.send("h\xc3\xa9llo");
  if (client.receive() != "h\xc3\xa9llo") fail("an echo differs");
  client.disconnect();
  std::printf("%s echoed\n", client.subprotocol.c_str());
}

void listen(Client& client) {
  static const char* const names[] = {"?",     "CONNECTED", "MESSAGE", "SENT", "WRITABLE", "DISCONNECTED",
                                      "ERROR", "STATE",     "CLOSED",  "LOG",  "SHUTDOWN"};
  bool closed = false;
  const auto show = [&](const cwire_event& e) {
    closed = closed || e.type == CWIRE_EVENT_CLOSED;
    std::printf("%s %s %d %u %zu %.80s\n", names[e.type], cwire_status_name(e.status), e.code, e.flags, e.data_size,
                e.data);
    std::fflush(stdout);
    if (e.type == CWIRE_EVENT_MESSAGE && std::strcmp(e.data, "disconnect") == 0) {
      cwire_station_disconnect(e.station, 3005, "as told");
    }
  };
  while (!closed) {
    if (!client.poll(show)) fail("the minute is over");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) fail("usage: chargewire_peer_client boot|echo|listen URL ID [KEY=VALUE ...]");
  cwire_error error = CWIRE_ERROR_INIT;
  cwire_config config = nullptr;
  must(cwire_config_new(&config), error, "config");
  for (int i = 4; i < argc; ++i) {
    const std::string option = argv[i];
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) fail(option + ": KEY=VALUE expected");
    must(cwire_config_set(config, option.substr(0, equals).c_str(), option.substr(equals + 1).c_str(), &error), error,
         argv[i]);
  }
  Client client;
  must(cwire_manager_new(config, nullptr, 0, &client.manager, &error), error, "manager");
  must(cwire_manager_connect(client.manager, argv[3], argv[2], nullptr, 0, &client.station, &error), error, "connect");
  const std::string scenario = argv[1];
  if (scenario == "boot") {
    boot(client);
  } else if (scenario == "echo") {
    echo(client);
  } else if (scenario == "listen") {
    listen(client);
  } else {
    fail("no such scenario: " + scenario);
  }
  cwire_manager_free(client.manager);
  cwire_config_free(config);
  return 0;
}
