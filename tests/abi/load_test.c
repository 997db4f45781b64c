/* Loads the library by name, as bindings do: it does nothing by itself, has every symbol, and may be unloaded, or the
 * process end, while a manager lives.
 *
 * usage: chargewire_load_test <libchargewire.so.N> <symbols.txt> <version> */
#include <chargewire/chargewire.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "failed: %s\n", what);
  exit(1);
}

static int entries_of(const char* path) {
  int count = 0;
  DIR* directory = opendir(path);
  require(directory != NULL, path);
  while (readdir(directory) != NULL) ++count;
  closedir(directory);
  return count;
}

/* ISO C knows no way from an object pointer to a function pointer; POSIX promises that the bits are the same. */
static void (*function_of(void* library, const char* name))(void) {
  void* object = dlsym(library, name);
  void (*function)(void) = NULL;
  require(object != NULL, name);
  memcpy(&function, &object, sizeof function);
  return function;
}

static void leave_a_manager_alive(void* library) {
  typedef cwire_status (*manager_new)(cwire_config, cwire_event_handler, uintptr_t, cwire_manager*, cwire_error*);
  typedef cwire_status (*manager_connect)(cwire_manager, const char*, const char*, cwire_config, uintptr_t,
                                          cwire_station*, cwire_error*);
  cwire_manager manager = NULL;
  require(((manager_new)function_of(library, "cwire_manager_new"))(NULL, NULL, 0, &manager, NULL) == CWIRE_OK,
          "a manager");
  /* Nobody is there; it tries for as long as it lives. */
  require(((manager_connect)function_of(library, "cwire_manager_connect"))(manager, "CP1", "ws://localhost:1", NULL, 0,
                                                                           NULL, NULL) == CWIRE_OK,
          "a station");
}

int main(int argc, char** argv) {
  char name[128], header_version[32];
  int found = 0, threads, descriptors;
  FILE* symbols;
  void* library;

  require(argc == 4, "three arguments: the library, the list of its symbols, its version");
  threads = entries_of("/proc/self/task");
  descriptors = entries_of("/proc/self/fd");
  library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  require(library != NULL, "dlopen");
  require(entries_of("/proc/self/task") == threads, "loading starts no thread");
  require(entries_of("/proc/self/fd") == descriptors, "loading opens no descriptor");

  symbols = fopen(argv[2], "r");
  require(symbols != NULL, argv[2]);
  while (fscanf(symbols, "%127s", name) == 1) {
    function_of(library, name);
    ++found;
  }
  fclose(symbols);
  require(found > 0, "the list of symbols is empty");

  snprintf(header_version, sizeof header_version, "%d.%d.%d", CWIRE_VERSION_MAJOR, CWIRE_VERSION_MINOR,
           CWIRE_VERSION_PATCH);
  require(strcmp(header_version, argv[3]) == 0, "the header's version is that of the build");
  require(strcmp(((const char* (*)(void))function_of(library, "cwire_version"))(), argv[3]) == 0,
          "the library's version is that of the build");
  require(((uint32_t(*)(void))function_of(library, "cwire_abi_version"))() == CWIRE_ABI_VERSION,
          "the library's ABI version is that of the header");

  leave_a_manager_alive(library);
  require(dlclose(library) == 0, "dlclose");
  library = dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD);
  require(library != NULL, "the code stays in place after dlclose, for threads on their way out");
  require(dlclose(library) == 0, "dlclose once more");
  /* The manager's threads have run on without it, and do when the process exits. */
  printf("%d symbols\n", found);
  return 0;
}
