#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: chargewire-quickstart [options]\n"
    "  --stations N         how many (default 1000)\n"
    "  --url URL            the CSMS; each station's id goes on the end of its path\n"
    "                       (default: csms.default_url of the configuration)\n"
    "  --config FILE        settings of the library as YAML, in place of the demonstration's short waits\n"
    "  --protocols LIST     OCPP versions that the stations take turns with (default 1.6,2.0.1,2.1)\n"
    "  --id-prefix TEXT     stations are called TEXT and a number (default CP)\n"
    "  --csms-pid PID       in the middle, kill the CSMS: SIGUSR1 tells this process to drop all connections and\n"
    "                       stop listening, SIGUSR2 to come back (default: nothing is killed)\n"
    "  --heartbeat SECONDS  time between two heartbeats of a station (default 2)\n"
    "  --calm SECONDS       exchange heartbeats this long before and after the outage (default 4)\n"
    "  --outage SECONDS     leave the CSMS dead this long (default 3)\n"
    "  --patience SECONDS   give up on whatever takes longer (default 120)\n"
    "  --help\n";

static bool parse_number(const char* text, double minimum, double maximum, double* out) {
  char* end;
  *out = strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*out) && *out >= minimum && *out <= maximum;
}

static bool parse_whole_number(const char* text, double minimum, double maximum, double* out) {
  return parse_number(text, minimum, maximum, out) && floor(*out) == *out;
}

/* Cuts the list at its commas. What a version may be called is the library's to say. */
static bool parse_protocols(char* list, options* out) {
  char* item;
  out->protocol_count = 0;
  for (item = strtok(list, ", "); item != NULL; item = strtok(NULL, ", ")) {
    if (out->protocol_count == OPTIONS_PROTOCOLS_MAX) return false;
    out->protocols[out->protocol_count++] = item;
  }
  return out->protocol_count > 0;
}

/* Takes one option. NULL: taken; else what its value should have been. */
static const char* take(options* out, const char* name, char* value, bool* known) {
  const char* const seconds = "seconds, from 0 to 86400";
  double number;
  *known = true;
  if (strcmp(name, "--url") == 0) {
    out->url = value;
  } else if (strcmp(name, "--config") == 0) {
    out->config_file = value;
  } else if (strcmp(name, "--id-prefix") == 0) {
    if (strlen(value) > 30) return "at most 30 characters";
    out->id_prefix = value;
  } else if (strcmp(name, "--protocols") == 0) {
    if (!parse_protocols(value, out)) return "one to three of 1.6, 2.0.1 and 2.1, with commas between them";
  } else if (strcmp(name, "--stations") == 0) {
    if (!parse_whole_number(value, 1, 1000000, &number)) return "a whole number from 1 to 1000000";
    out->stations = (size_t)number;
  } else if (strcmp(name, "--csms-pid") == 0) {
    /* kill(2) takes 0 and 1 too, but they are a group and init. */
    if (!parse_whole_number(value, 2, 2147483647, &number)) return "the id of a process";
    out->csms_pid = (pid_t)number;
  } else if (strcmp(name, "--heartbeat") == 0) {
    if (!parse_number(value, 0.01, 86400, &out->heartbeat_seconds)) return "seconds, from 0.01 to 86400";
  } else if (strcmp(name, "--calm") == 0) {
    if (!parse_number(value, 0, 86400, &out->calm_seconds)) return seconds;
  } else if (strcmp(name, "--outage") == 0) {
    if (!parse_number(value, 0, 86400, &out->outage_seconds)) return seconds;
  } else if (strcmp(name, "--patience") == 0) {
    if (!parse_number(value, 0, 86400, &out->patience_seconds)) return seconds;
  } else {
    *known = false;
  }
  return NULL;
}

bool options_parse(int argc, char** argv, options* out, int* exit_code) {
  const options defaults = {.stations = 1000,
                            .id_prefix = "CP",
                            .protocols = {"1.6", "2.0.1", "2.1"},
                            .protocol_count = 3,
                            .heartbeat_seconds = 2,
                            .calm_seconds = 4,
                            .outage_seconds = 3,
                            .patience_seconds = 120};
  int i;
  *out = defaults;
  *exit_code = 2;
  for (i = 1; i < argc; i += 2) {
    const char* expected;
    bool known;
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      fputs(usage, stdout);
      *exit_code = 0;
      return false;
    }
    expected = take(out, argv[i], i + 1 < argc ? argv[i + 1] : "", &known);
    if (!known) {
      fprintf(stderr, "unknown option %s; see --help\n", argv[i]);
      return false;
    }
    if (i + 1 == argc) {
      fprintf(stderr, "%s: a value is missing; see --help\n", argv[i]);
      return false;
    }
    if (expected != NULL) {
      fprintf(stderr, "%s %s: expected %s\n", argv[i], argv[i + 1], expected);
      return false;
    }
  }
  return true;
}
