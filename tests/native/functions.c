/* Functions with the signatures that leastsq calls natively, for test_native.py. */
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

typedef struct {
    const double *x;
    const double *y;
    int calls;
    int stop_at;      /* the call at which to return flag; 0: never */
    int flag;
    int differencing; /* calls with iflag 2 */
    int nan_at;       /* the call at which to return NaN; 0: never */
} Curve;

static int
stops(Curve *curve)
{
    return ++curve->calls == curve->stop_at;
}

/* a*exp(-b*x) + c - y */
int
residual(void *data, int m, int n, const double *p, double *fvec, int iflag)
{
    Curve *curve = data;
    if (n != 3 || stops(curve)) {
        return curve->flag;
    }
    curve->differencing += iflag == 2;
    for (int i = 0; i < m; i++) {
        fvec[i] = p[0] * exp(-p[1] * curve->x[i]) + p[2] - curve->y[i];
    }
    if (curve->calls == curve->nan_at) {
        fvec[m - 1] = NAN;
    }
    return 0;
}

int
jacobian(void *data, int m, int n, const double *p, double *fvec, double *fjac, int ldfjac, int iflag)
{
    Curve *curve = data;
    if (n != 3 || iflag != 2 || stops(curve)) {
        return curve->flag;
    }
    for (int i = 0; i < m; i++) {
        double decay = exp(-p[1] * curve->x[i]);
        fjac[i] = decay;
        fjac[i + ldfjac] = -p[0] * curve->x[i] * decay;
        fjac[i + 2 * ldfjac] = 1;
        if (fabs(p[0] * decay + p[2] - curve->y[i] - fvec[i]) > 1e-12) {
            return -99; /* fvec must hold the residuals at p */
        }
    }
    return 0;
}

/* No data: x - (1, 2, ..., m). */
int
to_count(void *data, int m, int n, const double *x, double *fvec, int iflag)
{
    if (data != NULL || m != n) {
        return -5;
    }
    for (int i = 0; i < m; i++) {
        fvec[i] = x[i] - (i + 1);
    }
    return iflag;
}

/* Whether the upper halves of vector registers are in use; 0 where the processor does not tell. */
int
uses_upper_halves(void)
{
#ifdef __x86_64__
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE && __get_cpuid_count(0xD, 1, &a, &b, &c, &d)
        && a & 1 << 2) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(1));
        return a >> 2 & 1;
    }
#endif
    return 0;
}

typedef struct {
    atomic_int inside;
    int iflag; /* of the calls that wait */
} Meeting;

/* Waits until two threads are inside, or long enough to say that there will never be two. */
int
meet(Meeting *meeting)
{
    atomic_fetch_add(&meeting->inside, 1);
    for (long turns = 0; atomic_load(&meeting->inside) < 2; turns++) {
        if (turns == 20000000) {
            return -2;
        }
        sched_yield();
    }
    return 0;
}

int
meeting_residual(void *data, int m, int n, const double *x, double *fvec, int iflag)
{
    Meeting *meeting = data;
    if (iflag == meeting->iflag && meet(meeting) < 0) {
        return -2;
    }
    return to_count(NULL, m, n, x, fvec, iflag);
}

int
meeting_jacobian(void *data, int m, int n, const double *x, double *fvec, double *fjac, int ldfjac,
                 int iflag)
{
    (void)x;
    (void)fvec;
    Meeting *meeting = data;
    for (int i = 0; i < m * n; i++) {
        fjac[i % m + i / m * ldfjac] = i % m == i / m;
    }
    return iflag == meeting->iflag ? meet(meeting) : 0;
}

/* The data of one fit of many. */
typedef struct {
    double x[25];
    double y[25];
    int stop; /* the call at which to return -9; 0: never */
    int calls;
} Block;

int
block_residual(void *data, int m, int n, const double *p, double *fvec, int iflag)
{
    Block *block = data;
    (void)n;
    (void)iflag;
    if (++block->calls == block->stop) {
        return -9;
    }
    for (int i = 0; i < m; i++) {
        fvec[i] = p[0] * exp(-p[1] * block->x[i]) + p[2] - block->y[i];
    }
    return 0;
}

int
block_jacobian(void *data, int m, int n, const double *p, double *fvec, double *fjac, int ldfjac,
               int iflag)
{
    const Block *block = data;
    (void)n;
    (void)fvec;
    (void)iflag;
    for (int i = 0; i < m; i++) {
        fjac[i] = exp(-p[1] * block->x[i]);
        fjac[i + ldfjac] = -p[0] * block->x[i] * fjac[i];
        fjac[i + 2 * ldfjac] = 1;
    }
    return 0;
}

/* The mean of the numbers in the block. */
int
block_of_numbers(void *data, int m, int n, const double *p, double *fvec, int iflag)
{
    const double *y = data;
    (void)n;
    (void)iflag;
    for (int i = 0; i < m; i++) {
        fvec[i] = p[0] - y[i];
    }
    return 0;
}
