"""Carbon dioxide in the air
=========================

A complete analysis of a real measurement: the weekly flask samples of Mauna Loa from 1958 to 2001
(C. D. Keeling and T. P. Whorf, Scripps Institution of Oceanography, public domain), which
statsmodels provides.

The model is an exponential rise above a constant level, plus a season of two harmonics whose
amplitude grows. The residuals show what the model lacks: the residuals of neighbouring weeks have
the same sign for months and years. Therefore a sample contains less information than an
independent one. To first order, if r is the correlation of neighbouring residuals, the standard
errors increase by the factor ``sqrt((1 + r)/(1 - r))``. See the column "with memory".
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from report import BLACK, BLUE, ORANGE, save, standard_errors, table
from scipy import optimize
from statsmodels.datasets import co2

from leastsq import leastsq

TITLE = "Carbon dioxide at Mauna Loa, weekly"
NAMES = ["level", "rise", "years", "annual", "phase", "semiannual", "phase2", "growth"]
START = [280, 60, 50, 3, 0, 1, 0.3, 0]
MIDDLE = 1980


def trend(t, level, rise, years, *_):
    """The level without a season, in ppm, at t (in years of our era)."""
    return level + rise * np.exp((t - MIDDLE) / years)


def season(t, _level, _rise, _years, annual, phase, semiannual, phase2, growth):
    """The season, in ppm: waves of a year and of half a year, which grow by a fraction a year."""
    waves = annual * np.sin(2 * np.pi * (t - phase)) + semiannual * np.sin(4 * np.pi * (t - phase2))
    return (1 + growth * (t - MIDDLE)) * waves


def residuals(p, t, y):
    """Compute the differences between the model and the measurement."""
    return trend(t, *p) + season(t, *p) - y


def measurement():
    """Times in years, and ppm of carbon dioxide; weeks without a sample are left out."""
    samples = co2.load_pandas().data["co2"].dropna()
    days = (samples.index - np.datetime64("1958-01-01")) / np.timedelta64(1, "D")
    return 1958 + days.to_numpy() / 365.25, samples.to_numpy()


def draw(t, y, p):
    """Draw measurement and trend, the season of the first and of the last ten years, residuals."""
    figure, (whole, year, rest) = plt.subplots(3, figsize=(8, 9), layout="constrained")
    whole.plot(t, y, ".", color=BLUE, markersize=2, alpha=0.6, label="measured")
    whole.plot(t, trend(t, *p), color=ORANGE, linewidth=2, label="fit, without season")
    whole.set(title=TITLE, ylabel="ppm")
    whole.legend(frameon=False)

    months = np.linspace(0, 1, 200)
    for first, color in ((1958, BLUE), (1992, BLACK)):
        some = (t >= first) & (t < first + 10)
        label = f"{first} to {first + 9}"
        year.plot(t[some] % 1 * 12, y[some] - trend(t[some], *p), ".", color=color, alpha=0.3)
        year.plot(months * 12, season(first + 5 + months, *p), color=color, label=label)
    year.set(xlabel="months since January 1st", ylabel="season in ppm")
    year.legend(frameon=False)

    rest.axhline(0, color=ORANGE)
    rest.plot(t, -residuals(p, t, y), ".", color=BLUE, markersize=3, alpha=0.6)
    rest.set(xlabel="year", ylabel="residual in ppm")
    save(figure, "carbon_dioxide")


def main():
    """Fit the measurement, beside SciPy, and show what is left of it."""
    t, y = measurement()
    began = perf_counter()
    result = leastsq(residuals, START, args=(t, y), full_output=True)
    seconds = perf_counter() - began
    p, _, info, _, _ = result

    left = info["fvec"]
    r = np.corrcoef(left[1:], left[:-1])[0, 1]
    columns = {
        "with memory": standard_errors(result) * np.sqrt((1 + r) / (1 - r)),
        "SciPy": optimize.leastsq(residuals, START, args=(t, y))[0],
    }
    table(f"{TITLE}: {t.size} samples", NAMES, result, seconds, columns)
    print(
        f"  residuals: standard deviation {left.std():.2f} ppm, correlation of neighbours {r:.2f}"
    )
    doubling = p[NAMES.index("years")] * np.log(2)
    print(f"  the rise above {p[0]:.0f} ppm doubles in {doubling:.0f} years\n")
    draw(t, y, p)


if __name__ == "__main__":
    main()
