#include "csms_process.h"

#include <csms.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace failures {

namespace {

struct Ports {
  std::uint16_t ws = 0;
  std::uint16_t wss = 0;
};

[[noreturn]] void serve(const std::string& directory, int control) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    csms::Options options;
    options.deflate = true;
    csms::Csms plain(options);
    options.deflate = false;
    options.certificate_file = directory + "/server.pem";
    options.key_file = directory + "/server.key";
    options.client_ca_file = directory + "/ca.pem";
    csms::Csms secure(options);
    const Ports ports{plain.port(), secure.port()};
    if (::send(control, &ports, sizeof ports, 0) != sizeof ports) ::_exit(1);
    char order;
    while (::recv(control, &order, 1, 0) == 1) {
      for (csms::Csms* csms : {&plain, &secure}) csms->die();
      for (csms::Csms* csms : {&plain, &secure}) csms->come_back();
      if (::send(control, &order, 1, 0) != 1) break;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "the CSMS: %s\n", error.what());
  }
  ::_exit(0);
}

}  // namespace

CsmsProcess::CsmsProcess(const std::string& directory) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw std::runtime_error("socketpair");
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    ::close(ends[0]);
    serve(directory, ends[1]);
  }
  ::close(ends[1]);
  control_ = ends[0];
  Ports ports;
  if (::recv(control_, &ports, sizeof ports, MSG_WAITALL) != sizeof ports) throw std::runtime_error("no CSMS");
  ws_url_ = "ws://127.0.0.1:" + std::to_string(ports.ws);
  wss_url_ = "wss://localhost:" + std::to_string(ports.wss);
}

CsmsProcess::~CsmsProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(control_);
}

void CsmsProcess::drop_connections() const {
  char done = 0;
  // Of a child that was ended in between there may be an answer left.
  const char order = static_cast<char>(::getpid() % 251 + 1);
  if (::send(control_, &order, 1, MSG_NOSIGNAL) != 1) throw std::runtime_error("the CSMS is gone");
  while (done != order) {
    if (::recv(control_, &done, 1, 0) != 1) throw std::runtime_error("the CSMS is gone");
  }
}

}  // namespace failures
