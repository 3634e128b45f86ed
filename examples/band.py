"""A calibration curve and its confidence band
===========================================

``curve_fit`` fits a calibration curve, and the script draws the band that should contain the true
curve. The errors of the measurements are known and increase with the signal; they are the weights
of the points. To first order, the variance of the curve at x is J C J'. C is the covariance of
the parameters, and J contains the derivatives of the model at x with respect to the parameters.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from report import BLACK, BLUE, ORANGE, save, table

from leastsq import curve_fit

TITLE = "Binding curve, 24 points"
NAMES = ["bottom", "top", "K", "slope"]
TRUTH = np.array([0.1, 2.0, 3.0, 1.4])
CONFIDENT = 1.96  # standard errors: 95 % of a normal distribution


def hill(x, bottom, top, k, slope):
    """The signal at a concentration."""
    return bottom + (top - bottom) / (1 + (k / x) ** slope)


def derivatives(x, bottom, top, k, slope):
    """Derivatives of the signal with respect to the parameters, one in a column."""
    q = (k / x) ** slope
    bound = 1 / (1 + q)
    by_q = -(top - bottom) * bound**2
    return np.stack([1 - bound, bound, by_q * q * slope / k, by_q * q * np.log(k / x)], axis=-1)


def standard_error_of_curve(x, popt, pcov):
    """Standard error of the fitted curve at x."""
    J = derivatives(x, *popt)
    return np.sqrt(np.einsum("ij,jk,ik->i", J, pcov, J))


def main():
    """Fit, print the parameters, and draw the curve in its band."""
    x = np.geomspace(0.1, 100, 24)
    errors = 0.03 + 0.05 * hill(x, *TRUTH)
    y = hill(x, *TRUTH) + errors * np.random.default_rng(4).standard_normal(x.size)

    began = perf_counter()
    result = curve_fit(
        hill,
        x,
        y,
        sigma=errors,
        absolute_sigma=True,
        jac=derivatives,
        bounds=([0, 0, 0.01, 0.1], [1, 10, 100, 10]),
        full_output=True,
    )
    seconds = perf_counter() - began
    popt, pcov = result[:2]
    table(TITLE, NAMES, result, seconds, {"truth": TRUTH}, errors=np.sqrt(np.diag(pcov)))

    curve = np.geomspace(0.1, 100, 400)
    fit, truth = hill(curve, *popt), hill(curve, *TRUTH)
    band = CONFIDENT * standard_error_of_curve(curve, popt, pcov)
    inside = np.mean(np.abs(fit - truth) < band)
    print(f"  the truth is within the 95 % band at {inside:.0%} of the curve\n")

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.fill_between(curve, fit - band, fit + band, color=ORANGE, alpha=0.25, label="95 % band")
    axes.errorbar(
        x, y, errors, fmt="o", color=BLUE, markersize=4, alpha=0.7, label="data, standard deviation"
    )
    axes.plot(curve, fit, color=ORANGE, linewidth=2, label="fit")
    axes.plot(curve, truth, "--", color=BLACK, label="truth")
    axes.set(title=TITLE, xlabel="concentration", ylabel="signal", xscale="log")
    axes.legend(frameon=False)
    save(figure, "band")


if __name__ == "__main__":
    main()
