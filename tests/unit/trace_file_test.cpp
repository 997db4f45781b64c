#include "trace/trace_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/failure.h"

using namespace cwire;
using nlohmann::json;

namespace {

class Directory {
 public:
  Directory() { REQUIRE(::mkdtemp(name_) != nullptr); }
  ~Directory() { std::filesystem::remove_all(name_); }
  std::string file(const std::string& name = "trace.jsonl") const { return std::string(name_) + "/" + name; }

 private:
  char name_[64] = "/tmp/chargewire-trace-XXXXXX";
};

TraceFile::Options options(const std::string& path, std::uint64_t size_max = 1 << 20, std::uint32_t files_max = 4) {
  TraceFile::Options options;
  options.path = path;
  options.limits = {size_max, files_max};
  options.on_news = [] {};
  return options;
}

TraceRecord record(std::string text, const std::string& id = "CP1") {
  auto subject = std::make_shared<TraceSubject>();
  subject->station_id = id;
  TraceRecord record;
  record.subject = subject;
  record.first_byte = 0x81;
  record.has_payload = true;
  record.size = text.size();
  record.text = std::move(text);
  return record;
}

// Each line of the file, parsed; the last one has its line end.
std::vector<json> lines_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<json> lines;
  std::string line;
  while (std::getline(in, line)) {
    REQUIRE_FALSE(in.eof());
    lines.push_back(json::parse(line));
  }
  return lines;
}

std::vector<json> frames_of(const std::string& path) {
  std::vector<json> frames;
  for (json& line : lines_of(path)) {
    if (line["event"] == "frame") frames.push_back(std::move(line));
  }
  return frames;
}

// The library's threads have all signals blocked; for what this test does with the file itself, SIGXFSZ is ignored.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t most) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    set(most);
  }
  ~FileSizeLimit() { set(before_.rlim_cur); }
  void set(rlim_t most) {
    rlimit limit = before_;
    limit.rlim_cur = most;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }

 private:
  rlimit before_{};
};

// What is told once of a row of failures.
struct News {
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  void tell() {
    const std::lock_guard<std::mutex> lock(mutex);
    ++told;
    changed.notify_all();
  }
  bool wait(int times) {
    std::unique_lock<std::mutex> lock(mutex);
    return changed.wait_until(lock, std::chrono::system_clock::now() + std::chrono::seconds(40),
                              [&] { return told >= times; });
  }
};

}  // namespace

TEST_CASE("trace: what is written under one hold is in the file when the last is gone") {
  const Directory directory;
  const auto file = std::make_shared<TraceFile>(options(directory.file()));
  {
    TraceFile::Hold one = file->hold();
    TraceFile::Hold other = file->hold();
    one.add(record("first"));
    one = TraceFile::Hold();
    other.add(record("second"));
  }
  {
    // The thread has ended, or is about to; either way this is written too.
    TraceFile::Hold again = file->hold();
    again.add(record("third"));
  }
  file->finish();
  struct stat status;
  REQUIRE(::stat(directory.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const std::vector<json> lines = lines_of(directory.file());
  CHECK(lines[0]["event"] == "file");
  CHECK(lines[0]["format"] == 1);
  const std::vector<json> frames = frames_of(directory.file());
  REQUIRE(frames.size() == 3);
  CHECK(frames[0]["payload"] == "first");
  CHECK(frames[2]["payload"] == "third");
  CHECK(frames[2]["sequence"] == 3);
  CHECK_THROWS_AS(file->hold(), Error);
}

TEST_CASE("trace: a file that cannot be opened is said so, and in which way") {
  const Directory directory;
  const auto refused = [](const std::string& path) {
    const auto file = std::make_shared<TraceFile>(options(path));
    try {
      file->hold();
    } catch (const Error& error) {
      CHECK(error.failure.status == CWIRE_E_CONFIG);
      return error.failure.message;
    }
    FAIL("it was opened");
    return std::string();
  };
  CHECK(refused(directory.file("no/such/directory")).find("no such file") != std::string::npos);
  CHECK(refused("/dev/null").find("no regular file") != std::string::npos);
  REQUIRE(::symlink("/etc/passwd", directory.file("link").c_str()) == 0);
  CHECK(refused(directory.file("link")).find("symbolic link") != std::string::npos);
  std::ofstream(directory.file("one")) << "";
  REQUIRE(::link(directory.file("one").c_str(), directory.file("other").c_str()) == 0);
  CHECK(refused(directory.file("other")).find("hard link") != std::string::npos);
}

TEST_CASE("trace: a file that others can read is its owner's alone before anything is written to it") {
  const Directory directory;
  std::ofstream(directory.file()) << "";
  REQUIRE(::chmod(directory.file().c_str(), 0644) == 0);
  const auto file = std::make_shared<TraceFile>(options(directory.file()));
  const TraceFile::Hold hold = file->hold();
  struct stat status;
  REQUIRE(::stat(directory.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("trace: one file is one manager's") {
  const Directory directory;
  const auto file = std::make_shared<TraceFile>(options(directory.file()));
  const auto other = std::make_shared<TraceFile>(options(directory.file()));
  TraceFile::Hold hold = file->hold();
  try {
    other->hold();
    FAIL("both write to it");
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_CONFIG);
    CHECK(error.failure.message.find("another manager") != std::string::npos);
  }
  // A child has the descriptor for as long as it likes.
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte;
    ::close(pipe[1]);
    ::_exit(static_cast<int>(::read(pipe[0], &byte, 1)));
  }
  hold.add(record("mine"));
  hold = TraceFile::Hold();
  file->finish();
  {
    TraceFile::Hold now = other->hold();
    now.add(record("and now mine"));
  }
  other->finish();
  ::close(pipe[0]);
  ::close(pipe[1]);
  CHECK(::waitpid(child, nullptr, 0) == child);
  CHECK(frames_of(directory.file()).size() == 2);
}

TEST_CASE("trace: what is added to a file begins on a line of its own, and says that it begins") {
  const Directory directory;
  const std::string torn = GENERATE(as<std::string>(), "", "{\"torn\":", "{\"event\":\"frame\",\"payload\":\"old\"}\n");
  std::ofstream(directory.file()) << torn;
  const auto file = std::make_shared<TraceFile>(options(directory.file()));
  file->hold().add(record("new"));
  file->finish();
  std::ifstream in(directory.file());
  std::string text((std::istreambuf_iterator<char>(in)), {});
  REQUIRE(text.find(torn) == 0);
  text.erase(0, torn.size());
  if (!torn.empty() && torn.back() != '\n') CHECK(text.substr(0, 1) == "\n");
  std::ofstream(directory.file()) << text.substr(text.find('{'));
  const std::vector<json> lines = lines_of(directory.file());
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["event"] == "file");
  CHECK(lines[1]["payload"] == "new");
}

TEST_CASE("trace: rotation under load loses and splits no line") {
  constexpr std::uint64_t kSizeMax = 64 << 10;
  const Directory directory;
  TraceFile::Options many = options(directory.file(), kSizeMax, 1000);
  many.buffer_max = 1 << 30;
  const auto file = std::make_shared<TraceFile>(many);
  constexpr int kThreads = 4;
  constexpr int kRecords = 5000;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&file, thread] {
      TraceFile::Hold hold = file->hold();
      for (int number = 0; number < kRecords; ++number)
        hold.add(record(std::to_string(number) + std::string(number % 700, 'x'), "CP" + std::to_string(thread)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  file->finish();
  std::size_t files = 0;
  while (std::filesystem::exists(directory.file() + "." + std::to_string(files + 1))) ++files;
  REQUIRE(files > 50);
  std::map<std::string, int> next;
  std::uint64_t sequence = 0;
  for (std::size_t number = files + 1; number-- > 0;) {
    const std::string path = number == 0 ? directory.file() : directory.file() + "." + std::to_string(number);
    CHECK(std::filesystem::file_size(path) <= kSizeMax);
    const std::vector<json> lines = lines_of(path);
    CHECK(lines[0]["event"] == "file");
    for (std::size_t i = 1; i < lines.size(); ++i) {
      CHECK(lines[i]["sequence"] == ++sequence);
      CHECK(std::stoi(lines[i]["payload"].get<std::string>()) == next[lines[i]["station"]]++);
    }
  }
  CHECK(sequence == kThreads * kRecords);
}

TEST_CASE("trace: no more files are kept than asked for") {
  const auto files_max = GENERATE(1u, 2u, 3u);
  const Directory directory;
  const auto file = std::make_shared<TraceFile>(options(directory.file(), 64 << 10, files_max));
  {
    TraceFile::Hold hold = file->hold();
    for (int i = 0; i < 40; ++i) hold.add(record(std::string(20000, 'x')));
  }
  file->finish();
  for (unsigned number = 1; number < 5; ++number) {
    CHECK(std::filesystem::exists(directory.file() + "." + std::to_string(number)) == (number < files_max));
  }
  CHECK(frames_of(directory.file()).back()["sequence"] == 40);
}

TEST_CASE("trace: what is larger than a file is there without its payload") {
  const Directory directory;
  const auto file = std::make_shared<TraceFile>(options(directory.file(), 64 << 10));
  {
    TraceFile::Hold hold = file->hold();
    hold.add(record(std::string(100000, 'x')));
    hold.add(record("small"));
  }
  file->finish();
  const std::vector<json> frames = frames_of(directory.file());
  REQUIRE(frames.size() == 2);
  CHECK(frames[0]["size"] == 100000);
  CHECK(frames[0]["withheld"] == "it is larger than trace.file_size_max");
  CHECK(frames[1]["payload"] == "small");
}

TEST_CASE("trace: records that find no room are dropped, and the file says how many and where") {
  const Directory directory;
  TraceFile::Options small = options(directory.file());
  small.buffer_max = 10000;
  const auto file = std::make_shared<TraceFile>(small);
  constexpr int kRecords = 20000;
  {
    TraceFile::Hold hold = file->hold();
    for (int i = 0; i < kRecords; ++i) hold.add(record(std::to_string(i)));
  }
  file->finish();
  std::uint64_t next = 1;
  std::uint64_t dropped = 0;
  for (const std::string& path : {directory.file(".4"), directory.file() + ".3", directory.file() + ".2",
                                  directory.file() + ".1", directory.file()}) {
    for (const json& line : lines_of(path)) {
      if (line["event"] == "dropped") {
        dropped += line["dropped"].get<std::uint64_t>();
        next += line["dropped"].get<std::uint64_t>();
      } else if (line["event"] == "frame") {
        CHECK(line["sequence"] == next++);
      }
    }
  }
  CHECK(dropped > 0);  // formatting takes longer than adding
  CHECK(next == kRecords + 1);
}

TEST_CASE("trace: a full disk is told once, costs whole lines, and is said in the file when there is room again") {
  const Directory directory;
  {
    const auto before = std::make_shared<TraceFile>(options(directory.file()));
    TraceFile::Hold hold = before->hold();
    for (int i = 0; i < 20; ++i) hold.add(record(std::string(300, 'x')));
    hold = TraceFile::Hold();
    before->finish();
  }
  News news;
  TraceFile::Options told = options(directory.file());
  told.on_news = [&news] { news.tell(); };
  const auto file = std::make_shared<TraceFile>(told);
  FileSizeLimit limit(std::filesystem::file_size(directory.file()) + 100);
  TraceFile::Hold hold = file->hold();
  for (int i = 0; i < 200; ++i) hold.add(record(std::string(300, 'x')));
  REQUIRE(news.wait(1));
  CHECK(file->take_news().find("file too large") != std::string::npos);
  CHECK(file->take_news().empty());
  CHECK(frames_of(directory.file()).size() >= 20);  // each line is whole
  limit.set(RLIM_INFINITY);
  hold.add(record("again"));
  hold = TraceFile::Hold();
  file->finish();
  std::uint64_t written = 0, dropped = 0;
  for (const json& line : lines_of(directory.file())) {
    if (line["event"] == "frame") ++written;
    if (line["event"] != "dropped") continue;
    dropped += line["dropped"].get<std::uint64_t>();
    CHECK(line["reason"].get<std::string>().find("file too large") != std::string::npos);
  }
  CHECK(dropped > 0);
  CHECK(written + dropped == 221);
  CHECK(lines_of(directory.file()).back()["payload"] == "again");
  CHECK(news.told == 1);
}

TEST_CASE("trace: of records that find neither room nor a disk each is counted") {
  const Directory directory;
  News news;
  TraceFile::Options small = options(directory.file());
  small.buffer_max = 1000;
  small.on_news = [&news] { news.tell(); };
  const auto file = std::make_shared<TraceFile>(small);
  constexpr int kRecords = 20000;
  {
    FileSizeLimit limit(0);
    TraceFile::Hold hold = file->hold();
    for (int i = 0; i < kRecords; ++i) hold.add(record(std::to_string(i)));
    REQUIRE(news.wait(1));
    limit.set(RLIM_INFINITY);
    hold.add(record("again"));
    hold = TraceFile::Hold();
    file->finish();
  }
  std::uint64_t written = 0, dropped = 0;
  for (const json& line : lines_of(directory.file())) {
    if (line["event"] == "frame") ++written;
    if (line["event"] == "dropped") dropped += line["dropped"].get<std::uint64_t>();
  }
  CHECK(dropped > 0);
  CHECK(written + dropped == kRecords + 1);
}

TEST_CASE("trace: newcomers are traced while somebody said so") {
  const Directory directory;
  const auto file = std::make_shared<TraceFile>(options(directory.file()));
  CHECK_FALSE(file->hold_of_newcomer());
  file->trace_newcomers(file->hold());
  CHECK(file->hold_of_newcomer());
  file->trace_newcomers(TraceFile::Hold());
  CHECK_FALSE(file->hold_of_newcomer());
  file->finish();
}
