#pragma once

#include <termios.h>

#include <string>
#include <vector>

namespace fleet {

// The terminal, taken over for pictures: its alternate screen, without cursor and echo. Given back when this ends,
// however the program ends: also by a signal that nobody can go on from.
//
// ANSI sequences rather than ncurses: a picture is then text, which is tested without a terminal; giving the terminal
// back is one write and one tcsetattr, which a signal handler may do and endwin() may not; a slow terminal holds nobody
// up; and a container needs no terminfo.
class Screen {
 public:
  // Whether standard output is a terminal that shows pictures.
  static bool possible();
  // Throws std::system_error.
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  struct Size {
    std::size_t columns;
    std::size_t rows;
  };
  Size size() const;

  // Writes the lines that differ from those on the screen, at once, so that nothing flickers. Never blocks: while the
  // terminal takes no more, pictures are left out.
  void show(const std::vector<std::string>& lines);
  // The next picture is written whole.
  void forget();
  // Waits like any program when Ctrl-Z stops it, with the terminal given back.
  void suspend();

  int keyboard() const { return terminal_; }
  // What was typed; "" if nothing.
  std::string typed() const;

 private:
  void take();
  void give_back();
  bool flush();

  int terminal_ = -1;
  // What overflowed its stack can still give the terminal back.
  std::vector<char> stack_for_signals_ = std::vector<char>(64 * 1024);
  std::vector<std::string> shown_;
  std::string pending_;
};

}  // namespace fleet
