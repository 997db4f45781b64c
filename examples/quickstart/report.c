#define _POSIX_C_SOURCE 200809L
#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process.h"

/* 12345 as "12,345". Several may stand in one printf: the last eight results stay. */
static const char* grouped(uint64_t number) {
  static char texts[8][32];
  static unsigned turn;
  char digits[24], *out = texts[turn++ % 8];
  const int size = snprintf(digits, sizeof digits, "%" PRIu64, number);
  int i;
  char* at = out;
  for (i = 0; i < size; ++i) {
    if (i > 0 && (size - i) % 3 == 0) *at++ = ',';
    *at++ = digits[i];
  }
  *at = '\0';
  return out;
}

static void print_protocols(const options* wanted) {
  size_t i;
  for (i = 0; i < wanted->protocol_count; ++i) {
    printf("%s%s", i == 0 ? "" : i + 1 < wanted->protocol_count ? ", " : " and ", wanted->protocols[i]);
  }
}

void progress_begin(progress* self, const options* wanted) {
  self->redraws = isatty(STDOUT_FILENO);
  self->began = process_now();
  self->shown = self->began;
  printf("%s stations, OCPP ", grouped(wanted->stations));
  print_protocols(wanted);
  printf("\n   time    %-12s %10s %8s %9s %9s %11s %7s\n", "", "connected", "booted", "sent", "received", "reconnects",
         "failed");
  fflush(stdout);
}

/* Narrower than 80 columns: a line that wraps cannot be redrawn. */
static void show(progress* self, const char* what, const fleet* stations) {
  const counters* now = &stations->counters;
  self->shown = process_now();
  printf("%s%6.1f s  %-12s %10s %8s %9s %9s %11s %7s%s", self->redraws ? "\r" : "", self->shown - self->began, what,
         grouped(now->connected), grouped(now->booted), grouped(now->sent), grouped(now->received),
         grouped(now->reconnects), grouped(now->attempts_failed), self->redraws ? "\033[K" : "\n");
  fflush(stdout);
}

void progress_show(progress* self, const char* what, const fleet* stations) {
  if (process_now() - self->shown >= (self->redraws ? 0.1 : 1)) show(self, what, stations);
}

void progress_news(const progress* self, const char* line) {
  printf("%s           %s%s\n", self->redraws ? "\r" : "", line, self->redraws ? "\033[K" : "");
  fflush(stdout);
}

void progress_end(progress* self, const char* what, const fleet* stations) {
  show(self, what, stations);
  if (self->redraws) printf("\n");
}

static void row(const char* name, const char* format, ...) {
  va_list values;
  va_start(values, format);
  printf("  %-20s ", name);
  vprintf(format, values);
  printf("\n");
  va_end(values);
}

/* How many stations are how good, best first. */
static void print_qualities(const outcome* how) {
  int quality;
  const char* separator = "";
  printf("  %-20s ", "quality");
  for (quality = CWIRE_QUALITY_GOOD; quality <= CWIRE_QUALITY_BAD; ++quality) {
    if (how->by_quality[quality] == 0) continue;
    printf("%s%s %s", separator, grouped(how->by_quality[quality]), cwire_quality_name(quality));
    separator = ", ";
  }
  if (how->by_quality[CWIRE_QUALITY_NONE] != 0) {
    printf("%s%s not known yet", separator, grouped(how->by_quality[CWIRE_QUALITY_NONE]));
  }
  printf("\n");
}

static void print_table(const options* wanted, const fleet* stations, const outcome* how) {
  const counters* sum = &stations->counters;
  printf("\n  %-20s %s, OCPP ", "stations", grouped(stations->size));
  print_protocols(wanted);
  printf("\n");
  row("boots accepted", "%s", grouped(sum->booted));
  row("messages sent", "%s of %s accepted; %s reported as not sent", grouped(sum->sent), grouped(sum->accepted),
      grouped(sum->not_sent));
  row("messages received", "%s", grouped(sum->received));
  row("calls answered", "%s of %s; %s lost with their connection", grouped(sum->answered), grouped(sum->calls),
      grouped(sum->lost));
  row("reconnects", "%s, after %s connections lost and %s attempts failed", grouped(sum->reconnects),
      grouped(sum->connections_lost), grouped(sum->attempts_failed));
  if (!how->csms_killed && wanted->csms_pid != 0) {
    row("all back after", "- (it ended before the CSMS was killed)");
  } else if (!how->csms_killed) {
    row("all back after", "- (the CSMS was not killed; --csms-pid asks for that)");
  } else if (how->all_came_back) {
    row("all back after", "%.1f s, counted from the CSMS's return", how->back_seconds);
  } else {
    row("all back after", "- (%s of %s are)", grouped(sum->connected), grouped(stations->size));
  }
  if (how->measured > 0) {
    row("round trip", "p50 %.2f ms, p90 %.2f ms, p99 %.2f ms; smoothed, of %s stations", how->round_trip_p50_ms,
        how->round_trip_p90_ms, how->round_trip_p99_ms, grouped(how->measured));
  } else {
    row("round trip", "- (no ping was answered yet; csms.ping_interval says when they come)");
  }
  print_qualities(how);
  if (how->memory > 0) {
    row("memory per station", "%.1f KB; the process grew by %s KB in all",
        (double)how->memory / 1024 / (double)stations->size, grouped(how->memory / 1024));
  } else {
    row("memory per station", "-");
  }
}

/* Prints a line if this is not as it should be. */
static bool holds(bool truth, const char* format, ...) {
  va_list values;
  if (truth) return true;
  va_start(values, format);
  printf("FAILED: ");
  vprintf(format, values);
  printf("\n");
  va_end(values);
  return false;
}

bool report_print(const options* wanted, const fleet* stations, const outcome* how) {
  const counters* sum = &stations->counters;
  const uint64_t size = stations->size;
  uint64_t unreported = 0;
  bool ok = true;
  size_t i;

  for (i = 0; i < stations->size; ++i) unreported += stations->stations[i].unreported;
  print_table(wanted, stations, how);
  printf("\n");

  ok &= holds(how->failure[0] == '\0', "%s", how->failure);
  ok &= holds(sum->booted == size, "%s of %s boots were accepted", grouped(sum->booted), grouped(size));
  ok &= holds(!how->csms_killed || how->all_came_back, "not every station came back");
  ok &= holds(sum->closed == stations->begun, "of %s stations, %s were told to have ended", grouped(stations->begun),
              grouped(sum->closed));
  ok &= holds(unreported == 0 && sum->accepted == sum->sent + sum->not_sent,
              "%s messages were accepted, but %s reported as sent and %s as not sent", grouped(sum->accepted),
              grouped(sum->sent), grouped(sum->not_sent));
  ok &= holds(sum->calls == sum->answered + sum->lost,
              "of %s calls, %s were answered and %s lost with their connection: some got no answer",
              grouped(sum->calls), grouped(sum->answered), grouped(sum->lost));
  ok &= holds(sum->contradictions == 0, "%s events contradict what was told before", grouped(sum->contradictions));
  /* Cut short, the two were counted at different times. */
  ok &= holds(how->failure[0] != '\0' || (how->library_sent == sum->sent && how->library_received == sum->received),
              "the library counts %s messages sent and %s received, its events %s and %s", grouped(how->library_sent),
              grouped(how->library_received), grouped(sum->sent), grouped(sum->received));
  if (!ok && stations->first_problem[0] != '\0') printf("The first sign of trouble: %s\n", stations->first_problem);
  if (ok) {
    printf("OK: every boot was accepted, every station %s, every accepted message is accounted for.\n",
           how->csms_killed ? "came back" : "is connected");
  }
  return ok;
}
