#include "trace/trace_file.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <system_error>
#include <utility>

#include "base/failure.h"
#include "base/time.h"
#include "net/poller.h"
#include "net/process_exit.h"
#include "net/signals.h"

namespace cwire {

namespace {

// What is written in one call, and with a first line before it fits into any file.
constexpr std::size_t kChunk = 32 << 10;
constexpr std::size_t kFirstLineMax = 1024;
// Where it fails now and then, it is not told each time.
constexpr std::chrono::minutes kQuiet{1};
// A burst does not keep its memory for ever.
constexpr std::size_t kRecordsKept = 4096;

std::string first_line() {
  std::string line;
  append_first_line(line, wall_clock_ns());
  return line;
}

}  // namespace

TraceFile::TraceFile(Options options) : options_(std::move(options)), file_(options_.path, options_.limits) {}

TraceFile::~TraceFile() { finish(); }

TraceFile::Hold TraceFile::hold() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (finishing_) throw Error(CWIRE_E_STATE, "the manager has ended; nothing can be traced any more");
  if (!running_) {
    if (thread_.joinable()) thread_.join();  // it has nothing left to do
    file_.open();
    try {
      const BlockedSignals blocked;
      thread_ = std::thread([this] { run(); });
    } catch (const std::bad_alloc&) {
      file_.close();
      throw;
    } catch (const std::system_error& error) {
      file_.close();
      throw Error(
          CWIRE_E_INTERNAL,
          "no thread to write the trace: " + error.code().message() + "; raise the limit of processes (ulimit -u)",
          FailurePhase::none, os_error(error.code().value()));
    }
    running_ = true;
  }
  ++holds_;
  return Hold(shared_from_this());
}

void TraceFile::let_go() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--holds_ == 0) changed_.notify_one();
}

void TraceFile::trace_newcomers(Hold hold) {
  const std::lock_guard<std::mutex> lock(newcomers_mutex_);
  newcomers_ = std::move(hold);
}

TraceFile::Hold TraceFile::hold_of_newcomer() {
  const std::lock_guard<std::mutex> lock(newcomers_mutex_);
  if (!newcomers_) return Hold();
  const std::lock_guard<std::mutex> also(mutex_);
  ++holds_;
  return Hold(shared_from_this());
}

std::string TraceFile::take_news() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(news_, std::string());
}

void TraceFile::finish() noexcept {
  trace_newcomers(Hold());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    finishing_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void TraceFile::add(TraceRecord record) noexcept {
  const std::size_t weight = record.weight();
  const std::lock_guard<std::mutex> lock(mutex_);
  ++sequence_;
  // One that is larger than all the room goes through an empty buffer.
  if (!running_ || (bytes_ + weight > options_.buffer_max && !records_.empty())) {
    ++dropped_;
    return;
  }
  record.sequence = sequence_;
  record.dropped_before = dropped_;
  try {
    records_.push_back(std::move(record));
  } catch (const std::bad_alloc&) {
    ++dropped_;
    return;
  }
  dropped_ = 0;
  bytes_ += weight;
  if (records_.size() == 1) changed_.notify_one();
}

void TraceFile::drop() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++sequence_;
  ++dropped_;
}

void TraceFile::run() noexcept {
  name_this_thread("cwire-trace");
  process_exit::Presence presence;
  std::vector<TraceRecord> batch;
  for (;;) {
    std::uint64_t dropped_behind = 0;
    presence.leave();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return !records_.empty() || dropped_ != 0 || holds_ == 0 || finishing_; });
      if (records_.empty() && dropped_ == 0) {
        file_.close();
        running_ = false;
        return;
      }
      batch.swap(records_);
      dropped_behind = std::exchange(dropped_, 0);
      bytes_ = 0;
    }
    presence.enter();
    write_all(batch, dropped_behind);
    batch.clear();
    if (batch.capacity() > kRecordsKept) std::vector<TraceRecord>().swap(batch);
  }
}

void TraceFile::write_all(const std::vector<TraceRecord>& records, std::uint64_t dropped_behind) noexcept {
  constexpr char kTooSlow[] = "they came faster than they were written";
  for (const TraceRecord& record : records) {
    if (record.dropped_before != 0) {
      add_line(record.dropped_before,
               [&](std::string& out) { append_dropped_line(out, record.time_ns, record.dropped_before, kTooSlow); });
    }
    add_line(1, [&](std::string& out) {
      append_trace_line(out, record, options_.rules);
      if (out.size() <= options_.limits.size_max - kFirstLineMax) return;
      out.clear();
      append_trace_line_without_payload(out, record, "it is larger than trace.file_size_max");
    });
  }
  if (dropped_behind != 0) {
    add_line(dropped_behind,
             [&](std::string& out) { append_dropped_line(out, wall_clock_ns(), dropped_behind, kTooSlow); });
  }
  flush();
}

// `records`: how many are lost with it.
template <class Append>
void TraceFile::add_line(std::uint64_t records, Append append) {
  try {
    std::string line;
    append(line);
    if (!lines_.empty() && lines_.size() + line.size() > kChunk) flush();
    lines_ += line;
    records_in_lines_ += records;
  } catch (const std::bad_alloc&) {
    lost_ += records;
    error_ = ENOMEM;
  }
}

void TraceFile::flush() noexcept {
  if (lines_.empty()) return;
  bool written = false;
  try {
    std::string loss;
    if (lost_ != 0) {
      append_dropped_line(loss, wall_clock_ns(), lost_, "the file could not be written: " + RotatingFile::why(error_));
    }
    written = file_.write(loss + lines_, first_line());
    if (!written) error_ = file_.error();
  } catch (const std::bad_alloc&) {
    error_ = ENOMEM;
  }
  if (written) {
    lost_ = 0;
  } else {
    lost_ += records_in_lines_;
    tell_failure();
  }
  records_in_lines_ = 0;
  lines_.clear();
  if (lines_.capacity() > 2 * kChunk) std::string().swap(lines_);
}

void TraceFile::tell_failure() noexcept {
  const TimePoint now = Clock::now();
  if (now < next_news_) return;
  next_news_ = now + kQuiet;
  try {
    std::string news = "the trace cannot be written to '" + options_.path + "': " + RotatingFile::why(error_) +
                       "; records are dropped and counted until it can. Make room, or end the trace";
    const std::lock_guard<std::mutex> lock(mutex_);
    news_ = std::move(news);
  } catch (const std::bad_alloc&) {
    return;
  }
  options_.on_news();
}

}  // namespace cwire
