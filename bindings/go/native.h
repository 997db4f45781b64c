/* What Go calls besides the functions of chargewire.h: their results by value, so that nothing of Go's is handed to C for them. */
#ifndef CHARGEWIRE_GO_NATIVE_H
#define CHARGEWIRE_GO_NATIVE_H

#include <chargewire/chargewire.h>
#include <stdlib.h>

struct batch {
  cwire_status status;
  const cwire_event *events;
  size_t count;
};

static inline struct batch next_batch(cwire_manager manager, size_t max) {
  struct batch batch = {CWIRE_OK, NULL, 0};
  batch.status = cwire_manager_poll(manager, -1, max, &batch.events, &batch.count);
  return batch;
}

struct counts {
  cwire_status status;
  size_t connected;
  size_t total;
};

static inline struct counts manager_counts(cwire_manager manager) {
  struct counts counts = {CWIRE_OK, 0, 0};
  counts.status = cwire_manager_counts(manager, &counts.connected, &counts.total);
  return counts;
}

static inline struct counts pool_counts(cwire_pool pool) {
  struct counts counts = {CWIRE_OK, 0, 0};
  counts.status = cwire_pool_counts(pool, &counts.connected, &counts.total);
  return counts;
}

struct state {
  cwire_status status;
  int32_t state;
};

static inline struct state station_state(cwire_station station) {
  struct state state = {CWIRE_OK, 0};
  state.status = cwire_station_state(station, &state.state);
  return state;
}

#endif
