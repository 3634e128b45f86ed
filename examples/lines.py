"""Lines that cannot be negative
=============================

Three overlapping emission lines, one of which is not there, fitted without and with bounds. The
heights cannot be negative. The width cannot be smaller than the resolution of the instrument. The
dark level is known, and equal bounds fix it.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import curve_fit

CENTERS = np.array([4.2, 4.7, 5.2])


def each_line(x, *p):
    """Every line by itself, one in a row."""
    heights, width = np.array(p[:3]), p[3]
    return heights[:, None] * np.exp(-((x - CENTERS[:, None]) ** 2) / (2 * width**2))


def lines(x, *p):
    """The lines on the dark level."""
    return each_line(x, *p).sum(axis=0) + p[4]


names = ["height 1", "height 2", "height 3", "width", "dark"]
truth = [2.0, 0.0, 1.2, 0.55, 0.3]
x = np.linspace(2, 8, 120)
y = lines(x, *truth) + 0.2 * np.random.default_rng(16).standard_normal(x.size)

# %%
# Without bounds, the second line gets a negative height, and its neighbours make up for it. With
# bounds, it ends on its bound. ``active_mask`` marks the parameters on a bound; their errors are
# zero, because they were not fitted.

ways = {
    "Without bounds": (-np.inf, np.inf),
    "Within bounds": ([0, 0, 0, 0.5, 0.3], [np.inf, np.inf, np.inf, 1.0, 0.3]),
}
start = [1, 1, 1, 0.6, 0.3]
fits = {}
for title, bounds in ways.items():
    popt, pcov, info, *_ = curve_fit(lines, x, y, start, bounds=bounds, full_output=True)
    fits[title] = popt
    on_bound = info.get("active_mask", np.zeros(5))
    print(f"Emission lines. {title}")
    errors = np.sqrt(np.diag(pcov))
    for name, value, error, true, held in zip(names, popt, errors, truth, on_bound, strict=True):
        note = "   on a bound" if held else ""
        print(f"  {name:8} = {value:6.3f} +- {error:.3f}   truth {true}{note}")

# %%

figure, panels = plt.subplots(1, 2, sharey=True, figsize=(9, 4), layout="constrained")
for axes, (title, popt) in zip(panels, fits.items(), strict=True):
    axes.plot(x, y, "o", markersize=3, alpha=0.6, label="data")
    axes.plot(x, lines(x, *popt), linewidth=2, label="fit")
    for i, line in enumerate(each_line(x, *popt)):
        label = None if i else "lines"
        axes.plot(x, line + popt[4], "--", color="black", linewidth=1, label=label)
    axes.set(title=title, xlabel="wavelength")
    axes.legend(frameon=False)
panels[0].set_ylabel("intensity")
plt.show()
