#include <langinfo.h>
#include <sys/resource.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>

#include "command_line.h"
#include "engine.h"
#include "news.h"
#include "report_html.h"
#include "report_json.h"
#include "screen.h"
#include "text.h"
#include "verdict.h"
#include "view.h"

namespace fleet {
namespace {

constexpr int exit_promise_broken = 1;
constexpr int exit_wrong_input = 2;
constexpr int exit_cut_short = 128 + SIGTERM;

// NO_COLOR: https://no-color.org.
bool colour_wanted() {
  const char* const no_colour = std::getenv("NO_COLOR");
  return no_colour == nullptr || *no_colour == '\0';
}

class Pictures : public Observer {
 public:
  void show(const Recorder& recorder, bool draining) override {
    const Screen::Size size = screen_.size();
    look_.columns = size.columns;
    look_.rows = size.rows;
    screen_.show(picture_of(recorder, draining, look_));
  }
  void resized() override { screen_.forget(); }
  void suspend() override { screen_.suspend(); }
  int keyboard() const override { return screen_.keyboard(); }
  bool end_typed() override { return screen_.typed().find_first_of("qQ") != std::string::npos; }

 private:
  static Look look_of_terminal() {
    Look look;
    look.colour = colour_wanted();
    look.unicode = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return look;
  }

  Screen screen_;
  Look look_ = look_of_terminal();
};

class Lines : public Observer {
 public:
  void show(const Recorder& recorder, bool draining) override {
    constexpr double seconds_between = 5;
    for (const std::string& line : news_.of(recorder)) std::cout << line << std::endl;
    const double now = recorder.seconds_since_start();
    if (now < next_ && draining == draining_) return;
    next_ = now + seconds_between;
    draining_ = draining;
    std::cout << line_of(recorder, draining) << std::endl;
  }

 private:
  News news_;
  double next_ = 0;
  bool draining_ = false;
};

// A descriptor per station, and some for the library and its lookups.
void raise_descriptor_limit(std::uint64_t stations) {
  constexpr std::uint64_t others = 200;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= stations + others) return;
  if (limit.rlim_max < stations + others) {
    throw SpecError(grouped(stations) + " stations need " + grouped(stations + others) +
                    " descriptors, and this process may have " + grouped(limit.rlim_max) +
                    "; raise the hard limit (ulimit -Hn, LimitNOFILE=), or run the fleet in shards");
  }
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void print_check(const Setup& setup, const FleetSpec& spec) {
  std::cout << setup.file << " is right. It would run\n  " << counted(setup.stations, "station", "stations") << ", "
            << setup.first_id;
  if (setup.stations > 1) std::cout << " to " << setup.last_id;
  std::cout << ", at " << setup.url << '\n';
  if (setup.shards > 1) {
    std::cout << "  which is shard " << setup.shard_index << " of " << setup.shards << ", of "
              << grouped(setup.stations_of_all) << " stations\n";
  }
  for (const ProtocolCount& protocol : setup.protocols)
    std::cout << "  OCPP " << protocol.offered << ": " << counted(protocol.stations, "station", "stations") << '\n';
  if (spec.ramp > 0) {
    std::cout << "  ramp: " << rate_text(spec.ramp) << " a second of all shards, so that all have begun after "
              << text(spec.start_of(spec.stations - 1)) << '\n';
  } else {
    std::cout << "  ramp: none, all begin at once\n";
  }
  std::cout << "  duration: " << (spec.duration ? text(*spec.duration) : "until it is ended") << ", then up to "
            << text(spec.drain) << " to end in order\n";
  for (const auto& [name, value] : setup.scenario) std::cout << "  " << name << ": " << value << '\n';
  std::cout << "  breaker: " << setup.breaker
            << (setup.breaker == "off" ? "" : "; governor: { breaker: false } turns it off") << '\n';
  for (const auto& [key, value] : setup.library) std::cout << "  " << key << ": " << value << '\n';
}

// Before the run: or it would be known after a day of it.
void check_writable(const std::string& path, bool leave_it) {
  if (path.empty()) return;
  const bool is_new = !std::filesystem::exists(path);
  std::FILE* const file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) throw SpecError(path + " cannot be written: " + std::strerror(errno));
  std::fclose(file);
  if (is_new && !leave_it) std::filesystem::remove(path);
}

// What is to be said of it, a line; none if there is nothing to write.
struct Written {
  bool well = true;
  std::string line;
};

Written write_file(const std::string& path, void (*write)(const RunRecord&, std::ostream&), const RunRecord& record) {
  if (path.empty()) return {};
  std::ostringstream text;
  write(record, text);
  const std::string whole = text.str();
  int error = 0;
  if (std::FILE* const file = std::fopen(path.c_str(), "we"); file == nullptr) {
    error = errno;
  } else {
    if (std::fwrite(whole.data(), 1, whole.size(), file) != whole.size()) error = errno;
    if (std::fclose(file) != 0 && error == 0) error = errno;
  }
  if (error == 0) return {true, "  " + path + '\n'};
  return {false, "chargewire-fleet: " + path + " could not be written: " + std::strerror(error) + '\n'};
}

int run(int argc, char** argv) {
  const CommandLine command_line = parse_command_line(argc, argv);
  if (command_line.help) {
    std::cout << usage;
    return EXIT_SUCCESS;
  }
  if (command_line.version) {
    std::cout << "chargewire-fleet " << chargewire::version() << '\n';
    return EXIT_SUCCESS;
  }
  FleetSpec spec = load_spec(command_line.file);
  command_line.apply(spec);
  check(spec);
  std::filesystem::current_path(spec.directory);
  raise_descriptor_limit(spec.indices().size());

  std::optional<Signals> signals(std::in_place);  // before the threads of the library
  Engine engine(spec);
  for (const std::string& path : {command_line.report, command_line.json}) check_writable(path, !command_line.check);
  if (command_line.check) {
    print_check(engine.setup(), spec);
    return EXIT_SUCCESS;
  }
  Engine::End end{};
  if (command_line.view && Screen::possible()) {
    Pictures pictures;
    end = engine.run(*signals, pictures);
  } else {
    if (!engine.setup().metrics_url.empty()) std::cout << "metrics: " << engine.setup().metrics_url << std::endl;
    Lines lines;
    end = engine.run(*signals, lines);
  }

  const RunRecord& record = engine.recorder().record();
  if (end == Engine::End::failed && engine.recorder().stations_begun() == 0) throw SpecError(record.end);
  // The files first, and signals as in any program from then on: a terminal may take nothing for as long as it likes.
  const Written files[] = {write_file(command_line.report, write_html, record),
                           write_file(command_line.json, write_json, record)};
  signals.reset();
  std::cout << judge(record).text << '\n' << summary_of(record, Screen::possible() && colour_wanted());
  bool written = true;
  for (const Written& file : files) {
    (file.well ? std::cout : std::cerr) << file.line;
    written = written && file.well;
  }
  std::cout << std::flush;
  if (end == Engine::End::failed) {
    std::cerr << "chargewire-fleet: " << record.end << '\n';
    return exit_wrong_input;
  }
  if (end == Engine::End::cut_off) {
    // At once: nothing is freed, and all that was to be said has been written.
    std::_Exit(128 + (engine.signal() != 0 ? engine.signal() : SIGINT));
  }
  if (!written || !engine.recorder().all_promises_kept()) return exit_promise_broken;
  // Whoever evicts a pod sends SIGTERM, and must not take a part of the run for the whole.
  return engine.signal() == SIGTERM && spec.duration ? exit_cut_short : EXIT_SUCCESS;
}

}  // namespace
}  // namespace fleet

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "");  // whether the terminal speaks UTF-8
  try {
    return fleet::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "chargewire-fleet: " << error.what() << '\n';
    return fleet::exit_wrong_input;
  }
}
