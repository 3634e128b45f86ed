"""curve_fit_many while it runs: progress, time limits, exceptions and Ctrl-C."""

import pickle
import signal
import sys
import time
import tracemalloc
import types
import warnings

import numba
import numpy as np
import pytest
from problems.batches import T, decay
from test_signals import alarm_after

from leastsq import OptimizeWarning, curve_fit_many

KINDS = {"njit": numba.njit(decay), "Python": decay}
STEPS = 200_000  # of an evaluation of a millisecond, more or less


@numba.njit
def slow(x, a, b):
    value = 0.0
    for i in range(STEPS):
        value += np.sin(i * 1e-9)
    return a * np.exp(-b * x) + 0 * value


def slow_in_python(x, a, b):
    return slow(x, a, b)


@pytest.fixture(params=KINDS)
def f(request):
    return KINDS[request.param]


@pytest.fixture
def y():
    truth = np.random.default_rng(5).uniform([2, 0.5, 0.2], [3, 2, 0.8], (40, 3))
    return decay(T, *truth.T[..., None])


def test_callback_counts_the_fits(f, y):
    calls = []
    curve_fit_many(f, T, y, chunk=15, callback=lambda *given: calls.append(given))
    counts, totals = zip(*calls, strict=True)
    assert counts[-1] == 40
    assert sorted(counts) == list(counts)
    assert len(calls) == 3
    assert set(totals) == {40}


def test_bar_shows_the_fits(f, y, monkeypatch):
    shown = []

    class Bar:
        def __init__(self, total, **_):
            shown.append(total)

        def update(self, more):
            shown.append(more)

        def close(self):
            shown.append("closed")

    module = types.ModuleType("tqdm.auto")
    module.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    curve_fit_many(f, T, y, chunk=20, progress=True)
    assert shown == [40, 20, 20, "closed"]


def test_bar_without_tqdm_is_refused(f, y, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="progress=True needs tqdm"):
        curve_fit_many(f, T, y, progress=True)


def test_exception_of_the_callback_ends_the_batch(f, y):
    def stop(done, total):
        raise StopIteration("enough")

    with pytest.raises(StopIteration, match="enough") as caught:
        curve_fit_many(f, T, y, chunk=10, callback=stop, threads=1)
    partial = caught.value.partial
    assert partial.success[:10].all()
    expected = curve_fit_many(f, T, y)
    done = partial.status != 0
    np.testing.assert_array_equal(partial.popt[done], expected.popt[done])
    assert np.isnan(partial.popt[~done]).all()
    assert "was not done" in partial.message(39) or partial.success[39]


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("model", [slow, slow_in_python])
def test_signal_ends_the_batch_and_keeps_what_was_done(model, threads):
    y = 2 * np.exp(-np.linspace(1, 2, 2000)[:, None] * T)
    curve_fit_many(model, T, y[:1])
    with pytest.raises(KeyboardInterrupt) as caught, alarm_after(0.3, signal.default_int_handler):
        curve_fit_many(model, T, y, threads=threads, chunk=2)
    partial = caught.value.partial
    assert 0 < np.count_nonzero(partial.success) < 2000
    assert (partial.status[~partial.success] == 0).all()


def test_time_limit_leaves_the_rest_undone():
    y = 2 * np.exp(-np.linspace(1, 2, 2000)[:, None] * T)
    for model in (slow, slow_in_python):
        curve_fit_many(model, T, y[:1])
        start = time.monotonic()
        with pytest.warns(OptimizeWarning, match="were not done"):
            fits = curve_fit_many(model, T, y, max_time=0.3, chunk=2)
        assert time.monotonic() - start < 20  # all fits take minutes
        assert 0 < np.count_nonzero(fits.success) < 2000
        assert (fits.status[~fits.success] == 0).all()


def test_results_can_be_pickled_and_cannot_be_changed(f, y):
    y[3, 2] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        fits = curve_fit_many(f, T, y)
    again = pickle.loads(pickle.dumps(fits))
    np.testing.assert_array_equal(again.popt, fits.popt)
    assert again.message(3) == fits.message(3)
    assert "not finite" in fits.message(3)
    assert repr(fits) == "ManyFits(40 fits of 3 parameters, 39 solved)"
    with pytest.raises(AttributeError):
        fits.popt = None


def test_state_of_the_calling_thread_is_valid_in_the_threads(y):
    def model(x, a, b, c):
        np.log(np.zeros(1))
        return decay(x, a, b, c)

    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert curve_fit_many(model, T, y, threads=2).success.all()


def test_model_that_numba_cannot_compile_is_called_from_python(y):
    @numba.njit
    def model(x, a, b, c):
        return __import__("numpy").exp(-b * x) * a + c

    with pytest.warns(RuntimeWarning, match="model is called from Python"):
        fits = curve_fit_many(model, T, y)
    assert fits.success.all()


@numba.njit(parallel=True)
def parallel(x, a, b, c):
    values = np.empty_like(x)
    for i in numba.prange(x.size):
        values[i] = a * np.exp(-b * x[i]) + c
    return values


def test_model_with_threads_of_its_own_is_called_by_one_thread(y):
    fits = curve_fit_many(parallel, T, y[:4])
    np.testing.assert_allclose(fits.popt, curve_fit_many(decay, T, y[:4]).popt, rtol=1e-6)


def test_time_limit_holds_within_a_chunk():
    x = np.linspace(0, 5, 20_000)
    y = 2 * np.exp(-np.linspace(1, 2, 400)[:, None] * x)
    start = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = curve_fit_many(lambda x, a, b: a * np.exp(-b * x), x, y, max_time=0.1)
        slowly = curve_fit_many(slow_in_python, T, y[:, :30], max_time=0.1, vectorized=False)
    assert time.monotonic() - start < 20
    assert (fits.status == 0).any()
    assert (slowly.status == 0).any()


class SilentError(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    def __setattr__(self, name, value):
        raise AttributeError("frozen")


def test_odd_exceptions_end_their_fits_only(y):
    def model(x, a, b, c):
        if np.any(a > 100):
            raise SilentError
        return decay(x, a, b, c)

    p0 = np.ones((40, 3))
    p0[4, 0] = 200
    with pytest.warns(OptimizeWarning, match="1 of 40 fits failed"):
        fits = curve_fit_many(model, T, y, p0)
    assert fits.message(4) == "The model raised SilentError"
    with pytest.raises(SilentError):
        curve_fit_many(model, T, y, p0, on_failure="raise")


def test_exceptions_of_many_fits_need_little_memory(y):
    def model(x, a, b, c):
        waste = np.ones(1_000_000)
        if np.any(a > 100):
            raise ValueError(waste[0])
        return decay(x, a, b, c)

    p0 = np.ones((400, 3))
    p0[::2, 0] = 200
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curve_fit_many(model, T, np.tile(y, (10, 1)), p0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6


def test_errors_of_arithmetic_are_the_users_own_affair(f, y):
    y[5] *= 1e200
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = curve_fit_many(f, T, y)
        curve_fit_many(f, T, y[:3], sigma=1e-320)
    assert fits.success.sum() >= 39


def test_an_interrupt_before_the_first_fit_has_results_too(f, y):
    def interrupted(t, a, b, c):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        curve_fit_many(interrupted, T, y)
    assert (caught.value.partial.status == 0).all()


def test_warnings_as_errors_keep_the_results(f, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OptimizeWarning) as caught:
            curve_fit_many(f, T, y, maxfev=1)
    assert caught.value.partial.status.shape == y.shape[:-1]


def test_neighbours_of_a_model_that_mixes_fits():
    t = np.linspace(0, 5, 40)

    def peak(t, height, center, width):
        if np.any(width <= 0):
            return np.full(np.broadcast(t, height).shape, 1e6)
        return height * np.exp(-0.5 * ((t - center) / width) ** 2)

    rng = np.random.default_rng(1442)
    count = int(rng.integers(3, 12))
    y = rng.uniform(2, 5, (count, 1)) * np.exp(
        -0.5
        * ((t - np.linspace(0.5, 4.5, count)[:, None]) / rng.uniform(0.2, 0.6, (count, 1))) ** 2
    )
    y += 0.05 * rng.standard_normal((count, 40))
    maxfev = int(rng.integers(20, 60))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = curve_fit_many(peak, t, y, "neighbours", maxfev=maxfev)
        alone = curve_fit_many(peak, t, y, "neighbours", maxfev=maxfev, vectorized=False)
    np.testing.assert_allclose(fits.popt, alone.popt, rtol=1e-6)


def test_memory_does_not_grow_with_the_length_of_the_data():
    y = np.zeros((600, 20_000), np.int16)
    y[:, ::2] = 1
    tracemalloc.start()
    curve_fit_many(lambda t, a: a * np.ones_like(t), np.arange(20_000.0), y, covariance=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80e6


def test_too_few_points_for_a_covariance_are_explained():
    with pytest.warns(OptimizeWarning, match="no more points than parameters"):
        curve_fit_many(lambda t, a, b: a * t + b, np.arange(2.0), np.ones((3, 2)))


def test_covariance_may_be_a_numpy_bool(f, y):
    assert curve_fit_many(f, T, y, covariance=np.True_).pcov is not None
    with pytest.raises(ValueError, match="covariance must be True"):
        curve_fit_many(f, T, y, covariance=1)


def test_a_message_needs_an_index_of_one_fit(f, y):
    fits = curve_fit_many(f, T, np.stack([y, y]))
    with pytest.raises(IndexError, match="index must have"):
        fits.message(1)
