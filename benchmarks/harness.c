/* The exponential fit in C, by this library's core (linked) and by libcminpack (at its address). */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { N = 3, MOST = 1000 };

typedef int Residual(void *data, int m, int n, const double *x, double *fvec, int iflag);

typedef int CminpackLmdif(Residual *fcn, void *p, int m, int n, double *x, double *fvec, double ftol,
                          double xtol, double gtol, int maxfev, double epsfcn, double *diag, int mode,
                          double factor, int nprint, int *nfev, double *fjac, int ldfjac, int *ipvt,
                          double *qtf, double *wa1, double *wa2, double *wa3, double *wa4);

void lmdif(const intptr_t *residual, const intptr_t *residual_data, const int *residual_fills, const int *m,
           const int *n, double *x, double *fvec, const int *evaluated, const double *ftol, const double *xtol, const double *gtol,
           const int *maxfev, const double *epsfcn, const int *fixed_steps, const double *steps,
           const double *factor, const int *fixed_scale,
           const double *diag, const int *bounded, const double *lower, const double *upper,
           double *augmented, int *ipvt, int *nfev, int *info);

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
seconds_of_residual(Residual *function, void *data, int m, const double *x, int count)
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
    const intptr_t function = (intptr_t)residual, address = (intptr_t)data;
    const int n = N, fills = 1, evaluated = 0, fixed_steps = 0, fixed_scale = 0, bounded = 0;
    double fvec[MOST], diag[N], augmented[N * (N + 1)], start = now();
    int ipvt[N], info;
    for (int i = 0; i < count; i++) {
        memcpy(x, x0, sizeof diag);
        lmdif(&function, &address, &fills, &m, &n, x, fvec, &evaluated, &tolerance, &tolerance, &gtol, &maxfev,
              &epsfcn, &fixed_steps, diag, &factor, &fixed_scale, diag, &bounded, diag, diag, augmented, ipvt, nfev, &info);
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
