#include "trace/rotating_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/failure.h"
#include "net/errno_text.h"

namespace cwire {

namespace {

// 0: lines can be appended, and nobody else has put it there, can read them or writes to it.
int defect(int descriptor) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  if (status.st_uid != ::geteuid()) return EPERM;
  if (status.st_nlink > 1) return EMLINK;
  // A file system that knows no locks keeps nobody away.
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return EWOULDBLOCK;
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::fchmod(descriptor, S_IRUSR | S_IWUSR) != 0) return EACCES;
  return 0;
}

}  // namespace

RotatingFile::RotatingFile(std::string path, Limits limits) : path_(std::move(path)), limits_(limits) {}

RotatingFile::~RotatingFile() { close(); }

void RotatingFile::open() {
  const int error = open_descriptor();
  if (error == 0) return;
  const bool is_ours = error == EMFILE || error == ENFILE || error == ENOMEM;
  throw Error(is_ours ? CWIRE_E_INTERNAL : CWIRE_E_CONFIG,
              "trace.file '" + path_ + "' cannot be written: " + why(error) + "; correct the path or its permissions",
              FailurePhase::none, os_error(error));
}

std::string RotatingFile::why(int error) {
  switch (error) {
    case EINVAL:
      return "it is no regular file";
    case EPERM:
      return "it belongs to another user";
    case ELOOP:
      return "it is a symbolic link";
    case EMLINK:
      return "it has a second name (a hard link)";
    case EWOULDBLOCK:
      return "another manager writes to it, and each needs a file of its own";
    default:
      return errno_text(error);
  }
}

void RotatingFile::close() {
  if (descriptor_ < 0) return;
  ::flock(descriptor_, LOCK_UN);  // a child of fork() may have the descriptor still
  ::close(std::exchange(descriptor_, -1));
}

int RotatingFile::open_descriptor() {
  const int descriptor =
      ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return errno;
  int error = defect(descriptor);
  const off_t end = ::lseek(descriptor, 0, SEEK_END);
  char last = '\n';
  if (error == 0 && (end < 0 || (end > 0 && ::pread(descriptor, &last, 1, end - 1) < 0))) error = errno;
  if (error != 0) {
    ::close(descriptor);
    return error;
  }
  descriptor_ = descriptor;
  size_ = static_cast<std::uint64_t>(end);
  begins_ = true;
  is_torn_ = last != '\n';
  return 0;
}

bool RotatingFile::write(std::string_view lines, std::string_view first) {
  const std::uint64_t more = lines.size() + (begins_ ? first.size() : 0) + (is_torn_ ? 1 : 0);
  if (descriptor_ >= 0 && size_ != 0 && size_ + more > limits_.size_max && !rotate()) return false;
  if (descriptor_ < 0 && (error_ = open_descriptor()) != 0) return false;
  if (begins_ && !append(first)) return false;
  begins_ = false;
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
