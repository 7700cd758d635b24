/* Lets a server that refuses loopback interfaces offer one: hides the loopback flag of `lo` from it (LD_PRELOAD). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

int getifaddrs(struct ifaddrs **list) {
  int (*real)(struct ifaddrs **) = (int (*)(struct ifaddrs **))dlsym(RTLD_NEXT, "getifaddrs");
  int result = real ? real(list) : -1;
  for (struct ifaddrs *each = result == 0 ? *list : NULL; each != NULL; each = each->ifa_next) {
    if (strcmp(each->ifa_name, "lo") == 0) each->ifa_flags &= ~(unsigned)IFF_LOOPBACK;
  }
  return result;
}
