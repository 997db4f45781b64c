/*
 * The quickstart: a fleet of stations boots, exchanges heartbeats, loses its CSMS, and comes back.
 *
 * It stands on <chargewire/chargewire.h> alone and uses one thread, which polls. Read fleet.c for what a station does;
 * this file is the plot. examples/quickstart.sh builds it and gives it a CSMS that may be killed.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
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
  bool closing;    /* the fleet is being shut down */
} show;

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

/* What can be waited for. */
typedef bool (*condition)(const fleet*);
static bool all_booted(const fleet* self) { return self->counters.booted == self->size; }
static bool all_connected(const fleet* self) { return self->counters.connected == self->size; }
static bool none_connected(const fleet* self) { return self->counters.connected == 0; }
static bool shut_down(const fleet* self) { return self->shut_down; }
static bool all_settled(const fleet* self) {
  const counters* sum = &self->counters;
  return all_connected(self) && sum->calls == sum->answered + sum->lost && sum->accepted == sum->sent + sum->not_sent;
}

static void take_a_turn(show* self, const char* what) {
  const double now = process_now();
  if (self->heartbeats) fleet_heartbeats(&self->fleet, now - self->last_turn, self->wanted.heartbeat_seconds);
  self->last_turn = now;
  fleet_poll(&self->fleet, 20);
  if (self->fleet.news[0] != '\0') progress_news(&self->progress, self->fleet.news);
  self->fleet.news[0] = '\0';
  progress_show(&self->progress, what, &self->fleet);
}

static bool fail(show* self, const char* format, ...) {
  va_list values;
  if (self->outcome.failure[0] != '\0') return false; /* the first is the one that matters */
  va_start(values, format);
  vsnprintf(self->outcome.failure, sizeof self->outcome.failure, format, values);
  va_end(values);
  return false;
}

/* Whether it makes sense to go on. */
static bool sound(show* self) {
  const counters* sum = &self->fleet.counters;
  if (interrupted) return fail(self, "interrupted");
  if (self->closing) return true;
  if (sum->boots_refused > 0) return fail(self, "the CSMS does not accept all boots");
  if (sum->closed > 0) return fail(self, "stations gave up (see csms.max_reconnect_attempts)");
  return true;
}

/* Lets things happen until they are so. False: they are not, and the rest makes no sense. */
static bool await(show* self, const char* what, condition reached) {
  const double end = process_now() + self->wanted.patience_seconds;
  while (!reached(&self->fleet) && sound(self) && process_now() < end) take_a_turn(self, what);
  progress_end(&self->progress, what, &self->fleet);
  return reached(&self->fleet) ||
         fail(self, "%s: this was not done within %g s (see --patience)", what, self->wanted.patience_seconds);
}

/* Lets things happen for so long. */
static bool pass(show* self, const char* what, double seconds) {
  const double end = process_now() + seconds;
  while (sound(self) && process_now() < end) take_a_turn(self, what);
  progress_end(&self->progress, what, &self->fleet);
  return sound(self);
}

static bool tell_csms(show* self, int signal_number) {
  if (kill(self->wanted.csms_pid, signal_number) == 0) return true;
  return fail(self, "the CSMS, process %ld, cannot be told anything: %s", (long)self->wanted.csms_pid, strerror(errno));
}

/* The CSMS dies, stays away for a while, and returns. The stations know nothing of it but what the line tells them. */
static bool outage(show* self) {
  double returned;
  self->fleet.outage = true;
  if (!tell_csms(self, SIGUSR1)) return false;
  self->outcome.csms_killed = true;
  if (!await(self, "CSMS killed", none_connected) || !pass(self, "CSMS dead", self->wanted.outage_seconds) ||
      !tell_csms(self, SIGUSR2)) {
    return false;
  }
  returned = process_now();
  if (!await(self, "CSMS back", all_connected)) return false;
  self->outcome.back_seconds = process_now() - returned;
  self->outcome.all_came_back = true;
  self->fleet.outage = false;
  return true;
}

static int compare_times(const void* a, const void* b) {
  const int64_t one = *(const int64_t*)a, other = *(const int64_t*)b;
  return (one > other) - (one < other);
}

/* The smallest of which that share of all, in hundredths, is not above it. */
static double percentile_ms(const int64_t* sorted, size_t count, size_t hundredths) {
  return (double)sorted[(count * hundredths + 99) / 100 - 1] / 1e6;
}

/* How good the connections are. Sorts what is in round_trips. */
static void take_quality(outcome* how, int64_t* round_trips, size_t count) {
  how->measured = count;
  if (count == 0) return;
  qsort(round_trips, count, sizeof *round_trips, compare_times);
  how->round_trip_p50_ms = percentile_ms(round_trips, count, 50);
  how->round_trip_p90_ms = percentile_ms(round_trips, count, 90);
  how->round_trip_p99_ms = percentile_ms(round_trips, count, 99);
}

/* What the library itself counted, to be compared with what its events told, and measured. */
static void take_statistics(show* self) {
  size_t i, count = 0, measured = 0;
  int64_t* round_trips = calloc(self->fleet.size, sizeof *round_trips);
  cwire_stats* stats = calloc(self->fleet.size, sizeof *stats);
  if (stats == NULL || round_trips == NULL) {
    free(stats);
    free(round_trips);
    return;
  }
  stats[0].size = sizeof *stats;
  if (cwire_manager_all_stats(self->fleet.manager, stats, self->fleet.size, &count) == CWIRE_OK) {
    for (i = 0; i < count; ++i) {
      self->outcome.library_sent += stats[i].messages_sent;
      self->outcome.library_received += stats[i].messages_received;
      if (stats[i].quality <= CWIRE_QUALITY_BAD) self->outcome.by_quality[stats[i].quality]++;
      if (stats[i].round_trip_smoothed_ns != 0) round_trips[measured++] = stats[i].round_trip_smoothed_ns;
    }
  }
  take_quality(&self->outcome, round_trips, measured);
  free(round_trips);
  free(stats);
}

/* The plot. False: it was cut short; outcome.failure says why. */
static bool play(show* self) {
  const uint64_t memory_before = process_memory();
  uint64_t memory_now;
  cwire_error err = CWIRE_ERROR_INIT;
  if (!fleet_connect(&self->fleet, &self->wanted, &err)) return fail(self, "%s", err.message);
  if (!await(self, "booting", all_booted)) return false;

  self->heartbeats = true;
  if (!pass(self, "heartbeats", self->wanted.calm_seconds)) return false;
  memory_now = process_memory();
  if (memory_now > memory_before) self->outcome.memory = memory_now - memory_before;

  if (self->wanted.csms_pid != 0) {
    if (!outage(self) || !pass(self, "heartbeats", self->wanted.calm_seconds)) return false;
  }
  self->heartbeats = false;
  return await(self, "last answers", all_settled);
}

int main(int argc, char** argv) {
  static show self;
  struct sigaction action;
  cwire_error err = CWIRE_ERROR_INIT;
  size_t descriptors, descriptors_max;
  int exit_code;
  bool ok;

  if (!options_parse(argc, argv, &self.wanted, &exit_code)) return exit_code;
  descriptors = self.wanted.stations + 64; /* for the library, the program and what it has inherited */
  if (!process_allow_descriptors(descriptors, &descriptors_max)) {
    fprintf(
        stderr,
        "%zu stations need %zu descriptors in all, but the hard limit of this process (`ulimit -Hn`) is %zu: raise it, "
        "as root by `ulimit -Hn %zu` or for others in /etc/security/limits.conf, or ask for fewer stations\n",
        self.wanted.stations, descriptors, descriptors_max, descriptors);
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
  progress_begin(&self.progress, &self.wanted);
  self.last_turn = process_now();
  play(&self);

  take_statistics(&self);
  interrupted = 0; /* a second Ctrl-C interrupts the farewell */
  self.heartbeats = false;
  self.closing = true;
  cwire_manager_shutdown(self.fleet.manager, 5000);
  await(&self, "closing", shut_down);
  ok = report_print(&self.wanted, &self.fleet, &self.outcome);
  fleet_end(&self.fleet);
  return ok ? 0 : 1;
}
