/*
 * Lesson 5: dlopen. The program is not linked with the library, and starts without it; the header gives the types only.
 *
 *     05_dlopen [URL [STATION_ID]]        # ws://localhost:9000 CP001
 *
 * Connects, exchanges one Heartbeat, closes. Any language that can load a library goes about it in this way.
 */
#include <chargewire/chargewire.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The functions this program needs, as the header declares them. */
static struct {
  uint32_t (*abi_version)(void);
  const char* (*version)(void);
  cwire_status (*manager_new)(cwire_config, cwire_event_handler, uintptr_t, cwire_manager*, cwire_error*);
  cwire_status (*manager_poll)(cwire_manager, int32_t, size_t, const cwire_event**, size_t*);
  cwire_status (*manager_connect)(cwire_manager, const char*, const char*, cwire_config, uintptr_t, cwire_station*,
                                  cwire_error*);
  cwire_status (*manager_free)(cwire_manager);
  cwire_status (*station_send)(cwire_station, const void*, size_t, uint32_t, uint64_t);
  cwire_status (*station_disconnect)(cwire_station, uint16_t, const char*);
} cwire;

/* ISO C has no cast from an object's address to a function's, so the bytes are copied. POSIX says that this works. */
static int find(void* library, const char* name, void* function, size_t size) {
  void* symbol = dlsym(library, name);
  if (symbol == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 0;
  }
  memcpy(function, &symbol, size);
  return 1;
}
#define FIND(name) find(library, "cwire_" #name, &cwire.name, sizeof cwire.name)

static int load(void) {
  /* The number is the ABI's. It is never closed: the library asks to stay (nodelete), for it has threads. */
  void* library = dlopen("libchargewire.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\nInstall the library, or name its folder in LD_LIBRARY_PATH.\n", dlerror());
    return 0;
  }
  if (!(FIND(abi_version) && FIND(version) && FIND(manager_new) && FIND(manager_poll) && FIND(manager_connect) &&
        FIND(manager_free) && FIND(station_send) && FIND(station_disconnect))) {
    return 0;
  }
  if (cwire.abi_version() < CWIRE_ABI_VERSION) {
    fprintf(stderr, "libchargewire %s is older than this program; install a newer one\n", cwire.version());
    return 0;
  }
  return 1;
}

int main(int argc, char** argv) {
  const char* url = argc > 1 ? argv[1] : "ws://localhost:9000";
  const char* station_id = argc > 2 ? argv[2] : "CP001";
  const char heartbeat[] = "[2,\"heartbeat-1\",\"Heartbeat\",{}]";
  cwire_error err = CWIRE_ERROR_INIT;
  cwire_manager manager;
  cwire_station station;
  const cwire_event* events;
  size_t count, i;
  int answered = 0, closed = 0;

  if (!load()) return 1;
  printf("libchargewire %s\n", cwire.version());
  if (cwire.manager_new(NULL, NULL, 0, &manager, &err) != CWIRE_OK ||
      cwire.manager_connect(manager, station_id, url, NULL, 0, &station, &err) != CWIRE_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  while (!closed && cwire.manager_poll(manager, 10000, 64, &events, &count) == CWIRE_OK) {
    for (i = 0; i < count; ++i) {
      const cwire_event* event = &events[i];
      if (event->type == CWIRE_EVENT_CLOSED) {
        closed = 1;
        break;
      }
      if (event->type != CWIRE_EVENT_STATE && event->data_size > 0) printf("%s\n", event->data);
      if (event->type == CWIRE_EVENT_CONNECTED) cwire.station_send(station, heartbeat, strlen(heartbeat), 0, 0);
      if (event->type == CWIRE_EVENT_MESSAGE) answered = 1;
      /* One answer, or one failed attempt, is enough for a lesson; without this it would try again for ever. */
      if (answered || event->type == CWIRE_EVENT_ERROR) cwire.station_disconnect(station, 0, NULL);
    }
  }
  cwire.manager_free(manager);
  return answered ? 0 : 1;
}
