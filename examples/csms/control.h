#pragma once

#include <string>

#include "csms.h"

// One line of control, "die" or "refuse 503", carried out. See `usage` in command_line.h.
namespace csms {

struct Outcome {
  std::string text;  // to be shown: "ok", the statistics, or what is wrong with the line
  bool quit = false;
};

Outcome carry_out(Csms& csms, const std::string& line);

// The counters as a JSON object on one line.
std::string to_json(const Counters& counters);

}  // namespace csms
