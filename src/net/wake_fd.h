#pragma once

namespace cwire {

// A descriptor that is readable from set() until clear().
class WakeFd {
 public:
  WakeFd();  // throws Error(INTERNAL) when out of descriptors
  ~WakeFd();
  WakeFd(const WakeFd&) = delete;
  WakeFd& operator=(const WakeFd&) = delete;

  int descriptor() const { return descriptor_; }
  void set();
  void clear();

 private:
  int descriptor_;
};

}  // namespace cwire
