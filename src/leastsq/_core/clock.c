/* Two clocks that never go back. */
#include "calls.h"

#ifdef _WIN32
#include <windows.h>

double
exact_seconds(void)
{
    LARGE_INTEGER ticks, frequency;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&frequency);
    return (double)ticks.QuadPart / (double)frequency.QuadPart;
}
#else
#include <time.h>

static double
time_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

double
exact_seconds(void)
{
    return time_of(CLOCK_MONOTONIC);
}
#endif

/* Good to some milliseconds; reading it takes nanoseconds where there is such a clock. */
double
seconds(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
    return time_of(CLOCK_MONOTONIC_COARSE);
#else
    return exact_seconds();
#endif
}

int
is_over(double due)
{
    return due < Py_HUGE_VAL && seconds() > due;
}
