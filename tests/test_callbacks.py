"""What a user's function may do: raise, keep, overwrite, return the same buffer, fit again."""

import gc
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest
from measures import assert_no_memory_is_kept

from leastsq import leastsq


class CustomError(Exception):
    pass


@pytest.mark.parametrize("kind", [ValueError, CustomError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("call", [1, 2, 6])
def test_exception_comes_out_as_the_same_object_at_once(fit, kind, call):
    error = kind("stop")
    calls = []

    def raising(p):
        calls.append(p)
        if len(calls) == call:
            raise error
        return fit.residuals(p)

    with pytest.raises(kind) as caught:
        leastsq(raising, fit.start)
    assert caught.value is error
    assert len(calls) == call
    assert caught.traceback[-1].name == "raising"


def test_exception_in_Dfun_comes_out(fit):
    error = CustomError()

    def raising(p):
        raise error

    with pytest.raises(CustomError) as caught:
        leastsq(fit.residuals, fit.start, Dfun=raising)
    assert caught.value is error


def test_raising_fits_leave_no_garbage(fit):
    class Marker:
        pass

    def raise_with(marker):
        def raising(p):
            if p[0] != 1:
                raise CustomError(marker)
            return fit.residuals(p)

        return raising

    gc.collect()
    gc.disable()
    try:
        marker = Marker()
        left = weakref.ref(marker)
        with pytest.raises(CustomError):
            leastsq(raise_with(marker), fit.start)
        del marker
        # The traceback that pytest keeps goes with the with-statement's context.
    finally:
        gc.enable()
    gc.collect()
    assert left() is None


def test_nothing_is_printed_when_a_fit_ends_by_an_exception(fit, capfd):
    # SciPy prints the cause of "Result from function call is not a proper array of floats".
    with pytest.raises(ZeroDivisionError):
        leastsq(lambda p: fit.residuals(p) if p[0] == 1 else 1 / 0, fit.start)
    with pytest.raises(TypeError, match="complex128"):
        leastsq(lambda p: fit.residuals(p) * (1 if p[0] == 1 else 1j), fit.start)
    assert capfd.readouterr() == ("", "")


def test_points_given_to_func_are_its_own(fit):
    # SciPy's are views of memory that it frees.
    points, copies = [], []

    def keeping(p):
        points.append(p)
        copies.append(p.copy())
        return fit.residuals(p)

    leastsq(keeping, fit.start)
    gc.collect()
    np.testing.assert_array_equal(points, copies)
    assert len({id(p) for p in points}) == len(points)


def test_func_may_write_into_its_point(fit):
    # SciPy returns what was written as the solution.
    def writing(p):
        residuals = fit.residuals(p)
        p[:] = np.nan
        return residuals

    np.testing.assert_array_equal(
        leastsq(writing, fit.start)[0], leastsq(fit.residuals, fit.start)[0]
    )


class Subclass(np.ndarray):
    """An array that is not exactly one."""


@pytest.mark.parametrize(
    "buffer",
    [
        np.empty(50),
        np.empty((50, 1)),
        np.empty(100)[::2],
        np.empty(50, ">f8"),
        np.empty(50).view(Subclass),
    ],
    ids=["plain", "a column", "strided", "big-endian", "a subclass"],
)
def test_buffer_returned_again_and_again_works(fit, buffer):
    # SciPy returns x0.
    def in_place(p):
        buffer.flat[:] = fit.residuals(p)
        return buffer

    np.testing.assert_array_equal(
        leastsq(in_place, fit.start)[0], leastsq(fit.residuals, fit.start)[0]
    )


def test_point_returned_as_the_residuals_works():
    x, ier = leastsq(lambda x: x, [3.0, 4.0])
    np.testing.assert_allclose(x, 0, atol=1e-12)
    assert ier in (1, 2, 3, 4)


def test_func_is_called_once_at_the_start_and_nfev_times(fit):
    # SciPy calls it three times there, and counts one.
    points = []

    def counting(p):
        points.append(tuple(p))
        return fit.residuals(p)

    info = leastsq(counting, fit.start, full_output=True)[2]
    assert points.count(tuple(fit.start)) == 1
    assert info["nfev"] == len(points)


def test_fit_inside_func_and_inside_Dfun(fit):
    expected, _ = leastsq(fit.residuals, fit.start, Dfun=fit.jacobian)

    def residuals(p):
        np.testing.assert_allclose(leastsq(fit.residuals, fit.start)[0], expected, rtol=1e-6)
        return fit.residuals(p)

    def jacobian(p):
        leastsq(fit.residuals, fit.start, Dfun=fit.jacobian)
        return fit.jacobian(p)

    np.testing.assert_array_equal(leastsq(residuals, fit.start, Dfun=jacobian)[0], expected)


def test_exception_of_an_inner_fit_passes_through_the_outer(fit):
    error = CustomError()

    def inner(p):
        raise error

    def outer(p):
        if p[0] != 1:
            leastsq(inner, fit.start)
        return fit.residuals(p)

    with pytest.raises(CustomError) as caught:
        leastsq(outer, fit.start)
    assert caught.value is error


@pytest.mark.parametrize("analytic", [False, True])
def test_raising_fit_of_many_parameters_gives_back_all_arrays(analytic):
    n = 200

    def raising(p):
        if p[0] != 1:
            raise CustomError
        return p

    def fits(count):
        for _ in range(count):
            with pytest.raises(CustomError):
                leastsq(raising, np.ones(n), Dfun=(lambda p: np.eye(n)) if analytic else None)

    fits(5)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        fits(20)
        growth = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert growth < 8 * n * n


@pytest.mark.release
@pytest.mark.parametrize("call", [2, 5])
def test_ten_thousand_raising_fits_take_no_memory(call):
    m, n = 2000, 4

    def fits(count):
        for _ in range(count):
            calls = 0

            def raising(p):
                nonlocal calls
                calls += 1
                if calls == call:
                    raise CustomError
                return np.repeat(p, m // n)

            with pytest.raises(CustomError):
                leastsq(raising, np.ones(n))

    assert_no_memory_is_kept(fits)


@pytest.mark.parametrize(
    ("attribute", "value"), [("shape", (3, 1)), ("dtype", "i8"), ("writeable", False)]
)
def test_point_that_func_has_changed_is_not_used_again(attribute, value, fit):
    # One that nobody keeps is, if it is as it was made.
    def changing(p):
        assert (p.shape, p.dtype, p.flags.writeable) == ((3,), float, True)
        residuals = fit.residuals(p)
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # by NumPy 2.5
            setattr(p.flags if attribute == "writeable" else p, attribute, value)
        return residuals

    expected = leastsq(fit.residuals, fit.start)[0]
    np.testing.assert_array_equal(leastsq(changing, fit.start)[0], expected)


def test_view_of_a_point_keeps_it(fit):
    views, copies = [], []

    def keeping(p):
        views.append(p[1:])
        copies.append(p[1:].copy())
        return fit.residuals(p)

    leastsq(keeping, fit.start)
    np.testing.assert_array_equal(views, copies)
