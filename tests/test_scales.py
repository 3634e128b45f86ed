"""Columns and rows of very different sizes beside each other, in Jacobians of several blocks."""

import numpy as np
import pytest
from scipy import optimize

from leastsq import leastsq

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
