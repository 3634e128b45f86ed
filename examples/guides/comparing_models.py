"""Comparing two models
====================

Does the signal decay with one rate, or with two? More parameters always fit better. Chi-square and
Akaike's information criterion tell whether they fit better than chance alone would explain.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import curve_fit


def one_rate(t, a, k):
    """A decay with one rate."""
    return a * np.exp(-k * t)


def two_rates(t, a1, k1, a2, k2):
    """A decay with two rates."""
    return a1 * np.exp(-k1 * t) + a2 * np.exp(-k2 * t)


rng = np.random.default_rng(5)
t = np.linspace(0, 10, 80)
error = 0.03
y = two_rates(t, 1.0, 1.2, 0.4, 0.2) + error * rng.standard_normal(t.size)

# %%
# The residuals are divided by the errors, and the sum of their squares is chi2. A right model has a
# chi2 close to the number of degrees of freedom (dof), within a few times ``sqrt(2*dof)``.
#
# Akaike's criterion is AIC = chi2 + 2 n for n parameters, if the errors are known. The model with
# the smaller AIC predicts new data better. A difference of 10 is decisive; a difference of 2 says
# little. AICc corrects for few points, and BIC asks for more evidence for each parameter. If the
# errors are not known, use ``m*log(chi2/m)`` in place of chi2 for m points, with residuals that are
# not divided by errors.
#
# The two terms of the second model must not start alike: then their derivatives are the same, and
# the fit cannot tell them apart.

fits = {}
for model, start in ((one_rate, [1, 1]), (two_rates, [1, 2, 0.5, 0.5])):
    popt, pcov, info, message, ier = curve_fit(
        model, t, y, start, sigma=error, absolute_sigma=True, full_output=True
    )
    m, n = t.size, popt.size
    chi2 = np.sum(info["fvec"] ** 2)
    aic = chi2 + 2 * n
    aicc = aic + 2 * n * (n + 1) / (m - n - 1)
    bic = chi2 + n * np.log(m)
    fits[model] = popt, info["fvec"]
    print(
        f"  {model.__name__:10} chi2 {chi2:6.1f} for {m - n} dof   "
        f"AIC {aic:6.1f}   AICc {aicc:6.1f}   BIC {bic:6.1f}"
    )

# %%
# The residuals show the same: those of a wrong model follow a pattern. Look at them before you
# believe a number.
#
# If the data do not need a parameter, its standard error is larger than its value, or
# ``curve_fit`` warns that the data do not determine it: see :doc:`/trust`.

figure, (above, *below) = plt.subplots(
    3, sharex=True, figsize=(7, 6), height_ratios=[3, 1, 1], layout="constrained"
)
above.plot(t, y, "o", color="0.6", markersize=3, label="data")
for axes, (model, (popt, fvec)), color in zip(below, fits.items(), ("C0", "C1"), strict=True):
    label = model.__name__.replace("_", " ")
    above.plot(t, model(t, *popt), color=color, label=label)
    axes.axhline(0, color="0.6")
    axes.plot(t, -fvec, "o", color=color, markersize=3)
    axes.set(ylabel="residual / error", ylim=(-5, 5))
above.set(title="One rate or two?", ylabel="signal", yscale="log", ylim=(0.02, 2))
above.legend(frameon=False)
below[-1].set(xlabel="time")
plt.show()
