#include "command_line.h"

#include <filesystem>
#include <string_view>
#include <utility>

namespace fleet {

const char usage[] = R"(chargewire-fleet: runs a fleet of charging stations against a CSMS

usage: chargewire-fleet [options] FILE

FILE says in YAML what is to be run: fleet: { stations: 100, url: ws://localhost:9000 } is enough.

  --url URL          connect there                     (before fleet.url)
  --stations N       that many                         (before fleet.stations)
  --duration TIME    for so long, 90s or 1h30m; 0: until it is ended
  --ramp RATE        begin so many a second, 100/s; 0: all at once
  --shard I/N        run every N-th station, from I = 0 to N-1, so that N machines run the fleet
                     together, each its share, at the same ramp. job/N takes I from
                     JOB_COMPLETION_INDEX, as a Kubernetes Job with completionMode Indexed sets it
  --report FILE      write a page of how it went, with plots
  --json FILE        write the same as JSON
  --no-view          no pictures in the terminal, but a line every few seconds and one for each
                     new failure; so it is where there is no terminal
  --check            say what would run, and whether all is right: the file, what the library says
                     to it, certificates and passwords, and where reports go; connect nothing
  --version, --help

Ctrl-C (or q, SIGTERM, SIGHUP, or the end of the duration) ends in order: calls under way get their
answer and what is queued is sent, within fleet.drain, then the connections are closed and the
reports written. A second Ctrl-C ends at once, with reports; within a quarter of a second it is the
same as the first.

Exit status:
  0    every promise was kept: each station was connected at least once, the CSMS accepted its
       boot, every call was answered by a CALLRESULT unless its connection was lost, and every
       message that the library accepted was sent or reported as not sent. So it is also where a
       person ended it early, by Ctrl-C (SIGINT), q or SIGHUP
  1    one was not, or a report could not be written
  2    the command line or the file is not as it should be: nothing was run, or, where only the
       library found out later, the run ended there
  143  as 0, but SIGTERM came before the duration was over: whoever evicts a pod or cancels a
       pipeline sends it, and a part of the run is not to be taken for the whole
  130  ended by a second signal, or 128 and its number
)";

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine result;
  for (int i = 1; i < argc; ++i) {
    std::string option = argv[i];
    std::optional<std::string> attached;
    if (const std::size_t equals = option.find('='); option.compare(0, 2, "--") == 0 && equals != std::string::npos) {
      attached = option.substr(equals + 1);
      option.resize(equals);
    }
    const auto value = [&]() -> std::string {
      if (attached) return *std::exchange(attached, std::nullopt);
      if (++i == argc) throw SpecError(option + ": a value is missing; see --help");
      return argv[i];
    };
    const auto parsed = [&](auto parse, const char* expected) {
      const std::string text = value();
      const auto number = parse(text);
      if (!number) throw SpecError(option + " " + text + ": expected " + expected);
      return *number;
    };
    if (option == "--url") {
      result.url = value();
    } else if (option == "--stations") {
      result.stations = parsed(parse_count, "a whole number");
      if (*result.stations == 0 || *result.stations > stations_max) {
        throw SpecError("--stations: expected a number from 1 to " + std::to_string(stations_max));
      }
    } else if (option == "--duration") {
      result.duration = parsed(parse_duration, "a duration with its unit, such as 90s or 1h30m");
    } else if (option == "--ramp") {
      result.ramp = parsed(parse_ramp, "stations per second, such as 100/s, or 0 for all at once");
    } else if (option == "--shard") {
      result.shard = parse_shard(value());
    } else if (option == "--report") {
      result.report = value();
    } else if (option == "--json") {
      result.json = value();
    } else if (option == "--no-view") {
      result.view = false;
    } else if (option == "--check") {
      result.check = true;
    } else if (option == "--help" || option == "-h") {
      result.help = true;
    } else if (option == "--version") {
      result.version = true;
    } else if (option.size() > 1 && option[0] == '-') {
      throw SpecError("unknown option " + option + "; see --help");
    } else if (!result.file.empty()) {
      throw SpecError(option + ": there is a file already, " + result.file + "; give one");
    } else {
      result.file = option;
    }
    if (attached) throw SpecError(option + " takes no value");
  }
  if (result.file.empty() && !result.help && !result.version)
    throw SpecError("which fleet? Give its YAML file; see --help");
  // Relative paths in the file are relative to it, and those of the command line to where it was typed.
  for (std::string* path : {&result.report, &result.json}) {
    if (!path->empty()) *path = std::filesystem::absolute(*path).string();
  }
  return result;
}

void CommandLine::apply(FleetSpec& spec) const {
  if (url) {
    try {
      spec.url = TextTemplate(*url);
    } catch (const std::invalid_argument& error) {
      throw SpecError("--url " + *url + ": " + error.what());
    }
  }
  if (stations) spec.stations = *stations;
  if (duration) spec.duration = *duration > Duration(0) ? std::optional(*duration) : std::nullopt;
  if (ramp) spec.ramp = *ramp;
  if (shard) spec.shard = *shard;
}

}  // namespace fleet
