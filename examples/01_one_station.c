/*
 * Lesson 1: one station. Connects, says that it booted, prints whatever arrives, and leaves in good order.
 *
 *     01_one_station [URL [STATION_ID]]        # ws://localhost:9000 CP001
 *
 * Losing the connection ends nothing: the library comes back by itself, for as long as it takes. Ctrl-C ends it.
 */
#define _POSIX_C_SOURCE 200809L
#include <chargewire/chargewire.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char boot[] =
    "[2,\"boot-1\",\"BootNotification\",{\"chargePointVendor\":\"Chargewire\",\"chargePointModel\":\"Example\"}]";

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1; /* no library call may stand here: a signal handler may interrupt the library itself */
}

static void print_event(const cwire_event* event) {
  switch (event->type) {
    case CWIRE_EVENT_CONNECTED:
      printf("%s: connected, %s\n", event->station_id, event->data);
      /* A station boots once. Whoever merely lost the line says nothing, or the CSMS takes it for a restart. */
      if (event->flags & CWIRE_FLAG_RECONNECT) break;
      if (cwire_station_send(event->station, boot, strlen(boot), 0, 0) != CWIRE_OK) {
        fprintf(stderr, "%s: the BootNotification could not be sent\n", event->station_id);
      }
      break;
    case CWIRE_EVENT_MESSAGE:
      printf("%s: %s\n", event->station_id, event->data);
      break;
    case CWIRE_EVENT_DISCONNECTED: /* their data is one line: why, and what follows */
    case CWIRE_EVENT_ERROR:
    case CWIRE_EVENT_LOG:
      printf("%s\n", event->data);
      break;
    case CWIRE_EVENT_CLOSED:
      printf("%s: %s\n", event->station_id, event->status == CWIRE_OK ? "closed" : "gave up");
      break;
    default: /* newer versions of the library may tell of more */
      break;
  }
}

int main(int argc, char** argv) {
  const char* url = argc > 1 ? argv[1] : "ws://localhost:9000";
  const char* station_id = argc > 2 ? argv[2] : "CP001";
  struct sigaction action;
  cwire_error err = CWIRE_ERROR_INIT;
  cwire_manager manager;
  cwire_station station;
  int closed = 0;

  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);

  /* No configuration: all defaults. No handler: this thread polls for what happens. */
  if (cwire_manager_new(NULL, NULL, 0, &manager, &err) != CWIRE_OK ||
      cwire_manager_connect(manager, station_id, url, NULL, 0, &station, &err) != CWIRE_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  while (!closed) {
    const cwire_event* events;
    size_t count, i;

    if (interrupted) cwire_station_disconnect(station, 0, "the example ends"); /* asking twice does no harm */
    cwire_manager_poll(manager, 200, 64, &events, &count);
    for (i = 0; i < count; ++i) {
      print_event(&events[i]);
      if (events[i].type == CWIRE_EVENT_CLOSED) closed = 1; /* the last that is ever heard of a station */
    }
  }
  cwire_manager_free(manager);
  return interrupted ? 0 : 1;
}
