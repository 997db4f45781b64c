#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cwire {

// Lines in a file that its owner alone may read, and nobody else writes to. When the next one would make it larger than
// `size_max` it becomes `path`.1, what was that `path`.2, and so on; of `files_max` files altogether the oldest goes.
// Lines are never split over two files, and none is written in part: what of it a full disk took is taken back.
class RotatingFile {
 public:
  struct Limits {
    std::uint64_t size_max = 0;   // bytes of one file
    std::uint32_t files_max = 1;  // with the one that is written
  };
  RotatingFile(std::string path, Limits limits);
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // Goes on at the end of what is there, on a line of its own. Throws Error(CONFIG, INTERNAL): what stands in the way.
  void open();
  void close();
  // Whole lines, each with its line end, that together are no larger than a file. `first`: what each file begins with,
  // and what is added to one, one line. False: nothing of it is in the file, and error() says why.
  bool write(std::string_view lines, std::string_view first);
  int error() const { return error_; }  // errno
  static std::string why(int error);    // in words
  const std::string& path() const { return path_; }

 private:
  int open_descriptor();
  bool rotate();
  bool append(std::string_view lines);

  const std::string path_;
  const Limits limits_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  bool begins_ = false;   // nothing has been written since it was opened
  bool is_torn_ = false;  // it ends inside a line that could not be taken back
  int error_ = 0;
};

}  // namespace cwire
