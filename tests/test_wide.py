"""Fits of many parameters, for which the core uses products of columns, tiles and panels."""

import numpy as np
import pytest
from scipy import optimize

from leastsq import curve_fit, leastsq

SIZES = [(32, 32), (33, 33), (40, 35), (90, 64), (300, 97), (250, 131)]


def matrix(m, n, condition, rng):
    """A matrix with singular values from 1 down to 1/condition."""
    u, _ = np.linalg.qr(rng.standard_normal((m, n)))
    v, _ = np.linalg.qr(rng.standard_normal((n, n)))
    return u * np.geomspace(1, 1 / condition, n) @ v.T


@pytest.mark.parametrize("condition", [1, 1e2, 1e4, 1e6, 1e9])
@pytest.mark.parametrize(("m", "n"), SIZES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_linear_problems_of_any_condition_are_solved(m, n, condition, order):
    rng = np.random.default_rng(m + n)
    A = np.asarray(matrix(m, n, condition, rng), order=order)
    scales = 10.0 ** rng.uniform(-6, 6, n)
    A = np.asarray(A * scales, order=order)
    b = A @ (rng.standard_normal(n) / scales) + 1e-3 * rng.standard_normal(m)
    best, *_ = np.linalg.lstsq(A * (1 / scales), b, rcond=None)
    x, cov, info, mesg, ier = leastsq(
        lambda p: A @ p - b, np.ones(n) / scales, Dfun=lambda p: A, full_output=True, xtol=1e-12
    )
    assert ier in (1, 2, 3, 4), mesg
    errors = 1e-13 * condition**2 + 1e-9
    size = np.linalg.norm(A @ (best / scales) - b)
    assert np.linalg.norm(info["fvec"]) <= size * (1 + 1e-9) + 1e-10
    assert np.linalg.norm(A @ x - A @ (best / scales)) <= 1e-6 * np.linalg.norm(b)
    if condition <= 1e4:
        np.testing.assert_allclose(x * scales, best, rtol=0, atol=max(errors, 1e-7) * condition)
    R = np.triu(info["fjac"].T[:n])
    order = info["ipvt"]
    columns = A[:, order] / np.linalg.norm(A[:, order], axis=0)
    R /= np.linalg.norm(R, axis=0)
    np.testing.assert_allclose(R.T @ R, columns.T @ columns, atol=1e-12)
    diagonal = np.abs(info["fjac"].T[:n].diagonal())
    assert (diagonal[1:] <= diagonal[:-1] * (1 + 1e-8) + 1e-15 * diagonal[0]).all()
    if condition <= 1e6:
        expected = np.linalg.inv(A.T / scales[:, None] @ (A / scales))
        np.testing.assert_allclose(
            cov * np.outer(scales, scales),
            expected,
            atol=1e-13 * condition**2 * np.abs(expected).max() + 1e-12,
        )


@pytest.mark.parametrize(("m", "n"), [(40, 35), (120, 64)])
def test_columns_that_are_combinations_of_others_are_noticed(m, n):
    rng = np.random.default_rng(n)
    A = rng.standard_normal((m, n))
    b = rng.standard_normal(m)
    A[:, 7] = A[:, 3] - 2 * A[:, 20]
    A[:, 11] = 0
    _, cov, info, _, ier = leastsq(
        lambda p: A @ p - b, np.ones(n), Dfun=lambda p: A, full_output=True
    )
    assert ier in (1, 2, 3, 4)
    assert cov is None
    best = np.linalg.lstsq(A, b, rcond=None)[0]
    assert np.linalg.norm(info["fvec"]) <= np.linalg.norm(A @ best - b) * (1 + 1e-9)


@pytest.mark.parametrize("factor", [100, 1, 0.01])
@pytest.mark.parametrize("differenced", [False, True])
def test_curved_problems_are_solved_as_by_scipy(factor, differenced):
    rng = np.random.default_rng(3)
    m, n = 150, 50
    A, b = rng.standard_normal((m, n)) / np.sqrt(m), rng.standard_normal(m)

    def residuals(p):
        return A @ p + 0.5 * np.sin(A @ p) - b

    def jacobian(p):
        return A * (1 + 0.5 * np.cos(A @ p))[:, None]

    options = {} if differenced else {"Dfun": jacobian}
    start = 2 * np.ones(n)
    x, ier = leastsq(residuals, start, factor=factor, xtol=1e-12, ftol=1e-13, **options)
    theirs, _ = optimize.leastsq(residuals, start, factor=factor, xtol=1e-14, ftol=1e-14, **options)
    assert ier in (1, 2, 3)
    np.testing.assert_allclose(x, theirs, atol=2e-5 if differenced else 1e-6)


def test_many_parameters_within_bounds_are_solved_as_by_scipy():
    rng = np.random.default_rng(8)
    m, n = 200, 60
    A, b = rng.standard_normal((m, n)), 3 * rng.standard_normal(m)
    bounds = (np.full(n, -0.1), np.full(n, 0.1))
    x, ier = leastsq(lambda p: A @ p - b, np.zeros(n), Dfun=lambda p: A, bounds=bounds)
    best = optimize.lsq_linear(A, b, bounds, tol=1e-14)
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, best.x, atol=1e-7)
    assert 5 < np.count_nonzero(np.abs(x) == 0.1) < n


def test_jacobian_with_nan_is_refused_for_many_columns():
    A = np.random.default_rng(0).standard_normal((60, 40))
    A[30, 20] = np.nan
    *_, ier = leastsq(lambda p: np.ones(60) + p[0], np.ones(40), Dfun=lambda p: A, full_output=True)
    assert ier == 10


def test_curve_of_many_parameters_has_the_covariance_of_linear_regression():
    t = np.linspace(-1, 1, 200)
    V = np.polynomial.chebyshev.chebvander(t, 39)
    rng = np.random.default_rng(5)
    y = V @ rng.standard_normal(40) + 0.1 * rng.standard_normal(t.size)
    popt, pcov = curve_fit(lambda x, *c: V @ np.array(c), t, y, p0=np.ones(40))
    best, squares, *_ = np.linalg.lstsq(V, y, rcond=None)
    np.testing.assert_allclose(popt, best, atol=1e-6)
    expected = np.linalg.inv(V.T @ V) * squares / (t.size - 40)
    np.testing.assert_allclose(pcov, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("m", "n", "condition"), [(300, 150, 1e10), (300, 300, 1e14)])
def test_diagonal_falls_where_columns_are_nearly_dependent(m, n, condition):
    rng = np.random.default_rng(n)
    u, _, v = np.linalg.svd(rng.standard_normal((m, n)), full_matrices=False)
    C, b = u * np.geomspace(1, 1 / condition, n) @ v, rng.standard_normal(m)
    _, _, info, _, _ = leastsq(lambda p: C @ p - b, np.zeros(n), Dfun=lambda p: C, full_output=True)
    diagonal = np.abs(info["fjac"].T[:n].diagonal())
    assert (diagonal[1:] <= diagonal[:-1] * (1 + 1e-6) + 1e-15 * diagonal[0]).all()
