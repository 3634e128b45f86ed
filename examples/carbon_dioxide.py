"""Carbon dioxide in the air
=========================

A complete analysis of a real measurement: the weekly flask samples of Mauna Loa from 1958 to 2001
(C. D. Keeling and T. P. Whorf, Scripps Institution of Oceanography, public domain), which
statsmodels provides.

The model is an exponential rise above a constant level, plus a season of two harmonics whose
amplitude grows.

To run it: ``pip install matplotlib statsmodels``.
"""

import matplotlib.pyplot as plt
import numpy as np
from statsmodels.datasets import co2

from leastsq import curve_fit

MIDDLE = 1980


def trend(t, level, rise, years, *_):
    """The level without a season, in ppm, at t (in years of our era)."""
    return level + rise * np.exp((t - MIDDLE) / years)


def season(t, _level, _rise, _years, annual, phase, semiannual, phase2, growth):
    """The season, in ppm: waves of a year and of half a year, which grow by a fraction a year."""
    waves = annual * np.sin(2 * np.pi * (t - phase)) + semiannual * np.sin(4 * np.pi * (t - phase2))
    return (1 + growth * (t - MIDDLE)) * waves


def both(t, *p):
    """Trend and season."""
    return trend(t, *p) + season(t, *p)


# %%
# Weeks without a sample are left out.

samples = co2.load_pandas()["data"]["co2"].dropna()
days = (samples.index - np.datetime64("1958-01-01")) / np.timedelta64(1, "D")
t, y = 1958 + days.to_numpy() / 365.25, samples.to_numpy()

# %%
# The residuals show what the model lacks: the residuals of neighbouring weeks have the same sign
# for months and years. Therefore a sample contains less information than an independent one. To
# first order, if r is the correlation of neighbouring residuals, the standard errors increase by
# the factor ``sqrt((1 + r)/(1 - r))``. See the second of the two errors.

popt, pcov = curve_fit(both, t, y, [280, 60, 50, 3, 0, 1, 0.3, 0])
errors = np.sqrt(np.diag(pcov))
left = y - both(t, *popt)
r = np.corrcoef(left[1:], left[:-1])[0, 1]
wider = errors * np.sqrt((1 + r) / (1 - r))

print(f"Carbon dioxide at Mauna Loa, weekly: {t.size} samples")
names = ["level", "rise", "years", "annual", "phase", "semiannual", "phase2", "growth"]
for name, value, error, more in zip(names, popt, errors, wider, strict=True):
    print(f"  {name:10} = {value:8.4f} +- {error:.4f}   with memory +- {more:.4f}")
print(f"  residuals: standard deviation {left.std():.2f} ppm, correlation of neighbours {r:.2f}")
doubling = popt[2] * np.log(2)
print(f"  the rise above {popt[0]:.0f} ppm doubles in {doubling:.0f} years")

# %%

figure, (whole, year, rest) = plt.subplots(3, figsize=(8, 9), layout="constrained")
whole.plot(t, y, ".", markersize=2, alpha=0.6, label="measured")
whole.plot(t, trend(t, *popt), linewidth=2, label="fit, without season")
whole.set(title="Carbon dioxide at Mauna Loa", ylabel="ppm")
whole.legend(frameon=False)

months = np.linspace(0, 1, 200)
for first, color in ((1958, "C0"), (1992, "black")):
    some = (t >= first) & (t < first + 10)
    label = f"{first} to {first + 9}"
    year.plot(t[some] % 1 * 12, y[some] - trend(t[some], *popt), ".", color=color, alpha=0.3)
    year.plot(months * 12, season(first + 5 + months, *popt), color=color, label=label)
year.set(xlabel="months since January 1st", ylabel="season in ppm")
year.legend(frameon=False)

rest.axhline(0, color="C1")
rest.plot(t, left, ".", color="C0", markersize=3, alpha=0.6)
rest.set(xlabel="year", ylabel="residual in ppm")
plt.show()
