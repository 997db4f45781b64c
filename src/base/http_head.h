#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cwire {

// Reads the head of an HTTP/1 response, its bytes split anywhere, as strictly as RFC 7230 asks and within limits. It
// knows what a header looks like and not what one means. Nothing behind the empty line is touched.
class HttpHead {
 public:
  struct Limits {
    std::size_t size_max = 0;     // bytes, from the status line to the empty line
    std::uint32_t count_max = 0;  // headers
  };
  enum class Token {
    more,       // all bytes are taken, and the line goes on
    status,     // the status line: see status() and version_minor()
    header,     // see name() and value(), which stay until the next read()
    end,        // the empty line
    malformed,  // see defect(). Nothing more can be read
  };
  enum class Defect { none, size, count, protocol, line_end, status_line, folded, name, value };

  explicit HttpHead(Limits limits) : limits_(limits) {}

  // Takes what it reads off the front of `bytes`.
  Token read(std::string_view& bytes);

  bool has_begun() const { return size_ != 0; }
  std::int32_t status() const { return status_; }  // 100 to 599; 0: the status line has not come yet
  int version_minor() const { return version_minor_; }
  std::string_view name() const { return name_; }
  std::string_view value() const { return value_; }  // without the spaces around it
  Defect defect() const { return defect_; }

 private:
  Token read_status_line(std::string_view line);
  Token read_header(std::string_view line);
  Token malformed(Defect defect);

  const Limits limits_;
  std::string line_;
  bool line_taken_ = false;  // what it holds was handed out
  std::size_t size_ = 0;
  std::uint32_t headers_ = 0;
  std::int32_t status_ = 0;
  int version_minor_ = 0;
  Defect defect_ = Defect::none;
  std::string_view name_, value_;  // in line_
};

// What is wrong, to stand behind "the answer ": "has a header folded over two lines". Not for the defects that mean
// something else wherever they occur: none, size, count and protocol.
const char* defect_text(HttpHead::Defect defect);

}  // namespace cwire
