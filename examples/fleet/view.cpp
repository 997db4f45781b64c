#include "view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "failure_text.h"
#include "text.h"

namespace fleet {
namespace {

using chargewire::State;

// SGR: of the sixteen colours that every terminal has and every user may have chosen.
namespace style {
constexpr const char* plain = "";
constexpr const char* bold = "1";
constexpr const char* dim = "2";
constexpr const char* title = "1;7";
constexpr const char* green = "32";
constexpr const char* yellow = "33";
constexpr const char* red = "31";
constexpr const char* cyan = "36";
constexpr const char* blue = "34";
constexpr const char* magenta = "35";
}  // namespace style

// The code point that begins at `at`, which is moved behind it. What is no UTF-8, and what would move the cursor, is a
// question mark.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first < 0x20 || first == 0x7f ? '?' : first;
  const std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
  if (more == 0 || at + more > text.size()) return '?';
  std::uint32_t code = first & (0x3fu >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return '?';
    code = code << 6 | (byte(at + i) & 0x3f);
  }
  at += more;
  return code < 0xa0 ? '?' : code;
}

// East Asian characters and pictures take two columns.
std::size_t columns_of(std::uint32_t code) {
  return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
                 (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
                 (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
                 (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd)
             ? 2
             : 1;
}

// One line of the screen, which is never wider than that.
class Line {
 public:
  explicit Line(const Look& look) : look_(look) {}

  Line& add(const char* style, std::string_view text) {
    const bool coloured = look_.colour && *style != '\0';
    if (coloured) text_.append("\x1b[").append(style).append("m");
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      const std::uint32_t code = next_code_point(text, at);
      const std::size_t columns = columns_of(code);
      if (columns_ + columns > look_.columns) break;
      columns_ += columns;
      if (code == '?' || (code >= 0x80 && !look_.unicode)) {
        text_.append(columns, '?');
      } else {
        text_.append(text.substr(begin, at - begin));
      }
    }
    if (coloured) text_.append("\x1b[0m");
    return *this;
  }
  Line& add(std::string_view text) { return add(style::plain, text); }
  // Right-aligned in so many columns.
  Line& right(const char* style, std::string_view text, std::size_t width) {
    if (text.size() < width) add(std::string(width - text.size(), ' '));
    return add(style, text);
  }
  Line& to(std::size_t column) {
    if (columns_ < column) add(std::string(column - columns_, ' '));
    return *this;
  }
  std::size_t columns() const { return columns_; }
  std::size_t left() const { return look_.columns - columns_; }
  const std::string& text() const { return text_; }

 private:
  const Look& look_;
  std::string text_;
  std::size_t columns_ = 0;
};

struct StateLook {
  State state;
  const char* name;
  const char* style;
  bool held_back = false;  // those of it and the next that wait
};
// In the order in which the bar shows them.
constexpr StateLook state_looks[] = {
    {State::connected, "connected", style::green},
    {State::connecting, "connecting", style::cyan},
    {State::connecting, "held back", style::magenta, true},
    {State::reconnecting, "reconnecting", style::yellow},
    {State::error, "gave up", style::red},
    {State::disconnected, "disconnected", style::blue},
    {State::closed, "closed", style::dim},
};

const StateLook& look_of(State state) {
  return *std::find_if(std::begin(state_looks), std::end(state_looks) - 1,
                       [&](const StateLook& look) { return look.state == state; });
}

std::uint64_t count_of(const Sample& sample, const StateLook& look) {
  return look.held_back ? sample.held_back : sample.stations[static_cast<std::size_t>(look.state)];
}

// For how long those that are held back still are, if that is known.
std::string breaker_text(double seconds) {
  return seconds > 0 ? ", " + grouped(static_cast<std::uint64_t>(std::ceil(seconds))) + " s left" : "";
}

// Eight heights of a cell.
constexpr const char* levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr const char* ascii_levels[] = {"_", ".", "-", ":", "=", "+", "*", "#"};
// As many seconds as the recorder remembers.
constexpr std::size_t plotted_max = 300;

class Picture {
 public:
  Picture(const Recorder& recorder, bool draining, const Look& look)
      : recorder_(recorder), record_(recorder.record()), draining_(draining), look_(look) {
    if (!recorder.recent().empty()) now_ = recorder.recent().back();
  }

  std::vector<std::string> draw() {
    // What there is room for: a blank line between the parts, then the kinds of failures.
    const bool roomy = look_.rows >= 28;
    const auto gap = [&] {
      if (roomy) lines_.emplace_back();
    };
    title();
    bar();
    legend();
    gap();
    rates();
    gap();
    latencies();
    gap();
    figures();
    gap();
    worst();
    if (roomy && lines_.size() + 4 <= look_.rows) failures();
    if (roomy && lines_.size() + 4 <= look_.rows) incidents();
    lines_.resize(look_.rows > 0 ? look_.rows - 1 : 0);
    footer();
    return std::move(lines_);
  }

 private:
  void put(const Line& line) { lines_.push_back(line.text()); }

  void title() {
    const Setup& setup = record_.setup;
    std::string time = clock_text(recorder_.seconds_since_start());
    if (setup.duration > 0) time += " of " + clock_text(setup.duration);
    time += ' ';
    std::string left = " chargewire-fleet  " + setup.file + (look_.unicode ? " → " : " -> ") + setup.url;
    if (setup.shards > 1) left += "  shard " + std::to_string(setup.shard_index) + "/" + std::to_string(setup.shards);
    const std::size_t room = look_.columns > time.size() + 1 ? look_.columns - time.size() - 1 : 0;
    Look narrow = look_;
    narrow.columns = room;
    narrow.colour = false;
    Line inner(narrow);
    inner.add(left).to(room);
    put(Line(look_).add(style::title, inner.text() + " " + time));
  }

  // How the stations share the states, as long as the screen is wide. Who is there at all has a cell.
  void bar() {
    const std::uint64_t all = std::max<std::uint64_t>(record_.setup.stations, 1);
    std::array<std::size_t, std::size(state_looks)> cells{};
    std::size_t sum = 0;
    for (std::size_t i = 0; i < std::size(state_looks); ++i) {
      const std::uint64_t count = count_of(now_, state_looks[i]);
      cells[i] = static_cast<std::size_t>(
          std::llround(static_cast<double>(count) * static_cast<double>(look_.columns) / static_cast<double>(all)));
      if (count > 0 && cells[i] == 0) cells[i] = 1;
      sum += cells[i];
    }
    const std::size_t to_come = now_.not_started > 0 || sum < look_.columns ? (look_.columns > sum ? look_.columns - sum
                                                                               : now_.not_started > 0 ? 1
                                                                                                      : 0)
                                                                            : 0;
    while (sum + to_come > look_.columns && sum > 0) {
      auto longest = std::max_element(cells.begin(), cells.end());
      --*longest;
      --sum;
    }
    // What rounding has left over belongs to the largest.
    if (now_.not_started == 0 && sum > 0) *std::max_element(cells.begin(), cells.end()) += to_come;
    Line line(look_);
    for (std::size_t i = 0; i < std::size(state_looks); ++i)
      line.add(state_looks[i].style, repeated(look_.unicode ? "█" : bar_letter(i), cells[i]));
    line.add(style::dim, repeated(look_.unicode ? "░" : ".", line.left()));
    put(line);
  }

  static const char* bar_letter(std::size_t i) {
    constexpr const char* letters[] = {"#", "+", "=", "~", "x", "-", "-"};
    return letters[i];
  }

  void legend() {
    Line line(look_);
    for (const StateLook& state : state_looks) {
      const std::uint64_t count = count_of(now_, state);
      // Whether or not it is any: as long as there is room.
      const bool always = now_.held_back > 0
                              ? state.state == State::connected
                              : !state.held_back && state.state != State::disconnected && state.state != State::closed;
      if (count == 0 && !always) continue;
      line.add(line.columns() > 0 ? "  " : "")
          .add(state.style,
               look_.unicode ? "■ " : bar_letter(static_cast<std::size_t>(&state - state_looks)) + std::string(" "));
      line.add(count > 0 ? style::bold : style::dim, grouped(count))
          .add(count > 0 ? style::plain : style::dim,
               std::string(" ") + state.name + (state.held_back ? breaker_text(recorder_.breaker_left()) : ""));
    }
    if (now_.not_started > 0)
      line.add("  ")
          .add(style::dim, look_.unicode ? "░ " : ". ")
          .add(style::bold, grouped(now_.not_started))
          .add(" to come");
    const std::string of = "of " + grouped(record_.setup.stations);
    if (line.left() > of.size() + 2) line.to(look_.columns - of.size()).add(style::dim, of);
    put(line);
  }

  void rates() {
    const Totals& totals = record_.totals;
    Line line = heading("per second", name_columns);
    for (const char* name : {"now", "mean", "peak", "total"}) line.right(style::dim, name, number_columns);
    put(line.add(style::dim, "  " + plotted()));
    series("messages out", style::green, totals.messages_sent,
           [](const Sample& sample) { return sample.messages_sent; });
    series("messages in", style::green, totals.messages_received,
           [](const Sample& sample) { return sample.messages_received; });
    series("connects", style::cyan, totals.connects, [](const Sample& sample) { return sample.connects; });
    // What should not be.
    series("lost or failed", style::red, totals.disconnects + totals.attempts_failed + totals.calls_failed,
           [](const Sample& sample) { return sample.disconnects + sample.attempts_failed + sample.calls_failed; });
  }

  void latencies() {
    Line line = heading("latency", name_columns);
    for (const char* name : {"p50", "p90", "p99", "max"}) line.right(style::dim, name, number_columns);
    put(line.add(style::dim, "  p99"));
    latency("ping to pong", now_.round_trip, [](const Sample& sample) { return sample.round_trip.p99; });
    latency("call to answer", recorder_.recent_call_latency(),
            [](const Sample& sample) { return sample.call_latency.p99; });
  }

  void figures() {
    const Totals& totals = record_.totals;
    Line line(look_);
    const auto figure = [&](const char* name, const std::string& value, const char* value_style) {
      if (line.columns() > 0 && line.left() < std::string_view(name).size() + value.size() + 4) return;
      line.add(line.columns() > 0 ? "   " : "").add(style::dim, std::string(name) + " ").add(value_style, value);
    };
    figure("reconnects", grouped(totals.reconnects), totals.reconnects > 0 ? style::yellow : style::bold);
    figure("failed calls", grouped(totals.calls_failed), totals.calls_failed > 0 ? style::red : style::bold);
    figure("CPU", percent_text(now_.cpu), style::bold);
    figure("memory", bytes_text(static_cast<double>(now_.resident_bytes)), style::bold);
    static constexpr std::pair<const char*, const char*> grades[] = {
        {"good", style::green}, {"fair", style::plain}, {"poor", style::yellow}, {"bad", style::red}};
    line.add("  ").add(style::dim, " quality");
    for (std::size_t i = 0; i < std::size(grades); ++i) {
      const std::uint64_t count = record_.quality[i + 1];
      if (count > 0)
        line.add(" ").add(grades[i].second, grouped(count)).add(style::dim, std::string(" ") + grades[i].first);
    }
    if (record_.quality[0] > 0) line.add(" ").add(style::dim, grouped(record_.quality[0]) + " none");
    put(line);
  }

  void worst() {
    // A narrow screen has no room for all columns beside the error.
    const bool wide = look_.columns >= 100;
    const std::size_t id_columns = std::min<std::size_t>(std::max(longest_id() + 3, std::size_t{15}), wide ? 24 : 18);
    const std::size_t count_columns = wide ? 8 : 7;
    Line names = heading("worst stations", id_columns);
    names.add(style::dim, "state").to(id_columns + 12);
    for (const char* name : {"lost", "failed", "calls"}) names.right(style::dim, name, count_columns);
    if (wide) names.right(style::dim, "RTT", 11);
    put(names.add(style::dim, "  last error"));
    if (record_.worst.empty()) {
      put(Line(look_).add(style::dim, " no station has had any trouble"));
      return;
    }
    const std::size_t room = look_.rows > lines_.size() + 1 ? look_.rows - lines_.size() - 1 : 0;
    for (std::size_t i = 0; i < std::min(record_.worst.size(), room); ++i) {
      const WorstStation& station = record_.worst[i];
      const StateLook& state = look_of(station.state);
      Line line(look_);
      line.add(" ").add(style::bold, shortened(station.id, id_columns - 2)).to(id_columns);
      line.add(state.style, state.name).to(id_columns + 12);
      for (const std::uint64_t number : {station.connections_lost, station.attempts_failed, station.calls_failed}) {
        line.right(number > 0 ? style::plain : style::dim, grouped(number), count_columns);
      }
      if (wide) line.right(station.round_trip > 0 ? style::plain : style::dim, latency_text(station.round_trip), 11);
      line.add("  ").add(style::dim, brief(station.last_error));
      put(line);
    }
  }

  void failures() {
    if (record_.failures.empty() && record_.call_failures.empty()) return;
    lines_.emplace_back();
    put(heading("failures", 24).add(style::dim, "count  stations  why"));
    std::size_t room = look_.rows - lines_.size() - 1;
    const auto kind = [&](const std::string& name, std::uint64_t count, std::uint64_t stations,
                          const std::string& cause) {
      if (room == 0) return;
      --room;
      put(Line(look_)
              .add(" ")
              .add(style::red, name.substr(0, 19))
              .to(20)
              .right(style::plain, grouped(count), 9)
              .right(style::plain, grouped(stations), 10)
              .add("  ")
              .add(style::dim, brief(cause)));
    };
    for (const FailureKind& failure : record_.failures)
      kind(failure.lost ? "connection lost" : "no connection", failure.count, failure.stations, failure.cause);
    for (const CallFailureKind& failure : record_.call_failures)
      kind(failure.action, failure.count, failure.stations, failure.cause);
  }

  void incidents() {
    if (record_.incidents.empty()) return;
    lines_.emplace_back();
    put(heading("incidents", 18));
    const std::size_t room = look_.rows - lines_.size() - 1;
    const std::size_t count = std::min(record_.incidents.size(), room);
    for (std::size_t i = record_.incidents.size() - count; i < record_.incidents.size(); ++i) {
      put(Line(look_)
              .add(" ")
              .add(style::dim, clock_text(record_.incidents[i].at) + "  ")
              .add(record_.incidents[i].text));
    }
  }

  void footer() {
    Line line(look_);
    if (draining_) {
      line.add(style::yellow, " ending: calls and connections are brought to their end")
          .add(style::dim, "   Ctrl-C: end at once");
    } else {
      line.add(style::dim, " Ctrl-C or q: end in order, then report");
      const std::string metrics = "   metrics: " + record_.setup.metrics_url;
      if (!record_.setup.metrics_url.empty() && line.left() >= metrics.size()) line.add(style::dim, metrics);
    }
    put(line);
  }

  // ---- Pieces

  static std::string repeated(const char* text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i) result += text;
    return result;
  }

  Line heading(const char* name, std::size_t width) const {
    Line line(look_);
    line.add(style::bold, name).to(width);
    return line;
  }

  std::size_t longest_id() const {
    std::size_t longest = 0;
    for (const WorstStation& station : record_.worst) longest = std::max(longest, station.id.size());
    return longest;
  }

  std::string shortened(const std::string& text, std::size_t size) const {
    return text.size() <= size ? text : text.substr(0, size - 1) + (look_.unicode ? "…" : "~");
  }

  static constexpr std::size_t name_columns = 16;
  static constexpr std::size_t number_columns = 9;
  static constexpr std::size_t plot_begin = name_columns + 4 * number_columns + 2;

  // How many seconds are plotted, at most, and of what there is.
  std::size_t plot_room() const { return look_.columns > plot_begin ? look_.columns - plot_begin : 0; }
  std::size_t plot_count() const { return std::min(plot_room(), recorder_.recent().size()); }
  std::string plotted() const {
    return plot_room() < 10 ? "" : "last " + std::to_string(std::min(plot_room(), plotted_max)) + " s";
  }

  // A cell per second; the latest is the last.
  template <class Value>
  void plot(Line& line, const char* style, Value value) const {
    const std::deque<Sample>& recent = recorder_.recent();
    const auto begin = recent.end() - static_cast<std::ptrdiff_t>(plot_count());
    double largest = 0;
    for (auto sample = begin; sample != recent.end(); ++sample) largest = std::max(largest, value(*sample));
    for (auto sample = begin; sample != recent.end(); ++sample) {
      const double share = largest > 0 ? value(*sample) / largest : 0;
      const auto level = static_cast<std::size_t>(std::clamp(std::ceil(share * 8) - 1, 0.0, 7.0));
      line.add(share > 0 ? style : style::dim, look_.unicode ? levels[level] : ascii_levels[level]);
    }
  }

  template <class Value>
  void series(const char* name, const char* style, std::uint64_t total, Value value) {
    const std::deque<Sample>& recent = recorder_.recent();
    const double now = value(now_);
    const double seconds = recorder_.seconds_since_start();
    double peak = 0;
    for (const Sample& sample : recent) peak = std::max(peak, value(sample));
    Line line(look_);
    line.add(" ").add(name).to(name_columns).right(now > 0 ? style::bold : style::dim, rate_text(now), number_columns);
    line.right(style::plain, rate_text(seconds > 0 ? static_cast<double>(total) / seconds : 0), number_columns);
    line.right(style::plain, rate_text(peak), number_columns)
        .right(style::plain, short_count(total), number_columns)
        .add("  ");
    plot(line, style, value);
    put(line);
  }

  template <class Value>
  void latency(const char* name, const Percentiles& percentiles, Value value) {
    Line line(look_);
    line.add(" ").add(name).to(name_columns);
    for (const double Percentiles::*part :
         {&Percentiles::p50, &Percentiles::p90, &Percentiles::p99, &Percentiles::max}) {
      line.right(percentiles.count > 0 ? style::bold : style::dim, latency_text(percentiles.*part), number_columns);
    }
    line.add("  ");
    plot(line, style::cyan, value);
    put(line);
  }

  const Recorder& recorder_;
  const RunRecord& record_;
  bool draining_;
  const Look& look_;
  Sample now_;
  std::vector<std::string> lines_;
};

std::string percentiles_text(const Percentiles& percentiles) {
  return "p50 " + latency_text(percentiles.p50) + ", p90 " + latency_text(percentiles.p90) + ", p99 " +
         latency_text(percentiles.p99) + ", max " + latency_text(percentiles.max);
}

// "1.2 MB as 310 kB (26 %)"
std::string compression_text(std::uint64_t bytes, std::uint64_t on_the_wire) {
  return bytes_text(static_cast<double>(bytes)) + " as " + bytes_text(static_cast<double>(on_the_wire)) +
         (bytes > 0 ? " (" + percent_text(static_cast<double>(on_the_wire) / static_cast<double>(bytes)) + ")" : "");
}

}  // namespace

std::vector<std::string> picture_of(const Recorder& recorder, bool draining, const Look& look) {
  return Picture(recorder, draining, look).draw();
}

std::string line_of(const Recorder& recorder, bool draining) {
  const RunRecord& record = recorder.record();
  const Sample now = recorder.recent().empty() ? Sample{} : recorder.recent().back();
  std::string line = clock_text(recorder.seconds_since_start()) + (draining ? " (ending)" : "");
  for (const StateLook& state : state_looks) {
    const std::uint64_t count = count_of(now, state);
    if (state.state == State::connected) {
      line += "  connected " + grouped(count) + " of " + grouped(record.setup.stations);
    } else if (count > 0) {
      line += ", " + std::string(state.name) + " " + grouped(count);
      if (state.held_back) line += breaker_text(recorder.breaker_left());
    }
  }
  if (now.not_started > 0) line += ", to come " + grouped(now.not_started);
  line += "; " + rate_text(now.messages_sent) + " messages/s out, " + rate_text(now.messages_received) + " in";
  if (now.round_trip.count > 0)
    line += "; RTT p50 " + latency_text(now.round_trip.p50) + ", p99 " + latency_text(now.round_trip.p99);
  if (recorder.recent_call_latency().count > 0)
    line += "; calls p99 " + latency_text(recorder.recent_call_latency().p99);
  line += "; reconnects " + grouped(record.totals.reconnects) + ", failed attempts " +
          grouped(record.totals.attempts_failed) + ", failed calls " + grouped(record.totals.calls_failed) + "; CPU " +
          percent_text(now.cpu);
  return line;
}

std::string summary_of(const RunRecord& record, bool colour) {
  const auto in = [colour](const char* style, const std::string& text) {
    return colour ? "\x1b[" + std::string(style) + "m" + text + "\x1b[0m" : text;
  };
  const Totals& totals = record.totals;
  const double seconds = std::chrono::duration<double>(record.ended_at - record.started_at).count();
  std::string text = record.setup.file + " ran for " + span_text(seconds) + "; its end: " + record.end + "\n";
  std::string told;
  for (const Promise& promise : record.promises) {
    text += (promise.kept ? in(style::green, "  kept  ") : in(style::red, "  NOT   ")) + promise.text + ": " +
            promise.detail + "\n";
    told += promise.detail + '\n';
  }
  text += "  connections: " + grouped(totals.connects) + " (" + grouped(totals.reconnects) + " of them reconnects), " +
          grouped(totals.disconnects) + " lost, " + counted(totals.attempts_failed, "attempt", "attempts") +
          " failed\n";
  text += "  messages: " + grouped(totals.messages_sent) + " sent, " + grouped(totals.messages_received) +
          " received, " + grouped(totals.messages_not_sent) + " not sent\n";
  if (totals.wire_bytes_sent != totals.bytes_sent || totals.wire_bytes_received != totals.bytes_received) {
    text += "  compressed: sent " + compression_text(totals.bytes_sent, totals.wire_bytes_sent) + "; received " +
            compression_text(totals.bytes_received, totals.wire_bytes_received) + "\n";
  }
  if (record.round_trip.count > 0) text += "  ping to pong: " + percentiles_text(record.round_trip) + "\n";
  if (record.call_latency.count > 0) text += "  call to answer: " + percentiles_text(record.call_latency) + "\n";
  text += "  CPU: " + percent_text(record.cpu) + " of a core";
  if (record.cpu_steady > 0) text += ", " + percent_text(record.cpu_steady) + " once all were connected";
  text += "; memory: " + bytes_text(static_cast<double>(record.resident_bytes_max)) + "\n";
  // Each once: what a promise says above is not said again.
  const auto kinds = [&](const auto& failures, const auto& what) {
    constexpr std::size_t shown = 5;
    for (std::size_t i = 0; i < std::min(failures.size(), shown); ++i) {
      const auto& kind = failures[i];
      if (told.find(kind.cause) != std::string::npos) continue;
      text += "  " + what(kind) + " at " + counted(kind.stations, "station", "stations") + ": " + kind.cause + "\n";
    }
    if (failures.size() > shown) text += "  and more in other ways, see the report\n";
  };
  kinds(record.failures, [](const FailureKind& kind) {
    return kind.lost ? counted(kind.count, "connection", "connections") + " lost"
                     : counted(kind.count, "attempt", "attempts") + " failed";
  });
  kinds(record.call_failures,
        [](const CallFailureKind& kind) { return counted(kind.count, "call", "calls") + " failed"; });
  return text;
}

}  // namespace fleet
