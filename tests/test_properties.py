"""Properties of any fit: it does not crash, and its cost is not above SciPy's."""

import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from leastsq import leastsq

SEEDS = st.integers(0, 2**32 - 1)
SOLVED = (1, 2, 3, 4)


def conditioned_matrix(rng, m, n, log_condition):
    U, _ = np.linalg.qr(rng.standard_normal((m, n)))
    V, _ = np.linalg.qr(rng.standard_normal((n, n)))
    return U * np.logspace(0, -log_condition, n) @ V


@st.composite
def problems(draw):
    """Mildly nonlinear fits of random shape, conditioning and scales."""
    rng = np.random.default_rng(draw(SEEDS))
    n = draw(st.integers(1, 8))
    m = n + draw(st.integers(0, 40))
    A = conditioned_matrix(rng, m, n, draw(st.integers(0, 6)))
    columns = 10.0 ** rng.integers(-3, 4, n)
    curvature = draw(st.sampled_from([0.0, 0.01, 0.3]))
    truth = rng.standard_normal(n)
    noise = draw(st.sampled_from([0.0, 1e-6, 0.1])) * rng.standard_normal(m)
    size = 10.0 ** draw(st.integers(-150, 150))

    def bend(z):
        return z + curvature * np.sin(z)

    def residuals(p):
        return size * (bend(A @ (p * columns)) - bend(A @ truth) - noise)

    def jacobian(p):
        z = A @ (p * columns)
        return size * (1 + curvature * np.cos(z))[:, None] * A * columns

    return residuals, jacobian, rng.standard_normal(n) / columns, size


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "factor": st.sampled_from([0.1, 1.0, 100.0]),
        "ftol": st.sampled_from([1e-8, 1e-12]),
        "xtol": st.sampled_from([1e-8, 1e-12]),
        "gtol": st.sampled_from([0.0, 1e-10]),
    },
)


def neighbours(x0):
    """A start, and four that differ from it by next to nothing."""
    nudges = 1e-13 * np.random.default_rng(7).standard_normal((4, x0.size))
    return [x0, *(x0 * (1 + nudge) for nudge in nudges)]


@given(problems(), OPTIONS, st.booleans())
def test_cost_is_not_above_scipys_where_both_converge(problem, options, analytic):
    residuals, jacobian, x0, size = problem
    options = {"Dfun": jacobian if analytic else None, "full_output": True, **options}

    def cost(f):
        return np.linalg.norm(f / size) ** 2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = optimize.leastsq(residuals, x0, **options)
    # Where the Jacobian is ill-conditioned, the errors of a differenced one let either solver stall
    # from some starts and not from those next to them: the best of a few runs is what counts.
    # A cost that is nothing beside the first one is a perfect fit, whatever its digits.
    closeness = 1e-6 if analytic else 1e-2
    good = max(cost(theirs[2]["fvec"]) * (1 + closeness), 1e-12 * cost(residuals(x0)))

    def serves(start):
        x, _, info, _, ier = leastsq(residuals, start, **options)
        assert np.isfinite(x).all()
        return ier not in SOLVED or cost(info["fvec"]) <= good

    starts = [x0] if analytic else neighbours(x0)
    assert any(serves(start) for start in starts) or theirs[4] not in SOLVED


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
