// chargewire-csms: the embedded CSMS as a program. Run it with --help.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

#include "command_line.h"
#include "control.h"
#include "csms.h"

namespace {

// To be called before there is another thread: signals then arrive at the descriptor only.
int signals_as_descriptor() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int descriptor = signalfd(-1, &signals, SFD_CLOEXEC);
  if (descriptor < 0) throw std::runtime_error(std::string("signalfd: ") + std::strerror(errno));
  return descriptor;
}

// Whoever waits for the file must never read half of it.
void write_port_file(const std::string& path, std::uint16_t port) {
  const std::string unfinished = path + ".new";
  std::ofstream file(unfinished, std::ios::trunc);
  file << port << "\n";
  file.close();
  if (!file || std::rename(unfinished.c_str(), path.c_str()) != 0) {
    throw std::runtime_error("--port-file " + path + ": cannot be written: " + std::strerror(errno));
  }
}

std::string command_of_signal(int descriptor) {
  signalfd_siginfo info{};
  if (read(descriptor, &info, sizeof info) != sizeof info) return "quit";
  if (info.ssi_signo == SIGUSR1) return "die";
  if (info.ssi_signo == SIGUSR2) return "back";
  return "quit";
}

// Carries out one command. False: it was the last.
bool obey(csms::Csms& csms, const std::string& line) {
  const csms::Outcome outcome = csms::carry_out(csms, line);
  std::printf("%s\n", outcome.text.c_str());
  std::fflush(stdout);
  return !outcome.quit;
}

void run(csms::Csms& csms, int signals, bool commands_from_stdin) {
  pollfd sources[] = {{signals, POLLIN, 0}, {commands_from_stdin ? STDIN_FILENO : -1, POLLIN, 0}};
  std::string input;
  for (;;) {
    if (poll(sources, 2, -1) < 0) {
      if (errno == EINTR) continue;
      throw std::runtime_error(std::string("poll: ") + std::strerror(errno));
    }
    if (sources[0].revents != 0 && !obey(csms, command_of_signal(signals))) return;
    if (sources[1].revents == 0) continue;
    char buffer[4096];
    const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
    if (size <= 0) return;
    input.append(buffer, static_cast<std::size_t>(size));
    for (std::size_t end; (end = input.find('\n')) != std::string::npos; input.erase(0, end + 1)) {
      const std::string line = input.substr(0, end);
      if (!line.empty() && !obey(csms, line)) return;
    }
  }
}

// A server that ends on purpose says so. Who does not answer in time is dropped.
void take_leave(csms::Csms& csms) {
  constexpr std::uint16_t going_away = 1001;  // RFC 6455, 7.4.1
  csms.refuse_tcp();                          // or those who are told would be back at once
  csms.close_all(going_away, "the CSMS ends");
  csms.wait_until([](const csms::Counters& counters) { return counters.stations == 0; }, std::chrono::seconds(1));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    csms::CommandLine command_line = csms::parse_command_line(argc, argv);
    if (command_line.help) {
      std::fputs(csms::usage, stdout);
      return 0;
    }
    const int signals = signals_as_descriptor();
    csms::raise_descriptor_limit();
    csms::Csms csms(std::move(command_line.options));
    if (!command_line.port_file.empty()) write_port_file(command_line.port_file, csms.port());
    std::printf("listening on %s\n", csms.url().c_str());
    std::fflush(stdout);
    run(csms, signals, command_line.commands_from_stdin);
    take_leave(csms);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "chargewire-csms: %s\n", error.what());
    return 1;
  }
}
