/* What the command line asks for. */
#ifndef QUICKSTART_OPTIONS_H
#define QUICKSTART_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define OPTIONS_PROTOCOLS_MAX 3

typedef struct options {
  size_t stations;
  const char* id_prefix;
  const char* url;                              /* NULL: csms.default_url of the configuration */
  const char* config_file;                      /* NULL: the demonstration's own settings */
  const char* protocols[OPTIONS_PROTOCOLS_MAX]; /* stations take turns */
  size_t protocol_count;
  pid_t csms_pid; /* 0: no one is killed */
  double heartbeat_seconds;
  double calm_seconds;     /* of heartbeats, before and after the outage */
  double outage_seconds;   /* how long the CSMS stays away */
  double patience_seconds; /* for each thing that is waited for */
} options;

/* Fills `out`. False: the program is to end with *exit_code; what there was to say was said. */
bool options_parse(int argc, char** argv, options* out, int* exit_code);

#endif
