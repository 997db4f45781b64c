#include <chargewire/chargewire.h>

#include <cstring>
#include <memory>

#include "abi/config_object.h"
#include "abi/guard.h"

namespace cwire::abi {

ConfigTable& config_table() {
  static ConfigTable& table = *new ConfigTable;
  return table;
}

ConfigTable::Pin find_config(cwire_config config) {
  auto pin = config_table().find(token_of(config));
  if (!pin) invalid_handle("configuration");
  return pin;
}

namespace {

cwire_status hand_out(Config config, cwire_config* out) {
  if (out == nullptr) invalid_argument("out is NULL");
  auto pin = config_table().insert(std::make_unique<ConfigObject>(std::move(config)));
  *out = reinterpret_cast<cwire_config>(pin.leak()->token);  // the pin is given back by cwire_config_free
  return CWIRE_OK;
}

}  // namespace

}  // namespace cwire::abi

using namespace cwire;
using namespace cwire::abi;

extern "C" {

cwire_status cwire_config_new(cwire_config* out) {
  return guarded(nullptr, [&] { return hand_out(Config(), out); });
}

cwire_status cwire_config_copy(cwire_config config, cwire_config* out) {
  return guarded(nullptr, [&] { return hand_out(find_config(config)->snapshot().config, out); });
}

cwire_status cwire_config_load_file(cwire_config config, const char* path, cwire_error* err) {
  return guarded(err, [&] {
    const auto pin = find_config(config);
    if (path == nullptr) invalid_argument("path is NULL");
    pin->change([&](Config& c) { c.load_file(path); });
    return CWIRE_OK;
  });
}

cwire_status cwire_config_load_yaml(cwire_config config, const char* text, size_t size, cwire_error* err) {
  return guarded(err, [&] {
    const auto pin = find_config(config);
    if (text == nullptr && size != 0) invalid_argument("text is NULL, but size is not 0");
    pin->change([&](Config& c) { c.load_yaml(std::string_view(text, size), "yaml"); });
    return CWIRE_OK;
  });
}

cwire_status cwire_config_set(cwire_config config, const char* key, const char* value, cwire_error* err) {
  return guarded(err, [&] {
    const auto pin = find_config(config);
    if (key == nullptr || value == nullptr) invalid_argument("key or value is NULL");
    pin->change([&](Config& c) { c.set(key, value); });
    return CWIRE_OK;
  });
}

cwire_status cwire_config_get(cwire_config config, const char* key, char* buffer, size_t capacity, size_t* needed) {
  return guarded(nullptr, [&] {
    const auto pin = find_config(config);
    if (key == nullptr) invalid_argument("key is NULL");
    check_buffer(buffer, capacity);
    return copy_text(pin->get(key), buffer, capacity, needed);
  });
}

const char* cwire_config_schema(void) {
  try {
    return Config::schema();
  } catch (...) {
    return "{\"options\":[]}";  // no memory to build it
  }
}

cwire_status cwire_config_free(cwire_config config) {
  return guarded(nullptr, [&] {
    const auto pin = find_config(config);
    if (!config_table().retire(pin->token)) invalid_handle("configuration");
    config_table().unpin(pin->token);
    return CWIRE_OK;
  });
}

}  // extern "C"
