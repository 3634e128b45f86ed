"""Signals end any fit, in Python or compiled, and leave nothing behind."""

import ctypes
import signal
from contextlib import contextmanager

import numba.core.compiler
import numpy as np
import pytest
from numba import carray, cfunc, njit, types

from leastsq import NativeFunction, curve_fit, leastsq

START = np.array([1.0, 1.0])
STEPS = 200_000  # of an evaluation of a millisecond, more or less
compile_extra = numba.core.compiler.compile_extra
send = ctypes.CDLL(None)["raise"]
send.argtypes, send.restype = [ctypes.c_int], ctypes.c_int


@pytest.fixture(autouse=True)
def interrupts():
    """Let SIGINT raise KeyboardInterrupt: in the background of a shell, the signal is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class AlarmError(Exception):
    """What a handler of SIGALRM raises."""


def ring(*_):
    raise AlarmError


@contextmanager
def alarm_after(seconds, handler=ring):
    """Let a handler run, as if a signal came after so many seconds, and then again and again."""
    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@njit
def slow(p, count):
    count[0] += 1
    value = 0.0
    for i in range(STEPS):
        value += np.sin(i * 1e-9)
    return np.array([p[0] - 3, p[0] ** 2 - 4 + 0 * value, p[1] - np.cos(7 * p[0])])


def slow_in_python(p, count):
    return slow(p, count) + 0


@cfunc(
    types.int32(
        types.CPointer(types.float64),
        types.int32,
        types.int32,
        types.CPointer(types.float64),
        types.CPointer(types.float64),
        types.int32,
    )
)
def slow_in_c(data, m, n, x, fvec, iflag):
    count = carray(data, 1)
    values = slow(carray(x, 2).copy(), count)
    for i in range(3):
        fvec[i] = values[i]
    return 0


def fit_with(kind, count):
    if kind == "C":
        return leastsq(NativeFunction(slow_in_c, 3, count), START, full_output=True)
    func = slow_in_python if kind == "Python" else slow
    Dfun = slopes if kind == "njit with a Jacobian in Python" else None
    return leastsq(func, START, (count,), Dfun, full_output=True)


def slopes(p, count):
    return np.array([[1, 0], [2 * p[0], 0], [7 * np.sin(7 * p[0]), 1]])


KINDS = pytest.mark.parametrize("kind", ["Python", "njit", "C", "njit with a Jacobian in Python"])


def interrupted(kind, count, seconds, handler):
    """Run a fit that may be interrupted; return the exception if it was."""
    try:
        with alarm_after(seconds, handler):
            fit_with(kind, count)
    except (AlarmError, KeyboardInterrupt) as error:
        return error
    return None


@pytest.mark.slow
@KINDS
@pytest.mark.parametrize("handler", [ring, signal.default_int_handler])
def test_fits_are_interrupted_at_any_time_and_the_next_one_is_whole(kind, handler):
    count = np.zeros(1)
    whole = fit_with(kind, count)
    calls = count[0]
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(13):
        count[:] = 0
        errors.append(interrupted(kind, count, rng.uniform(1e-4, 0.02), handler))
        assert count[0] <= calls
        count[:] = 0
        again = fit_with(kind, count)
        assert np.array_equal(again[0], whole[0])
        assert count[0] == calls
    points = [error.x.shape for error in errors if error is not None and hasattr(error, "x")]
    assert points
    assert set(points) == {(2,)}


@njit
def sends(p, count, at):
    count[0] += 1
    if count[0] == at:
        send(2)
    return np.array([p[0] - 3, p[0] ** 2 - 4, np.cos(7 * p[0])])


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("is_new", [True, False])
def test_interrupt_in_an_early_call_ends_the_fit_there(at, is_new):
    function = njit(sends.py_func) if is_new else sends
    if not is_new:
        leastsq(sends, [1.0], args=(np.zeros(1), 0))
    count = np.zeros(1)
    with pytest.raises(KeyboardInterrupt) as caught:
        leastsq(function, [1.0], args=(count, at))
    assert count[0] == at
    assert caught.value.x == [1.0]


@pytest.mark.parametrize("which", [1, 2])
def test_signal_while_numba_compiles_is_not_taken_for_a_refusal(which, native_only, monkeypatch):
    function = njit(lambda p, y: p - y)
    compilations = []

    def interrupted(*args, **options):
        compilations.append(1)
        if len(compilations) == which:
            ring()
        return compile_extra(*args, **options)

    with monkeypatch.context() as compiler:
        compiler.setattr(numba.core.compiler, "compile_extra", interrupted)
        with pytest.raises(AlarmError):
            leastsq(function, START, args=(START,))
    assert len(compilations) == which
    np.testing.assert_allclose(leastsq(function, START, args=(2 * START,))[0], 2 * START)


def test_exceptions_carry_the_best_point(fit):
    seen = []

    def raises_late(p):
        seen.append(fit.residuals(p))
        if len(seen) == 12:
            raise ZeroDivisionError
        return seen[-1]

    with pytest.raises(ZeroDivisionError) as caught:
        leastsq(raises_late, fit.start)
    best = min(seen[:-1], key=np.linalg.norm)
    found = np.linalg.norm(fit.residuals(caught.value.x))
    assert found == pytest.approx(np.linalg.norm(best), rel=1e-6)
    assert found < np.linalg.norm(seen[0])


def test_exception_at_the_start_carries_the_start():
    def fails(t, a, b):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        curve_fit(fails, [1, 2, 3], [1, 2, 3], [4, 5])
    assert caught.value.x.tolist() == [4, 5]


def test_what_an_exception_has_by_itself_stays():
    class MineError(Exception):
        x = "mine"

    def fails(p):
        raise MineError

    with pytest.raises(MineError) as caught:
        leastsq(fails, [1.0])
    assert caught.value.x == "mine"


def test_changed_size_in_compiled_code_carries_the_point():
    shrinking = njit(lambda p: np.ones(2 if p[0] == 5 else 3))
    with pytest.raises(ValueError, match="2 residuals at x0, but 3 later") as caught:
        leastsq(shrinking, [5.0, 5.0])
    assert caught.value.x.tolist() == [5, 5]
