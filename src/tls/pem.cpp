#include "tls/pem.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "base/failure.h"
#include "net/errno_text.h"
#include "tls/failure_text.h"

namespace cwire {

namespace {

constexpr std::size_t kFileMax = 4 << 20;  // bytes; the CAs of a whole system are a quarter of a megabyte

// Never grows, since a buffer that does leaves copies of a key behind.
class Buffer {
 public:
  ~Buffer() { OPENSSL_cleanse(bytes_.get(), size_); }
  // Bytes read, 0 at the end, negative with errno.
  ssize_t fill(int descriptor) {
    ssize_t count;
    do {
      count = ::read(descriptor, bytes_.get() + size_, kFileMax + 1 - size_);
    } while (count < 0 && errno == EINTR);
    if (count > 0) size_ += static_cast<std::size_t>(count);
    return count;
  }
  bool is_full() const { return size_ > kFileMax; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  const std::unique_ptr<char[]> bytes_{new char[kFileMax + 1]};
  std::size_t size_ = 0;
};

[[noreturn]] void throw_unreadable(const std::string& origin, int error) {
  throw Error(CWIRE_E_TLS,
              "TLS: cannot read " + origin + ": " + errno_text(error) + "; correct the path or the file's permissions",
              FailurePhase::none, os_error(error));
}

}  // namespace

Pem read_pem(const std::string& option, const std::string& path, std::string_view text) {
  if (path.empty()) return {option + "_pem", Secret(text)};
  const std::string origin = option + " '" + path + "'";
  Buffer buffer;  // first: its memory may not be there, and nothing would close the file then
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw_unreadable(origin, errno);
  ssize_t count;
  do {
    count = buffer.fill(descriptor);
  } while (count > 0 && !buffer.is_full());
  const int error = errno;
  ::close(descriptor);
  if (count < 0) throw_unreadable(origin, error);
  if (buffer.is_full()) {
    throw Error(CWIRE_E_TLS, "TLS: cannot use " + origin + ": it is larger than 4 MiB; is it the right file?");
  }
  return {origin, Secret(buffer.view())};
}

BioPtr reader_of(const Pem& pem) {
  const std::string_view text = pem.text.reveal();
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (bio == nullptr) throw std::bad_alloc();
  return bio;
}

std::vector<CertificatePtr> certificates_of(const Pem& pem, const char* advice) {
  const BioPtr reader = reader_of(pem);
  std::vector<CertificatePtr> certificates;
  while (CertificatePtr certificate{PEM_read_bio_X509_AUX(reader.get(), nullptr, know_no_password, nullptr)}) {
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty() || !at_end_of_pem()) throw_unusable(pem.origin, advice);
  return certificates;
}

void throw_unusable(const std::string& origin, const std::string& advice) {
  const std::string reason = newest_openssl_reason();
  throw Error(CWIRE_E_TLS,
              "TLS: cannot use " + origin + (reason.empty() ? std::string() : ": " + reason) + "; " + advice);
}

bool at_end_of_pem() {
  const unsigned long code = ERR_peek_last_error();
  if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE) return false;
  ERR_clear_error();
  return true;
}

int know_no_password(char*, int, int, void*) { return -1; }

}  // namespace cwire
