"""Certified answers: Misra1a
==========================

A fit from both of NIST's starting points. The data describe monomolecular adsorption in dental
research (D. Misra, NIST, 1978): volume against pressure. The data, and the values that are
certified to 11 digits, are from NIST's Statistical Reference Datasets,
https://www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml
"""

from time import perf_counter

import numpy as np
from report import digits, picture, standard_errors, table

from leastsq import leastsq

TITLE = "NIST Misra1a, b1*(1 - exp(-b2*x)), 14 points"
NAMES = ["b1", "b2"]
STARTS = [[500, 0.0001], [250, 0.0005]]
CERTIFIED = np.array([2.3894212918e02, 5.5015643181e-04])
CERTIFIED_ERRORS = np.array([2.7070075241, 7.2668688436e-06])
PRESSURE = np.array(
    [
        77.6,
        114.9,
        141.1,
        190.8,
        239.9,
        289.0,
        332.8,
        378.4,
        434.8,
        477.3,
        536.8,
        593.1,
        689.1,
        760.0,
    ]
)
VOLUME = np.array(
    [
        10.07,
        14.73,
        17.94,
        23.93,
        29.61,
        35.18,
        40.02,
        44.82,
        50.76,
        55.05,
        61.01,
        66.40,
        75.47,
        81.78,
    ]
)


def model(x, b1, b2):
    """Saturation towards b1."""
    return b1 * (1 - np.exp(-b2 * x))


def residuals(b, x, y):
    """Compute the differences between the model and the measurement."""
    return model(x, *b) - y


def main():
    """Fit from both starts, and count the digits that agree with the certified values."""
    for start in STARTS:
        began = perf_counter()
        result = leastsq(
            residuals, start, args=(PRESSURE, VOLUME), full_output=True, ftol=1e-15, xtol=1e-15
        )
        seconds = perf_counter() - began
        columns = {
            "certified": CERTIFIED,
            "digits of estimate": digits(result[0], CERTIFIED).round(1),
            "digits of error": digits(standard_errors(result), CERTIFIED_ERRORS).round(1),
        }
        table(f"{TITLE}, from {start}", NAMES, result, seconds, columns)
    picture("misra1a", TITLE, PRESSURE, VOLUME, model, result[0])


if __name__ == "__main__":
    main()
