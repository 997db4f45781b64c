/* What node calls when it loads an addon, by the name that N-API gives it. No header of node is needed for that. */
#include <stdio.h>
#include <stdlib.h>

#include "talk.h"

__attribute__((visibility("default"))) void* napi_register_module_v1(void* environment, void* exports) {
  const char* problem = talk(getenv("HOST_LIBRARY"), getenv("HOST_URL"), getenv("HOST_CA"));
  (void)environment;
  if (problem != NULL) {
    fprintf(stderr, "%s\n", problem);
    exit(1);
  }
  return exports;
}
