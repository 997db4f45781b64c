// What permessage-deflate costs a station and saves it, on what OCPP stations say: memory that it keeps when all is
// said, CPU per message, and how much smaller messages become. No network: sessions of the protocol engine, and zlib
// for their peer. Each row is measured in a process of its own, three times, and the best of its times is told.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "ocpp_messages.h"
#include "protocol/deflate.h"
#include "protocol/frame.h"
#include "protocol_peer.h"
#include "zlib_peer.h"

using namespace cwire;

namespace {

constexpr int kStations = 1000;
constexpr int kMinutes = 90;
constexpr int kRounds = 3;

struct Row {
  const char* name;
  bool enabled;
  std::uint32_t window_bits;
  std::uint32_t server_window_bits;
  std::uint32_t memory_level;
  bool takeover;
};

struct Figures {
  double heap = 0, resident = 0;       // bytes per station
  double send_ns = 0, receive_ns = 0;  // per message
  double sent_ratio = 0, received_ratio = 0;
};

DeflateSettings settings_of(const Row& row) {
  DeflateSettings settings;
  settings.enabled = row.enabled;
  settings.window_bits = row.window_bits;
  settings.server_window_bits = row.server_window_bits;
  settings.memory_level = row.memory_level;
  settings.context_takeover = settings.server_context_takeover = row.takeover;
  settings.size_min = 128;
  return settings;
}

std::string answer_to(const Row& row) {
  std::string answer = "permessage-deflate";
  if (!row.takeover) answer += "; server_no_context_takeover; client_no_context_takeover";
  if (row.server_window_bits < 15) answer += "; server_max_window_bits=" + std::to_string(row.server_window_bits);
  return answer;
}

struct Counter final : SessionListener {
  std::uint64_t bytes = 0;
  void on_open(std::string_view) override {}
  void on_failed(Failure failure) override { throw std::runtime_error(failure.message); }
  void on_message(std::shared_ptr<const void>, std::string_view data, bool) override { bytes += data.size(); }
  void on_borrowed_message(std::string_view data, bool) override { bytes += data.size(); }
  void on_pong(std::string_view) override {}
  void on_closed(CloseInfo info) override { throw std::runtime_error(info.failure.message); }
  void on_output() override {}
};

double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long size = 0, resident = 0;
  if (file == nullptr || std::fscanf(file, "%lu %lu", &size, &resident) != 2) throw std::runtime_error("statm");
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}
double heap_bytes() { return static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd); }

double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

Figures measure(const Row& row, int stations) {
  const std::vector<ocpp_messages::Message> messages = ocpp_messages::session(kMinutes);
  // What the CSMS says is the same to each station, so it is made once.
  std::vector<std::string> frames;
  std::uint64_t received = 0, received_wire = 0, received_count = 0;
  {
    zlib::Peer peer(static_cast<int>(row.server_window_bits), row.takeover);
    for (const auto& message : messages) {
      if (message.from_station) continue;
      const bool compresses = row.enabled && message.text.size() >= 128;
      const std::string payload = compresses ? peer.compress(message.text) : message.text;
      frames.push_back(compresses ? test::compressed_frame(1, payload) : test::text(payload));
      received += message.text.size();
      received_wire += payload.size();
      ++received_count;
    }
  }

  const auto engine = make_engine();
  Counter counter;
  std::vector<std::unique_ptr<Session>> sessions(static_cast<std::size_t>(stations));
  UpgradeRequest request = test::a_request();
  request.deflate = settings_of(row);
  malloc_trim(0);
  const double heap_before = heap_bytes(), resident_before = resident_bytes();
  for (auto& session : sessions) {
    session = engine->open(request, {}, counter);
    session->start();
    const std::string answer = row.enabled ? test::upgrade_answer_with(session->output(), answer_to(row))
                                           : test::upgrade_answer(session->output());
    std::string().swap(session->output());
    session->receive(answer.data(), answer.size());
  }

  Figures figures;
  std::uint64_t sent = 0, sent_wire = 0, sent_count = 0;
  std::string output;
  for (auto& session : sessions) {
    auto frame = frames.begin();
    double sending = 0, receiving = 0;
    std::swap(session->output(), output);  // as stations do: the thread lends it
    const double begin = cpu_ns();
    for (const auto& message : messages) {
      if (!message.from_station) continue;
      session->send(message.text, false);
      sent += message.text.size();
      sent_wire += payload_size_in(session->output().size());
      ++sent_count;
      session->output().clear();
    }
    sending = cpu_ns() - begin;
    std::swap(session->output(), output);
    const double middle = cpu_ns();
    for (const auto& message : messages) {
      if (message.from_station) continue;
      session->receive(frame->data(), frame->size());
      ++frame;
    }
    receiving = cpu_ns() - middle;
    figures.send_ns += sending;
    figures.receive_ns += receiving;
  }
  if (counter.bytes != received * static_cast<std::uint64_t>(stations))
    throw std::runtime_error("not all was received");
  malloc_trim(0);
  figures.heap = (heap_bytes() - heap_before) / stations;
  figures.resident = (resident_bytes() - resident_before) / stations;
  figures.send_ns /= static_cast<double>(sent_count);
  figures.receive_ns /= static_cast<double>(received_count) * stations;
  figures.sent_ratio = static_cast<double>(sent) / static_cast<double>(sent_wire);
  figures.received_ratio = static_cast<double>(received) / static_cast<double>(received_wire);
  return figures;
}

// In a process of its own, whose heap nobody has used before.
Figures measure_apart(const Row& row) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    measure(row, 1);  // what a process takes once
    const Figures figures = measure(row, kStations);
    _exit(write(ends[1], &figures, sizeof figures) == sizeof figures ? 0 : 1);
  }
  close(ends[1]);
  Figures figures;
  const bool told = read(ends[0], &figures, sizeof figures) == sizeof figures;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!told || status != 0) throw std::runtime_error("a measurement failed");
  return figures;
}

void print_sizes() {
  struct Sizes {
    int count = 0;
    std::size_t plain = 0, alone = 0, following = 0;
  };
  std::map<std::string, Sizes> sizes;
  Deflater alone(11, 3);
  std::map<bool, std::unique_ptr<Deflater>> following;
  ByteBuffer out;
  for (const auto& message : ocpp_messages::session(kMinutes)) {
    Sizes& size = sizes[std::string(message.action) + (message.from_station ? "" : " from the CSMS")];
    ++size.count;
    size.plain += message.text.size();
    alone.forget();
    alone.compress(message.text, out);
    size.alone += out.size();
    auto& state = following[message.from_station];
    if (state == nullptr) state = std::make_unique<Deflater>(11, 3);
    state->compress(message.text, out);
    size.following += out.size();
  }
  std::printf("| message, on average | bytes | compressed alone | with context takeover |\n|---|---|---|---|\n");
  for (const auto& [action, size] : sizes) {
    const auto average = [&, count = static_cast<std::size_t>(size.count)](std::size_t sum) { return sum / count; };
    std::printf("| %s | %zu | %zu | %zu |\n", action.c_str(), average(size.plain), average(size.alone),
                average(size.following));
  }
}

}  // namespace

int main() {
  const std::vector<Row> rows = {{"off", false, 15, 15, 8, false},
                                 {"11 / 15, 3, no (the defaults)", true, 11, 15, 3, false},
                                 {"9 / 9, 1, no", true, 9, 9, 1, false},
                                 {"12 / 15, 4, no", true, 12, 15, 4, false},
                                 {"15 / 15, 8, no (zlib's own)", true, 15, 15, 8, false},
                                 {"9 / 9, 1, yes", true, 9, 9, 1, true},
                                 {"10 / 10, 1, yes", true, 10, 10, 1, true},
                                 {"11 / 11, 3, yes", true, 11, 11, 3, true},
                                 {"11 / 15, 3, yes", true, 11, 15, 3, true},
                                 {"12 / 12, 4, yes", true, 12, 12, 4, true},
                                 {"13 / 13, 5, yes", true, 13, 13, 5, true},
                                 {"15 / 15, 8, yes (zlib's own)", true, 15, 15, 8, true}};
  try {
    print_sizes();
    std::vector<Figures> best(rows.size());
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const Figures figures = measure_apart(rows[i]);
        if (round == 0) {
          best[i] = figures;
        } else {
          best[i].send_ns = std::min(best[i].send_ns, figures.send_ns);
          best[i].receive_ns = std::min(best[i].receive_ns, figures.receive_ns);
        }
      }
    }
    std::printf(
        "\n| window bits / the CSMS's, memory level, context takeover | heap per station | resident | us per message "
        "sent | received | ratio sent | received |\n|---|---|---|---|---|---|---|\n");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Figures& f = best[i];
      std::printf("| %s | %.0f | %.0f | %.2f | %.2f | %.2f | %.2f |\n", rows[i].name, f.heap, f.resident,
                  f.send_ns / 1e3, f.receive_ns / 1e3, f.sent_ratio, f.received_ratio);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
