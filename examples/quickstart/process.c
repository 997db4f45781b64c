#define _POSIX_C_SOURCE 200809L
#include "process.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

double process_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

uint64_t process_memory(void) {
  FILE* file = fopen("/proc/self/status", "r"); /* proc(5) */
  unsigned long long kilobytes = 0;
  char line[256];
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL && sscanf(line, "RssAnon: %llu kB", &kilobytes) != 1) continue;
  fclose(file);
  return kilobytes * 1024;
}

bool process_allow_descriptors(size_t count, size_t* maximum) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return true; /* whoever sets no limit has none to raise */
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < count) {
    *maximum = (size_t)limit.rlim_max;
    return false;
  }
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= count) return true;
  *maximum = (size_t)limit.rlim_cur;
  limit.rlim_cur = count;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}
