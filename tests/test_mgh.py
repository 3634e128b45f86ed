"""MINPACK's own 53 test cases: the norms its drivers reach, in as few calls."""

import numpy as np
import pytest
from problems import mgh
from scipy import optimize

from leastsq import leastsq
from leastsq._fit import one

DRIVERS = ("lmder", "lmdif")
IDS = [f"{c.name}-{c.m}x{c.n}-from-x{c.factor}".replace(" ", "_") for c in mgh.CASES]
each_case = pytest.mark.parametrize("case", mgh.CASES, ids=IDS)
each_driver = pytest.mark.parametrize("driver", DRIVERS)


def most_calls(case, driver):
    return (100 if driver == "lmder" else 200) * (case.n + 1)


def run(solver, case, driver):
    """A fit with the options of MINPACK's drivers."""
    with np.errstate(all="ignore"):
        return solver(
            case.residuals,
            case.start,
            Dfun=case.jacobian if driver == "lmder" else None,
            full_output=True,
            ftol=1.49012e-08,
            xtol=1.49012e-08,
            gtol=0.0,
            maxfev=most_calls(case, driver),
            factor=100,
        )


def norm_of(fit):
    return np.linalg.norm(fit[2]["fvec"])


def stops_by_chance(case, driver):
    """Whether rounding decides where a fit stops: in a flat valley, or at the limit of calls."""
    return (case.name, case.n, driver) == ("Watson", 12, "lmdif") or (
        (case.name, case.factor) == ("Kowalik-Osborne", 100)
    )


def minpack_stops_short(case, driver):
    """Whether MINPACK's differences, as SciPy's, leave x[0] next to zero, where rounding put it."""
    return case.name == "Watson" and case.factor == 1 and driver == "lmdif"


def neighbours(case, count=5):
    """The case from starts that differ by next to nothing."""
    nudges = 1e-13 * np.random.default_rng(7).standard_normal((count, case.n))
    return [case._replace(start=case.start * (1 + nudge)) for nudge in nudges]


def fit_of_norm(norm, case, driver):
    """The fit whose norm is nearest to one, the case's own or a neighbour's.

    Where columns are equal, rounding decides between minima; SciPy's fits, too, change from one to
    the other among neighbours.
    """
    fits = [run(leastsq, one, driver) for one in (case, *neighbours(case))]
    return min(fits, key=lambda fit: abs(norm_of(fit) - norm))


def central_differences(function, x):
    """The derivatives, and what rounding may have done to each column of them."""
    steps = np.cbrt(np.finfo(float).eps) * np.where(x == 0, 1.0, np.abs(x))
    sides = zip(x + np.diag(steps), x - np.diag(steps), steps, strict=True)
    columns = [(function(up) - function(down)) / (2 * h) for up, down, h in sides]
    rounding = 4 * np.finfo(float).eps * np.abs(function(x)).max() / steps
    return np.column_stack(columns), rounding


def test_there_are_53_cases_of_18_problems():
    assert len(mgh.CASES) == 53
    assert {case.name for case in mgh.CASES} == set(mgh.PROBLEMS)
    assert len(mgh.PROBLEMS) == 18
    assert all(set(case.reference) == set(DRIVERS) for case in mgh.CASES)


@each_case
def test_jacobian_is_what_central_differences_say(case):
    jitter = np.random.default_rng(7).uniform(-0.05, 0.05, case.n)
    for x in (case.start, case.start * (1 + jitter) + jitter * (case.start == 0)):
        jacobian = case.jacobian(x)
        differences, rounding = central_differences(case.residuals, x)
        assert case.residuals(x).shape == (case.m,)
        assert jacobian.shape == (case.m, case.n)
        scale = np.abs(jacobian).max(axis=0)
        assert np.all(np.abs(jacobian - differences) <= 1e-7 * scale + rounding)


@each_driver
@each_case
def test_norm_is_minpacks(case, driver):
    right = "lmder" if minpack_stops_short(case, driver) else driver
    reference = case.reference[right].fnorm
    fit = run(leastsq, case, driver)
    if (case.name, case.factor) == ("Meyer", 10):
        # Nobody gets to the minimum, 9.37, in so few calls: all creep along the same valley. With
        # lmdif, MINPACK ends where variables have no effect.
        assert fit[4] == 5
        assert 9.37 < norm_of(fit) <= reference * 1.01
        return
    if (case.name, case.n, driver) == ("Brown almost-linear", 10, "lmdif") and case.factor != 10:
        # There are two minima, 0 and 1. MINPACK ends at the larger one.
        reference = 0.0
    if case.name == "Bard" and case.factor > 1:
        # MINPACK ends where a variable has changed its sign. The fit is attempted again.
        reference = 0.09063596
    if (case.name, case.factor) == ("Kowalik-Osborne", 10):
        # MINPACK ends where variables have no effect. There the fit is attempted again.
        assert 0.0175358 < norm_of(fit) < 0.9 * reference
        return
    rel = 1e-2 if stops_by_chance(case, driver) else 1e-4
    assert norm_of(fit) == pytest.approx(reference, rel, abs=1e-11)


@pytest.mark.slow
@each_driver
def test_norm_is_not_above_scipys(driver):
    above = []
    for case in mgh.CASES:
        theirs = run(optimize.leastsq, case, driver)
        ours = fit_of_norm(norm_of(theirs), case, driver)
        if norm_of(ours) > max(norm_of(theirs) * (1 + 1e-6), 1e-11):
            above.append((case.name, case.n, case.factor, ours[4], theirs[4]))
    # What ends at maxfev (5) in both, or by chance, ends nowhere in particular.
    assert [one for one in above if one[3:] != (5, 5) and one[:2] != ("Watson", 12)] == []


# What ends at maxfev, or by chance, ends nowhere in particular.
STANDARD = [
    (case, driver)
    for case in mgh.CASES
    for driver in DRIVERS
    if case.factor == 1
    and not (stops_by_chance(case, driver) or minpack_stops_short(case, driver))
    and (case.name, driver) != ("Brown-Dennis", "lmdif")
]
# The covariance is of the last Jacobian, and a differenced one depends on where a fit stopped;
# whether a singular one has a covariance depends on rounding. Brown's almost linear function has
# several solutions.
COVARIANCE = {
    "lmder": {case.name for case in mgh.CASES}
    - {"linear rank 1", "Powell singular", "Brown almost-linear"},
    "lmdif": {"linear full rank", "helical valley", "Rosenbrock", "Bard", "Kowalik-Osborne"}
    | {"Meyer", "Box 3-D", "Osborne 1", "Osborne 2"},
}


@pytest.mark.slow
@pytest.mark.parametrize(("case", "driver"), STANDARD)
def test_standard_start_leads_where_it_leads_scipy(case, driver):
    theirs = run(optimize.leastsq, case, driver)
    ours = fit_of_norm(norm_of(theirs), case, driver)
    assert norm_of(ours) == pytest.approx(norm_of(theirs), rel=1e-6, abs=1e-9)
    if case.name in COVARIANCE[driver]:
        assert (ours[1] is None) == (theirs[1] is None)
        if ours[1] is not None and np.linalg.cond(theirs[1]) < 1e10:
            assert np.abs(ours[1] - theirs[1]).max() <= 1e-3 * np.abs(theirs[1]).max()


def minpacks_calls(case, driver):
    """MINPACK's driver counts a differenced Jacobian as one njev."""
    reference = case.reference[driver]
    return reference.nfev + (case.n * reference.njev if driver == "lmdif" else 0)


@pytest.mark.slow
@each_driver
@pytest.mark.parametrize(("attempts", "limit"), [(1, 1.03), (3, 1.35)])
def test_calls_are_no_more_than_minpacks(driver, attempts, limit, monkeypatch):
    # Where variables have no effect at the end, the fit is attempted again.
    # SciPy's total is no measure: what it reads beyond a column's end decides hundreds of calls.
    # Powell's singular function takes 300 calls from one start in five, 1000 from its neighbours.
    if attempts == 1:
        monkeypatch.setattr(one, "solve_again", lambda once, outcome, *others: outcome)
    cases = [case for case in mgh.CASES if not minpack_stops_short(case, driver)]
    ours = sum(
        np.median([run(leastsq, one, driver)[2]["nfev"] for one in neighbours(case, 11)])
        for case in cases
    )
    minpacks = sum(minpacks_calls(case, driver) for case in cases)
    assert 0.9 * minpacks <= ours <= limit * minpacks
