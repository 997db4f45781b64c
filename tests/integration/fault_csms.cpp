#include "fault_csms.h"

#include <algorithm>
#include <functional>

namespace fixture {

namespace {

// Nothing is over because the test's own thread is slow.
Settings with_defaults(const Settings& more) {
  Settings settings = quick({{"io_threads", "1"},
                             {"log_level", "debug"},
                             {"csms.connection_timeout", "10m"},
                             {"csms.upgrade_timeout", "10m"},
                             {"csms.write_timeout", "10m"},
                             {"csms.ping_interval", "0s"}});
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

// Of one test always the same kind. Basic in the clear has to be asked for.
Settings credentials(const std::string& url) {
  static const Settings kinds[] = {
      {{"csms.auth.type", "basic"}, {"csms.auth.password", "correct horse battery staple"}},
      {{"csms.auth.type", "basic"},
       {"csms.auth.password", "DEADBEEF00112233445566778899AABBCCDDEEFF"},
       {"csms.auth.password_format", "hex"}},
      {{"csms.auth.type", "bearer"}, {"csms.auth.token", "eyJhbGciOiJub25lIn0.ZmF1bHQ.c2VjcmV0"}}};
  const std::string test = Catch::getResultCapture().getCurrentTestName();
  Settings settings = kinds[std::hash<std::string>()(test) % 3];
  const bool in_the_clear = url.substr(0, 5) == "ws://";
  if (in_the_clear && settings.front().second == "basic") settings.emplace_back("csms.security_profile", "1");
  return settings;
}

}  // namespace

FaultCsms::FaultCsms(const Settings& more, int receive_buffer, Fleet::Hook hook)
    : server(receive_buffer), fleet(Delivery::handler, with_defaults(more), std::move(hook)), bystanders_(fleet) {}

cwire_station FaultCsms::connect(const Settings& overrides, const std::string& url) {
  const bool has_its_own = std::any_of(overrides.begin(), overrides.end(),
                                       [](const auto& setting) { return setting.first == "csms.auth.type"; });
  const std::string where = url.empty() ? server.url() : url;
  Settings settings = has_its_own ? Settings() : credentials(where);
  settings.insert(settings.end(), overrides.begin(), overrides.end());
  return fleet.connect("CP1", where, settings);
}

raw::Connection FaultCsms::accepted() { return server.accept(); }

raw::Connection FaultCsms::asked() {
  raw::Connection peer = server.accept();
  CHECK_FALSE(raw::Connection::header(peer.read_request(), "Authorization").empty());
  return peer;
}

raw::Connection FaultCsms::upgraded() {
  raw::Connection peer = server.accept();
  const std::size_t connections = count(fleet.records(), CWIRE_EVENT_CONNECTED, "CP1");
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", connections + 1));
  return peer;
}

Record FaultCsms::last_of(std::int32_t type, std::size_t number) {
  REQUIRE(fleet.wait_for(type, "CP1", number));
  bystanders_talk();
  const Records records = fleet.records();
  std::size_t seen = 0;
  for (const Record& record : records) {
    if (record.type == type && record.station_id == "CP1" && ++seen == number) {
      INFO(record);
      CHECK(record.failure.status == record.status);
      CHECK(record.failure.phase != CWIRE_PHASE_NONE);
      CHECK((record.flags & CWIRE_FLAG_WILL_RETRY) != 0);
      return record;
    }
  }
  FAIL("not reached");
  return records.front();
}

Record FaultCsms::failed(std::size_t number) { return last_of(CWIRE_EVENT_ERROR, number); }
Record FaultCsms::lost(std::size_t number) { return last_of(CWIRE_EVENT_DISCONNECTED, number); }

void FaultCsms::recovers() {
  raw::Connection peer = upgraded();
  const std::size_t messages = count(fleet.records(), CWIRE_EVENT_MESSAGE, "CP1");
  peer.send_frame(raw::text, "back");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", messages + 1));
  REQUIRE(cwire_manager_send(fleet.manager, "CP1", "again", 5, 0, 0) == CWIRE_OK);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->payload == "again");
  bystanders_talk();
}

void FaultCsms::finish(std::int32_t drain_ms) {
  bystanders_.check();
  fleet.finish(drain_ms);
}

}  // namespace fixture
