"""Certified answers: Misra1a
==========================

A fit from both of NIST's starting points. The data describe monomolecular adsorption in dental
research (D. Misra, NIST, 1978): volume against pressure. The data, and the values that are
certified to 11 digits, are from NIST's Statistical Reference Datasets,
https://www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import curve_fit

pressure = np.array(
    [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760]
)
volume = np.array(
    [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47,
     81.78]
)  # fmt: skip
certified = np.array([2.3894212918e02, 5.5015643181e-04])
certified_errors = np.array([2.7070075241, 7.2668688436e-06])


def saturation(x, b1, b2):
    """Saturation towards b1."""
    return b1 * (1 - np.exp(-b2 * x))


# %%
# The digits that agree with a certified value are the logarithm of the relative error.


def digits(values, known):
    """Count the digits that agree."""
    return -np.log10(np.maximum(np.abs(values / known - 1), np.finfo(float).eps))


print("NIST Misra1a, b1*(1 - exp(-b2*x)), 14 points: estimate, digits; standard error, digits")
for start in ([500, 0.0001], [250, 0.0005]):
    popt, pcov = curve_fit(saturation, pressure, volume, start, ftol=1e-15, xtol=1e-15)
    errors = np.sqrt(np.diag(pcov))
    print(f"  from {start}")
    rows = zip(popt, digits(popt, certified), errors, digits(errors, certified_errors), strict=True)
    for name, (value, agree, error, agree_error) in zip(("b1", "b2"), rows, strict=True):
        print(f"  {name} {value:.11g}  {agree:.1f}   {error:.11g}  {agree_error:.1f}")

# %%

figure, (upper, lower) = plt.subplots(
    2, sharex=True, figsize=(7, 5.5), height_ratios=[3, 1], layout="constrained"
)
curve = np.linspace(0, 800, 200)
upper.plot(pressure, volume, "o", label="data")
upper.plot(curve, saturation(curve, *popt), label="fit")
upper.set(title="Misra1a", ylabel="volume")
upper.legend(frameon=False)
lower.axhline(0, color="C1")
lower.plot(pressure, volume - saturation(pressure, *popt), "o", color="C0")
lower.set(xlabel="pressure", ylabel="residual")
plt.show()
