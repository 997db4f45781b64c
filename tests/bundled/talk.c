#include "talk.h"

#include <chargewire/chargewire.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The functions of the library by their own names, as a binding has them. */
#define FUNCTIONS(each)                                                                             \
  each(cwire_config_new) each(cwire_config_set) each(cwire_manager_new) each(cwire_manager_connect) \
      each(cwire_manager_poll) each(cwire_station_send)

#define MEMBER(name) __typeof__(name)* name;
static struct { FUNCTIONS(MEMBER) } library;

static char problem[512];

static const char* say(const char* what, const char* why) {
  snprintf(problem, sizeof problem, "%s: %s", what, why);
  return problem;
}

static const char* load(const char* path) {
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void* object;
  if (handle == NULL) return say("dlopen", dlerror());
/* ISO C knows no way from an object pointer to a function pointer; POSIX promises that the bits are the same. */
#define FIND(name)                                    \
  object = dlsym(handle, #name);                      \
  if (object == NULL) return say("dlsym", dlerror()); \
  memcpy(&library.name, &object, sizeof object);
  FUNCTIONS(FIND)
  return NULL;
}

/* Sends when connected, and is done when the message is back. */
static const char* exchange(cwire_manager manager) {
  static const char message[] = "hello";
  for (;;) {
    const cwire_event* events;
    size_t count, i;
    if (library.cwire_manager_poll(manager, 30000, 1, &events, &count) != CWIRE_OK)
      return "nothing came for half a minute";
    for (i = 0; i < count; ++i) {
      if (events[i].type == CWIRE_EVENT_ERROR || events[i].type == CWIRE_EVENT_DISCONNECTED)
        return say("the station", events[i].data);
      if (events[i].type == CWIRE_EVENT_CONNECTED)
        library.cwire_station_send(events[i].station, message, strlen(message), 0, 0);
      if (events[i].type == CWIRE_EVENT_MESSAGE)
        return strcmp(events[i].data, message) == 0 ? NULL : say("another message came", events[i].data);
    }
  }
}

const char* talk(const char* path, const char* url, const char* ca_file) {
  cwire_error err = CWIRE_ERROR_INIT;
  cwire_config config;
  cwire_manager manager;
  const char* failed = load(path);
  if (failed != NULL) return failed;
  if (library.cwire_config_new(&config) != CWIRE_OK) return "no configuration";
  /* This one throws and catches inside the library. */
  if (library.cwire_config_set(config, "csms.ping_interval", "soon", &err) != CWIRE_E_CONFIG)
    return "ping_interval may be \"soon\"";
  if (*ca_file != '\0' && library.cwire_config_set(config, "csms.tls.ca_cert", ca_file, &err) != CWIRE_OK)
    return say("ca_cert", err.message);
  if (library.cwire_manager_new(config, NULL, 0, &manager, &err) != CWIRE_OK) return say("manager", err.message);
  if (library.cwire_manager_connect(manager, "CP001", url, NULL, 0, NULL, &err) != CWIRE_OK)
    return say("connect", err.message);
  return exchange(manager);
}
