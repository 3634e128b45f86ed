/* Residuals and Jacobian of a Gaussian peak on a sloping background, for peak.py:
 * h*exp(-(x - c)**2/(2*w**2)) + b + s*x - y, with p = (h, c, w, b, s). */
#include <math.h>

typedef struct {
    const double *x;
    const double *y;
} Data;

int
residual(void *data, int m, int n, const double *p, double *fvec, int iflag)
{
    (void)n;
    (void)iflag;
    const Data *d = data;
    for (int i = 0; i < m; i++) {
        double z = (d->x[i] - p[1]) / p[2];
        fvec[i] = p[0] * exp(-z * z / 2) + p[3] + p[4] * d->x[i] - d->y[i];
    }
    return 0;
}

int
jacobian(void *data, int m, int n, const double *p, double *fvec, double *fjac, int ldfjac, int iflag)
{
    (void)n;
    (void)fvec;
    (void)iflag;
    const Data *d = data;
    for (int i = 0; i < m; i++) {
        double z = (d->x[i] - p[1]) / p[2], e = exp(-z * z / 2);
        fjac[i] = e;
        fjac[i + ldfjac] = p[0] * e * z / p[2];
        fjac[i + 2 * ldfjac] = p[0] * e * z * z / p[2];
        fjac[i + 3 * ldfjac] = 1;
        fjac[i + 4 * ldfjac] = d->x[i];
    }
    return 0;
}
