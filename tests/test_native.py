"""Compiled functions: fits as in Python, stops, threads, memory."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from measures import assert_no_memory_is_kept
from native.functions import Curve, Meeting, numbers

from leastsq import NativeFunction, StoppedError, least_squares, leastsq


@pytest.mark.parametrize("native_func", [True, False])
@pytest.mark.parametrize("native_Dfun", [True, False, None])
@pytest.mark.parametrize(
    "options", [{}, {"diag": [1, 2, 3], "factor": 1}, {"maxfev": 4}, {"epsfcn": 1e-10}]
)
def test_native_and_python_functions_mix(
    native_func, native_Dfun, options, fit, residual, jacobian
):
    Dfun = {True: jacobian, False: lambda p: fit.jacobian(p), None: None}[native_Dfun]
    python_Dfun = None if native_Dfun is None else fit.jacobian
    ours = leastsq(
        residual if native_func else fit.residuals,
        fit.start,
        Dfun=Dfun,
        full_output=True,
        **options,
    )
    theirs = leastsq(fit.residuals, fit.start, Dfun=python_Dfun, full_output=True, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)
    assert (ours[1] is None) == (theirs[1] is None)
    if theirs[1] is not None:
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)
    assert list(ours[2]) == list(theirs[2])
    for key in ("fvec", "fjac", "qtf"):
        np.testing.assert_allclose(ours[2][key], theirs[2][key], rtol=1e-5, atol=1e-7)
    assert ours[2]["nfev"] == theirs[2]["nfev"]
    assert ours[3:] == theirs[3:]


def test_args_go_to_the_python_function_of_a_mixed_pair(fit, residual):
    def Dfun(p, scale):
        return fit.jacobian(p) * scale

    x, _ = leastsq(residual, fit.start, args=(1.0,), Dfun=Dfun)
    np.testing.assert_allclose(x, leastsq(fit.residuals, fit.start)[0], rtol=1e-6)


def test_args_that_nothing_gets_are_refused(fit, residual, jacobian):
    with pytest.raises(TypeError, match="receives no args"):
        leastsq(residual, fit.start, args=(fit.x,))
    with pytest.raises(TypeError, match="receives no args"):
        leastsq(residual, fit.start, args=(fit.x,), Dfun=jacobian)


def test_native_function_evaluates(fit, residual):
    np.testing.assert_allclose(residual(fit.start), fit.residuals(fit.start), atol=1e-12)


@pytest.mark.parametrize("stop_at", [1, 2, 5, 9])
def test_negative_flag_ends_the_fit_and_says_what_was_reached(stop_at, fit, residual, curve):
    curve.stop_at, curve.flag = stop_at, -2
    with pytest.raises(RuntimeError, match="returned -2") as caught:
        leastsq(residual, fit.start)
    stopped = caught.value
    assert isinstance(stopped, StoppedError)
    assert stopped.flag == -2
    assert stopped.nfev == curve.calls == stop_at
    assert stopped.x.shape == (3,)
    if stop_at < 6:
        np.testing.assert_array_equal(stopped.x, fit.start)
    else:
        assert np.sum(fit.residuals(stopped.x) ** 2) < np.sum(fit.residuals(fit.start) ** 2)
    again = pickle.loads(pickle.dumps(stopped))
    assert (again.flag, again.nfev, str(again)) == (-2, stop_at, str(stopped))
    np.testing.assert_array_equal(again.x, stopped.x)


def test_negative_flag_of_the_jacobian_ends_the_fit(fit, residual, jacobian, curve):
    curve.stop_at, curve.flag = 2, -(2**31)
    with pytest.raises(StoppedError) as caught:
        leastsq(residual, fit.start, Dfun=jacobian)
    assert (caught.value.flag, caught.value.nfev, curve.calls) == (-(2**31), 1, 2)


def test_exception_in_the_python_half_comes_out(fit, residual):
    def Dfun(p):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leastsq(residual, fit.start, Dfun=Dfun)


def test_not_finite_residuals_have_their_exit_code(fit, residual, curve):
    curve.nan_at = 1
    assert leastsq(residual, fit.start, full_output=True)[-1] == 9
    # A trial point that is not finite is rejected.
    curve.calls, curve.nan_at = 0, 5
    x, ier = leastsq(residual, fit.start)
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, leastsq(fit.residuals, fit.start)[0], rtol=1e-6)


def test_residual_without_data_gets_a_null_pointer(library):
    x, _ = leastsq(NativeFunction(library.to_count, 4), np.zeros(4))
    np.testing.assert_allclose(x, [1, 2, 3, 4])


def test_fewer_residuals_than_parameters_are_refused(library):
    with pytest.raises(TypeError, match="must not exceed"):
        leastsq(NativeFunction(library.to_count, 2), np.zeros(3))


def evaluate(native, jacobian):
    return native(2 * np.array([1.0, 2, 3]))


def fit_by_differences(native, jacobian):
    return leastsq(native, np.zeros(3))[0]


def fit_with_jacobian(native, jacobian):
    return leastsq(native, np.zeros(3), Dfun=jacobian)[0]


@pytest.mark.parametrize(
    ("run", "iflag"), [(evaluate, 1), (fit_by_differences, 2), (fit_with_jacobian, 2)]
)
def test_two_threads_are_inside_at_the_same_time(run, iflag, library):
    meeting = Meeting(0, iflag)
    native = NativeFunction(library.meeting_residual, 3, data=meeting)
    jacobian = NativeFunction(library.meeting_jacobian, 3, data=meeting)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run, native, jacobian) for _ in range(2)]
        for done in runs:
            np.testing.assert_allclose(done.result(), [1, 2, 3], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.release
def test_a_stop_in_the_last_call_of_the_jacobian_is_no_success(fit, residual, jacobian, curve):
    curve.calls = 0
    least_squares(residual, fit.start, jacobian)
    calls = curve.calls
    for stop_at in range(1, calls + 1):
        curve.calls, curve.stop_at, curve.flag = 0, stop_at, -7
        with pytest.raises(StoppedError) as caught:
            least_squares(residual, fit.start, jacobian)
        assert caught.value.flag == -7


@pytest.mark.parametrize("analytic", [False, True])
@pytest.mark.parametrize("stop_at", [0, 6])
def test_ten_thousand_fits_take_no_memory(analytic, stop_at, library, fit):
    m = 2000
    x = np.linspace(0, 5, m)
    y = 2.5 * np.exp(-1.3 * x) + 0.5
    curve = Curve(x.ctypes.data_as(numbers), y.ctypes.data_as(numbers), flag=-1)

    def fits(count):
        for _ in range(count):
            curve.calls, curve.stop_at = 0, stop_at
            func = NativeFunction(library.residual, m, data=curve)
            Dfun = NativeFunction(library.jacobian, m, data=curve) if analytic else None
            try:
                leastsq(func, fit.start, Dfun=Dfun, maxfev=8, full_output=True)
            except StoppedError:
                assert stop_at

    assert_no_memory_is_kept(fits)
