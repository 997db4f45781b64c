#pragma once

#include <optional>
#include <string>

#include "spec.h"

namespace fleet {

extern const char usage[];

struct CommandLine {
  std::string file;
  std::string report;  // files to write; empty: none
  std::string json;
  bool view = true;
  bool check = false;
  bool help = false;
  bool version = false;

  // What goes before the file.
  std::optional<std::string> url;
  std::optional<std::uint64_t> stations;
  std::optional<Duration> duration;
  std::optional<double> ramp;
  std::optional<Shard> shard;

  void apply(FleetSpec& spec) const;
};

// Throws SpecError.
CommandLine parse_command_line(int argc, char** argv);

}  // namespace fleet
