"""What type checkers say about code that uses the library."""

import re
from pathlib import Path

import pytest
from mypy import api

EXAMPLES = Path(__file__).parents[1] / "examples"
START = """
import numpy as np
from leastsq import FitError, confidence_band, curve_fit, curve_fit_many, least_squares, leastsq

def decay(t, a, b):
    return a * np.exp(-b * t)

t = np.linspace(0, 1, 20)
y = decay(t, 1, 2)
"""
TYPICAL = """
popt, pcov = curve_fit(decay, t, y)
a, b = popt
print(popt.shape, np.sqrt(np.diag(pcov)), popt[0] + 1.0)
popt, pcov = curve_fit(decay, list(t), list(y), p0=[1, 2], bounds=(0, [3, np.inf]), ftol=1e-10)
popt, pcov, info, mesg, ier = curve_fit(decay, t, y, full_output=True, maxfev=1000, loss="huber")
print(info["nfev"] + 1, mesg.upper(), ier + 1, popt.sum())
lower, upper = confidence_band(decay, t, popt, pcov)
print((upper - lower).max())
result = least_squares(lambda p: decay(t, *p) - y, [1, 1], loss="soft_l1")
print(result.x, result.cost, result.success)
p, ier = leastsq(lambda p: decay(t, *p) - y, [1, 1])
p, cov, info, mesg, ier = leastsq(lambda p: decay(t, *p) - y, [1, 1], full_output=True)
fits = curve_fit_many(decay, t, np.tile(y, (3, 1)), covariance="stderr", maxfev=100)
print(fits.popt.shape, fits.success.all(), fits.perr[0, 1])
try:
    curve_fit(decay, t, y, maxfev=1)
except FitError as error:
    print(error.popt, error.ier)
"""


MISTAKES = [
    "curve_fit(decay, t, y, max_fev=10)",
    "curve_fit(decay, t, y, absolute_sigma='yes')",
    "curve_fit(decay, t, y, ftol='small')",
    "curve_fit_many(decay, t, y, max_fev=10)",
    "leastsq(decay, [1], max_fev=10)",
    "popt, pcov, info = curve_fit(decay, t, y)",
]


def mypy(*arguments):
    found, trouble, _ = api.run(["--config-file=", "--ignore-missing-imports", *arguments])
    assert not trouble
    return found


@pytest.mark.slow
def test_mistakes_are_found_in_code_that_is_clean_otherwise(tmp_path):
    script = tmp_path / "typical.py"
    script.write_text("\n".join([START, TYPICAL, *MISTAKES]))
    found = mypy("--check-untyped-defs", str(script))
    places = {int(number) for number in re.findall(r"typical.py:(\d+): error", found)}
    last = len(script.read_text().splitlines())
    assert places == set(range(last - len(MISTAKES) + 1, last + 1)), found


@pytest.mark.slow
def test_examples_are_clean():
    for folder in (EXAMPLES, EXAMPLES / "guides"):
        scripts = sorted(map(str, folder.glob("*.py")))
        found = mypy("--scripts-are-modules", *scripts)
        assert "Success" in found, found
