/* A clock that never goes back; reading it takes nanoseconds, and it is good to some milliseconds. */
#include "calls.h"

#include <time.h>

double
seconds(void)
{
    struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
    timespec_get(&now, TIME_UTC);
#endif
    return now.tv_sec + 1e-9 * now.tv_nsec;
}
