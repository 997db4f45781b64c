// Reads a FleetSpec from YAML.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "spec.h"

namespace fleet {
namespace {

[[noreturn]] void fail(const std::string& file, const YAML::Mark& mark, const std::string& key,
                       const std::string& what) {
  throw SpecError(file + ":" + std::to_string(mark.line + 1) + ": " + (key.empty() ? "" : key + ": ") + what);
}

// As TextTemplate wants characters written that are to stand for themselves.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) result.append(c == '{' || c == '}' ? 2 : 1, c);
  return result;
}

// `${NAME}` is the environment variable NAME, and `$${` stands for `${`, as in the library's own options. In a template
// what comes from the environment is none: a password may have any character.
std::string with_environment(const std::string& file, const YAML::Mark& mark, const std::string& key,
                             std::string_view text, bool is_template) {
  std::string result;
  for (std::size_t at = 0;;) {
    const std::size_t begin = text.find("${", at);
    if (begin == std::string_view::npos) return result += text.substr(at);
    if (begin > at && text[begin - 1] == '$') {
      result += text.substr(at, begin - 1 - at);
      result += "${";
      at = begin + 2;
      continue;
    }
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos) fail(file, mark, key, "a ${ without its }");
    const std::string name(text.substr(begin + 2, end - begin - 2));
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) fail(file, mark, key, "the environment variable " + name + " is not set");
    result += text.substr(at, begin - at);
    result += is_template ? escaped(value) : value;
    at = end + 1;
  }
}

// One value, with what it is called.
class Value {
 public:
  Value(const std::string& file, std::string key, const YAML::Node& node, const YAML::Mark& mark)
      : file_(&file), key_(std::move(key)), node_(node), mark_(mark) {}

  [[noreturn]] void fail(const std::string& what) const { fleet::fail(*file_, mark_, key_, what); }
  [[noreturn]] void expected(const std::string& what) const {
    fail("expected " + what + ", got " +
         (node_.IsScalar() ? '"' + node_.Scalar() + '"'
          : node_.IsNull() ? "nothing"
          : node_.IsMap()  ? "a mapping"
                           : "a list"));
  }

  const YAML::Node& node() const { return node_; }
  const std::string& file() const { return *file_; }
  const std::string& key() const { return key_; }
  std::size_t line() const { return static_cast<std::size_t>(mark_.line) + 1; }

  std::string text(const char* what) const { return read(what, /*is_template=*/false); }
  TextTemplate text_template(const char* what) const {
    try {
      return TextTemplate(read(what, /*is_template=*/true));
    } catch (const std::invalid_argument& error) {
      fail(error.what());
    }
  }
  std::uint64_t count(std::uint64_t minimum, std::uint64_t maximum) const {
    const std::string what = "a whole number from " + std::to_string(minimum) + " to " + std::to_string(maximum);
    const std::optional<std::uint64_t> number = parse_count(text(what.c_str()));
    if (!number || *number < minimum || *number > maximum) expected(what);
    return *number;
  }
  Duration duration(const char* what = "a duration with its unit, such as 30s or 1m30s") const {
    const std::optional<Duration> duration = parse_duration(text(what));
    if (!duration) expected(what);
    return *duration;
  }
  Duration interval() const {
    constexpr const char* what = "a duration of at least 10ms, such as 30s or 1m30s";
    const Duration duration = this->duration(what);
    if (duration < Duration(10)) expected(what);
    return duration;
  }
  // "20%" or "0.2".
  double share() const {
    constexpr const char* what = "a percentage from 0% to 100%";
    std::string text = this->text(what);
    const bool percent = !text.empty() && text.back() == '%';
    if (percent) text.pop_back();
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end) / (percent ? 100 : 1);
    if (text.empty() || *end != '\0' || !(number >= 0 && number <= 1)) expected(what);
    return number;
  }
  // `false`: the part that bears the key is left out.
  bool is_false() const { return node_.IsScalar() && node_.Scalar() == "false"; }

 private:
  std::string read(const char* what, bool is_template) const {
    if (!node_.IsScalar()) expected(what);
    return with_environment(*file_, mark_, key_, node_.Scalar(), is_template);
  }

  const std::string* file_;
  std::string key_;
  YAML::Node node_;
  YAML::Mark mark_;
};

// A mapping. What nobody asked for by the end is unknown.
class Section {
 public:
  explicit Section(const Value& value, const char* what = "a mapping of keys to values") : value_(value) {
    // Nothing below the key: all defaults.
    if (value.node().IsNull()) return;
    if (!value.node().IsMap()) value.expected(what);
    for (const auto& entry : value.node()) {
      if (!entry.first.IsScalar()) fail(value.file(), entry.first.Mark(), value.key(), "a key is a word");
      const std::string name = entry.first.Scalar();
      const auto [at, is_new] =
          entries_.try_emplace(name, Value(value.file(), path(name), entry.second, entry.first.Mark()));
      if (!is_new) fail(value.file(), entry.first.Mark(), path(name), "is given twice");
    }
  }

  const Value* find(const std::string& name) {
    known_.push_back(name);
    const auto entry = entries_.find(name);
    return entry == entries_.end() ? nullptr : &entry->second;
  }

  void end() const {
    for (const auto& [name, value] : entries_) {
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      std::string names;
      for (const std::string& known : known_) names += (names.empty() ? "" : ", ") + known;
      value.fail("unknown key; known here: " + names);
    }
  }

 private:
  std::string path(const std::string& name) const { return value_.key().empty() ? name : value_.key() + "." + name; }

  Value value_;
  std::map<std::string, Value> entries_;
  std::vector<std::string> known_;
};

std::vector<std::string> read_versions(const Value& value) {
  constexpr const char* what = "1.6, 2.0.1 or 2.1, or several of them in order of preference";
  std::vector<std::string> versions;
  std::string list = value.text(what);
  list += ',';
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t comma = list.find(',', at);
    std::string version = list.substr(at, comma - at);
    version.erase(std::remove(version.begin(), version.end(), ' '), version.end());
    if (version != "1.6" && version != "2.0.1" && version != "2.1") value.expected(what);
    versions.push_back(version);
    at = comma + 1;
  }
  return versions;
}

// "1.6", "2.1, 1.6", [2.1, 1.6], or a mapping of such to shares: { "1.6": 60%, "2.0.1": 40% }.
std::vector<ProtocolShare> read_protocols(const Value& value) {
  std::vector<ProtocolShare> protocols;
  if (value.node().IsScalar()) return {{read_versions(value), 1}};
  if (value.node().IsSequence()) {
    ProtocolShare all;
    for (const YAML::Node& node : value.node()) {
      for (std::string& version : read_versions(Value(value.file(), value.key(), node, node.Mark())))
        all.offered.push_back(std::move(version));
    }
    if (all.offered.empty()) value.fail("expected at least one version");
    return {all};
  }
  if (!value.node().IsMap()) value.expected("an OCPP version, a list of them, or versions with their shares");
  double sum = 0;
  for (const auto& entry : value.node()) {
    ProtocolShare share;
    share.offered = read_versions(Value(value.file(), value.key(), entry.first, entry.first.Mark()));
    share.share =
        Value(value.file(), value.key() + "." + entry.first.Scalar(), entry.second, entry.second.Mark()).share();
    sum += share.share;
    protocols.push_back(std::move(share));
  }
  if (sum < 0.999 || sum > 1.001)
    value.fail("the shares are " + std::to_string(static_cast<int>(sum * 100 + 0.5)) +
               "% together, and should be 100%");
  return protocols;
}

// The options of the library below `csms`, each with its whole key.
void read_station_options(const Value& value, const std::string& key, std::vector<StationOption>& options) {
  if (value.node().IsMap()) {
    for (const auto& entry : value.node()) {
      const std::string name = entry.first.Scalar();
      read_station_options(Value(value.file(), value.key() + "." + name, entry.second, entry.first.Mark()),
                           key + "." + name, options);
    }
    return;
  }
  options.push_back(
      {key, value.text_template("a text, in which {id} and {} stand for the station's id and number"), value.line()});
}

void read_fleet(const Value& value, FleetSpec& spec) {
  Section section(value);
  if (const Value* stations = section.find("stations")) spec.stations = stations->count(1, stations_max);
  if (const Value* id = section.find("id")) {
    spec.id = id->text_template("a text with the station's number in it, \"CP{:05d}\"");
    if (spec.id.has_id()) id->fail("{id} is what this makes; {} is the station's number");
  }
  if (const Value* first = section.find("first")) spec.first = first->count(0, 1000000000000);
  if (const Value* url = section.find("url")) spec.url = url->text_template("a ws:// or wss:// URL");
  if (const Value* ramp = section.find("ramp")) {
    constexpr const char* what = "stations per second, such as 100/s, or 0 for all at once";
    const std::optional<double> rate = parse_ramp(ramp->text(what));
    if (!rate) ramp->expected(what);
    spec.ramp = *rate;
  }
  if (const Value* protocol = section.find("protocol")) spec.protocols = read_protocols(*protocol);
  if (const Value* duration = section.find("duration")) {
    const Duration time = duration->duration();
    if (time > Duration(0)) spec.duration = time;
  }
  if (const Value* drain = section.find("drain")) {
    spec.drain = drain->duration();
    if (spec.drain > std::chrono::hours(1)) drain->expected("a duration of at most 1h");
  }
  if (const Value* seed = section.find("seed")) spec.seed = seed->count(0, UINT64_MAX);
  if (const Value* csms = section.find("csms")) read_station_options(*csms, "csms", spec.station_options);
  section.end();
}

void read_boot(const Value& value, std::optional<ScenarioSpec::Boot>& boot) {
  if (value.is_false()) {
    boot.reset();
    return;
  }
  Section section(value, "{ vendor: Acme, model: One } or false");
  if (const Value* vendor = section.find("vendor")) boot->vendor = vendor->text("a text");
  if (const Value* model = section.find("model")) boot->model = model->text("a text");
  if (const Value* serial = section.find("serial_number")) boot->serial_number = serial->text_template("a text");
  if (const Value* firmware = section.find("firmware_version")) boot->firmware_version = firmware->text("a text");
  section.end();
}

void read_scenario(const Value& value, ScenarioSpec& spec) {
  Section section(value);
  if (const Value* connectors = section.find("connectors"))
    spec.connectors = static_cast<std::uint32_t>(connectors->count(1, 32));
  if (const Value* jitter = section.find("jitter")) spec.jitter = jitter->share();
  if (const Value* timeout = section.find("call_timeout")) spec.call_timeout = timeout->interval();
  if (const Value* boot = section.find("boot")) read_boot(*boot, spec.boot);
  if (const Value* heartbeat = section.find("heartbeat")) {
    if (heartbeat->is_false()) {
      spec.heartbeat.reset();
    } else {
      Section keys(*heartbeat, "{ interval: 30s }, { interval: csms } or false");
      if (const Value* interval = keys.find("interval")) {
        if (!(interval->node().IsScalar() && interval->node().Scalar() == "csms"))
          spec.heartbeat->interval = interval->interval();
      }
      keys.end();
    }
  }
  if (const Value* status = section.find("status")) {
    if (status->is_false()) {
      spec.status.reset();
    } else {
      Section keys(*status, "{}, { interval: 5m } or false");
      if (const Value* interval = keys.find("interval")) spec.status->interval = interval->interval();
      keys.end();
    }
  }
  if (const Value* meter_values = section.find("meter_values"); meter_values != nullptr && !meter_values->is_false()) {
    Section keys(*meter_values, "{ interval: 60s } or false");
    ScenarioSpec::MeterValues meter;
    const Value* interval = keys.find("interval");
    if (interval == nullptr) meter_values->fail("needs an interval: { interval: 60s }");
    meter.interval = interval->interval();
    if (const Value* power = keys.find("power")) meter.power = static_cast<double>(power->count(0, 10000000));
    keys.end();
    spec.meter_values = meter;
  }
  if (const Value* transactions = section.find("transactions"); transactions != nullptr && !transactions->is_false()) {
    Section keys(*transactions, "{ pause: 10m, duration: 30m } or false");
    ScenarioSpec::Transactions all;
    const Value* pause = keys.find("pause");
    const Value* duration = keys.find("duration");
    if (pause == nullptr || duration == nullptr)
      transactions->fail("needs a pause and a duration: { pause: 10m, duration: 30m }");
    all.pause = pause->interval();
    all.duration = duration->interval();
    const Value* id_token = keys.find("id_token");
    all.id_token = id_token != nullptr ? id_token->text_template("a text") : TextTemplate("TAG{:08d}");
    keys.end();
    spec.transactions = all;
  }
  section.end();
}

// The text with `fleet:` and `scenario:` left blank, so that what the library says of a line is true of the file.
std::string without_ours(const std::string& file, const std::string& yaml, const YAML::Node& root) {
  std::vector<std::string> lines;
  std::istringstream stream(yaml);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);

  std::vector<std::pair<std::size_t, std::string>> keys;  // line, key
  for (const auto& entry : root) {
    const YAML::Mark mark = entry.first.Mark();
    if (mark.column != 0)
      fail(file, mark, entry.first.Scalar(), "write the keys fleet, scenario and csms at the beginning of a line each");
    keys.emplace_back(static_cast<std::size_t>(mark.line), entry.first.Scalar());
  }
  std::sort(keys.begin(), keys.end());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].second != "fleet" && keys[i].second != "scenario") continue;
    const std::size_t end = i + 1 < keys.size() ? keys[i + 1].first : lines.size();
    for (std::size_t line = keys[i].first; line < end; ++line) lines[line].clear();
  }
  std::string result;
  for (const std::string& line : lines) result += line + '\n';
  return result;
}

}  // namespace

FleetSpec parse_spec(const std::string& yaml, const std::string& file_name) {
  YAML::Node root;
  try {
    root = YAML::Load(yaml);
  } catch (const YAML::Exception& error) {
    fail(file_name, error.mark, "", "this is not valid YAML: " + error.msg);
  }
  FleetSpec spec;
  spec.file = file_name;
  if (root.IsNull())
    throw SpecError(file_name + ": the file is empty; fleet: { stations: 100, url: ws://localhost:9000 } is enough");
  if (!root.IsMap()) fail(file_name, root.Mark(), "", "expected the keys fleet, scenario and csms");
  bool has_fleet = false;
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    const Value value(spec.file, key, entry.second, entry.first.Mark());
    if (!seen.insert(key).second) value.fail("is given twice");
    if (key == "fleet") {
      read_fleet(value, spec);
      has_fleet = true;
    } else if (key == "scenario") {
      read_scenario(value, spec.scenario);
    } else if (key == "fleets" || key == "scenarios" || key == "Fleet" || key == "Scenario") {
      value.fail(std::string("unknown key; did you mean ") + (key[0] == 'f' || key[0] == 'F' ? "fleet?" : "scenario?"));
    } else if (key == "stations") {
      value.fail("the stations are made from `fleet:`; write fleet: { stations: N, id: \"CP{:05d}\" }");
    }
  }
  if (!has_fleet) throw SpecError(file_name + ": there is no `fleet:`; fleet: { stations: 100 } is enough");
  spec.library_yaml = without_ours(spec.file, yaml, root);
  return spec;
}

FleetSpec load_spec(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw SpecError(path + ": the file cannot be read: " + std::strerror(errno));
  if (std::filesystem::is_directory(path)) throw SpecError(path + ": this is a directory; give the file in it");
  const std::string yaml{std::istreambuf_iterator<char>(file), {}};
  const std::filesystem::path where = std::filesystem::absolute(path);
  FleetSpec spec = parse_spec(yaml, where.filename().string());
  spec.directory = where.parent_path().string();
  return spec;
}

}  // namespace fleet
