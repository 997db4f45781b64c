/*
 * Lesson 2: callbacks. The library calls one function per kind of event, on its own threads, and main() is free.
 *
 *     02_callbacks [URL [STATION_ID]]        # ws://localhost:9000 CP001
 *
 * What a callback may do: call any function of the library. What it should not do: wait, for the other stations of its
 * thread wait with it. Ctrl-C ends it.
 */
#define _POSIX_C_SOURCE 200809L
#include <chargewire/callbacks.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What the callbacks share. One station's events never come concurrently, so with one station no lock is needed. */
typedef struct charge_point {
  unsigned messages;
} charge_point;

static const char boot[] =
    "[2,\"boot-1\",\"BootNotification\",{\"chargePointVendor\":\"Chargewire\",\"chargePointModel\":\"Example\"}]";

static void on_connected(void* user, const cwire_event* event) {
  (void)user;
  printf("%s: connection %lu is up, %s\n", event->station_id, (unsigned long)event->tag, event->data);
  if (event->flags & CWIRE_FLAG_RECONNECT) return; /* a station boots once, not each time the line was lost */
  if (cwire_station_send(event->station, boot, strlen(boot), CWIRE_FLAG_REPORT, 1) != CWIRE_OK) {
    fprintf(stderr, "%s: the BootNotification was not accepted for sending\n", event->station_id);
  }
}

/* CWIRE_FLAG_REPORT asked for this. It also comes, with the reason, for each accepted message that was not sent. */
static void on_sent(void* user, const cwire_event* event) {
  (void)user;
  printf("%s: message %lu: %s\n", event->station_id, (unsigned long)event->tag,
         event->status == CWIRE_OK ? "sent" : cwire_status_name(event->status));
}

static void on_message(void* user, const cwire_event* event) {
  charge_point* self = user;
  self->messages++;
  printf("%s: %s\n", event->station_id, event->data);
}

/* The last that is heard of a station. */
static void on_closed(void* user, const cwire_event* event) {
  (void)user;
  printf("%s: %s\n", event->station_id, event->status == CWIRE_OK ? "closed" : "gave up");
}

/* Of DISCONNECTED, ERROR and LOG, data is a line to be read by people. */
static void print_line(void* user, const cwire_event* event) {
  (void)user;
  printf("%s\n", event->data);
}

int main(int argc, char** argv) {
  const char* url = argc > 1 ? argv[1] : "ws://localhost:9000";
  const char* station_id = argc > 2 ? argv[2] : "CP001";
  charge_point self = {0};
  cwire_callbacks callbacks = {.user = &self,
                               .on_connected = on_connected,
                               .on_message = on_message,
                               .on_sent = on_sent,
                               .on_disconnected = print_line,
                               .on_error = print_line,
                               .on_closed = on_closed,
                               .on_log = print_line};
  cwire_error err = CWIRE_ERROR_INIT;
  cwire_manager manager;
  sigset_t signals;
  int number;

  /* Blocked before there is another thread, so that only sigwait() below gets them. */
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);

  if (cwire_manager_new(NULL, cwire_dispatch, (uintptr_t)&callbacks, &manager, &err) != CWIRE_OK ||
      cwire_manager_connect(manager, station_id, url, NULL, 0, NULL, &err) != CWIRE_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  sigwait(&signals, &number);

  cwire_manager_shutdown(manager, 5000); /* at most 5 s for what is queued and for the close handshake */
  cwire_manager_free(manager);           /* returns after the last callback: `self` and `callbacks` may go */
  printf("%u messages received\n", self.messages);
  return 0;
}
