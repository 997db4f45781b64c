// A host with an OpenSSL that works for nobody, and a C++ runtime of its own whose exceptions it throws into the
// library.
//
// usage: chargewire_bundled_host <libchargewire.so> <wss URL> <CA file>
#include <chargewire/chargewire.h>
#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <future>
#include <stdexcept>

#include "talk.h"

namespace {

template <typename Function>
Function* find(const char* library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(::dlopen(library, RTLD_NOW | RTLD_NOLOAD), name));
}

std::promise<void> reported;

// Throws at the first event. The library swallows that and reports it.
void throwing_handler(uintptr_t, const cwire_event* events, size_t count) {
  static std::atomic<bool> thrown{false};
  for (size_t i = 0; i < count; ++i) {
    if (events[i].type == CWIRE_EVENT_LOG && std::strstr(events[i].data, "exception") != nullptr) reported.set_value();
  }
  if (!thrown.exchange(true)) throw std::runtime_error("of the host");
}

const char* throw_into(const char* library) {
  auto* manager_new = find<decltype(cwire_manager_new)>(library, "cwire_manager_new");
  auto* manager_connect = find<decltype(cwire_manager_connect)>(library, "cwire_manager_connect");
  auto* manager_free = find<decltype(cwire_manager_free)>(library, "cwire_manager_free");
  cwire_manager manager = nullptr;
  if (manager_new(nullptr, throwing_handler, 0, &manager, nullptr) != CWIRE_OK) return "no manager with a handler";
  if (manager_connect(manager, "CP002", "ws://127.0.0.1:1", nullptr, 0, nullptr, nullptr) != CWIRE_OK)
    return "no station";
  if (reported.get_future().wait_for(std::chrono::seconds(30)) != std::future_status::ready)
    return "an exception was not reported";
  return manager_free(manager) == CWIRE_OK ? nullptr : "free";
}

const char* throw_and_catch() {
  try {
    throw std::runtime_error("of the host alone");
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  if (::dlsym(RTLD_DEFAULT, "SSL_CTX_new") == nullptr) {
    std::puts("the host has no OpenSSL: this run proves nothing");
    return 1;
  }
  const char* problem = talk(argv[1], argv[2], argv[3]);
  if (problem == nullptr) problem = throw_into(argv[1]);
  if (problem == nullptr) problem = throw_and_catch();
  std::puts(problem == nullptr ? "talked" : problem);
  return problem == nullptr ? 0 : 1;
}
