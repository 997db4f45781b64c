#include "base/secret.h"

#include <catch2/catch.hpp>
#include <new>
#include <string>
#include <utility>

using namespace cwire;

namespace {

const std::string kShort = "sesame";  // short enough to stand in the object itself
const std::string kLong = "a passphrase that is too long to stand inside of a string object";

// A Secret whose own bytes can be looked at, also when it is gone.
class Inspected {
 public:
  explicit Inspected(const std::string& text) : secret_(new (storage_) Secret(text)) {}
  ~Inspected() { destroy(); }
  Inspected(const Inspected&) = delete;
  Inspected& operator=(const Inspected&) = delete;

  Secret& operator*() { return *secret_; }
  void destroy() {
    if (secret_ != nullptr) std::exchange(secret_, nullptr)->~Secret();
  }
  bool holds(const std::string& text) const {
    std::string bytes;
    for (const volatile unsigned char& byte : storage_) bytes += static_cast<char>(byte);
    return bytes.find(text) != std::string::npos;
  }
  // Of a moved short string the first byte may be gone, and the rest still there.
  bool holds_trace() const { return holds(kShort.substr(1)); }

 private:
  alignas(Secret) unsigned char storage_[sizeof(Secret)] = {};
  Secret* secret_;
};

}  // namespace

TEST_CASE("a short secret leaves nothing in the object it is moved from") {
  Inspected from(kShort);
  REQUIRE(from.holds(kShort));  // or this test sees nothing
  SECTION("to a new one") {
    const Secret to(std::move(*from));
    CHECK(to.reveal() == kShort);
  }
  SECTION("to an empty one") {
    Secret to;
    to = std::move(*from);
    CHECK(to.reveal() == kShort);
  }
  SECTION("to a long one") {
    Secret to(kLong);
    to = std::move(*from);
    CHECK(to.reveal() == kShort);
  }
  CHECK((*from).empty());
  CHECK_FALSE(from.holds_trace());
}

TEST_CASE("a secret is gone from its object when it is overwritten or destroyed") {
  Inspected secret(kShort);
  SECTION("overwritten by a long one") { *secret = Secret(kLong); }
  SECTION("overwritten by a copy") {
    const Secret other("x");
    *secret = other;
  }
  SECTION("destroyed") { secret.destroy(); }
  CHECK_FALSE(secret.holds_trace());
}

TEST_CASE("a long secret is moved without a copy") {
  Secret from(kLong);
  const char* const bytes = from.reveal().data();
  Secret to(std::move(from));
  CHECK(to.reveal().data() == bytes);
  Secret third;
  third = std::move(to);
  CHECK(third.reveal().data() == bytes);
  CHECK(third.reveal() == kLong);
  CHECK(from.empty());
  CHECK(to.empty());
}
