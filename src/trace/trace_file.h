#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/time.h"
#include "trace/rotating_file.h"
#include "trace/trace_record.h"

namespace cwire {

// The file that the traced stations of a manager write to. I/O threads leave records in a bounded buffer, and a thread
// that lives only while somebody traces redacts them, makes lines of them and writes those; so no disk, however slow,
// holds up a connection. What finds no room is dropped, and so is what cannot be written: the file itself says how
// many, where they are missing.
class TraceFile : public std::enable_shared_from_this<TraceFile> {
 public:
  struct Options {
    std::string path;
    RotatingFile::Limits limits;
    RedactionRules rules;
    std::size_t buffer_max = 4 << 20;  // bytes of records that wait to be written
    std::function<void()> on_news;     // take_news() has something; from the writing thread
  };

  // As long as one is held, the file is open and the thread runs.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept : file_(std::move(other.file_)) {}
    Hold& operator=(Hold other) noexcept {
      file_.swap(other.file_);
      return *this;
    }
    ~Hold() {
      if (file_ != nullptr) file_->let_go();
    }
    explicit operator bool() const { return file_ != nullptr; }
    // The record is written, or dropped and counted.
    void add(TraceRecord record) noexcept { file_->add(std::move(record)); }
    // In place of a record for which there is no memory.
    void drop() noexcept { file_->drop(); }

   private:
    friend class TraceFile;
    explicit Hold(std::shared_ptr<TraceFile> file) : file_(std::move(file)) {}
    std::shared_ptr<TraceFile> file_;
  };

  explicit TraceFile(Options options);
  ~TraceFile();

  // From any thread. Throws Error: the file cannot be opened (CONFIG), no thread or descriptor is to be had (INTERNAL),
  // finish() was called (STATE).
  Hold hold();
  // Stations that come later are traced as well, or no longer.
  void trace_newcomers(Hold hold);  // empty: no longer
  Hold hold_of_newcomer();          // empty: it is not to be traced
  // One line for people, once a minute at most while writing fails; empty: nothing is new.
  std::string take_news();
  // Writes what waits, and ends the thread. Nothing is written afterwards.
  void finish() noexcept;

 private:
  void add(TraceRecord record) noexcept;
  void drop() noexcept;
  void let_go() noexcept;
  void run() noexcept;
  void write_all(const std::vector<TraceRecord>& records, std::uint64_t dropped_behind) noexcept;
  template <class Append>
  void add_line(std::uint64_t records, Append append);
  void flush() noexcept;
  void tell_failure() noexcept;

  const Options options_;

  std::mutex newcomers_mutex_;  // taken before the other
  Hold newcomers_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TraceRecord> records_;
  std::size_t bytes_ = 0;  // of them
  std::uint64_t sequence_ = 0;
  std::uint64_t dropped_ = 0;  // behind the last of them
  std::size_t holds_ = 0;
  bool running_ = false;
  bool finishing_ = false;
  std::string news_;
  std::thread thread_;

  // The thread's, while it runs.
  RotatingFile file_;
  std::string lines_;  // not written yet
  std::uint64_t records_in_lines_ = 0;
  std::uint64_t lost_ = 0;  // records that are in no file, because of
  int error_ = 0;           // errno
  TimePoint next_news_{};   // not before
};

}  // namespace cwire
