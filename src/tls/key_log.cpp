#include "tls/key_log.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "base/failure.h"
#include "net/errno_text.h"

namespace cwire {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why, const char* advice) {
  throw Error(CWIRE_E_TLS, "TLS: csms.tls.key_log_file '" + path + "' " + why + "; " + advice);
}

// Null: nobody else can read or change what is written.
const char* defect(int descriptor) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return "is no regular file";
  if (status.st_uid != ::geteuid()) return "belongs to another user";
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return "is open to other users (it must have mode 0600)";
  return nullptr;
}

}  // namespace

KeyLog::KeyLog(const std::string& path)
    : descriptor_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW,
                         S_IRUSR | S_IWUSR)) {
  if (descriptor_ < 0) refuse(path, "cannot be written: " + errno_text(errno), "correct the path or its permissions");
  if (const char* why = defect(descriptor_)) {
    ::close(descriptor_);
    refuse(path, why, "name another file, which is made then, or remove this one");
  }
}

KeyLog::~KeyLog() { ::close(descriptor_); }

void KeyLog::attach_to(SSL_CTX* context) {
  if (SSL_CTX_set_app_data(context, this) != 1) throw std::bad_alloc();
  SSL_CTX_set_keylog_callback(context, write_line);
}

// In one call, so that the lines of several threads and processes do not mix. A full disk ends no connection.
void KeyLog::write_line(const SSL* ssl, const char* line) {
  const auto* log = static_cast<const KeyLog*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  char end = '\n';
  const iovec parts[] = {{const_cast<char*>(line), std::strlen(line)}, {&end, 1}};
  if (::writev(log->descriptor_, parts, 2) < 0) return;
}

}  // namespace cwire
