"""Dfun and col_deriv: orders in memory, shapes, and what is refused."""

import tracemalloc

import numpy as np
import pytest
from scipy import optimize

from leastsq import leastsq

LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda J: np.repeat(np.repeat(J, 2, 0), 3, 1)[::2, ::3],
    "reversed": lambda J: J[::-1].copy()[::-1],
    "rows and columns reversed": lambda J: J[::-1, ::-1].copy()[::-1, ::-1],
    "columns of a wider array": lambda J: np.pad(J, ((0, 0), (2, 30)))[:, 2:-30],
    "singles in C order": lambda J: J.astype(np.float32),
    "singles in Fortran order": lambda J: np.asfortranarray(J, np.float32),
    "singles, strided": lambda J: np.repeat(J, 2, 1).astype(np.float32)[:, ::2],
    "halves": lambda J: J.astype(np.float16),
    "list": lambda J: J.tolist(),
    "misaligned": lambda J: np.frombuffer(b"x" + J.tobytes(), np.float64, offset=1).reshape(
        J.shape
    ),
    "swapped bytes": lambda J: J.astype(J.dtype.newbyteorder()),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("col_deriv", [False, True])
def test_jacobian_is_read_in_whatever_layout_it_comes(fit, layout, col_deriv):
    def jacobian(p):
        J = fit.jacobian(p)
        return LAYOUTS[layout](J.T if col_deriv else J)

    x, ier = leastsq(fit.residuals, fit.start, Dfun=jacobian, col_deriv=col_deriv)
    expected, _ = optimize.leastsq(fit.residuals, fit.start, Dfun=fit.jacobian)
    np.testing.assert_allclose(x, expected, rtol=1e-5)
    assert ier == 1


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("m", "n"), [(90, 40), (150, 64), (201, 131), (330, 260)])
@pytest.mark.parametrize("loss", ["linear", "soft_l1"])
def test_many_columns_are_read_in_any_layout(m, n, layout, loss):
    rng = np.random.default_rng(n)
    J = rng.integers(-8, 9, (m, n)).astype(float)  # which halves contain exactly
    y = J @ rng.standard_normal(n) + rng.standard_normal(m)
    given = LAYOUTS[layout](J)
    found = leastsq(lambda p: J @ p - y, np.zeros(n), Dfun=lambda p: given, loss=loss)
    plain = leastsq(lambda p: J @ p - y, np.zeros(n), loss=loss)
    np.testing.assert_allclose(found[0], plain[0], rtol=1e-4, atol=1e-5)
    if loss == "linear":
        np.testing.assert_allclose(found[0], np.linalg.lstsq(J, y)[0], rtol=1e-7, atol=1e-9)


def test_read_only_jacobian_stays_as_it_was(fit):
    A = np.random.default_rng(3).standard_normal((300, 3))
    b = A @ [1, 2, 3]
    A.flags.writeable = False
    kept = A.copy()
    x, _ = leastsq(lambda p: A @ p - b, fit.start, Dfun=lambda p: A)
    np.testing.assert_allclose(x, [1, 2, 3])
    np.testing.assert_array_equal(A, kept)


def test_square_jacobian_is_not_taken_for_its_transpose():
    A = np.array([[1.0, 2.0], [0.0, 3.0]])
    for J, col_deriv in [(A, False), (A.T, True)]:
        info = leastsq(
            lambda p: A @ p - [1, 1],
            [0, 0],
            Dfun=lambda p, J=J: J,
            col_deriv=col_deriv,
            full_output=True,
        )[2]
        assert info["nfev"] == 2 or info["njev"] <= 2
        np.testing.assert_allclose(info["fvec"], 0, atol=1e-12)


@pytest.mark.parametrize("shape", [(5,), (5, 1), (1, 5)])
def test_one_parameter_takes_its_column_in_any_shape(shape):
    t = np.arange(1.0, 6)
    x, _ = leastsq(lambda p: p[0] * t - 2 * t, [1], Dfun=lambda p: t.reshape(shape))
    np.testing.assert_allclose(x, 2)


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("wrong", [(3, 50), (150,), (50, 2), (49, 3), (50, 3, 1)])
def test_wrong_shape_is_refused_at_every_call(fit, call, wrong):
    # SciPy looks at the first shape alone.
    calls = []

    def jacobian(p):
        calls.append(p)
        return np.ones(wrong) if len(calls) == call else fit.jacobian(p)

    with pytest.raises(TypeError, match=r"mismatch.*jacobian") as caught:
        leastsq(fit.residuals, fit.start, Dfun=jacobian)
    assert f"should be (50, 3), but it is {wrong}" in str(caught.value)
    assert len(calls) == call


@pytest.mark.parametrize("returned", [None, np.ones((50, 3), complex), [["a"] * 3] * 50])
def test_jacobian_that_is_not_real_is_named(fit, returned):
    def jacobian(p):
        return returned

    with pytest.raises(TypeError, match="jacobian"):
        leastsq(fit.residuals, fit.start, Dfun=jacobian)


def test_jacobian_gets_the_args(fit):
    x, _ = leastsq(
        lambda p, t, y: p[0] * t - y,
        [1.0],
        args=(fit.x, 3 * fit.x),
        Dfun=lambda p, t, y: t[:, np.newaxis],
    )
    np.testing.assert_allclose(x, 3)


def test_jacobian_may_overwrite_its_point(fit):
    def jacobian(p):
        J = fit.jacobian(p)
        p[:] = np.nan
        return J

    x, ier = leastsq(fit.residuals, fit.start, Dfun=jacobian)
    assert ier == 1
    assert np.isfinite(x).all()


COPYLESS = ["C", "Fortran", "strided", "reversed", "columns of a wider array", "singles in C order"]


@pytest.mark.parametrize("layout", COPYLESS)
@pytest.mark.parametrize("col_deriv", [False, True])
def test_large_jacobian_is_read_where_it_lies(layout, col_deriv):
    m, n = 20_000, 10
    J = np.random.default_rng(0).standard_normal((m, n))
    given = LAYOUTS[layout](J.T if col_deriv else J)
    given.flags.writeable = False
    residuals = J.sum(axis=1)

    def func(p):
        return np.subtract(J @ p, 1, out=residuals)

    tracemalloc.start()
    try:
        x, _ = leastsq(func, np.zeros(n), Dfun=lambda p: given, col_deriv=col_deriv)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.35 * J.nbytes  # of which J @ p and the residuals at x are 0.2
    np.testing.assert_allclose(x, np.linalg.lstsq(J, np.ones(m))[0], rtol=1e-4, atol=1e-6)


def test_a_float32_jacobian_of_many_columns_keeps_the_covariance():
    """The columns share a large part; their float32 numbers are exact."""
    rng = np.random.default_rng(0)
    common = 1000 * rng.standard_normal((350, 1))
    single = (rng.standard_normal((350, 200)) + common).astype(np.float32)
    double = single.astype(float)
    y = double @ rng.standard_normal(200) + 0.1 * rng.standard_normal(350)
    covs = [
        leastsq(lambda p: double @ p - y, np.zeros(200), Dfun=lambda p, J=J: J, full_output=True)[1]
        for J in (single, double)
    ]
    np.testing.assert_allclose(np.diag(covs[0]), np.diag(covs[1]), rtol=1e-6)
