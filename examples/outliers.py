"""Outliers: telephone calls in Belgium
=====================================

The number of international calls from Belgium grew steadily. But the values of six years are
minutes of calls, not their number (P. J. Rousseeuw and A. M. Leroy, Robust Regression and Outlier
Detection, Wiley, 1987, table 2). A plain fit follows these years, a fit with a robust loss ignores
them.
"""

import matplotlib.pyplot as plt
import numpy as np
from report import BLACK, BLUE, ORANGE, save

from leastsq import least_squares

TITLE = "International calls from Belgium"
YEARS = np.arange(1950, 1974)
CALLS = np.array(
    [4.4, 4.7, 4.7, 5.9, 6.6, 7.3, 8.1, 8.8, 10.6, 12, 13.5, 14.9, 16.1, 21.2, 119, 124, 142, 159,
     182, 212, 43, 24, 27, 29]
)  # fmt: skip
WRONG = (YEARS >= 1964) & (YEARS <= 1970)
START = [1, 1]


def growth(year, calls, rise):
    """The calls since 1950, in millions a year."""
    return calls + rise * (year - 1950)


def residuals(p):
    """The differences between the model and the data."""
    return growth(YEARS, *p) - CALLS


def main():
    """Fit with several losses, print the growth, and draw the fits."""
    print(TITLE)
    print("  loss               calls in 1950   rise a year   calls of fun")
    fits = {}
    for loss in ("linear", "soft_l1", "huber", "cauchy", "arctan"):
        result = least_squares(residuals, START, loss=loss, f_scale=1.0)
        calls, rise = fits[loss] = result.x
        print(f"  {loss:15} {calls:13.2f} M {rise:11.2f} M {result.nfev:14}")
    without = least_squares(lambda p: residuals(p)[~WRONG], START)
    print(f"  without 1964-70 {without.x[0]:13.2f} M {without.x[1]:11.2f} M\n")

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.plot(YEARS, CALLS, "o", color=BLUE, label="data")
    axes.plot(YEARS, growth(YEARS, *fits["linear"]), "--", color=BLACK, label="sum of squares")
    axes.plot(YEARS, growth(YEARS, *fits["cauchy"]), color=ORANGE, linewidth=2, label="cauchy")
    axes.set(title=TITLE, xlabel="year", ylabel="calls [millions]", ylim=(-5, 225))
    axes.legend(frameon=False)
    save(figure, "outliers")


if __name__ == "__main__":
    main()
