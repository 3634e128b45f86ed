"""From data to a figure
=====================

A complete analysis in a few lines: fit, standard errors, a test of the fit, and a figure with a
confidence band and residuals. Copy it and replace the model and the data.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import confidence_band, curve_fit


def resonance(frequency, height, center, width, background):
    """A Lorentzian line on a constant background."""
    return height / (1 + ((frequency - center) / width) ** 2) + background


# %%
# The data: ``frequency``, ``power``, and the standard deviation of each power. Usually they come
# from a file, for example by ``np.loadtxt("run.txt", unpack=True)``.

rng = np.random.default_rng(1)
frequency = np.linspace(90, 110, 41)
error = np.full(frequency.size, 0.25)
power = resonance(frequency, 5.0, 101.2, 1.8, 1.0) + error * rng.standard_normal(frequency.size)

# %%
# The starting point is read from the data: the highest point is the peak. ``absolute_sigma=True``
# tells that ``error`` contains true standard deviations. If you know only that all points are
# equally good, leave out ``sigma`` and ``absolute_sigma``: then the scatter of the residuals sets
# the errors of the parameters.

start = [np.ptp(power), frequency[power.argmax()], 1, power.min()]
popt, pcov, info, message, ier = curve_fit(
    resonance, frequency, power, start, sigma=error, absolute_sigma=True, full_output=True
)
names = ["height", "center", "width", "background"]
for name, value, uncertainty in zip(names, popt, np.sqrt(np.diag(pcov)), strict=True):
    print(f"  {name:10} = {value:7.3f} +- {uncertainty:.3f}")

# %%
# If model and errors are right, chi2 is close to the number of degrees of freedom, within a few
# times ``sqrt(2*dof)``. A much larger chi2 means that the model is wrong or that the errors are too
# small; a much smaller one, that the errors are too large.

chi2 = np.sum(info["fvec"] ** 2)
dof = frequency.size - popt.size
print(f"  chi2 = {chi2:.1f} for {dof} degrees of freedom (+- {np.sqrt(2 * dof):.0f})")

# %%
# The band contains the true curve, at each frequency, with a probability of 95 %. (Without
# ``absolute_sigma``, pass ``dof``, too.) The residuals in ``fvec`` are model minus data, divided by
# the errors; the figure shows data minus model. Two thirds of them should be between -1 and 1, and
# they should not follow a pattern.

curve = np.linspace(90, 110, 400)
lower, upper = confidence_band(resonance, curve, popt, pcov)

figure, (above, below) = plt.subplots(
    2, sharex=True, figsize=(7, 5.5), height_ratios=[3, 1], layout="constrained"
)
above.errorbar(frequency, power, error, fmt="o", markersize=4, label="data")
above.plot(curve, resonance(curve, *popt), color="C1", label="fit")
above.fill_between(curve, lower, upper, color="C1", alpha=0.3, label="95 % confidence band")
above.set(title="A resonance", ylabel="power [mW]")
above.legend(frameon=False)
below.axhline(0, color="C1")
below.axhspan(-1, 1, color="C1", alpha=0.15)
below.plot(frequency, -info["fvec"], "o", color="C0", markersize=4)
below.set(xlabel="frequency [kHz]", ylabel="residual / error")
plt.show()
