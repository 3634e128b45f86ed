/* Two clocks that never go back. */
#include "calls.h"

#include <time.h>

/* Good to some milliseconds; reading it takes nanoseconds. */
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

int
is_over(double due)
{
    return due < Py_HUGE_VAL && seconds() > due;
}

double
exact_seconds(void)
{
    struct timespec now;
#ifdef CLOCK_MONOTONIC
    clock_gettime(CLOCK_MONOTONIC, &now);
#else
    timespec_get(&now, TIME_UTC);
#endif
    return now.tv_sec + 1e-9 * now.tv_nsec;
}
