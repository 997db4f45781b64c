#include "base/http_head.h"

#include <algorithm>

#include "base/http_syntax.h"

namespace cwire {

HttpHead::Token HttpHead::read(std::string_view& bytes) {
  if (defect_ != Defect::none) return Token::malformed;
  if (line_taken_) line_.clear();
  line_taken_ = false;
  if (bytes.empty()) return Token::more;

  const std::size_t newline = bytes.find('\n');
  const std::size_t part = newline == std::string_view::npos ? bytes.size() : newline + 1;
  const std::size_t room = limits_.size_max - size_;
  line_.append(bytes.substr(0, std::min(part, room)));
  if (status_ == 0) {
    // Noticed at once, because what does not speak HTTP may never send a line's end.
    constexpr std::string_view kPrefix = "HTTP/1.";
    const std::size_t known = std::min(kPrefix.size(), line_.size());
    if (line_.compare(0, known, kPrefix, 0, known) != 0) return malformed(Defect::protocol);
  }
  // After that, or the words would depend on how much came at once.
  if (part > room) return malformed(Defect::size);
  size_ += part;
  bytes.remove_prefix(part);
  if (newline == std::string_view::npos) return Token::more;

  line_taken_ = true;
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r') return malformed(Defect::line_end);
  const std::string_view line = std::string_view(line_).substr(0, line_.size() - 2);
  if (status_ == 0) return read_status_line(line);
  return line.empty() ? Token::end : read_header(line);
}

HttpHead::Token HttpHead::read_status_line(std::string_view line) {
  const auto digit = [&](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
  if (line.size() < 12 || !digit(7) || line[8] != ' ' || line[9] < '1' || line[9] > '5' || !digit(10) || !digit(11) ||
      (line.size() > 12 && line[12] != ' ') || !is_field_value(line)) {
    return malformed(Defect::status_line);
  }
  version_minor_ = line[7] - '0';
  status_ = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return Token::status;
}

HttpHead::Token HttpHead::read_header(std::string_view line) {
  if (++headers_ > limits_.count_max) return malformed(Defect::count);
  if (line[0] == ' ' || line[0] == '\t') return malformed(Defect::folded);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return malformed(Defect::name);
  name_ = line.substr(0, colon);
  value_ = trimmed(line.substr(colon + 1));
  return is_field_value(value_) ? Token::header : malformed(Defect::value);
}

HttpHead::Token HttpHead::malformed(Defect defect) {
  defect_ = defect;
  return Token::malformed;
}

const char* defect_text(HttpHead::Defect defect) {
  switch (defect) {
    case HttpHead::Defect::line_end:
      return "has a line that ends without CR";
    case HttpHead::Defect::status_line:
      return "has a status line that is not valid";
    case HttpHead::Defect::folded:
      return "has a header folded over two lines";
    case HttpHead::Defect::name:
      return "has a header whose name is not valid";
    case HttpHead::Defect::value:
      return "has a header with a control character such as CR or NUL";
    default:
      return "";
  }
}

}  // namespace cwire
