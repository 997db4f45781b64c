#include "screen.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

namespace fleet {
namespace {

// Alternate screen, no cursor, no wrapping at the right edge; and the contrary.
constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view leave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

constexpr int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT, SIGSYS, SIGTRAP, SIGXCPU};

// For the handler, which can be given nothing.
volatile std::sig_atomic_t taken = 0;
int terminal_to_restore = -1;
termios settings_to_restore;

// From here to restore_and_die there is only what a signal handler may call.

// What Ctrl-S stopped goes on once Ctrl-S means nothing: or all that is said at the end would wait for a Ctrl-Q.
void undo_ctrl_s() {
  termios settings = settings_to_restore;
  settings.c_iflag &= ~static_cast<tcflag_t>(IXON);
  tcsetattr(terminal_to_restore, TCSANOW, &settings);
}

// False after a second in which it took nothing: it is beyond help.
bool takes_more() {
  pollfd terminal{terminal_to_restore, POLLOUT, 0};
  return poll(&terminal, 1, 1000) > 0;
}

void restore() {
  if (taken == 0) return;
  taken = 0;
  undo_ctrl_s();
  if (takes_more()) static_cast<void>(!write(terminal_to_restore, leave.data(), leave.size()));
  tcsetattr(terminal_to_restore, TCSANOW, &settings_to_restore);
}

extern "C" void restore_and_die(int signal) {
  restore();
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void handle_deadly(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : deadly) sigaction(signal, &action, nullptr);
}

}  // namespace

bool Screen::possible() {
  const char* const terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && ttyname(STDOUT_FILENO) != nullptr && terminal != nullptr && *terminal != '\0' &&
         std::strcmp(terminal, "dumb") != 0;
}

Screen::Screen() {
  // An open file of our own: O_NONBLOCK must not reach the shell, which shares the one of standard output.
  terminal_ = open(ttyname(STDOUT_FILENO), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (terminal_ < 0 || tcgetattr(terminal_, &settings_to_restore) != 0) {
    const std::system_error error(errno, std::generic_category(), "the terminal");
    if (terminal_ >= 0) close(terminal_);
    throw error;
  }
  terminal_to_restore = terminal_;
  stack_t stack{};
  stack.ss_sp = stack_for_signals_.data();
  stack.ss_size = stack_for_signals_.size();
  sigaltstack(&stack, nullptr);
  handle_deadly(restore_and_die);
  take();
}

Screen::~Screen() {
  give_back();
  handle_deadly(SIG_DFL);
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
  close(terminal_);
}

void Screen::take() {
  termios settings = settings_to_restore;
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);  // Ctrl-C stays a signal
  settings.c_cc[VMIN] = 0;
  settings.c_cc[VTIME] = 0;
  tcsetattr(terminal_, TCSANOW, &settings);
  taken = 1;
  pending_ = enter;
  forget();
  flush();
}

void Screen::give_back() {
  undo_ctrl_s();
  flush();
  restore();
}

void Screen::suspend() {
  give_back();
  raise(SIGSTOP);
  take();
}

Screen::Size Screen::size() const {
  winsize size{};
  if (ioctl(terminal_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

void Screen::forget() { shown_.clear(); }

bool Screen::flush() {
  while (!pending_.empty()) {
    const ssize_t written = write(terminal_, pending_.data(), pending_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    pending_.erase(0, static_cast<std::size_t>(written));
  }
  return true;
}

void Screen::show(const std::vector<std::string>& lines) {
  if (!flush()) return;
  const bool whole = shown_.size() != lines.size();
  std::string picture = "\x1b[?2026h";  // terminals that know it show the picture when all of it is there
  if (whole) picture += "\x1b[0m\x1b[2J";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!whole && lines[i] == shown_[i]) continue;
    picture += "\x1b[" + std::to_string(i + 1) + ";1H\x1b[2K" + lines[i];
  }
  picture += "\x1b[?2026l";
  shown_ = lines;
  pending_ = std::move(picture);
  flush();
}

std::string Screen::typed() const {
  char text[64];
  const ssize_t count = read(terminal_, text, sizeof text);
  return count > 0 ? std::string(text, static_cast<std::size_t>(count)) : std::string();
}

}  // namespace fleet
