"""NIST's 27 problems from both starts: as many certified digits as SciPy on the same problem."""

import itertools
import warnings

import numpy as np
import pytest
from problems import nist
from scipy import optimize

from leastsq import OptimizeWarning, least_squares, leastsq

TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "maxfev": 20_000}
WAYS = {
    "analytic, tight": (True, TIGHT),
    "analytic, default": (True, {}),
    "differenced, tight": (False, TIGHT),
    "differenced, default": (False, {}),
}
FITS = [(name, start) for name in nist.PROBLEMS for start in (0, 1)]

# Rounding decides where a fit stops: from starts that differ by next to nothing either solver ends
# with 6 digits or with 9. Only over such neighbours can the two be compared.
NEIGHBOURS = 1 + 1e-13 * np.random.default_rng(7).standard_normal((9, 9))
NEIGHBOURS[0] = 1


def runs(solver, problem, start, analytic, options):
    """The digits from a start and its neighbours; shape (9, 3)."""
    Dfun = problem.jacobian if analytic else None
    x0 = np.array(problem.starts[start])
    with np.errstate(all="ignore"):
        results = [
            solver(problem.residuals, x0 * nudge, Dfun=Dfun, full_output=True, **options)
            for nudge in NEIGHBOURS[:, : x0.size]
        ]
    return np.array([nist.digits_of(problem, result) for result in results])


@pytest.fixture(scope="module", params=WAYS)
def digits(request):
    """The digits of both solvers in all fits, by the kind of Jacobian and the tolerances."""
    return {
        (name, start): [
            runs(solver, nist.PROBLEMS[name], start, *WAYS[request.param])
            for solver in (leastsq, optimize.leastsq)
        ]
        for name, start in FITS
    }


def fraction_behind(ones, others):
    """How many of all pairs of different neighbours have the one behind the other: more than half a
    digit worse in anything, unless both have 8.
    """
    pairs = itertools.permutations(range(len(NEIGHBOURS)), 2)
    return np.mean(
        [
            np.any((ones[i] < others[j] - 0.5) & (np.minimum(ones[i], others[j]) < 8))
            for i, j in pairs
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "start"), FITS)
def test_fit_is_not_behind_scipys_as_a_rule(digits, name, start):
    ours, theirs = digits[name, start]
    assert fraction_behind(ours, theirs) < 3 / 4


def test_fits_are_no_oftener_behind_scipys_than_scipys_behind_each_other(digits):
    behind_theirs = sum(fraction_behind(ours, theirs) for ours, theirs in digits.values())
    behind_themselves = sum(fraction_behind(theirs, theirs) for _, theirs in digits.values())
    assert behind_theirs <= behind_themselves + 2  # of 54


def test_digits_are_scipys_on_the_average(digits):
    ours, theirs = np.mean(
        [[runs.mean(axis=0) for runs in both] for both in digits.values()], axis=0
    )
    assert np.all(ours >= theirs - 0.1)


@pytest.mark.parametrize(("name", "start"), FITS)
def test_certified_values_are_found(name, start):
    problem = nist.PROBLEMS[name]
    with np.errstate(all="ignore"):
        result = leastsq(
            problem.residuals,
            problem.starts[start],
            Dfun=problem.jacobian,
            full_output=True,
            **TIGHT,
        )
    found = nist.digits_of(problem, result)
    assert found.parameters >= 6
    # Lanczos1 is a perfect fit: its sum of squares, 1e-25, is what rounding makes of it.
    assert name == "Lanczos1" or (found.deviations >= 6 and found.rss >= 9)


@pytest.mark.parametrize(("name", "start"), FITS)
def test_central_differences_are_as_good_as_forward_ones(name, start):
    problem = nist.PROBLEMS[name]
    x0 = problem.starts[start]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        forward = nist.digits_of(problem, leastsq(problem.residuals, x0, full_output=True))
        found = least_squares(
            problem.residuals, x0, jac="3-point", method="lm", ftol=1.49e-8, xtol=1.49e-8
        )
    apart = np.abs(found.x - problem.certified) / problem.deviations
    # Lanczos1 is a perfect fit: its standard errors are what rounding makes of them.
    assert apart.max() < 1e-2 or forward[0] < 4 or name == "Lanczos1"


@pytest.mark.parametrize("b", [0.0, 1e-17, 1e-12, 1e-6, 1e-3, 1.0, 1e3])
def test_central_differences_have_steps_that_the_values_can_resolve(b):
    t = np.linspace(1, 2, 20)
    result = least_squares(lambda p: p[0] + p[1] * t**2 - 1, [1.0, b], jac="3-point", max_nfev=1)
    np.testing.assert_allclose(result.jac, np.column_stack([t**0, t**2]), rtol=1e-7)
