#pragma once

#include <chargewire/chargewire.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "base/failure.h"

namespace cwire::abi {

// Fills the caller's cwire_error, as much of it as its size says, and returns the status.
inline cwire_status report(cwire_error* err, cwire_status status, std::string_view message) noexcept {
  if (err == nullptr || err->size < offsetof(cwire_error, message) + 1) return status;
  err->status = status;
  err->flags = 0;
  const std::size_t capacity = std::min(err->size, sizeof *err) - offsetof(cwire_error, message);
  std::size_t length = std::min(message.size(), capacity - 1);
  // Never half a UTF-8 character.
  if (length < message.size()) {
    while (length > 0 && (static_cast<unsigned char>(message[length]) & 0xC0) == 0x80) --length;
  }
  std::memcpy(err->message, message.data(), length);
  err->message[length] = '\0';
  return status;
}

// The end of every entry point: no exception crosses the ABI.
template <class Body>
cwire_status guarded(cwire_error* err, Body body) noexcept {
  try {
    return report(err, body(), "");
  } catch (const Error& error) {
    return report(err, error.failure.status, error.failure.message);
  } catch (const std::bad_alloc&) {
    return report(err, CWIRE_E_NO_MEMORY, "out of memory; nothing was done");
  } catch (const std::exception& error) {
    return report(err, CWIRE_E_INTERNAL, error.what());
  } catch (...) {
    return report(err, CWIRE_E_INTERNAL, "an unknown exception inside the library");
  }
}

[[noreturn]] inline void invalid_handle(const char* kind) {
  throw Error(CWIRE_E_INVALID_HANDLE, std::string("not a living ") + kind +
                                          ": the token was freed, has ended, or never came from this library");
}

[[noreturn]] inline void invalid_argument(const char* what) { throw Error(CWIRE_E_INVALID_ARGUMENT, what); }

template <class T>
std::uintptr_t token_of(T handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}

inline void check_flags(std::uint32_t flags) {
  if ((flags & ~(CWIRE_FLAG_BINARY | CWIRE_FLAG_REPORT)) != 0) {
    invalid_argument("flags: only CWIRE_FLAG_BINARY and CWIRE_FLAG_REPORT may be given to a send");
  }
}

inline void check_data(const void* data, std::size_t size) {
  if (data == nullptr && size != 0) invalid_argument("data is NULL, but size is not 0");
}

// `out` of the statistics functions: its size says which version of the structure the caller was compiled with.
inline void check_stats(const cwire_stats* out) {
  if (out == nullptr) invalid_argument("out is NULL");
  if (out->size < offsetof(cwire_stats, connections) || out->size % alignof(cwire_stats) != 0) {
    invalid_argument("out->size: set it to sizeof(cwire_stats) before the call");
  }
}

// `out` of cwire_manager_endpoints, likewise.
inline void check_endpoint(const cwire_endpoint* out) {
  if (out == nullptr) invalid_argument("out is NULL");
  if (out->size < sizeof(cwire_endpoint) || out->size % alignof(cwire_endpoint) != 0) {
    invalid_argument("out->size: set it to sizeof(cwire_endpoint) before the call");
  }
}

// Text for a caller who brings the buffer.
inline cwire_status copy_text(const std::string& text, char* buffer, std::size_t capacity, std::size_t* needed) {
  if (needed != nullptr) *needed = text.size() + 1;
  if (capacity < text.size() + 1) return CWIRE_E_TOO_BIG;
  std::memcpy(buffer, text.c_str(), text.size() + 1);
  return CWIRE_OK;
}

inline void check_buffer(const char* buffer, std::size_t capacity) {
  if (buffer == nullptr && capacity != 0) invalid_argument("buffer is NULL, but capacity is not 0");
}

inline const char* check_id(const char* station_id) {
  if (station_id == nullptr) invalid_argument("station_id is NULL");
  return station_id;
}

}  // namespace cwire::abi
