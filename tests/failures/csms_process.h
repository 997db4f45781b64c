#pragma once

#include <sys/types.h>

#include <string>

namespace failures {

// A CSMS in a process of its own, so that only our side fails. It listens with and without TLS; with TLS it wants a
// certificate of the station.
class CsmsProcess {
 public:
  // Where PEM files are: server.pem, server.key, ca.pem.
  explicit CsmsProcess(const std::string& directory);
  ~CsmsProcess();
  CsmsProcess(const CsmsProcess&) = delete;
  CsmsProcess& operator=(const CsmsProcess&) = delete;

  const std::string& ws_url() const { return ws_url_; }
  const std::string& wss_url() const { return wss_url_; }
  // Resets every connection and listens again at once; has done so when it returns. From a child process too.
  void drop_connections() const;

 private:
  pid_t pid_ = -1;
  int control_ = -1;  // a byte there: to be done; the same byte back: done
  std::string ws_url_;
  std::string wss_url_;
};

}  // namespace failures
