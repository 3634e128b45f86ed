/* The exponential fit in C, by this library's core (linked) and by libcminpack (at its address). */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <string.h>
#include <time.h>

#include "minpack.h"

enum { N = 3, MOST = 1000 };

typedef int CminpackLmdif(minpack_fill_residual *fcn, void *p, int m, int n, double *x, double *fvec, double ftol,
                          double xtol, double gtol, int maxfev, double epsfcn, double *diag, int mode,
                          double factor, int nprint, int *nfev, double *fjac, int ldfjac, int *ipvt,
                          double *qtf, double *wa1, double *wa2, double *wa3, double *wa4);

static const double tolerance = 1.49012e-8, gtol = 0, epsfcn = 2.220446049250313e-16, factor = 100;
static const int maxfev = 800;

static double
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* a*exp(-b*x) + c - y; data: the m values of x, then those of y */
int
residual(void *data, int m, int n, const double *p, double *fvec, int iflag)
{
    (void)n;
    (void)iflag;
    const double *x = data, *y = x + m;
    for (int i = 0; i < m; i++) {
        fvec[i] = p[0] * exp(-p[1] * x[i]) + p[2] - y[i];
    }
    return 0;
}

double
seconds_of_residual(minpack_fill_residual *function, void *data, int m, const double *x, int count)
{
    double fvec[MOST], start = now();
    for (int i = 0; i < count; i++) {
        function(data, m, N, x, fvec, 1);
    }
    return (now() - start) / count;
}

double
seconds_of_fit(void *data, int m, const double *x0, int count, double *x, int *nfev)
{
    const minpack_residual function = {.fill = residual, .data = data};
    const minpack_options options = {
        .ftol = tolerance, .xtol = tolerance, .factor = factor, .epsfcn = epsfcn, .maxfev = maxfev};
    double fvec[MOST], fnorm, augmented[N * (N + 1)], start = now();
    int ipvt[N], trials, njev, steps, info;
    for (int i = 0; i < count; i++) {
        memcpy(x, x0, N * sizeof *x);
        minpack_fit(&function, NULL, &options, -1, m, N, x, fvec, 0, &fnorm, augmented, ipvt, nfev,
                    &trials, &njev, &steps, &info);
    }
    return (now() - start) / count;
}

double
seconds_of_cminpack(CminpackLmdif *cminpack, void *data, int m, const double *x0, int count, double *x,
                    int *nfev)
{
    double fvec[MOST], fjac[MOST * N], diag[N], qtf[N], wa[3][N], wa4[MOST], start = now();
    int ipvt[N];
    for (int i = 0; i < count; i++) {
        memcpy(x, x0, sizeof diag);
        cminpack(residual, data, m, N, x, fvec, tolerance, tolerance, gtol, maxfev, epsfcn, diag, 1,
                 factor, 0, nfev, fjac, m, ipvt, qtf, wa[0], wa[1], wa[2], wa4);
    }
    return (now() - start) / count;
}
