#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

// RFC 1951 read plainly, a bit at a time, and the end of a message of RFC 7692 7.2.2. What is no DEFLATE is what zlib
// refuses: codes that are over-subscribed or incomplete, but for a single distance code.
class PlainInflate {
 public:
  enum class Result { good, too_big, corrupt };

  // What went before may be referred to.
  PlainInflate(std::string_view message, const std::string& history, std::size_t size_max)
      : in_(message), out_(history), history_(history.size()), size_max_(size_max) {
    result_ = whole_message();
  }

  Result result() const { return result_; }
  // Of a message that is too big, its beginning.
  std::string output() const { return out_.substr(history_); }

 private:
  struct Code {
    std::vector<int> counts = std::vector<int>(16);
    std::vector<int> symbols;
  };
  struct Cut {};  // it ends in the middle of a block
  struct Wrong {};
  struct TooBig {};

  Result whole_message() {
    try {
      // A byte should stand for an empty message, and behind a last block; where none does, nothing is open.
      while (at_ < 8 * in_.size()) {
        const bool last = block();
        if (last) at_ = (at_ + 7) / 8 * 8;
        if (last && at_ == 8 * in_.size()) return Result::good;
      }
      if (in_.empty()) return Result::good;
    } catch (const Cut&) {
    } catch (const Wrong&) {
      return Result::corrupt;
    } catch (const TooBig&) {
      return Result::too_big;
    }
    if (!tail_added_) {
      // Once more, with the four bytes that were left out.
      tail_added_ = true;
      in_ += std::string("\0\0\xff\xff", 4);
      out_.resize(history_);
      at_ = 0;
      try {
        bool last = false;
        while (at_ < 8 * in_.size()) {
          last = block();
          if (last) at_ = (at_ + 7) / 8 * 8;
        }
        return last ? Result::corrupt : Result::good;
      } catch (const Cut&) {
        return Result::corrupt;
      } catch (const Wrong&) {
        return Result::corrupt;
      } catch (const TooBig&) {
        return Result::too_big;
      }
    }
    return Result::corrupt;
  }

  int bit() {
    if (at_ == 8 * in_.size()) throw Cut();
    const int value = static_cast<unsigned char>(in_[at_ / 8]) >> at_ % 8 & 1;
    ++at_;
    return value;
  }
  int bits(int count) {
    int value = 0;
    for (int i = 0; i < count; ++i) value |= bit() << i;
    return value;
  }
  void put(char c) {
    out_ += c;
    if (out_.size() - history_ > size_max_) throw TooBig();
  }

  // True: it says that it is the last.
  bool block() {
    const bool last = bit() == 1;
    switch (bits(2)) {
      case 0:
        stored();
        break;
      case 1:
        fixed();
        break;
      case 2:
        dynamic();
        break;
      default:
        throw Wrong();
    }
    return last;
  }

  void stored() {
    at_ = (at_ + 7) / 8 * 8;
    const int size = bits(16);
    if ((size ^ bits(16)) != 0xffff) throw Wrong();
    for (int i = 0; i < size; ++i) put(static_cast<char>(bits(8)));
  }

  // 0: complete; above: incomplete; below: over-subscribed.
  static int make(Code& code, const std::vector<int>& lengths) {
    code = Code();
    for (const int length : lengths) ++code.counts[static_cast<std::size_t>(length)];
    for (int length = 1; length <= 15; ++length) {
      for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
        if (lengths[symbol] == length) code.symbols.push_back(static_cast<int>(symbol));
      }
    }
    int left = 1;
    for (std::size_t length = 1; length <= 15; ++length) {
      left = 2 * left - code.counts[length];
      if (left < 0) return left;
    }
    return left;
  }

  int symbol(const Code& code) {
    int value = 0, first = 0, index = 0;
    for (std::size_t length = 1; length <= 15; ++length) {
      value |= bit();
      const int count = code.counts[length];
      if (value - count < first) return code.symbols[static_cast<std::size_t>(index + (value - first))];
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    throw Wrong();
  }

  void fixed() {
    std::vector<int> lengths(144, 8);
    lengths.resize(256, 9);
    lengths.resize(280, 7);
    lengths.resize(288, 8);
    Code literals, distances;
    make(literals, lengths);
    make(distances, std::vector<int>(32, 5));
    codes(literals, distances);
  }

  void dynamic() {
    static constexpr int kOrder[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    const int literal_count = bits(5) + 257, distance_count = bits(5) + 1, length_count = bits(4) + 4;
    if (literal_count > 286 || distance_count > 30) throw Wrong();
    std::vector<int> lengths(19);
    for (int i = 0; i < length_count; ++i) lengths[static_cast<std::size_t>(kOrder[i])] = bits(3);
    Code code;
    if (make(code, lengths) != 0) throw Wrong();
    lengths.clear();
    while (lengths.size() < static_cast<std::size_t>(literal_count + distance_count)) {
      const int s = symbol(code);
      if (s < 16) {
        lengths.push_back(s);
        continue;
      }
      if (s == 16 && lengths.empty()) {
        bits(2);
        throw Wrong();
      }
      const int value = s == 16 ? lengths.back() : 0;
      const int times = s == 16 ? 3 + bits(2) : s == 17 ? 3 + bits(3) : 11 + bits(7);
      if (lengths.size() + static_cast<std::size_t>(times) > static_cast<std::size_t>(literal_count + distance_count))
        throw Wrong();
      lengths.insert(lengths.end(), static_cast<std::size_t>(times), value);
    }
    if (lengths[256] == 0) throw Wrong();
    Code literals, distances;
    const auto middle = lengths.begin() + literal_count;
    if (!usable(make(literals, {lengths.begin(), middle}), literals)) throw Wrong();
    if (!usable(make(distances, {middle, lengths.end()}), distances)) throw Wrong();
    codes(literals, distances);
  }

  // Incomplete with one code of one bit, or none at all.
  static bool usable(int left, const Code& code) {
    return left == 0 || (left > 0 && code.symbols.size() == static_cast<std::size_t>(code.counts[1]));
  }

  void codes(const Code& literals, const Code& distances) {
    static constexpr int kLengths[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                       31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static constexpr int kLengthBits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                          2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static constexpr int kDistances[] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                         33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                         1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    static constexpr int kDistanceBits[] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                            6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
    for (;;) {
      const int s = symbol(literals);
      if (s == 256) return;
      if (s < 256) {
        put(static_cast<char>(s));
        continue;
      }
      if (s > 285) throw Wrong();
      const int length = kLengths[s - 257] + bits(kLengthBits[s - 257]);
      const int d = symbol(distances);
      if (d > 29) throw Wrong();
      const auto distance = static_cast<std::size_t>(kDistances[d] + bits(kDistanceBits[d]));
      if (distance > out_.size()) throw Wrong();
      for (int i = 0; i < length; ++i) put(out_[out_.size() - distance]);
    }
  }

  std::string in_;
  std::string out_;
  const std::size_t history_;
  const std::size_t size_max_;
  std::size_t at_ = 0;  // bits
  bool tail_added_ = false;
  Result result_;
};

}  // namespace fuzz
