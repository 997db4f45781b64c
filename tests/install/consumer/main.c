/* A stranger's C program: starts a manager, ends it, and prints the version once SHUTDOWN was told. */
#include <chargewire/callbacks.h>
#include <chargewire/chargewire.h>
#include <stdio.h>

static void on_shutdown(void *user, const cwire_event *event) {
  (void)event;
  *(int *)user = 1;
}

int main(void) {
  cwire_error err = CWIRE_ERROR_INIT;
  cwire_config config;
  cwire_manager manager;
  cwire_callbacks callbacks = {0};
  int over = 0;

  callbacks.user = &over;
  callbacks.on_shutdown = on_shutdown;
  if (cwire_config_new(&config) != CWIRE_OK) return 1;
  if (cwire_config_set(config, "io_threads", "1", &err) != CWIRE_OK ||
      cwire_manager_new(config, cwire_dispatch, (uintptr_t)&callbacks, &manager, &err) != CWIRE_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  cwire_config_free(config);
  cwire_manager_free(manager); /* returns after the handler's last return */
  if (!over) return 1;
  printf("chargewire %s\n", cwire_version());
  return 0;
}
