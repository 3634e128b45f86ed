"""check_derivative finds wrong columns of a Jacobian, and finds right ones right."""

import numpy as np
import pytest
from problems import mgh
from problems.curve import njit_curve, njit_jacobian

from leastsq import check_derivative, curve_fit, leastsq

T = np.linspace(0, 5, 50)


def decay(p):
    return p[0] * np.exp(-p[1] * T) + p[2] - 1


def jacobian(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones_like(T)], axis=1)


@pytest.mark.parametrize("case", mgh.CASES[::3], ids=lambda case: case.name)
def test_jacobians_of_the_mgh_problems_are_right(case):
    x = case.start + 0.1 * np.abs(case.start) + 0.01
    with np.errstate(all="ignore"):
        error = check_derivative(case.residuals, x, case.jacobian)
    assert (error[np.isfinite(error)] < 1e-5).all()


@pytest.mark.parametrize(
    ("factors", "errors"),
    [
        ([1, 1, 1], [0, 0, 0]),
        ([1, -1, 1], [0, 2, 0]),
        ([2, 1, 1], [0.5, 0, 0]),
        ([1, 1, 0.9], [0, 0, 0.1]),
        ([0, 1, 1], [1, 0, 0]),
        ([1, 1, 1.0001], [0, 0, 1e-4]),
    ],
)
def test_error_of_each_column_is_told(factors, errors):
    found = check_derivative(decay, [2.5, 1.3, 0.5], lambda p: jacobian(p) * factors)
    np.testing.assert_allclose(found, errors, atol=1e-7)


def test_wrong_column_that_is_not_zero_where_the_function_rests():
    assert check_derivative(lambda p: p[:1] * np.ones(2), [1, 1], lambda p: np.ones((2, 2)))[1] == 1


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12])
@pytest.mark.parametrize("offset", [0, 2.455e6])
def test_units_and_offsets_do_not_matter(scale, offset):
    def residuals(p):
        return np.exp(-((T - (p[0] / scale - offset)) ** 2))

    def derivative(p):
        return (residuals(p) * 2 * (T - (p[0] / scale - offset)) / scale)[:, None]

    at = [(2.1 + offset) * scale]
    assert check_derivative(residuals, at, derivative)[0] < 1e-4
    assert check_derivative(residuals, at, lambda p: -derivative(p))[0] == pytest.approx(
        2, rel=1e-4
    )


def test_args_transposes_and_other_functions_are_taken(residual, jacobian, fit, curve):
    args = (fit.x, fit.y)
    assert (check_derivative(njit_curve, fit.start, njit_jacobian, args) < 1e-6).all()
    assert (
        check_derivative(
            njit_curve, fit.start, lambda p, *args: njit_jacobian(p, *args).T, args, col_deriv=True
        )
        < 1e-6
    ).all()
    assert (check_derivative(residual, fit.start, jacobian) < 1e-6).all()
    with pytest.raises(TypeError, match=r"should be \(50, 3\)"):
        check_derivative(njit_curve, fit.start, lambda p, *args: np.ones((3, 50)), args)


def test_nan_is_told():
    assert np.isnan(check_derivative(lambda p: p * np.nan, [1.0, 2], lambda p: np.eye(2))).all()


def test_message_of_a_fit_without_progress_names_it(fit):
    wrong = lambda p: -fit.jacobian(p)  # noqa: E731
    mesg = leastsq(fit.residuals, fit.start, Dfun=wrong, full_output=True)[3]
    assert "check_derivative" in mesg
    with pytest.warns(match="check_derivative"):
        leastsq(fit.residuals, fit.start, Dfun=wrong)
    with pytest.warns(match="check_derivative"):
        curve_fit(
            lambda t, a, b, c: a * np.exp(-b * t) + c,
            fit.x,
            fit.y,
            jac=lambda t, *p: -fit.jacobian(p),
        )


@pytest.mark.parametrize("unit", [1e-18, 1e-13, 1.0, 1e15])
def test_a_parameter_that_is_zero_has_any_unit(unit):
    t = np.linspace(0, 5, 40)

    def residuals(p):
        return 2 * np.exp(-(((t - 2 - p[0] / unit) / 0.7) ** 2)) + p[1] - 1

    def jacobian(p):
        apart = (t - 2 - p[0] / unit) / 0.7
        return np.stack([2 * np.exp(-(apart**2)) * 2 * apart / 0.7 / unit, np.ones(40)], 1)

    assert (check_derivative(residuals, [0, 0.5], jacobian) < 1e-6).all()
    wrong = check_derivative(residuals, [0, 0.5], lambda p: jacobian(p) * [2, 1])
    assert wrong.round(3).tolist() == [0.5, 0]
