// Ends by exit() while its manager is busy, in the way that is asked for. Its exit status is 0 unless something
// crashes.
//
//   exit_client URL MODE
#include <openssl/ssl.h>
#include <semaphore.h>
#include <unistd.h>

#include <chargewire/chargewire.hpp>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

const char kHeartbeat[] = "[2,\"x\",\"Heartbeat\",{}]";
const char* mode = "";  // no object: threads look at it while destructors run

bool in_mode(const char* name) { return std::strcmp(mode, name) == 0; }

cwire_manager manager = nullptr;
int messages = 0;  // of the I/O thread
sem_t arrived;     // one for each of them

void send(cwire_station station) { cwire_station_send(station, kHeartbeat, std::strlen(kHeartbeat), 0, 0); }

void on_events(std::uintptr_t, const cwire_event* events, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (events[i].type == CWIRE_EVENT_CONNECTED) send(events[i].station);
    if (events[i].type != CWIRE_EVENT_MESSAGE) continue;
    send(events[i].station);
    ::sem_post(&arrived);
    // Only one thread may call exit(), which is why there is one I/O thread.
    if (++messages == 200 && in_mode("inside the handler")) std::exit(0);
  }
}

void connect_all(const char* url) {
  cwire_config config = nullptr;
  cwire_config_new(&config);
  cwire_config_set(config, "io_threads", "1", nullptr);
  cwire_config_set(config, "csms.tls.insecure_skip_verify", "true", nullptr);
  const std::string file = "/tmp/chargewire-exit-" + std::to_string(::getpid()) + ".jsonl";
  if (in_mode("while tracing")) {
    cwire_config_set(config, "trace.file", file.c_str(), nullptr);
    cwire_config_set(config, "trace.enabled", "true", nullptr);
  }
  if (cwire_manager_new(config, on_events, 0, &manager, nullptr) != CWIRE_OK) std::exit(2);
  for (int i = 0; i < 40; ++i) {
    const std::string id = "S" + std::to_string(i);
    if (cwire_manager_connect(manager, id.c_str(), url, nullptr, 0, nullptr, nullptr) != CWIRE_OK) std::exit(2);
  }
  if (in_mode("while tracing")) ::unlink(file.c_str());  // it is open, and goes with the process
  cwire_config_free(config);
}

// A manager that is freed by a destructor which runs at exit.
struct Static {
  ~Static() { cwire_manager_free(manager); }
};

void wait_for_messages(int count) {
  while (count-- > 0) ::sem_wait(&arrived);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  mode = argv[2];
  // Then OpenSSL's own exit handler is registered, and ours must run before it.
  if (in_mode("after OpenSSL was set up by the host")) OPENSSL_init_ssl(0, nullptr);
  if (in_mode("with a free that comes late")) std::atexit([] { cwire_manager_free(manager); });
  ::sem_init(&arrived, 0, 0);
  connect_all(argv[1]);
  if (in_mode("with a static manager")) {
    static Static freed_at_exit;
    wait_for_messages(1);  // the others are still shaking hands
    std::exit(0);
  }
  if (in_mode("while connecting")) std::exit(0);
  wait_for_messages(200);
  if (in_mode("while another thread sends")) {
    std::thread([] {
      for (;;) cwire_manager_broadcast(manager, kHeartbeat, std::strlen(kHeartbeat), 0, nullptr);
    }).detach();
  }
  if (in_mode("inside the handler")) {
    for (;;) ::pause();  // the handler ends the process
  }
  std::exit(0);
}
