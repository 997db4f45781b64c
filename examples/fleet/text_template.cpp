#include "text_template.h"

#include <algorithm>
#include <stdexcept>

namespace fleet {
namespace {

constexpr unsigned digits_max = 20;

// The digits of "{:05d}", "{:5d}" or "{:d}": what stands between the colon and the d.
unsigned digits_of(std::string_view format) {
  const bool well_formed =
      format.size() >= 2 && format.front() == ':' && format.back() == 'd' &&
      std::all_of(format.begin() + 1, format.end() - 1, [](char c) { return c >= '0' && c <= '9'; });
  unsigned digits = 0;
  if (well_formed && format.size() <= 5) {
    for (const char c : format.substr(1, format.size() - 2)) digits = digits * 10 + static_cast<unsigned>(c - '0');
  }
  if (!well_formed || format.size() > 5 || digits > digits_max) {
    throw std::invalid_argument(
        "{" + std::string(format) +
        "} is unknown; known are {} for the station's number, {:05d} for the same with at least five digits, and {id}");
  }
  return digits;
}

}  // namespace

TextTemplate::TextTemplate(std::string_view text) : text_(text) {
  const auto literal = [this](char c) {
    if (pieces_.empty() || pieces_.back().kind != Piece::literal) pieces_.emplace_back();
    pieces_.back().text.push_back(c);
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      literal(c);
    } else if (i + 1 < text.size() && text[i + 1] == c) {
      literal(c);
      ++i;
    } else if (c == '}') {
      throw std::invalid_argument("a } without its {; write }} for the character itself");
    } else {
      const std::size_t end = text.find('}', i);
      if (end == std::string_view::npos)
        throw std::invalid_argument("a { without its }; write {{ for the character itself");
      const std::string_view field = text.substr(i + 1, end - i - 1);
      Piece piece;
      piece.kind = field == "id" ? Piece::id : Piece::number;
      if (piece.kind == Piece::number && !field.empty()) piece.digits = digits_of(field);
      pieces_.push_back(std::move(piece));
      i = end;
    }
  }
}

std::string TextTemplate::expand(std::uint64_t number, std::string_view id) const {
  std::string result;
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Piece::literal:
        result += piece.text;
        break;
      case Piece::number: {
        const std::string digits = std::to_string(number);
        if (digits.size() < piece.digits) result.append(piece.digits - digits.size(), '0');
        result += digits;
        break;
      }
      case Piece::id:
        result += id;
        break;
    }
  }
  return result;
}

bool TextTemplate::has_number() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.kind == Piece::number; });
}

bool TextTemplate::has_id() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.kind == Piece::id; });
}

}  // namespace fleet
