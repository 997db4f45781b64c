#include "failing_calls.h"

#include <dlfcn.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>

namespace {

struct Failing {
  int times = 0;
  int error = 0;
};
thread_local Failing writing;
thread_local Failing setting_ex_data;

bool fails(Failing& call) {
  if (call.times == 0) return false;
  --call.times;
  errno = call.error;
  return true;
}

// The function of that name that ours stands in front of.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void fixture::fail_write(int times, int error) { writing = {times, error}; }
void fixture::fail_set_ex_data(int times) { setting_ex_data = {times, ENOMEM}; }

extern "C" {

ssize_t write(int descriptor, const void* data, std::size_t size) {
  static const auto real = next<ssize_t(int, const void*, std::size_t)>("write");
  return fails(writing) ? -1 : real(descriptor, data, size);
}

int SSL_set_ex_data(SSL* ssl, int index, void* data) {
  static const auto real = next<int(SSL*, int, void*)>("SSL_set_ex_data");
  return fails(setting_ex_data) ? 0 : real(ssl, index, data);
}

}  // extern "C"
