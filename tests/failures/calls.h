#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

// The functions whose calls by the library can be made to fail, and which call of which is to.
namespace failures {

struct ErrorName {
  const char* name;
  int number;
};

// One function. Each is defined where its stand-in is, and knows all others through a list.
class Call {
 public:
  Call(const char* group, const char* name, std::initializer_list<ErrorName> errors);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Of the stand-in: 0, or the error that this call is to fail with. Counts the call if it is the library's.
  int failure() noexcept;

  const char* group() const { return group_; }
  const char* name() const { return name_; }
  const std::vector<ErrorName>& errors() const { return errors_; }
  std::uint32_t count() const { return __atomic_load_n(&count_, __ATOMIC_RELAXED); }
  static std::vector<Call*> all();
  static Call* find(std::string_view name);

 private:
  const char* const group_;
  const char* const name_;
  const std::vector<ErrorName> errors_;
  std::uint32_t count_ = 0;
  Call* const next_;
  static Call* first_;
};

// "recv 3 ECONNRESET": the third call of recv fails with that errno.
struct Point {
  Call* call = nullptr;
  std::uint32_t number = 0;  // from 1
  ErrorName error{"", 0};

  std::string text() const;
};

// From here on calls are counted, and this one fails.
void arm(const Point& point) noexcept;
void disarm() noexcept;
// Once the call that is to fail has been made, it tells on standard error where.
bool reached() noexcept;

// What the calling thread does from here on is the library's doing: its threads from their beginning, and the test's
// own thread while it is in a function of the library.
class Inside {
 public:
  Inside();
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  const bool before_;
};

// It is not: a thread of the library runs the test's handler, or a stand-in needs something for itself.
class Outside {
 public:
  Outside();
  ~Outside();
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

 private:
  const bool before_;
};

// For the life of a thread: that of the library, when it has begun.
void begin_inside() noexcept;

}  // namespace failures
