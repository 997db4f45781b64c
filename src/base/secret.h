#pragma once

#include <string>
#include <string_view>

namespace cwire {

// Bytes that are overwritten before their memory is given back, and that no stream or formatter prints.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) : bytes_(bytes) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  bool empty() const { return bytes_.empty(); }
  std::string_view reveal() const { return bytes_; }
  bool operator==(const Secret& other) const { return bytes_ == other.bytes_; }

 private:
  void cleanse() noexcept;
  std::string bytes_;
};

}  // namespace cwire
