#pragma once

#include <string>

struct ssl_st;
struct ssl_ctx_st;

namespace cwire {

// The file that the secrets of TLS connections are written to, for Wireshark and its like (the format that NSS began,
// SSLKEYLOGFILE). Whoever reads it reads everything that was sent; so it is made for its owner alone, and only where
// the configuration names it.
class KeyLog {
 public:
  // Appends to the file, or makes it. Throws Error(TLS): it cannot be written, or others may read it.
  explicit KeyLog(const std::string& path);
  ~KeyLog();
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;

  // Must outlive the context and its connections.
  void attach_to(ssl_ctx_st* context);

 private:
  static void write_line(const ssl_st* ssl, const char* line);

  int descriptor_;
};

}  // namespace cwire
