#pragma once

#include <string>
#include <vector>

#include "recorder.h"

// How a run is told to people: the picture of a terminal, a line, a summary at the end. Pure text of what the recorder
// knows.
namespace fleet {

struct Look {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool colour = true;
  bool unicode = true;  // else plain ASCII
};

// One line of the screen each, with SGR sequences for colour, no wider and no more than the screen has room for.
std::vector<std::string> picture_of(const Recorder& recorder, bool draining, const Look& look);

// One line without colour, for where there is no terminal.
std::string line_of(const Recorder& recorder, bool draining);

// When all is over.
std::string summary_of(const RunRecord& record, bool colour);

}  // namespace fleet
