"""Properties of any fit: it does not crash, and its cost is not above SciPy's."""

import warnings
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from leastsq import leastsq

SEEDS = st.integers(0, 2**32 - 1)
SOLVED = (1, 2, 3, 4)
TO_PRECISION = (*SOLVED, 6, 7, 8)


def matrix_of_rank(rng, m, n, rank, log_condition):
    """Random directions, singular values from 1 down to 10**-log_condition, and zeros."""
    U, _ = np.linalg.qr(rng.standard_normal((m, n)))
    V, _ = np.linalg.qr(rng.standard_normal((n, n)))
    values = np.logspace(0, -log_condition, n)
    values[rank:] = 0
    return U * values @ V


class Problem(NamedTuple):
    """A mildly nonlinear fit: residuals rows * (bend(A (p * columns)) - target)."""

    A: np.ndarray
    rank: int
    rows: np.ndarray
    columns: np.ndarray
    target: np.ndarray
    curvature: float
    x0: np.ndarray

    def bend(self, z):
        return z + self.curvature * np.sin(z)

    def residuals(self, p):
        return self.rows * (self.bend(self.A @ (p * self.columns)) - self.target)

    def jacobian(self, p):
        z = self.A @ (p * self.columns)
        return (self.rows * (1 + self.curvature * np.cos(z)))[:, None] * self.A * self.columns

    def cost(self, f):
        """The sum of squares in units that cannot overflow."""
        return np.linalg.norm(f / self.rows.max()) ** 2


def scales(rng, decades, size):
    """Powers of ten within so many decades up and down."""
    return 10.0 ** rng.integers(-decades, decades + 1, size)


@st.composite
def problems(draw, worst_condition=6, full_rank=False, row_decades=(0, 2)):
    """Mildly nonlinear fits of random shape, rank, conditioning and scales."""
    rng = np.random.default_rng(draw(SEEDS))
    n = draw(st.integers(1, 8))
    m = n + draw(st.integers(0, 40))
    rank = n if full_rank else draw(st.integers(0, n))
    A = matrix_of_rank(rng, m, n, rank, draw(st.integers(0, worst_condition)))
    noise = draw(st.sampled_from([0.0, 1e-6, 0.1])) * rng.standard_normal(m)
    columns = scales(rng, draw(st.sampled_from([0, 3, 150])), n)
    size = 10.0 ** draw(st.integers(-150, 150))
    problem = Problem(
        A=A,
        rank=rank,
        rows=size * scales(rng, draw(st.sampled_from(row_decades)), m),
        columns=columns,
        target=np.zeros(m),
        curvature=draw(st.sampled_from([0.0, 0.01, 0.3])),
        x0=rng.standard_normal(n) / columns,
    )
    return problem._replace(target=problem.bend(A @ rng.standard_normal(n)) + noise)


# Tolerances that stop where the minimum is, and options at their ends that stop anywhere.
TIGHT = st.fixed_dictionaries(
    {},
    optional={
        "factor": st.sampled_from([0.1, 1.0, 100.0]),
        "ftol": st.sampled_from([0.0, 1e-12, 1e-8]),
        "xtol": st.sampled_from([0.0, 1e-12, 1e-8]),
        "gtol": st.sampled_from([0.0, 1e-10]),
    },
)
ANY = st.fixed_dictionaries(
    {},
    optional={
        "factor": st.sampled_from([1e-300, 0.1, 100.0, 1e300]),
        "ftol": st.sampled_from([0.0, 1e-8, 1.0, 1e300]),
        "xtol": st.sampled_from([0.0, 1e-8, 1.0, 1e300]),
        "gtol": st.sampled_from([0.0, 1e-8, 1.0, 1e300]),
        "maxfev": st.sampled_from([1, 2, 10]),
        "epsfcn": st.sampled_from([1e-300, 1e-4, 1.0]),
    },
)


def neighbours(x0):
    """A start, and four that differ from it by next to nothing."""
    nudges = 1e-13 * np.random.default_rng(7).standard_normal((4, x0.size))
    return [x0, *(x0 * (1 + nudge) for nudge in nudges)]


@given(problems(), TIGHT, st.booleans())
def test_cost_is_not_above_scipys_where_both_converge(problem, options, analytic):
    options = {"Dfun": problem.jacobian if analytic else None, "full_output": True, **options}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        theirs = optimize.leastsq(problem.residuals, problem.x0, **options)
    # Where the Jacobian is ill-conditioned, the errors of a differenced one let either solver stall
    # from some starts and not from those next to them: the best of a few runs is what counts.
    # A cost that is nothing beside the first one is a perfect fit, whatever its digits. Where the
    # rank is deficient but for rounding, chance decides how far a solver follows that.
    full_rank = problem.rank == problem.x0.size
    closeness = 1e-6 if analytic and full_rank else 1e-2
    nothing = 1e-12 if full_rank else 1e-8
    good = max(
        problem.cost(theirs[2]["fvec"]) * (1 + closeness),
        nothing * problem.cost(problem.residuals(problem.x0)),
    )

    def serves(start):
        x, _, info, _, ier = leastsq(problem.residuals, start, **options)
        assert np.isfinite(x).all()
        return ier in TO_PRECISION and problem.cost(info["fvec"]) <= good

    starts = [problem.x0] if analytic else neighbours(problem.x0)
    assert any(serves(start) for start in starts) or theirs[4] not in SOLVED


@given(problems(row_decades=[0, 150]), ANY, st.booleans())
def test_any_scales_and_options_end_in_a_documented_way(problem, options, analytic):
    with np.errstate(all="ignore"):
        x, _, info, _, ier = leastsq(
            problem.residuals,
            problem.x0,
            Dfun=problem.jacobian if analytic else None,
            full_output=True,
            **options,
        )
    assert ier in range(1, 11)
    assert np.isfinite(x).all()
    assert problem.cost(info["fvec"]) <= problem.cost(problem.residuals(problem.x0))


def few_steps(problem, maxfev, diag=None):
    """Where the first steps lead, before rounding has a say in when to stop."""
    options = {"ftol": 1e-6, "xtol": 1e-6, "factor": 0.1, "maxfev": maxfev, "diag": diag}
    x, _, info, _, _ = leastsq(
        problem.residuals, problem.x0, Dfun=problem.jacobian, full_output=True, **options
    )
    assert problem.cost(info["fvec"]) < problem.cost(problem.residuals(problem.x0))
    return x


def assert_same_point(x, other, problem):
    """To what rounding leaves of a minimum, half of the digits, in the units of the columns."""
    np.testing.assert_allclose(x * problem.columns, other * problem.columns, rtol=0, atol=1e-6)


REGULAR = problems(worst_condition=2, full_rank=True, row_decades=[0])
FEW = st.integers(2, 12)


@given(REGULAR, SEEDS, FEW)
def test_order_of_rows_does_not_matter(problem, seed, maxfev):
    order = np.random.default_rng(seed).permutation(problem.target.size)
    permuted = problem._replace(
        A=problem.A[order], rows=problem.rows[order], target=problem.target[order]
    )
    x, other = (few_steps(one, maxfev) for one in (problem, permuted))
    assert_same_point(x, other, problem)


@given(REGULAR, st.integers(1, 30), FEW)
def test_zero_rows_do_not_matter(problem, zeros, maxfev):
    longer = problem._replace(
        A=np.vstack([problem.A, np.zeros((zeros, problem.x0.size))]),
        rows=np.append(problem.rows, np.ones(zeros)),
        target=np.append(problem.target, np.zeros(zeros)),
    )
    x, other = (few_steps(one, maxfev) for one in (problem, longer))
    assert_same_point(x, other, problem)


@given(REGULAR, SEEDS, FEW, st.booleans())
def test_scale_of_a_parameter_does_not_matter(problem, seed, maxfev, fixed):
    rng = np.random.default_rng(seed)
    scale = scales(rng, 5, problem.x0.size)
    diag = problem.columns * scales(rng, 1, problem.x0.size) if fixed else None
    scaled = problem._replace(columns=problem.columns * scale, x0=problem.x0 / scale)
    x = few_steps(problem, maxfev, diag)
    other = few_steps(scaled, maxfev, diag * scale if fixed else None)
    assert_same_point(x, other * scale, problem)


HOSTILE = st.sampled_from([0.0, 1.0, -1.0, 1e-320, 1e-200, 1e200, 1e308, np.nan, np.inf, -np.inf])


@given(
    n=st.integers(1, 5),
    extra=st.integers(0, 5),
    seed=SEEDS,
    values=st.lists(HOSTILE, min_size=1, max_size=12),
    analytic=st.booleans(),
    options=st.fixed_dictionaries(
        {},
        optional={
            "ftol": HOSTILE,
            "xtol": HOSTILE,
            "gtol": HOSTILE,
            "factor": HOSTILE,
            "epsfcn": HOSTILE,
            "maxfev": st.integers(-2, 50),
            "diag": st.lists(HOSTILE, min_size=1, max_size=5),
        },
    ),
)
def test_hostile_values_end_in_a_documented_way(n, extra, seed, values, analytic, options):
    rng = np.random.default_rng(seed)
    m = n + extra
    if "diag" in options:
        options["diag"] = np.resize(options["diag"], n)
    calls = []

    def any_values(shape):
        calls.append(shape)
        return rng.choice(values, shape)

    x0 = rng.choice([0.0, 1.0, -1e200, 1e-300], n)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        x, cov_x, info, mesg, ier = leastsq(
            lambda x: any_values(m),
            x0,
            Dfun=(lambda x: any_values((m, n))) if analytic else None,
            full_output=True,
            **{"maxfev": 60, **options},
        )
    assert ier in range(11)
    assert mesg
    assert x.shape == (n,)
    assert info["nfev"] + info.get("njev", 0) == len(calls)
    assert cov_x is None or cov_x.shape == (n, n)


@given(SEEDS, st.integers(1, 6), st.integers(-200, 200), st.integers(-200, 200))
def test_columns_of_any_two_scales_solve(seed, n, low, high):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n + 5, n))
    scales = 10.0 ** rng.choice([low, high], n)
    target = A @ np.ones(n)
    x, ier = leastsq(lambda p: A @ (p * scales) - target, np.zeros(n), Dfun=lambda p: A * scales)
    assert ier in SOLVED
    np.testing.assert_allclose(x * scales, 1, rtol=1e-6)
