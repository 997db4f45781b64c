#include "fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ocpp.h"

/* A reconnect within seconds, so that nobody waits for the demonstration, and pings that come often enough to measure
 * the round trip meanwhile. Real fleets are better off with the defaults. */
static bool set_demonstration_waits(cwire_config config, cwire_error* err) {
  return cwire_config_set(config, "csms.reconnect_backoff", "500ms", err) == CWIRE_OK &&
         cwire_config_set(config, "csms.reconnect_max_backoff", "2s", err) == CWIRE_OK &&
         cwire_config_set(config, "csms.ping_interval", "1s", err) == CWIRE_OK &&
         cwire_config_set(config, "governor.breaker_open", "2s", err) == CWIRE_OK;
}

bool fleet_start(fleet* self, const options* wanted, cwire_error* err) {
  cwire_config config;
  bool ok = false;
  memset(self, 0, sizeof *self);
  self->run = (unsigned long)time(NULL);
  self->size = wanted->stations;
  self->stations = malloc(self->size * sizeof *self->stations);
  if (self->stations == NULL || cwire_config_new(&config) != CWIRE_OK) {
    snprintf(err->message, sizeof err->message, "there is no memory for %zu stations", self->size);
    return false;
  }
  memset(self->stations, 0, self->size * sizeof *self->stations); /* in RAM before any memory is measured */
  ok = wanted->config_file != NULL ? cwire_config_load_file(config, wanted->config_file, err) == CWIRE_OK
                                   : set_demonstration_waits(config, err);
  ok = ok && cwire_manager_new(config, NULL, 0, &self->manager, err) == CWIRE_OK;
  cwire_config_free(config);
  return ok;
}

bool fleet_connect(fleet* self, const options* wanted, cwire_error* err) {
  cwire_config overrides[OPTIONS_PROTOCOLS_MAX] = {NULL};
  bool ok = true;
  size_t i;
  for (i = 0; i < wanted->protocol_count && ok; ++i) {
    ok = cwire_config_new(&overrides[i]) == CWIRE_OK &&
         cwire_config_set(overrides[i], "csms.protocol", wanted->protocols[i], err) == CWIRE_OK;
  }
  for (i = 0; i < self->size && ok; ++i) {
    char id[48];
    charge_point* station = &self->stations[i];
    snprintf(id, sizeof id, "%s%05zu", wanted->id_prefix, i + 1);
    ok = cwire_manager_connect(self->manager, id, wanted->url, overrides[i % wanted->protocol_count],
                               (uintptr_t)station, &station->token, err) == CWIRE_OK;
    if (ok) self->begun++;
    if (i % 64 == 63) fleet_poll(self, 0);
  }
  for (i = 0; i < wanted->protocol_count; ++i) {
    if (overrides[i] != NULL) cwire_config_free(overrides[i]); /* each station has a copy */
  }
  return ok;
}

static void note_problem(fleet* self, const cwire_event* event) {
  const bool expected = self->outage && event->type == CWIRE_EVENT_ERROR && (event->flags & CWIRE_FLAG_WILL_RETRY);
  if (expected || self->first_problem[0] != '\0') return;
  snprintf(self->first_problem, sizeof self->first_problem, "%.300s", event->data);
}

/* Sends with a report asked for, and a tag that names the station. */
static bool send_frame(fleet* self, charge_point* station, const char* frame, size_t size) {
  const uint64_t tag = (uint64_t)(station - self->stations);
  if (cwire_station_send(station->token, frame, size, CWIRE_FLAG_REPORT, tag) != CWIRE_OK) {
    self->counters.refused++;
    return false;
  }
  self->counters.accepted++;
  station->unreported++;
  return true;
}

static void send_call(fleet* self, charge_point* station, call kind, const char* subprotocol) {
  char id[OCPP_MESSAGE_ID_MAX + 1], frame[OCPP_FRAME_MAX];
  size_t size;
  snprintf(id, sizeof id, "%lx-%" PRIu32, self->run, ++station->call_count);
  size = kind == CALL_BOOT ? ocpp_boot_notification(frame, id, subprotocol) : ocpp_heartbeat(frame, id);
  if (!send_frame(self, station, frame, size)) return; /* it was disconnected this moment: the event is on its way */
  self->counters.calls++;
  station->outstanding = kind;
}

static void on_connected(fleet* self, charge_point* station, const cwire_event* event) {
  station->connected = true;
  self->counters.connected++;
  if (event->flags & CWIRE_FLAG_RECONNECT) self->counters.reconnects++;
  /* A station boots once: a reconnect is no restart. Only a boot that was cut off is to be said again. */
  send_call(self, station, station->booted ? CALL_HEARTBEAT : CALL_BOOT, event->data);
}

static void on_message(fleet* self, charge_point* station, const cwire_event* event) {
  ocpp_frame frame;
  char answer[OCPP_FRAME_MAX];
  self->counters.received++;
  if (!ocpp_read(event->data, &frame)) {
    self->counters.contradictions++;
    note_problem(self, event);
    return;
  }
  if (frame.type == OCPP_CALL) { /* a CSMS of one's own may well ask for something */
    send_frame(self, station, answer, ocpp_not_implemented(answer, frame.id));
    return;
  }
  if (frame.type != OCPP_CALL_RESULT && frame.type != OCPP_CALL_ERROR) return;

  char expected[OCPP_MESSAGE_ID_MAX + 1];
  snprintf(expected, sizeof expected, "%lx-%" PRIu32, self->run, station->call_count);
  if (station->outstanding == CALL_NONE || strcmp(frame.id, expected) != 0) {
    self->counters.contradictions++;
    note_problem(self, event);
    return;
  }
  self->counters.answered++;
  if (station->outstanding == CALL_BOOT) {
    if (frame.type == OCPP_CALL_RESULT && ocpp_boot_accepted(event->data)) {
      station->booted = true;
      self->counters.booted++;
    } else {
      self->counters.boots_refused++;
      note_problem(self, event);
    }
  } else if (frame.type == OCPP_CALL_RESULT) {
    self->counters.heartbeats_answered++;
  }
  station->outstanding = CALL_NONE;
}

static void on_sent(fleet* self, charge_point* station, const cwire_event* event) {
  if (event->status == CWIRE_OK) {
    self->counters.sent++;
  } else {
    self->counters.not_sent++;
  }
  if (station->unreported == 0 || event->tag != (uint64_t)(station - self->stations)) {
    self->counters.contradictions++;
    return;
  }
  station->unreported--;
}

static void on_connection_over(fleet* self, charge_point* station) {
  if (!station->connected) return;
  station->connected = false;
  self->counters.connected--;
  if (station->outstanding != CALL_NONE) self->counters.lost++; /* its answer cannot come any more */
  station->outstanding = CALL_NONE;
}

static void on_event(fleet* self, const cwire_event* event) {
  charge_point* station = (charge_point*)event->user_data;
  switch (event->type) {
    case CWIRE_EVENT_CONNECTED:
      on_connected(self, station, event);
      break;
    case CWIRE_EVENT_MESSAGE:
      on_message(self, station, event);
      break;
    case CWIRE_EVENT_SENT:
      on_sent(self, station, event);
      break;
    case CWIRE_EVENT_DISCONNECTED:
      on_connection_over(self, station);
      if (event->flags & CWIRE_FLAG_WILL_RETRY) self->counters.connections_lost++;
      break;
    case CWIRE_EVENT_ERROR:
      self->counters.attempts_failed++;
      note_problem(self, event);
      break;
    case CWIRE_EVENT_CLOSED:
      on_connection_over(self, station);
      self->counters.closed++;
      if (event->status != CWIRE_OK)
        note_problem(self, event); /* it gave up, which csms.max_reconnect_attempts allows */
      break;
    case CWIRE_EVENT_LOG:
      note_problem(self, event);
      break;
    case CWIRE_EVENT_ENDPOINT:
      snprintf(self->news, sizeof self->news, "%s", event->data);
      break;
    case CWIRE_EVENT_SHUTDOWN:
      self->shut_down = true;
      break;
    default:
      break;
  }
}

void fleet_poll(fleet* self, int timeout_ms) {
  const cwire_event* events;
  size_t count, i;
  if (cwire_manager_poll(self->manager, timeout_ms, 1024, &events, &count) != CWIRE_OK) return;
  for (i = 0; i < count; ++i) on_event(self, &events[i]);
}

void fleet_heartbeats(fleet* self, double seconds, double interval_seconds) {
  size_t turns = 0;
  self->heartbeats_due += seconds * (double)self->size / interval_seconds;
  for (; self->heartbeats_due >= 1; self->heartbeats_due -= 1) {
    charge_point* station = &self->stations[self->next_heartbeat];
    self->next_heartbeat = (self->next_heartbeat + 1) % self->size;
    /* Nobody is asked twice in one go, however long ago the last one was. */
    if (turns++ == self->size) {
      self->heartbeats_due = 0;
      return;
    }
    if (station->connected && station->booted && station->outstanding == CALL_NONE) {
      send_call(self, station, CALL_HEARTBEAT, "");
    }
  }
}

void fleet_end(fleet* self) {
  if (self->manager != NULL) cwire_manager_free(self->manager);
  free(self->stations);
}
