#include "bystanders.h"

namespace fixture {

namespace {

constexpr std::size_t kBystanders = 3;
constexpr char kPrefix[] = "bystander-";

std::string bystander(std::size_t number) { return kPrefix + std::to_string(number); }

csms::Options echo() {
  csms::Options options;
  options.echo = true;
  return options;
}

}  // namespace

Bystanders::Bystanders(Fleet& fleet) : fleet_(fleet), csms_(echo()) {
  for (std::size_t i = 0; i < kBystanders; ++i) stations_.push_back(fleet.connected(bystander(i), csms_.url()));
  talk();
}

bool Bystanders::is_one(const std::string& station_id) { return station_id.rfind(kPrefix, 0) == 0; }

void Bystanders::talk() {
  ++talks_;
  for (const cwire_station station : stations_) REQUIRE(fleet_.send(station, std::to_string(talks_)) == CWIRE_OK);
  for (std::size_t i = 0; i < kBystanders; ++i) REQUIRE(fleet_.wait_for(CWIRE_EVENT_MESSAGE, bystander(i), talks_));
}

void Bystanders::check() {
  talk();
  const Records records = fleet_.records();
  for (std::size_t i = 0; i < kBystanders; ++i) {
    const std::string id = bystander(i);
    INFO(id);
    std::string expected = "STATE STATE CONNECTED";
    for (std::size_t talk = 0; talk < talks_; ++talk) expected += " MESSAGE";
    CHECK(types(records, id) == expected);
    std::size_t next = 0;
    for (const Record& record : records) {
      if (record.station_id != id) continue;
      if (record.type == CWIRE_EVENT_MESSAGE) CHECK(record.data == std::to_string(++next));
      if (record.type == CWIRE_EVENT_LOG) CHECK(record.code > CWIRE_LOG_WARNING);
    }
    const cwire_stats stats = fleet_.stats(id);
    CHECK(stats.state == CWIRE_STATE_CONNECTED);
    CHECK(stats.connections == 1);
    CHECK(stats.reconnect_attempts == 0);
    CHECK(stats.last_error == CWIRE_OK);
  }
}

}  // namespace fixture
