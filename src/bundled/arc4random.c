/* libstdc++ of Debian 12 takes random numbers from arc4random(), which glibc has since 2.36. With this one the
 * self-contained library asks for no glibc newer than 2.34, which is that of RHEL 9; Ubuntu 22.04 has 2.35. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

uint32_t arc4random(void);

uint32_t arc4random(void) {
  uint32_t number;
  if (getentropy(&number, sizeof number) != 0) abort(); /* no kernel that a newer glibc runs on */
  return number;
}
