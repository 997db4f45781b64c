/*
 * The quickstart: a fleet of stations boots, exchanges heartbeats, loses its CSMS, and comes back.
 *
 * It stands on <chargewire/chargewire.h> alone and uses one thread, which polls. Read fleet.c for what a station does;
 * this file is the plot. examples/quickstart.sh builds it and gives it a CSMS that may be killed.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet.h"
#include "options.h"
#include "process.h"
#include "report.h"

typedef struct show {
  options wanted;
  fleet fleet;
  progress progress;
  outcome outcome;
  double last_turn;
  bool heartbeats; /* are being sent */
} show;

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

/* What can be waited for. */
typedef bool (*condition)(const fleet*);
static bool all_booted(const fleet* fleet) { return fleet->counters.booted == fleet->size; }
static bool all_connected(const fleet* fleet) { return fleet->counters.connected == fleet->size; }
static bool none_connected(const fleet* fleet) { return fleet->counters.connected == 0; }
static bool shut_down(const fleet* fleet) { return fleet->shut_down; }
static bool all_told(const fleet* fleet) {
  const counters* sum = &fleet->counters;
  return sum->calls == sum->answered + sum->lost && sum->accepted == sum->sent + sum->not_sent;
}

static void take_a_turn(show* self, const char* what) {
  const double now = process_now();
  if (self->heartbeats) fleet_heartbeats(&self->fleet, now - self->last_turn, self->wanted.heartbeat_seconds);
  self->last_turn = now;
  fleet_poll(&self->fleet, 20);
  progress_show(&self->progress, what, &self->fleet);
}

static bool fail(show* self, const char* what) {
  snprintf(self->outcome.failure, sizeof self->outcome.failure, "%s: %s", what,
           interrupted ? "interrupted" : "this took too long (--patience)");
  return false;
}

/* Lets things happen until they are so. False: they are not, and the rest makes no sense. */
static bool await(show* self, const char* what, condition reached) {
  const double end = process_now() + self->wanted.patience_seconds;
  while (!reached(&self->fleet) && !interrupted && process_now() < end) take_a_turn(self, what);
  progress_end(&self->progress, what, &self->fleet);
  return reached(&self->fleet) || fail(self, what);
}

/* Lets things happen for so long. */
static bool pass(show* self, const char* what, double seconds) {
  const double end = process_now() + seconds;
  while (!interrupted && process_now() < end) take_a_turn(self, what);
  progress_end(&self->progress, what, &self->fleet);
  return !interrupted || fail(self, what);
}

static bool tell_csms(show* self, int signal_number) {
  if (kill(self->wanted.csms_pid, signal_number) == 0) return true;
  snprintf(self->outcome.failure, sizeof self->outcome.failure, "the CSMS, process %ld, cannot be told anything: %s",
           (long)self->wanted.csms_pid, strerror(errno));
  return false;
}

/* The CSMS dies, stays away for a while, and returns. The stations know nothing of it but what the line tells them. */
static bool outage(show* self) {
  double returned;
  self->outcome.csms_killed = true;
  self->fleet.outage = true;
  if (!tell_csms(self, SIGUSR1) || !await(self, "CSMS killed", none_connected) ||
      !pass(self, "CSMS dead", self->wanted.outage_seconds) || !tell_csms(self, SIGUSR2)) {
    return false;
  }
  returned = process_now();
  if (!await(self, "CSMS back", all_connected)) return false;
  self->outcome.back_seconds = process_now() - returned;
  self->outcome.all_came_back = true;
  self->fleet.outage = false;
  return true;
}

/* What the library itself counted, to be compared with what its events told. */
static void take_statistics(show* self) {
  size_t i, count = 0;
  cwire_stats* stats = calloc(self->fleet.size, sizeof *stats);
  if (stats == NULL) return;
  stats[0].size = sizeof *stats;
  if (cwire_manager_all_stats(self->fleet.manager, stats, self->fleet.size, &count) == CWIRE_OK) {
    for (i = 0; i < count; ++i) {
      self->outcome.library_sent += stats[i].messages_sent;
      self->outcome.library_received += stats[i].messages_received;
    }
  }
  free(stats);
}

/* The plot. False: it was cut short; outcome.failure says why. */
static bool play(show* self) {
  const uint64_t memory_before = process_memory();
  cwire_error err = CWIRE_ERROR_INIT;
  if (!fleet_connect(&self->fleet, &self->wanted, &err)) {
    snprintf(self->outcome.failure, sizeof self->outcome.failure, "%.190s", err.message);
    return false;
  }
  if (!await(self, "booting", all_booted)) return false;

  self->heartbeats = true;
  if (!pass(self, "heartbeats", self->wanted.calm_seconds)) return false;
  self->outcome.memory = process_memory() - memory_before;

  if (self->wanted.csms_pid != 0) {
    if (!outage(self) || !pass(self, "heartbeats", self->wanted.calm_seconds)) return false;
  }
  self->heartbeats = false;
  return await(self, "last answers", all_told) && await(self, "still connected", all_connected);
}

int main(int argc, char** argv) {
  static show self;
  struct sigaction action;
  cwire_error err = CWIRE_ERROR_INIT;
  size_t descriptors_max;
  int exit_code;
  bool ok;

  if (!options_parse(argc, argv, &self.wanted, &exit_code)) return exit_code;
  if (!process_allow_descriptors(self.wanted.stations + 64, &descriptors_max)) {
    fprintf(stderr, "%zu stations need a descriptor each, but this process may have only %zu: raise `ulimit -n`\n",
            self.wanted.stations, descriptors_max);
    return 1;
  }
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);

  if (!fleet_start(&self.fleet, &self.wanted, &err)) {
    fprintf(stderr, "%s\n", err.message);
    fleet_end(&self.fleet);
    return 1;
  }
  progress_begin(&self.progress);
  self.last_turn = process_now();
  play(&self);

  take_statistics(&self);
  interrupted = 0; /* a second Ctrl-C interrupts the farewell */
  self.heartbeats = false;
  cwire_manager_shutdown(self.fleet.manager, 5000);
  await(&self, "closing", shut_down);
  ok = report_print(&self.wanted, &self.fleet, &self.outcome);
  fleet_end(&self.fleet);
  return ok ? 0 : 1;
}
