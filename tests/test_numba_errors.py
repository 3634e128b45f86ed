"""njit functions: errors in them, threads, lifetimes, and without Numba."""

import ctypes
import gc
import subprocess
import sys
import textwrap
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from measures import assert_no_memory_is_kept
from native.functions import Meeting
from numba import njit
from problems.curve import curve, njit_curve, njit_jacobian, njit_transpose

from leastsq import _core, leastsq


class UnexpectedError(Exception):
    pass


@njit
def raises_later(p, x, y, limit):
    if p[1] > limit:
        raise UnexpectedError("p[1] is too large", 42)
    return p[0] * np.exp(-p[1] * x) + p[2] - y


@njit
def jacobian_raises(p, x, y, limit):
    if p[1] != 1:
        raise UnexpectedError("no Jacobian")
    return np.ones((x.size, 3))


@njit
def divides_by_zero(p, x, y):
    return (p[0] * np.exp(-p[1] * x) + p[2] - y) * (1 // (1 - int(p[1] > 1.1)))


@pytest.mark.parametrize("limit", [0.5, 1.0, 1.2])
def test_exception_comes_out(fit, limit):
    with pytest.raises(UnexpectedError) as caught:
        leastsq(raises_later, fit.start, args=(fit.x, fit.y, limit))
    assert caught.value.args == ("p[1] is too large", 42)


def test_exception_of_the_jacobian_comes_out(fit):
    with pytest.raises(UnexpectedError, match="no Jacobian"):
        leastsq(raises_later, fit.start, args=(fit.x, fit.y, np.inf), Dfun=jacobian_raises)
    with pytest.raises(UnexpectedError, match="no Jacobian"):
        leastsq(
            lambda p, *args: curve(p, *args[:2]),
            fit.start,
            args=(fit.x, fit.y, np.inf),
            Dfun=jacobian_raises,
        )


def test_arithmetic_error_comes_out(fit):
    with pytest.raises(ZeroDivisionError):
        leastsq(divides_by_zero, fit.start, args=(fit.x, fit.y))


def test_nothing_is_printed_when_compiled_code_fails(fit, capfd):
    with pytest.raises(UnexpectedError):
        leastsq(raises_later, fit.start, args=(fit.x, fit.y, 1.2))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("which", [1, 2, 3, 5])
def test_failure_that_does_not_come_again_is_told(which):
    @njit
    def fails_once(p, attempts):
        attempts[0] += 1
        if attempts[0] == which:
            raise UnexpectedError("at last", attempts[0])
        return p - 1

    attempts = np.zeros(1)
    with pytest.raises(UnexpectedError) as caught:
        leastsq(fails_once, [3.0, 4.0], args=(attempts,))
    assert caught.value.args == ("at last", which)
    assert attempts[0] == which


def test_changed_number_of_residuals_is_an_error():
    @njit
    def shrinking(p):
        return np.ones(5 if p[0] == 1 else 4) * p[0]

    with pytest.raises(ValueError, match="5 residuals at x0, but 4 later"):
        leastsq(shrinking, [1.0])


def test_jacobian_of_another_shape_is_an_error(fit):
    with pytest.raises(TypeError, match=r"should be \(50, 3\), but it is \(3, 50\)"):
        leastsq(njit_curve, fit.start, args=(fit.x, fit.y), Dfun=njit_transpose)
    with pytest.raises(TypeError, match=r"should be \(3, 50\), but it is \(50, 3\)"):
        leastsq(njit_curve, fit.start, args=(fit.x, fit.y), Dfun=njit_jacobian, col_deriv=True)


def test_two_threads_are_inside_at_the_same_time(library):
    meet = library.meet
    meet.argtypes, meet.restype = [ctypes.c_void_p], ctypes.c_int
    meeting = Meeting()

    @njit
    def meets_beyond_the_start(p, place):
        if p[0] != 1 and meet(place) < 0:
            raise UnexpectedError("nobody came")
        return p - 3

    place = np.array([ctypes.addressof(meeting)])

    @njit
    def residuals(p, place):
        return meets_beyond_the_start(p, place[0])

    residuals(np.ones(2), place)
    with ThreadPoolExecutor(2) as pool:
        fits = [pool.submit(leastsq, residuals, np.ones(2), (place,)) for _ in range(2)]
        for done in fits:
            np.testing.assert_allclose(done.result()[0], 3)


def test_functions_that_run_in_parallel_are_called_by_one_thread_at_a_time(fit, monkeypatch):
    parallel = njit(parallel=True)(curve)
    args = (fit.x, fit.y)
    monkeypatch.setattr(_core, "fit_nogil", None)
    np.testing.assert_allclose(
        leastsq(parallel, fit.start, args=args)[0], leastsq(curve, fit.start, args=args)[0]
    )


@pytest.mark.slow
def test_functions_and_arguments_that_go_away_are_not_read(fit):
    expected = leastsq(njit_curve, fit.start, args=(fit.x, fit.y))[0]
    for _ in range(3):
        func = njit(lambda p, x, y: p[0] * np.exp(-p[1] * x) + p[2] - y)
        for _ in range(3):
            x, _ = leastsq(func, fit.start, args=(fit.x * 1.0, fit.y * 1.0))
            np.testing.assert_allclose(x, expected)
            gc.collect()
        gone = weakref.ref(func)
        del func
        gc.collect()
        assert gone() is None


@pytest.mark.slow
@pytest.mark.release
@pytest.mark.parametrize("limit", [9.0, 1.05, 0.5])
def test_ten_thousand_fits_take_no_memory(limit, fit):
    x = np.linspace(0, 5, 2000)
    y = 2.5 * np.exp(-1.3 * x) + 0.5

    def fits(count):
        for _ in range(count):
            try:
                leastsq(raises_later, fit.start, args=(x * 1.0, y, limit), maxfev=8, full_output=1)
            except UnexpectedError:
                assert limit < 9

    assert_no_memory_is_kept(fits)


def run_python(code, folder):
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.split()


def test_without_numba_everything_else_works(tmp_path):
    code = """
        import sys
        sys.modules["numba"] = sys.modules["llvmlite"] = None
        import leastsq
        print(leastsq.leastsq(lambda p: p - 3, [1.0, 1.0])[1] in (1, 2, 3, 4))
    """
    assert run_python(code, tmp_path) == ["True"]


@pytest.mark.slow
def test_code_from_numbas_cache_is_called(tmp_path):
    (tmp_path / "cached.py").write_text(
        "import numba\n\n@numba.njit(cache=True)\ndef residuals(p, y):\n    return p - y\n"
    )
    code = """
        import numpy as np
        from cached import residuals
        from leastsq import _core, leastsq
        _core.fit = None
        print(leastsq(residuals, np.ones(2), args=(np.array([3.0, 4.0]),))[0].round(6).tolist())
        print(sum(residuals.stats.cache_hits.values()))
    """
    assert run_python(code, tmp_path)[-1] == "0"
    assert run_python(code, tmp_path) == ["[3.0,", "4.0]", "1"]
