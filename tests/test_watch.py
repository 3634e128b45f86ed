"""The callback, verbose output and max_time of a fit, with functions of every kind."""

import copy
import math
import time
import warnings

import numba
import numpy as np
import pytest
from scipy import optimize

from leastsq import FitError, OptimizeResult, curve_fit, curve_fit_many, least_squares, leastsq

T = np.linspace(0, 5, 50)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.05 * np.cos(40 * T)
START = [1.0, 1.0, 1.0]


def model(t, a, b, c):
    return a * np.exp(-b * t) + c


def residuals(p, t, y):
    return p[0] * np.exp(-p[1] * t) + p[2] - y


COMPILED = numba.njit(residuals)
KINDS = pytest.mark.parametrize("func", [residuals, COMPILED], ids=["Python", "njit"])


class Seen(list):
    """A callback that keeps what it is shown."""

    def __init__(self, answers=()):
        self.answers = dict(answers)

    def __call__(self, intermediate_result):
        self.append(intermediate_result)
        answer = self.answers.get(len(self))
        if isinstance(answer, type):
            raise answer
        return answer


@KINDS
def test_the_callback_sees_each_step(func):
    seen = Seen()
    result = least_squares(func, START, args=(T, Y), callback=seen)
    assert [each.nit for each in seen] == list(range(1, result.nit + 1))
    costs = [each.cost for each in seen]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == result.cost
    np.testing.assert_array_equal(seen[-1].x, result.x)
    points = [np.array(START), *(each.x for each in seen)]
    for each, before in zip(seen, points, strict=False):
        assert isinstance(each, OptimizeResult)
        np.testing.assert_allclose(each.fun, residuals(each.x, T, Y), atol=1e-14)
        np.testing.assert_allclose(each.cost, np.sum(each.fun**2) / 2)
        np.testing.assert_allclose(each.step_norm, np.linalg.norm(each.x - before), rtol=1e-12)
        assert each.trust_radius > 0
        assert each.ratio >= 1e-4
        assert 0 <= each.elapsed < 60
    assert seen[0].x is not seen[1].x


def test_the_callback_is_called_by_scipys_convention():
    points = []
    for solve in (least_squares, optimize.least_squares):
        solve(residuals, START, args=(T, Y), callback=lambda x: points.append(x))
    assert all(point.shape == (3,) for point in points)

    def named(intermediate_result):
        assert intermediate_result.x.shape == (3,)

    for solve in (least_squares, optimize.least_squares):
        solve(residuals, START, args=(T, Y), callback=named)


@KINDS
@pytest.mark.parametrize("answer", [True, np.True_, StopIteration])
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0, 9)])
def test_the_callback_stops_the_fit_at_the_best_point(func, answer, bounds):
    seen = Seen({2: answer})
    result = least_squares(func, START, args=(T, Y), callback=seen, bounds=bounds)
    assert len(seen) == 2
    assert (result.status, result.success, result.nit) == (-2, False, 2)
    assert "`callback`" in result.message
    np.testing.assert_array_equal(result.x, seen[-1].x)
    assert result.cost == seen[-1].cost
    assert result.jac.shape == (50, 3)
    _, ier = leastsq(func, START, args=(T, Y), callback=Seen({2: answer}), bounds=bounds)
    assert ier == 12
    f = model if func is residuals else numba.njit(model)
    with pytest.raises(FitError, match="callback") as caught:
        curve_fit(f, T, Y, callback=Seen({2: answer}), bounds=bounds)
    assert caught.value.popt.shape == (3,)
    assert least_squares(func, START, args=(T, Y)).success


def test_a_callback_that_returns_something_else_goes_on():
    seen = Seen(dict.fromkeys(range(99), 1))
    assert least_squares(residuals, START, args=(T, Y), callback=seen).success
    assert len(seen) > 2


@KINDS
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_of_the_callback_has_the_best_point(func, error):
    seen = Seen({3: error})
    with pytest.raises(error) as caught:
        least_squares(func, START, args=(T, Y), callback=seen)
    np.testing.assert_array_equal(caught.value.x, seen[-1].x)


def test_a_callback_that_would_never_run_is_refused():
    def generator(x):
        yield x

    async def coroutine(x):
        pass

    for callback, words in ((3, "be callable"), (generator, "generator"), (coroutine, "coroutine")):
        with pytest.raises(TypeError, match=f"callback must .*{words}"):
            leastsq(residuals, START, args=(T, Y), callback=callback)
        with pytest.raises(TypeError, match=f"callback must .*{words}"):
            curve_fit_many(model, T, Y[None], START, callback=callback)


def test_c_functions_have_callbacks(fit, residual, jacobian):
    seen = Seen()
    result = least_squares(residual, fit.start, jacobian, callback=seen)
    assert len(seen) == result.nit
    assert leastsq(residual, fit.start, Dfun=jacobian, callback=Seen({1: True}))[1] == 12


@KINDS
def test_no_time_leaves_the_start(func):
    result = least_squares(func, START, args=(T, Y), max_time=0)
    assert (result.status, result.success, result.nfev) == (-3, False, 1)
    np.testing.assert_array_equal(result.x, START)
    np.testing.assert_array_equal(result.fun, residuals(np.array(START), T, Y))
    assert np.isnan(result.jac).all()
    assert math.isnan(result.optimality)
    with pytest.warns(RuntimeWarning, match="max_time is over"):
        _, ier = leastsq(func, START, args=(T, Y), max_time=0)
    assert ier == 11
    f = model if func is residuals else numba.njit(model)
    with pytest.raises(FitError, match="max_time") as caught:
        curve_fit(f, T, Y, max_time=0)
    assert caught.value.ier == 11
    np.testing.assert_array_equal(caught.value.popt, START)


def test_no_time_for_c_functions(fit, residual):
    result = least_squares(residual, fit.start, max_time=0)
    assert (result.status, result.nfev) == (-3, 1)
    np.testing.assert_allclose(result.fun, fit.residuals(fit.start), atol=1e-14)


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0, 9)])
def test_when_the_time_is_over_no_function_is_called_any_more(bounds):
    ends = time.monotonic() + 0.3
    late = []

    def slow(p):
        late.append(time.monotonic() > ends + 0.05)
        if len(seen) == 2:
            while time.monotonic() < ends + 0.1:
                pass
        return residuals(p, T, Y)

    seen = Seen()
    result = least_squares(slow, START, bounds=bounds, callback=seen, max_time=0.3)
    assert result.status == -3
    assert not any(late)
    assert len(seen) in (2, 3)
    np.testing.assert_array_equal(result.x, seen[-1].x)


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("method", ["trf", "lm"])
def test_reports_are_like_scipys(verbose, method, capsys):
    result = least_squares(residuals, START, args=(T, Y), verbose=verbose, method=method)
    ours = capsys.readouterr().out.splitlines()
    theirs = optimize.least_squares(residuals, START, args=(T, Y), verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    if verbose == 0:
        assert not ours
        return
    assert ours[-2] == lines[-2] == theirs.message
    assert ours[-1].split(",")[1] == lines[-1].split(",")[1]  # the initial cost
    assert f"Function evaluations {result.nfev}," in ours[-1]
    if verbose == 2:
        assert ours[0] == lines[0]
        assert len(ours) == result.nit + 4
        cells = ours[1].split()
        assert cells[:3] == lines[1].split()[:3]
        assert len(ours[2]) == len(lines[2])
    else:
        assert len(ours) == 2


def test_a_start_without_a_model_is_not_in_the_table(capsys):
    y = np.where(T > 1, Y, np.nan)
    outputs = []
    for options in ({}, {"chunks": 20}):
        with pytest.raises(FitError, match="not finite"):
            curve_fit(model, T, y, START, verbose=2, check_finite=False, **options)
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_curve_fit_prints_the_table_too(capsys):
    curve_fit(model, T, Y, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "Iteration"
    assert lines[1].split()[:2] == ["0", "4"]  # with those for differences


def test_the_outer_fit_gives_its_point_to_the_exception():
    def inner(q):
        if q[0] != 7:
            raise KeyboardInterrupt
        return np.array([q[0] - 8, q[0] ** 2])

    def outer(p):
        if p[0] != 1:
            least_squares(inner, [7.0])
        return p - 3.0

    with pytest.raises(KeyboardInterrupt) as caught:
        least_squares(outer, [1.0, 1, 1])
    assert caught.value.x.tolist() == [1, 1, 1]


@pytest.mark.parametrize("solve", [leastsq, least_squares])
def test_compiled_functions_are_called_once_at_the_start(solve):
    count = np.zeros(1)

    @numba.njit
    def counted(p, count):
        count[0] += 1
        return p - np.array([1.0, 2.0])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solve(counted, [0.0, 0.0], args=(count,), max_time=0)
    assert count[0] == 1


def test_nfev_counts_the_calls_of_a_first_try():
    """The last steps of the first try are not taken, and its fit is poor: there are others."""
    rng = np.random.default_rng(184)
    t = np.linspace(0, 5, 40)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.02 * rng.standard_normal(40)
    y[rng.random(40) < 0.3] += 2
    start = np.array([1.08, 4.78, 0.36])
    points, shown = [], []

    def func(p):
        points.append(p.copy())
        return p[0] * np.exp(-p[1] * t) + p[2] - y

    def jac(p):
        e = np.exp(-p[1] * t)
        return np.column_stack([e, -p[0] * t * e, np.ones_like(t)])

    def callback(intermediate_result):
        shown.append((intermediate_result.nfev, len(points)))

    options = {"loss": "arctan", "f_scale": 0.002, "callback": callback}
    least_squares(func, start, jac, **options)
    assert sum((p == start).all() for p in points) >= 2
    assert all(nfev == calls for nfev, calls in shown)


@pytest.mark.parametrize("solver", ["least_squares", "leastsq", "curve_fit"])
@pytest.mark.parametrize("loss", ["linear", "soft_l1", "cauchy"])
def test_a_fit_that_is_stopped_at_any_step_returns_the_best_point(solver, loss):
    x = np.linspace(0, 20, 40)

    def uptake(light, top, slope, loss):
        return top * (1 - np.exp(-slope * light / top)) - loss

    y = uptake(x, 20, 3, 1) + 0.2 * np.random.default_rng(3).standard_normal(x.size)
    y[::6] += 8
    options = {"loss": loss, "f_scale": 0.5}
    stop, seen = 0, []

    def callback(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == stop:
            raise StopIteration

    def fit():
        start = [1.0, 1.0, 1.0]
        if solver == "curve_fit":
            try:
                curve_fit(uptake, x, y, start, callback=callback, **options)
            except FitError as error:
                return error.popt, error.ier == 12
            return None, False
        fun = lambda p: uptake(x, *p) - y  # noqa: E731
        if solver == "leastsq":
            popt, ier = leastsq(fun, start, callback=callback, **options)
            return popt, ier == 12
        result = least_squares(fun, start, callback=callback, **options)
        return result.x, result.status == -2

    fit()
    steps = len(seen)
    assert steps > 5
    has_left_the_best = False
    for stop in range(1, steps + 1):
        seen.clear()
        popt, is_stopped = fit()
        assert is_stopped
        assert len(seen) == stop
        best = min(seen, key=lambda each: each.cost)
        np.testing.assert_allclose(popt, best.x, rtol=1e-12)
        has_left_the_best |= best.cost < seen[-1].cost
    assert has_left_the_best == (loss != "linear")


KEPT = {
    "the result": lambda result: result,
    "the point": lambda result: result.x,
    "a part of the point": lambda result: result.x[1:],
    "the residuals": lambda result: result.fun,
    "a memoryview": lambda result: memoryview(result.x),
}


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_what_a_callback_keeps_does_not_change(keep):
    kept, copies = [], []

    def callback(intermediate_result):
        kept.append(keep(intermediate_result))
        copies.append(copy.deepcopy(kept[-1]) if isinstance(kept[-1], dict) else np.array(kept[-1]))

    least_squares(residuals, START, args=(T, Y), callback=callback)
    assert len(kept) > 3
    for one, its_copy in zip(kept, copies, strict=True):
        np.testing.assert_equal(
            one if isinstance(one, dict) else np.array(one),
            its_copy,
        )


def test_points_that_a_callback_keeps_do_not_change():
    points, parts, copies = [], [], []

    def callback(x):
        copies.append(x.copy())
        if len(copies) % 2:
            points.append((len(copies) - 1, x))
        else:
            parts.append((len(copies) - 1, x[:2]))

    leastsq(residuals, START, args=(T, Y), callback=callback)
    assert len(copies) > 3
    for i, point in points:
        np.testing.assert_array_equal(point, copies[i])
    for i, part in parts:
        np.testing.assert_array_equal(part, copies[i][:2])


def spoil_items(result):
    for name in list(result):
        result[name] = None


def delete_an_item(result):
    del result.x


def replace_an_item(result):
    del result.fun
    result.note = 1


def reshape_the_point(result):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy 2.5
        result.x.shape = (3, 1)


def close_the_point(result):
    result.x.flags.writeable = False


def write_into_the_point(result):
    result.x[:] = np.nan


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_items,
        delete_an_item,
        replace_an_item,
        reshape_the_point,
        close_the_point,
        write_into_the_point,
    ],
)
def test_what_a_callback_does_to_its_result_is_not_seen_by_the_next_call(spoil):
    def fit(spoil):
        seen = []

        def callback(intermediate_result):
            seen.append({name: np.array(value) for name, value in intermediate_result.items()})
            seen[-1].pop("elapsed")
            spoil(intermediate_result)

        return seen, least_squares(residuals, START, args=(T, Y), callback=callback)

    seen, result = fit(spoil)
    expected, plain = fit(lambda result: None)
    np.testing.assert_equal(seen, expected)
    np.testing.assert_array_equal(result.x, plain.x)
