"""Outliers: telephone calls in Belgium
=====================================

The number of international calls from Belgium grew steadily. But the values of six years are
minutes of calls, not their number (P. J. Rousseeuw and A. M. Leroy, Robust Regression and Outlier
Detection, Wiley, 1987, table 2). A plain fit follows these years, a fit with a robust loss ignores
them.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import curve_fit

years = np.arange(1950, 1974)
calls = np.array(
    [4.4, 4.7, 4.7, 5.9, 6.6, 7.3, 8.1, 8.8, 10.6, 12, 13.5, 14.9, 16.1, 21.2, 119, 124, 142, 159,
     182, 212, 43, 24, 27, 29]
)  # fmt: skip


def growth(year, at_first, rise):
    """The calls since 1950, in millions a year."""
    return at_first + rise * (year - 1950)


# %%
# ``f_scale`` is the size of residuals that are still normal: a million calls.

print("International calls from Belgium")
print("  loss               calls in 1950   rise a year")
fits = {}
for loss in ("linear", "soft_l1", "huber", "cauchy", "arctan"):
    popt, pcov = fits[loss] = curve_fit(growth, years, calls, loss=loss, f_scale=1.0)
    print(f"  {loss:15} {popt[0]:13.2f} M {popt[1]:11.2f} M")
good = (years < 1964) | (years > 1970)
(at_first, rise), _ = curve_fit(growth, years[good], calls[good])
print(f"  without 1964-70 {at_first:13.2f} M {rise:11.2f} M")

# %%

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.plot(years, calls, "o", label="data")
axes.plot(years, growth(years, *fits["linear"][0]), "--", color="black", label="sum of squares")
axes.plot(years, growth(years, *fits["cauchy"][0]), linewidth=2, label="cauchy")
axes.set(title="Calls from Belgium", xlabel="year", ylabel="calls [millions]", ylim=(-5, 225))
axes.legend(frameon=False)
plt.show()
