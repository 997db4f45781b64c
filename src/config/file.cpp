#include "config/file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/failure.h"

namespace cwire {
namespace {

constexpr std::size_t kSecretFileMax = 16384;  // bytes

class File {
 public:
  File(const std::string& path, const std::string& what)
      : path_(path), what_(what), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail_with_errno("open");
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // 0 at the end of the file.
  std::size_t read(char* buffer, std::size_t size) {
    for (;;) {
      const ssize_t count = ::read(descriptor_, buffer, size);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) fail_with_errno("read");
    }
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw Error(CWIRE_E_CONFIG, what_ + ": \"" + path_ + "\" " + why);
  }

 private:
  [[noreturn]] void fail_with_errno(const char* verb) const {
    const int number = errno;
    throw Error(CWIRE_E_CONFIG,
                what_ + ": cannot " + verb + " \"" + path_ + "\": " + std::generic_category().message(number) +
                    "; check the path and its permissions",
                FailurePhase::none, os_error(number));
  }

  const std::string& path_;
  const std::string& what_;
  int descriptor_;
};

}  // namespace

std::string read_file(const std::string& path, std::size_t size_max, const std::string& what) {
  File file(path, what);
  std::string bytes;
  std::array<char, 16384> buffer;
  while (const std::size_t count = file.read(buffer.data(), buffer.size())) {
    bytes.append(buffer.data(), count);
    if (bytes.size() > size_max)
      file.fail("is larger than " + std::to_string(size_max) + " bytes; is it the right file?");
  }
  return bytes;
}

Secret read_secret_file(const std::string& path, const std::string& what) {
  struct Buffer {
    std::array<char, kSecretFileMax + 1> bytes;
    ~Buffer() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  } buffer;
  File file(path, what);
  std::size_t size = 0;
  while (const std::size_t count = file.read(buffer.bytes.data() + size, buffer.bytes.size() - size)) {
    size += count;
    if (size > kSecretFileMax) {
      file.fail("is larger than " + std::to_string(kSecretFileMax) + " bytes; is it the right file?");
    }
  }
  std::string_view secret(buffer.bytes.data(), size);
  if (!secret.empty() && secret.back() == '\n') secret.remove_suffix(1);
  if (!secret.empty() && secret.back() == '\r') secret.remove_suffix(1);
  if (secret.empty()) file.fail("is empty; it must hold the secret and nothing else");
  return Secret(secret);
}

}  // namespace cwire
