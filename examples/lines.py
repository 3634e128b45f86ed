"""Lines that cannot be negative
=============================

Three overlapping emission lines, one of which is not there, fitted without and with bounds. The
heights cannot be negative. The width cannot be smaller than the resolution of the instrument. The
dark level is known, and equal bounds fix it.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from report import BLACK, BLUE, ORANGE, save, table

from leastsq import leastsq

CENTERS = np.array([4.2, 4.7, 5.2])
NAMES = ["height 1", "height 2", "height 3", "width", "dark"]
TRUTH = np.array([2.0, 0.0, 1.2, 0.55, 0.3])
START = [1, 1, 1, 0.6, 0.3]
LOWER = [0, 0, 0, 0.5, 0.3]
UPPER = [np.inf, np.inf, np.inf, 1.0, 0.3]


def lines(x, heights, width):
    """Every line by itself, one in a row."""
    return heights[:, None] * np.exp(-((x - CENTERS[:, None]) ** 2) / (2 * width**2))


def model(x, p):
    """The lines on the dark level."""
    return lines(x, p[:3], p[3]).sum(axis=0) + p[4]


def residuals(p, x, y):
    """Compute the differences between the model and the data."""
    return model(x, p) - y


def draw(axes, title, x, y, p):
    """Draw data, fit and the single lines."""
    axes.plot(x, y, "o", color=BLUE, markersize=3, alpha=0.6, label="data")
    axes.plot(x, model(x, p), color=ORANGE, linewidth=2, label="fit")
    for i, line in enumerate(lines(x, p[:3], p[3])):
        axes.plot(x, line + p[4], "--", color=BLACK, linewidth=1, label=None if i else "lines")
    axes.set(title=title, xlabel="wavelength")
    axes.legend(frameon=False)


def main():
    """Fit with and without bounds, and draw both."""
    x = np.linspace(2, 8, 120)
    y = model(x, TRUTH) + 0.2 * np.random.default_rng(16).standard_normal(x.size)
    figure, panels = plt.subplots(1, 2, sharey=True, figsize=(9, 4), layout="constrained")
    ways = {"Without bounds": None, "Within bounds": (LOWER, UPPER)}
    for axes, (title, bounds) in zip(panels, ways.items(), strict=True):
        began = perf_counter()
        result = leastsq(residuals, START, args=(x, y), full_output=True, bounds=bounds)
        seconds = perf_counter() - began
        columns = {"truth": TRUTH}
        if bounds is not None:
            columns["on a bound"] = result[2]["active_mask"]
        table(f"Emission lines. {title}", NAMES, result, seconds, columns)
        draw(axes, title, x, y, result[0])
    panels[0].set_ylabel("intensity")
    save(figure, "lines")


if __name__ == "__main__":
    main()
