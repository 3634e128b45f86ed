"""A calibration curve and its confidence band
===========================================

``curve_fit`` fits a calibration curve, and ``confidence_band`` computes the band that should
contain the true curve. The errors of the measurements are known and increase with the signal; they
are the weights of the points.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import confidence_band, curve_fit


def hill(x, bottom, top, k, slope):
    """The signal at a concentration."""
    return bottom + (top - bottom) / (1 + (k / x) ** slope)


truth = [0.1, 2.0, 3.0, 1.4]
x = np.geomspace(0.1, 100, 24)
errors = 0.03 + 0.05 * hill(x, *truth)
y = hill(x, *truth) + errors * np.random.default_rng(4).standard_normal(x.size)

# %%
# The errors are true errors, not only ratios of errors: ``absolute_sigma=True``.

popt, pcov = curve_fit(
    hill,
    x,
    y,
    sigma=errors,
    absolute_sigma=True,
    bounds=([0, 0, 0.01, 0.1], [1, 10, 100, 10]),
)
print("Binding curve, 24 points")
names = ["bottom", "top", "K", "slope"]
for name, value, error, true in zip(names, popt, np.sqrt(np.diag(pcov)), truth, strict=True):
    print(f"  {name:6} = {value:.3f} +- {error:.3f}   truth {true}")

# %%
# At each concentration, the band contains the true signal in 95 of 100 experiments.

curve = np.geomspace(0.1, 100, 400)
lower, upper = confidence_band(hill, curve, popt, pcov)
inside = np.mean((lower < hill(curve, *truth)) & (hill(curve, *truth) < upper))
print(f"  the truth is within the 95 % band at {inside:.0%} of the curve")

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.fill_between(curve, lower, upper, color="C1", alpha=0.25, label="95 % band")
axes.errorbar(x, y, errors, fmt="o", markersize=4, alpha=0.7, label="data, standard deviation")
axes.plot(curve, hill(curve, *popt), color="C1", linewidth=2, label="fit")
axes.plot(curve, hill(curve, *truth), "--", color="black", label="truth")
axes.set(title="Calibration", xlabel="concentration", ylabel="signal", xscale="log")
axes.legend(frameon=False)
plt.show()
