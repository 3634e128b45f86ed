"""Columns and rows of very different sizes beside each other, in Jacobians of several blocks."""

import numpy as np
import pytest
from scipy import optimize

from leastsq import least_squares, leastsq

M, N = 1500, 12
TRUTH = np.linspace(-2, 3, N)


def error(solver, scales, analytic, seed):
    """The largest error of a parameter, in units of its column's scale."""
    rng = np.random.default_rng(seed)
    rows, columns = map(rng.permutation, SCALES[scales])
    A = rows[:, np.newaxis] * rng.standard_normal((M, N))
    if scales.startswith("a parameter"):
        A[rows > 1e-11, 5] = 0
    J = A * columns
    target = A @ TRUTH

    with np.errstate(all="ignore"):
        x, _ = solver(
            lambda p: A @ (columns * p) - target,
            (TRUTH + rng.uniform(-0.5, 0.5, N)) / columns,
            Dfun=(lambda p: J) if analytic else None,
            ftol=1e-15,
            xtol=1e-15,
        )
    return np.abs(x * columns - TRUTH).max()


SCALES = {
    "columns": (np.ones(M), np.logspace(-200, 200, N)),
    "rows": (np.logspace(-12, 12, M), np.ones(N)),
    "a parameter in small rows alone": (np.logspace(-12, 12, M), np.ones(N)),
    "both": (np.logspace(-12, 12, M), np.logspace(-100, 100, N)),
}


@pytest.mark.filterwarnings("ignore:.*too small:RuntimeWarning")
@pytest.mark.parametrize("analytic", [True, False], ids=["lmder", "lmdif"])
@pytest.mark.parametrize("scales", SCALES)
def test_scales_are_solved_as_well_as_by_scipy(scales, analytic):
    errors = [
        [error(solver, scales, analytic, seed) for seed in range(3)]
        for solver in (leastsq, optimize.leastsq)
    ]
    ours, scipys = np.median(errors, axis=1)
    # What is seen in small rows alone comes out to half the digits, here as there.
    assert ours <= max(10 * scipys, 1e-7 if scales.startswith("a parameter") else 1e-13)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
@pytest.mark.parametrize("start", [0.0, 1.0])
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (-1, np.inf)], ids=str)
def test_a_linear_model_takes_few_calls_however_far_the_minimum_is(far, start, bounds):
    """SciPy's region doubles: it takes up to 48 calls."""
    rng = np.random.default_rng(1)
    t = np.linspace(-5, 5, 200)
    A = np.vander(t, 3)
    y = A @ [2, 3, far] + rng.standard_normal(t.size)
    best = np.linalg.lstsq(A, y, rcond=None)[0]
    for method in ("lm", "trf"):
        fit = least_squares(
            lambda p: A @ p - y, np.full(3, start), lambda p: A, bounds=bounds, method=method
        )
        np.testing.assert_allclose(fit.x, best, rtol=1e-6)
        assert fit.nfev <= 9
