/*
 * Lesson 6: a fleet. Its stations boot and send a Heartbeat each second; statistics each second, and of all at the end.
 *
 *     06_fleet [URL [STATIONS [SECONDS]]]        # ws://localhost:9000 1000 10
 */
#define _POSIX_C_SOURCE 200809L
#include <chargewire/chargewire.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char boot[] =
    "[2,\"boot\",\"BootNotification\",{\"chargePointVendor\":\"Chargewire\",\"chargePointModel\":\"Example\"}]";

static unsigned long answers;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void take(const cwire_event* event) {
  switch (event->type) {
    case CWIRE_EVENT_CONNECTED: /* a station boots once */
      if (!(event->flags & CWIRE_FLAG_RECONNECT)) cwire_station_send(event->station, boot, strlen(boot), 0, 0);
      break;
    case CWIRE_EVENT_MESSAGE:
      ++answers;
      break;
    case CWIRE_EVENT_ERROR:
    case CWIRE_EVENT_DISCONNECTED:
      if (event->status != CWIRE_OK) puts(event->data);
      break;
    case CWIRE_EVENT_ENDPOINT:
      puts(event->data);
      break;
    default:
      break;
  }
}

/* Takes events until then, or until SHUTDOWN. */
static void take_until(cwire_manager manager, int64_t moment) {
  for (;;) {
    const cwire_event* events;
    size_t count, i;
    int64_t left = moment - now_ms();
    if (left < 0) left = 0;
    if (cwire_manager_poll(manager, (int32_t)left, 1024, &events, &count) != CWIRE_OK)
      return; /* TIMEOUT: the moment has come */
    for (i = 0; i < count; ++i) {
      if (events[i].type == CWIRE_EVENT_SHUTDOWN) return;
      take(&events[i]);
    }
  }
}

static void beat(cwire_manager manager, int second) {
  char heartbeat[64];
  size_t connected, total, beating;
  int size = snprintf(heartbeat, sizeof heartbeat, "[2,\"%d\",\"Heartbeat\",{}]", second);
  /* One call to all that are connected; the payload is copied once. */
  cwire_manager_broadcast(manager, heartbeat, (size_t)size, 0, &beating);
  cwire_manager_counts(manager, &connected, &total);
  printf("%d s: %zu of %zu connected, %zu Heartbeats, %lu answers\n", second, connected, total, beating, answers);
}

static void print_statistics(cwire_manager manager, size_t stations) {
  uint64_t sent = 0, received = 0, attempts = 0;
  size_t count, with_errors = 0, i;
  cwire_stats* stats = calloc(stations, sizeof *stats);
  if (stats == NULL) return;
  stats[0].size = sizeof *stats; /* says how large each element is */
  if (cwire_manager_all_stats(manager, stats, stations, &count) == CWIRE_OK) {
    for (i = 0; i < count; ++i) {
      sent += stats[i].messages_sent;
      received += stats[i].messages_received;
      attempts += stats[i].reconnect_attempts;
      with_errors += stats[i].last_error != CWIRE_OK;
    }
    printf("%" PRIu64 " messages sent, %" PRIu64 " received, %" PRIu64 " reconnect attempts, %zu stations had errors\n",
           sent, received, attempts, with_errors);
  }
  free(stats);
}

int main(int argc, char** argv) {
  const char* url = argc > 1 ? argv[1] : "ws://localhost:9000";
  const int stations = argc > 2 ? atoi(argv[2]) : 1000;
  const int seconds = argc > 3 ? atoi(argv[3]) : 10;
  cwire_error err = CWIRE_ERROR_INIT;
  cwire_config config;
  cwire_manager manager;
  int64_t begun;
  int i;

  if (stations < 1 || seconds < 0) {
    fprintf(stderr, "usage: %s [URL [STATIONS [SECONDS]]]\n", argv[0]);
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (cwire_config_new(&config) != CWIRE_OK) return 1;
  if (cwire_config_set(config, "csms.default_url", url, &err) != CWIRE_OK ||
      cwire_config_set(config, "csms.ping_interval", "1m", &err) != CWIRE_OK ||
      cwire_manager_new(config, NULL, 0, &manager, &err) != CWIRE_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  cwire_config_free(config); /* the manager has a copy */

  for (i = 1; i <= stations; ++i) {
    char id[16];
    snprintf(id, sizeof id, "CP%d", i);
    if (cwire_manager_connect(manager, id, NULL, NULL, 0, NULL, &err) != CWIRE_OK) fprintf(stderr, "%s\n", err.message);
  }
  begun = now_ms();
  for (i = 1; i <= seconds; ++i) {
    take_until(manager, begun + (int64_t)i * 1000);
    beat(manager, i);
  }
  print_statistics(manager, (size_t)stations);

  cwire_manager_shutdown(manager, 5000);
  take_until(manager, now_ms() + 10000); /* up to SHUTDOWN */
  cwire_manager_free(manager);
  return 0;
}
