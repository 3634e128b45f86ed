"""An exponential decay
====================

An exponential decay to a constant, fitted to 50 noisy points. Many tutorials begin with this fit.
Here it is done with ``leastsq``, which takes the residuals themselves.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import leastsq


def decay(x, a, b, c):
    """A decay onto c."""
    return a * np.exp(-b * x) + c


def residuals(p, x, y):
    """Compute the differences between the model and the data."""
    return decay(x, *p) - y


# %%
# The truth is a = 2, b = 1.5, c = 0.5.

truth = [2, 1.5, 0.5]
x = np.linspace(0, 5, 50)
y = decay(x, *truth) + 0.05 * np.random.default_rng(2).standard_normal(x.size)

# %%
# With ``full_output``, ``leastsq`` returns ``cov_x``, which is multiplied by the variance of the
# residuals to get the covariance of the parameters.

p, cov_x, info, message, ier = leastsq(residuals, [1, 1, 1], args=(x, y), full_output=True)
variance = np.sum(info["fvec"] ** 2) / (x.size - p.size)
errors = np.sqrt(np.diag(cov_x) * variance)

print("Exponential decay a*exp(-b*x) + c, 50 points")
for name, value, error, true in zip("abc", p, errors, truth, strict=True):
    print(f"  {name} = {value:6.3f} +- {error:.3f}   truth {true}")
print(f"  {info['nfev']} evaluations. {message}")

# %%

figure, (upper, lower) = plt.subplots(
    2, sharex=True, figsize=(7, 5.5), height_ratios=[3, 1], layout="constrained"
)
upper.plot(x, y, "o", markersize=4, alpha=0.6, label="data")
upper.plot(x, decay(x, *p), linewidth=2, label="fit")
upper.plot(x, decay(x, *truth), "--", color="black", label="truth")
upper.set(title="Exponential decay", ylabel="y")
upper.legend(frameon=False)
lower.axhline(0, color="C1")
lower.plot(x, -info["fvec"], "o", color="C0", markersize=3)
lower.set(xlabel="x", ylabel="residual")
plt.show()
