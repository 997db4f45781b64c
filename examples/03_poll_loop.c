/*
 * Lesson 3: your own event loop. The library's descriptor stands in poll(2) next to others; here, the keyboard.
 *
 *     03_poll_loop [URL [STATION_ID]]        # ws://localhost:9000 CP001
 *
 * Each line typed is sent as it stands, for instance   [2,"1","Heartbeat",{}]   and what arrives is printed. End of
 * file (Ctrl-D) ends it. Everything happens on this one thread: no lock is needed anywhere.
 */
#define _POSIX_C_SOURCE 200809L
#include <chargewire/chargewire.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct keyboard {
  char text[65536];
  size_t size;
  int ended;
} keyboard;

static void send_line(cwire_station station, const char* line, size_t size) {
  const cwire_status status = cwire_station_send(station, line, size, 0, 0);
  if (status == CWIRE_E_NOT_ESTABLISHED) {
    fprintf(stderr, "not connected at the moment; type it again later\n");
  } else if (status != CWIRE_OK) {
    fprintf(stderr, "not sent: %s\n", cwire_status_name(status));
  }
}

/* Sends each complete line. What is left over waits for its end. */
static void read_keyboard(keyboard* keys, cwire_station station) {
  const ssize_t got = read(STDIN_FILENO, keys->text + keys->size, sizeof keys->text - keys->size);
  char *line = keys->text, *end;
  if (got < 0 && errno == EINTR) return;
  keys->ended = got <= 0; /* also when a line is longer than the buffer */
  if (got > 0) keys->size += (size_t)got;
  while ((end = memchr(line, '\n', keys->size)) != NULL) {
    if (end > line) send_line(station, line, (size_t)(end - line));
    keys->size -= (size_t)(end + 1 - line);
    line = end + 1;
  }
  memmove(keys->text, line, keys->size);
}

/* Takes what waits, without waiting. The poll that finds nothing gives the last batch back to the library. */
static int take_events(cwire_manager manager) {
  const cwire_event* events;
  size_t count, i;
  int closed = 0;
  while (cwire_manager_poll(manager, 0, 64, &events, &count) == CWIRE_OK) {
    for (i = 0; i < count; ++i) {
      if (events[i].type == CWIRE_EVENT_CLOSED) {
        closed = 1;
      } else if (events[i].type == CWIRE_EVENT_MESSAGE) {
        printf("< %s\n", events[i].data);
      } else if (events[i].type != CWIRE_EVENT_STATE && events[i].data_size > 0) {
        printf("%s\n", events[i].data); /* "ocpp1.6", or a line that says what went wrong */
      }
    }
  }
  return closed;
}

int main(int argc, char** argv) {
  const char* url = argc > 1 ? argv[1] : "ws://localhost:9000";
  const char* station_id = argc > 2 ? argv[2] : "CP001";
  static keyboard keys;
  cwire_error err = CWIRE_ERROR_INIT;
  cwire_manager manager;
  cwire_station station;
  struct pollfd sources[2];
  int closed = 0;

  setvbuf(stdout, NULL, _IOLBF, 0);
  if (cwire_manager_new(NULL, NULL, 0, &manager, &err) != CWIRE_OK ||
      cwire_manager_connect(manager, station_id, url, NULL, 0, &station, &err) != CWIRE_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  sources[0].fd = (int)cwire_manager_event_fd(manager); /* readable while events wait; never read it yourself */
  sources[0].events = POLLIN;
  sources[1].fd = STDIN_FILENO;
  sources[1].events = POLLIN;

  while (!closed) {
    if (poll(sources, 2, -1) < 0) {
      if (errno == EINTR) continue;
      perror("poll");
      return 1;
    }
    if (sources[1].revents) read_keyboard(&keys, station);
    if (keys.ended && sources[1].fd >= 0) {
      sources[1].fd = -1; /* poll(2) passes over it from now on */
      cwire_station_disconnect(station, 0, NULL);
    }
    if (sources[0].revents) closed = take_events(manager);
  }
  cwire_manager_free(manager);
  return 0;
}
