/* What people see: a live line while it runs, and a table at the end. */
#ifndef QUICKSTART_REPORT_H
#define QUICKSTART_REPORT_H

#include "fleet.h"

typedef struct progress {
  bool redraws; /* on a terminal the last line is redrawn; elsewhere there is a line per second */
  double began;
  double shown;
} progress;

/* What cannot be read from the fleet's counters. */
typedef struct outcome {
  bool csms_killed;
  bool all_came_back;
  double back_seconds; /* from the CSMS's return until the last station was connected again */
  uint64_t memory;     /* bytes by which the process grew until every station was connected and idle */
  uint64_t library_sent, library_received; /* by the library's own statistics */
  /* Of the stations' smoothed round trips, of as many as were measured. */
  double round_trip_p50_ms, round_trip_p90_ms, round_trip_p99_ms;
  uint64_t measured;
  uint64_t by_quality[CWIRE_QUALITY_BAD + 1]; /* stations of each CWIRE_QUALITY_* */
  char failure[300];                          /* why it was cut short; "" if it was not */
} outcome;

void progress_begin(progress* self, const options* wanted);
/* Shows where things stand, unless that was shown a moment ago. `what`: what is going on. */
void progress_show(progress* self, const char* what, const fleet* stations);
/* Shows a line that stays. */
void progress_news(const progress* self, const char* line);
/* Shows it for the last time; what follows stands on a new line. */
void progress_end(progress* self, const char* what, const fleet* stations);

/* Prints the table and what is to be made of it. True: all is well. */
bool report_print(const options* wanted, const fleet* stations, const outcome* how);

#endif
