/* The stations: each boots once, keeps sending heartbeats, and keeps book of what became of every message. */
#ifndef QUICKSTART_FLEET_H
#define QUICKSTART_FLEET_H

#include <chargewire/chargewire.h>
#include <stdbool.h>

#include "options.h"

/* The CALL that a station waits for an answer to. OCPP-J allows one at a time. */
typedef enum call { CALL_NONE, CALL_BOOT, CALL_HEARTBEAT } call;

typedef struct charge_point {
  cwire_station token;
  bool connected;
  bool booted; /* the CSMS accepted its BootNotification */
  call outstanding;
  uint32_t call_count; /* makes message ids unique, over all of the station's connections */
  uint32_t unreported; /* messages accepted by the library of which it has not told yet what became of them */
} charge_point;

/* What happened so far. Of each accepted message there must be one report, sent or not sent; each accepted CALL must be
 * answered, or its connection be lost. */
typedef struct counters {
  uint64_t connected; /* now */
  uint64_t booted;
  uint64_t boots_refused;
  uint64_t accepted;
  uint64_t refused; /* by the library, with a status: never accepted */
  uint64_t sent;
  uint64_t not_sent;
  uint64_t calls;
  uint64_t answered;
  uint64_t lost; /* CALLs whose connection ended before the answer came */
  uint64_t heartbeats_answered;
  uint64_t received;
  uint64_t connections_lost;
  uint64_t reconnects;
  uint64_t attempts_failed;
  uint64_t closed;
  uint64_t contradictions; /* events that break a promise of the header or of OCPP-J */
} counters;

typedef struct fleet {
  cwire_manager manager;
  charge_point* stations;
  size_t size;
  size_t begun; /* stations that connect was called for, with success */
  counters counters;
  bool outage;             /* the CSMS is known to be away: what fails now is no surprise */
  bool shut_down;          /* SHUTDOWN came, the last event */
  unsigned long run;       /* sets the message ids of this run apart from those of the one before */
  size_t next_heartbeat;   /* whose turn it is */
  double heartbeats_due;   /* stations whose turn has come, and a fraction */
  char first_problem[320]; /* the first line that tells of trouble nobody asked for */
  char news[320];          /* what the endpoint's circuit breaker did, to be shown; "" when it was */
} fleet;

/* Starts the manager. False: *err says why. */
bool fleet_start(fleet* self, const options* wanted, cwire_error* err);
/* Begins to connect every station, polling in between. False: *err says why. */
bool fleet_connect(fleet* self, const options* wanted, cwire_error* err);
/* Handles what has happened, waiting up to timeout_ms for something to happen. */
void fleet_poll(fleet* self, int timeout_ms);
/* Lets those whose turn it is send a Heartbeat, after `seconds` have passed since the last call. */
void fleet_heartbeats(fleet* self, double seconds, double interval_seconds);
/* Frees everything. */
void fleet_end(fleet* self);

#endif
