// The terminal of a program that dies: a child in a terminal of its own.
#include "screen.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "catch2/catch.hpp"

namespace {

[[gnu::noinline]] std::uint64_t overflow_stack(std::uint64_t depth) {
  volatile char frame[4096];
  frame[depth % sizeof frame] = 1;
  return depth == 0 ? 0 : overflow_stack(depth - 1) + static_cast<std::uint64_t>(frame[0]);
}

[[noreturn]] void die_with_a_screen(int terminal) {
  const rlimit stack{1 << 20, 1 << 20};
  setrlimit(RLIMIT_STACK, &stack);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  stack_t none{};  // that of the tests
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
  setsid();
  ioctl(terminal, TIOCSCTTY, 0);
  dup2(terminal, STDOUT_FILENO);
  setenv("TERM", "xterm", 1);
  fleet::Screen screen;
  screen.show({"a picture"});
  _exit(overflow_stack(UINT64_MAX) == 0 ? 1 : 2);
}

}  // namespace

TEST_CASE("a program whose stack overflows gives the terminal back") {
  int master = -1;
  int terminal = -1;
  REQUIRE(openpty(&master, &terminal, nullptr, nullptr, nullptr) == 0);
  termios before{};
  tcgetattr(terminal, &before);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) die_with_a_screen(terminal);

  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
  std::string text;
  for (pollfd reading{master, POLLIN, 0}; poll(&reading, 1, 0) > 0;) {
    char part[4096];
    const ssize_t size = read(master, part, sizeof part);
    if (size <= 0) break;
    text.append(part, static_cast<std::size_t>(size));
  }
  CHECK(text.find("a picture") != std::string::npos);
  CHECK(text.find("\x1b[?1049l") != std::string::npos);
  termios after{};
  tcgetattr(terminal, &after);
  CHECK(after.c_lflag == before.c_lflag);
  CHECK(after.c_iflag == before.c_iflag);
  close(master);
  close(terminal);
}
