#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fleet {

// A text that differs from station to station: "CP{:05d}", "keys/{id}.key". `{}` is the station's number, `{:05d}` the
// same with at least five digits, `{id}` the station's id. `{{` and `}}` stand for the braces themselves.
class TextTemplate {
 public:
  TextTemplate() = default;
  // Throws std::invalid_argument, which says what is wrong with it.
  explicit TextTemplate(std::string_view text);

  std::string expand(std::uint64_t number, std::string_view id = {}) const;

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool has_number() const;
  bool has_id() const;
  // The same for each station.
  bool is_constant() const { return !has_number() && !has_id(); }

 private:
  struct Piece {
    enum Kind { literal, number, id } kind = literal;
    std::string text;
    unsigned digits = 0;
  };

  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace fleet
