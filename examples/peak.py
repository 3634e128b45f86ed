"""Residuals and Jacobian in C
===========================

A peak on a sloping background. The residuals and the Jacobian are functions in C. The script
compiles them with ``cc``, and the solver calls them at their addresses.
"""

import ctypes
import subprocess
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from leastsq import NativeFunction, leastsq

# %%
# The functions get a pointer to data, the number of residuals m and of parameters n, and the
# parameters p. They fill the residuals, and the Jacobian column by column. A negative return value
# stops the fit.

SOURCE = r"""
#include <math.h>

typedef struct {
    const double *x;
    const double *y;
} measurement;

int residual(void *data, int m, int n, const double *p, double *fvec, int iflag)
{
    const measurement *of = data;
    for (int i = 0; i < m; i++) {
        double z = (of->x[i] - p[1]) / p[2];
        fvec[i] = p[0] * exp(-z * z / 2) + p[3] + p[4] * of->x[i] - of->y[i];
    }
    return 0;
}

int jacobian(void *data, int m, int n, const double *p, double *fvec, double *fjac, int ldfjac,
             int iflag)
{
    const measurement *of = data;
    for (int i = 0; i < m; i++) {
        double z = (of->x[i] - p[1]) / p[2], bell = exp(-z * z / 2);
        double column[] = {bell, p[0] * bell * z / p[2], p[0] * bell * z * z / p[2], 1, of->x[i]};
        for (int j = 0; j < n; j++) {
            fjac[i + j * ldfjac] = column[j];
        }
    }
    return 0;
}
"""


class Measurement(ctypes.Structure):
    """What the C functions get: where the data lie."""

    _fields_ = (("x", ctypes.c_void_p), ("y", ctypes.c_void_p))


with tempfile.TemporaryDirectory() as folder:
    source, library = Path(folder) / "peak.c", Path(folder) / "peak.so"
    source.write_text(SOURCE)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
    functions = ctypes.CDLL(str(library))

# %%
# The data must stay where they are as long as the functions are used: ``NativeFunction`` keeps a
# reference to ``data``, and this script keeps x and y.


def peak(x, height, center, width, base, slope):
    """The same in Python, to make the data and the picture."""
    return height * np.exp(-((x - center) ** 2) / (2 * width**2)) + base + slope * x


truth = [3, 4.2, 0.6, 1, 0.15]
x = np.linspace(0, 10, 500)
y = peak(x, *truth) + 0.2 * np.random.default_rng(8).standard_normal(x.size)
data = Measurement(x.ctypes.data, y.ctypes.data)
residual = NativeFunction(functions.residual, x.size, data=data)
jacobian = NativeFunction(functions.jacobian, x.size, data=data)

p, cov_x, info, *_ = leastsq(residual, [1, 5, 1, 0, 0], Dfun=jacobian, full_output=True)
errors = np.sqrt(np.diag(cov_x) * np.sum(info["fvec"] ** 2) / (x.size - p.size))

print("Gaussian peak on a sloping background, 500 points")
names = ["height", "center", "width", "base", "slope"]
for name, value, error, true in zip(names, p, errors, truth, strict=True):
    print(f"  {name:6} = {value:6.3f} +- {error:.3f}   truth {true}")

# %%

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.plot(x, y, "o", markersize=3, alpha=0.5, label="data")
axes.plot(x, peak(x, *p), linewidth=2, label="fit")
axes.plot(x, peak(x, *truth), "--", color="black", label="truth")
axes.set(title="A peak, fitted in C", xlabel="x", ylabel="y")
axes.legend(frameon=False)
plt.show()
