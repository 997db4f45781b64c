#include "station/connection_config.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "tls/configuration.h"

using namespace cwire;

namespace {

std::shared_ptr<const ResolvedConfig> settings_with(const std::string& key, const std::string& value) {
  ConfigSnapshot snapshot;
  snapshot.config.set(key, value);
  return std::make_shared<ResolvedConfig>(std::move(snapshot));
}

}  // namespace

TEST_CASE("whatever an attempt is made with makes another one when it changes, and nothing else does") {
  ConnectionConfig before;
  before.url = parse_url("wss://csms.example/ocpp?key=1");
  before.settings = std::make_shared<ResolvedConfig>(ConfigSnapshot());
  before.tls = std::make_shared<TlsConfiguration>(before.settings->tls);
  const auto makes_the_same = [&](auto change) {
    ConnectionConfig after = before;
    change(after);
    return before.makes_same_attempts(after) && after.makes_same_attempts(before);
  };
  CHECK(makes_the_same([](ConnectionConfig& c) { ++c.number; }));
  CHECK(makes_the_same([](ConnectionConfig& c) { c.settings = settings_with("csms.ping_interval", "7s"); }));
  CHECK_FALSE(makes_the_same([](ConnectionConfig& c) { c.url.secure = false; }));
  CHECK_FALSE(makes_the_same([](ConnectionConfig& c) { c.url.host = "other.example"; }));
  CHECK_FALSE(makes_the_same([](ConnectionConfig& c) { c.url.port = 444; }));
  CHECK_FALSE(makes_the_same([](ConnectionConfig& c) { c.url.path = "/ocpp?key=2"; }));
  CHECK_FALSE(makes_the_same([](ConnectionConfig& c) { c.tls = std::make_shared<TlsConfiguration>(c.settings->tls); }));
  CHECK_FALSE(makes_the_same([](ConnectionConfig& c) { ++c.tls_version; }));
  CHECK_FALSE(makes_the_same([](ConnectionConfig& c) { c.settings = settings_with("csms.headers.X-Site", "7"); }));
}
