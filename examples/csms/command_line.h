#pragma once

#include <string>

#include "csms.h"

// The command line of chargewire-csms.
namespace csms {

struct CommandLine {
  Options options;
  std::string port_file;  // gets the port once the server listens; empty: none
  bool commands_from_stdin = false;
  bool help = false;
};

// Throws std::runtime_error with one line that says which argument is wrong.
CommandLine parse_command_line(int argc, char** argv);

extern const char usage[];

}  // namespace csms
