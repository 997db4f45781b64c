// Compiled without a sanitizer: the stand-ins of the allocator run before a sanitizer has begun.
#include "calls.h"

#include <execinfo.h>
#include <unistd.h>

#include <cerrno>

namespace failures {

namespace {

Call* failing = nullptr;
std::uint32_t failing_number = 0;
int failing_error = 0;
bool armed = false;
bool has_failed = false;

thread_local bool inside = false;

bool counts() { return __atomic_load_n(&armed, __ATOMIC_RELAXED) && inside; }

void tell_where() {
  const Outside not_counted;
  void* frames[40];
  const int depth = ::backtrace(frames, 40);
  static const char title[] = "the call that fails:\n";
  static_cast<void>(::write(STDERR_FILENO, title, sizeof title - 1));
  ::backtrace_symbols_fd(frames, depth, STDERR_FILENO);
}

}  // namespace

Call* Call::first_ = nullptr;

Call::Call(const char* group, const char* name, std::initializer_list<ErrorName> errors)
    : group_(group), name_(name), errors_(errors), next_(first_) {
  first_ = this;
}

int Call::failure() noexcept {
  if (!counts()) return 0;
  const std::uint32_t number = __atomic_add_fetch(&count_, 1, __ATOMIC_RELAXED);
  if (this != failing || number != failing_number) return 0;
  __atomic_store_n(&has_failed, true, __ATOMIC_RELAXED);
  tell_where();
  errno = failing_error;
  return failing_error;
}

std::vector<Call*> Call::all() {
  std::vector<Call*> calls;
  for (Call* call = first_; call != nullptr; call = call->next_) calls.insert(calls.begin(), call);
  return calls;
}

Call* Call::find(std::string_view name) {
  Call* call = first_;
  while (call != nullptr && name != call->name_) call = call->next_;
  return call;
}

std::string Point::text() const { return std::string(call->name()) + " " + std::to_string(number) + " " + error.name; }

void arm(const Point& point) noexcept {
  void* frame;
  ::backtrace(&frame, 1);  // the first call loads the unwinder, which needs memory
  failing = point.call;
  failing_number = point.number;
  failing_error = point.error.number;
  __atomic_store_n(&armed, true, __ATOMIC_RELAXED);
}

void disarm() noexcept { __atomic_store_n(&armed, false, __ATOMIC_RELAXED); }

bool reached() noexcept { return __atomic_load_n(&has_failed, __ATOMIC_RELAXED); }

Inside::Inside() : before_(inside) { inside = true; }
Inside::~Inside() { inside = before_; }

Outside::Outside() : before_(inside) { inside = false; }
Outside::~Outside() { inside = before_; }

void begin_inside() noexcept { inside = true; }

}  // namespace failures
