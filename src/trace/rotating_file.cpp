#include "trace/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/failure.h"
#include "net/errno_text.h"

namespace cwire {

namespace {

// 0: lines can be appended, and nobody else has put it there.
int defect(int descriptor, std::uint64_t& size) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  if (status.st_uid != ::geteuid()) return EPERM;
  size = static_cast<std::uint64_t>(status.st_size);
  return 0;
}

}  // namespace

RotatingFile::RotatingFile(std::string path, Limits limits) : path_(std::move(path)), limits_(limits) {}

RotatingFile::~RotatingFile() { close(); }

void RotatingFile::open() {
  const int error = open_descriptor();
  if (error == 0) return;
  std::string why = errno_text(error);
  if (error == EINVAL) why = "is no regular file";
  if (error == EPERM) why = "belongs to another user";
  if (error == ELOOP) why = "is a symbolic link";
  const bool is_ours = error == EMFILE || error == ENFILE || error == ENOMEM;
  throw Error(is_ours ? CWIRE_E_INTERNAL : CWIRE_E_CONFIG,
              "trace.file '" + path_ + "' cannot be written: " + why + "; correct the path or its permissions",
              FailurePhase::none, os_error(error));
}

void RotatingFile::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

int RotatingFile::open_descriptor() {
  const int descriptor =
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return errno;
  if (const int error = defect(descriptor, size_)) {
    ::close(descriptor);
    return error;
  }
  descriptor_ = descriptor;
  is_torn_ = false;
  return 0;
}

bool RotatingFile::write(std::string_view lines, std::string_view first) {
  if (descriptor_ >= 0 && size_ != 0 && size_ + lines.size() > limits_.size_max && !rotate()) return false;
  if (descriptor_ < 0 && (error_ = open_descriptor()) != 0) return false;
  if (size_ == 0 && !append(first)) return false;
  return append(lines);
}

bool RotatingFile::rotate() {
  std::string older = path_;
  for (std::uint32_t number = limits_.files_max; number-- > 1;) {
    const std::string to = path_ + '.' + std::to_string(number);
    const std::string from = number == 1 ? path_ : path_ + '.' + std::to_string(number - 1);
    if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) {
      error_ = errno;
      return false;
    }
  }
  // Somebody may have taken it away meanwhile.
  if (limits_.files_max == 1 && ::unlink(path_.c_str()) != 0 && errno != ENOENT) {
    error_ = errno;
    return false;
  }
  close();
  return true;
}

bool RotatingFile::append(std::string_view lines) {
  const std::string with_end = is_torn_ ? "\n" + std::string(lines) : std::string();
  const std::string_view all = is_torn_ ? std::string_view(with_end) : lines;
  for (std::size_t at = 0; at < all.size();) {
    const ssize_t written = ::write(descriptor_, all.data() + at, all.size() - at);
    if (written > 0) {
      at += static_cast<std::size_t>(written);
    } else if (written == 0 || errno != EINTR) {
      error_ = written == 0 ? ENOSPC : errno;
      if (at != 0 && ::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) {
        is_torn_ = true;
        size_ += at;
      }
      return false;
    }
  }
  is_torn_ = false;
  size_ += all.size();
  return true;
}

}  // namespace cwire
