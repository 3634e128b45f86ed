"""A parabola
==========

The model is linear in its parameters, so the solver finds them in one step.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import curve_fit


def parabola(x, a, b, c):
    """A parabola."""
    return a * x**2 + b * x + c


# %%
# The data are made up, so the truth is known: a = 2, b = -3, c = 5, and noise with the standard
# deviation 2.

x = np.linspace(-5, 5, 100)
y = parabola(x, 2, -3, 5) + 2.0 * np.random.default_rng(1).standard_normal(x.size)

# %%
# ``curve_fit`` returns the parameters and their covariance. The square roots of its diagonal are
# the standard errors.

popt, pcov = curve_fit(parabola, x, y)
errors = np.sqrt(np.diag(pcov))

print("Parabola a*x^2 + b*x + c, 100 points")
for name, value, error, truth in zip("abc", popt, errors, [2, -3, 5], strict=True):
    print(f"  {name} = {value:6.3f} +- {error:.3f}   truth {truth}")

# %%
# The residuals scatter around zero without a pattern, as they should.

figure, (upper, lower) = plt.subplots(
    2, sharex=True, figsize=(7, 5.5), height_ratios=[3, 1], layout="constrained"
)
upper.plot(x, y, "o", markersize=4, alpha=0.6, label="data")
upper.plot(x, parabola(x, *popt), linewidth=2, label="fit")
upper.plot(x, parabola(x, 2, -3, 5), "--", color="black", label="truth")
upper.set(title="Parabola", ylabel="y")
upper.legend(frameon=False)
lower.axhline(0, color="C1")
lower.plot(x, y - parabola(x, *popt), "o", color="C0", markersize=3)
lower.set(xlabel="x", ylabel="residual")
plt.show()
