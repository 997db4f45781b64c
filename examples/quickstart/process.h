/* What the program asks of the operating system: the time, its memory, its limits. */
#ifndef QUICKSTART_PROCESS_H
#define QUICKSTART_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds of a clock that nobody sets. */
double process_now(void);
/* Bytes of memory of its own that the process has in RAM: heap and stacks, without program code, which is shared. 0 if
 * the system does not tell. */
uint64_t process_memory(void);
/* Sees to it that the process may have so many descriptors. False: it may not; *maximum is what it may have. */
bool process_allow_descriptors(size_t count, size_t* maximum);

#endif
