"""Differences of many points: vectorized functions, and workers."""

import math
import os
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import Pool
from time import monotonic

import numba
import numpy as np
import pytest

from leastsq import confidence_band, curve_fit, least_squares, leastsq

T = np.linspace(0, 5, 50)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.05 * np.cos(40 * T)
START = [1.0, 1.0, 1.0]


def model(t, a, b, c):
    return a * np.exp(-b * t) + c


def residuals(p, t, y):
    return p[0] * np.exp(-p[1] * t) + p[2] - y


class Counted:
    """A function that keeps the shapes of its parameters."""

    def __init__(self, function):
        self.function = function
        self.shapes = []

    def __call__(self, p, *args):
        self.shapes.append(np.shape(p))
        return self.function(p, *args)


def same(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    assert one[2]["nfev"] == other[2]["nfev"]
    np.testing.assert_array_equal(one[2]["fvec"], other[2]["fvec"])
    np.testing.assert_array_equal(one[2]["fjac"], other[2]["fjac"])


@pytest.mark.parametrize("bounds", [None, (0, 9)])
def test_vectorized_residuals_give_the_same_bits(bounds):
    func = Counted(residuals)
    plain = leastsq(residuals, START, args=(T, Y), full_output=True, bounds=bounds)
    joint = leastsq(
        func, START, (T[:, None], Y[:, None]), full_output=True, bounds=bounds, vectorized=True
    )
    same(joint, plain)
    assert {len(shape) for shape in func.shapes} == {2}
    assert len(func.shapes) < plain[2]["nfev"] - 2
    ours = least_squares(residuals, START, args=(T[:, None], Y[:, None]), vectorized=True)
    np.testing.assert_array_equal(ours.x, least_squares(residuals, START, args=(T, Y)).x)


@pytest.mark.parametrize("weighing", ["none", "one", "each", "matrix"])
@pytest.mark.parametrize("shape", [(50,), (5, 10)])
def test_vectorized_models_give_the_same_bits(weighing, shape):
    if weighing in ("each", "matrix") and len(shape) > 1:
        pytest.skip("sigma is 1-D")
    rng = np.random.default_rng(1)
    errors = rng.uniform(0.5, 2, 50)
    sigma = {
        "none": None, "one": 0.3, "each": errors,
        "matrix": np.diag(errors**2) + 0.1,
    }[weighing]  # fmt: skip
    given = T.reshape(shape), Y.reshape(shape)
    plain = curve_fit(model, *given, sigma=sigma, full_output=True)
    joint = curve_fit(model, *given, sigma=sigma, full_output=True, vectorized=True)
    np.testing.assert_allclose(joint[0], plain[0], rtol=1e-12)
    np.testing.assert_allclose(joint[1], plain[1], rtol=1e-9)
    if weighing != "matrix":
        np.testing.assert_array_equal(joint[0], plain[0])
    assert joint[2]["nfev"] == plain[2]["nfev"]


def banana(p, scale):
    return np.stack([scale[0] * (p[1] - p[0] ** 2), scale[1] * (1 - p[0]), scale[2] * p[0] * p[1]])


def peak(p, t, y):
    return p[0] * np.exp(-(((t - p[1]) / p[2]) ** 2)) - y


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "cauchy"])
@pytest.mark.parametrize("bounds", [None, (-8, 8)])
@pytest.mark.parametrize("maxfev", [0, 7, 23])
@pytest.mark.parametrize(
    ("function", "start", "data"),
    [
        (residuals, [1, 1, 1], (T, Y)),
        (residuals, [-3, -1, 2], (T, Y)),
        (banana, [-1.2, 1], (np.array([10, 1, 0.1]),)),
        (banana, [6, -7], (np.array([10, 1, 0.1]),)),
        (peak, [5, 1, 0.3], (T, 3 * np.exp(-(((T - 2) / 0.7) ** 2)) + 0.1 * np.cos(9 * T))),
    ],
)
def test_points_that_are_evaluated_ahead_change_no_result(
    function, start, data, maxfev, bounds, loss
):
    func = Counted(function)
    options = {"full_output": True, "maxfev": maxfev, "bounds": bounds, "loss": loss}
    plain = leastsq(function, start, args=data, **options)
    columns = tuple(array[:, None] for array in data)
    joint = leastsq(func, start, args=columns, vectorized=True, **options)
    same(joint, plain)
    np.testing.assert_array_equal(joint[1], plain[1])
    assert joint[3:] == plain[3:]
    assert len(func.shapes) < plain[2]["nfev"]


def test_functions_may_return_the_same_array_again():
    real, imaginary = np.empty(T.size), np.empty(T.size, complex)

    def model(t, a, b, c):
        buffer = imaginary if np.iscomplexobj(a) else real
        buffer[:] = a * np.exp(-b * t) + c
        return buffer

    def residuals(p):
        buffer = model(T, *p)
        buffer -= Y
        return buffer

    best = leastsq(residuals, START)[0]
    structure = np.ones((T.size, 3))
    for options in (
        {"jac": "3-point"}, {"jac": "cs"}, {"jac_sparsity": structure}, {"workers": map},
    ):  # fmt: skip
        np.testing.assert_allclose(least_squares(residuals, START, **options).x, best, rtol=1e-5)
    for jac in ("3-point", "cs"):
        popt, pcov = curve_fit(model, T, Y, jac=jac)
        np.testing.assert_allclose(popt, best, rtol=1e-5)
    band = confidence_band(model, T, popt, pcov)
    np.testing.assert_allclose(
        band, confidence_band(lambda *p: model(*p).copy(), T, popt, pcov), rtol=1e-9
    )


def test_large_problems_are_split():
    t = np.linspace(0, 5, 4000)
    y = model(t, 2.5, 1.3, 0.5)
    func = Counted(residuals)
    leastsq(func, START, args=(t[:, None], y[:, None]), vectorized=True)
    assert max(shape[1] for shape in func.shapes) <= 10_000 // 4000 + 1
    func = Counted(residuals)
    t = np.linspace(0, 5, 20_000)
    leastsq(func, START, args=(t[:, None], model(t, 2, 1, 1)[:, None]), vectorized=True)
    assert max(shape[1] for shape in func.shapes) <= 2


def test_functions_that_mix_points_are_refused():
    def mixes(P, t, y):
        return residuals(P, t, y) + 1e-3 * P.sum()

    def flat(P, t, y):
        return residuals(P[:, -1], t[:, 0], y[:, 0])

    def short(P, t, y):
        return residuals(P[:, :1], t, y)

    given = T[:, None], Y[:, None]
    with pytest.raises(ValueError, match=r"short is not vectorized: it returns values of shape"):
        leastsq(short, START, args=given, vectorized=True)
    with pytest.raises(ValueError, match="mixes is not vectorized: residual 0 at the starting"):
        leastsq(mixes, START, args=given, vectorized=True)
    with pytest.raises(ValueError, match=r"flat is not vectorized: for x of shape \(3, 1\)"):
        leastsq(flat, START, args=given, vectorized=True)

    def normalised(t, a, b, c):
        return model(t, a, b, c) / np.max(a)

    with pytest.raises(ValueError, match="normalised is not vectorized"):
        curve_fit(normalised, T, Y, START, vectorized=True)


def test_models_may_return_what_broadcasts():
    def level(t, a):
        return a + 0 * a

    popt, _ = curve_fit(lambda t, a, b: level(t, a) + b * t, T, Y, [1, 1], vectorized=True)
    np.testing.assert_allclose(popt, np.polyfit(T, Y, 1)[::-1], rtol=1e-6)
    popt, _ = curve_fit(level, T, Y, [1.0], vectorized=True, sigma=1.0, absolute_sigma=True)
    np.testing.assert_allclose(popt, Y.mean(), rtol=1e-6)


def test_exceptions_of_vectorized_functions_have_the_best_point():
    def fails(P, t, y):
        if P.shape[1] > 1 and np.any(P[0] > 2.5):
            raise RuntimeError("too far")
        return residuals(P, t, y)

    with pytest.raises(RuntimeError, match="too far") as caught:
        leastsq(fails, START, args=(T[:, None], Y[:, None]), vectorized=True)
    assert caught.value.x.shape == (3,)
    assert caught.value.x[0] > 1


def test_no_time_for_joint_calls():
    result = least_squares(
        residuals, START, args=(T[:, None], Y[:, None]), vectorized=True, max_time=0
    )
    assert (result.status, result.nfev) == (-3, 1)


@pytest.mark.parametrize("workers", [2, -1, "pool", "threads", "futures", map])
def test_workers_give_the_same_bits(workers):
    plain = leastsq(residuals, START, args=(T, Y), full_output=True)

    def futures(function, points):
        made = []
        for point in points:
            made.append(Future())
            made[-1].set_result(function(point))
        return made

    if workers == "pool":
        with Pool(2) as pool:
            same(leastsq(residuals, START, (T, Y), full_output=True, workers=pool.map), plain)
    elif workers == "threads":
        with ThreadPoolExecutor(2) as pool:
            same(leastsq(residuals, START, (T, Y), full_output=True, workers=pool.map), plain)
    else:
        chosen = futures if workers == "futures" else workers
        same(leastsq(residuals, START, args=(T, Y), full_output=True, workers=chosen), plain)


def signed(p, t, y, path):
    """Residuals; the process that evaluates them leaves its number in a file."""
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return residuals(p, t, y)


def test_processes_evaluate_the_differences(tmp_path):
    path = tmp_path / "processes"
    _, _, info, _, _ = leastsq(signed, START, (T, Y, path), full_output=True, workers=2)
    places = path.read_text().split()
    assert len(places) == info["nfev"]
    assert 2 <= len(set(places)) <= 3  # one process may evaluate both shares
    own = places.count(str(os.getpid()))  # this process evaluates the trial points
    assert (len(places) - own) % len(START) == 0
    assert own >= 2


def test_more_workers_than_parameters_evaluate_a_trial_point_with_its_differences(tmp_path):
    path = tmp_path / "processes"
    plain = leastsq(residuals, START, args=(T, Y), full_output=True)
    same(leastsq(signed, START, (T, Y, path), full_output=True, workers=4), plain)
    own = path.read_text().split().count(str(os.getpid()))
    assert own <= 2  # the starting point, and a trial point that is expected to be the end


def test_curve_fit_and_compiled_functions_have_workers():
    plain = curve_fit(model, T, Y)
    for workers in (2, map):
        popt, _ = curve_fit(model, T, Y, workers=workers, sigma=np.ones(50))
        np.testing.assert_allclose(popt, plain[0], rtol=1e-9)
    compiled = numba.njit(nogil=True)(residuals)
    x, _ = leastsq(compiled, START, args=(T, Y), workers=2)
    np.testing.assert_allclose(x, plain[0], rtol=1e-6)


def test_exceptions_of_workers_reach_the_user():
    def fails(function, points):
        raise RuntimeError("no worker")

    with pytest.raises(RuntimeError, match="no worker") as caught:
        leastsq(residuals, START, args=(T, Y), workers=fails)
    np.testing.assert_array_equal(caught.value.x, START)
    for workers, error in ((0, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="workers must be"):
            leastsq(residuals, START, args=(T, Y), workers=workers)
    with pytest.raises(ValueError, match="vectorized or workers"):
        leastsq(residuals, START, args=(T[:, None], Y[:, None]), workers=2, vectorized=True)


def test_c_functions_have_neither(residual):
    with pytest.raises(TypeError, match="functions that Python calls"):
        leastsq(residual, START, workers=2)


def test_fewer_residuals_than_parameters_go_one_by_one():
    result = least_squares(lambda p: [p[0] * p[1] - 2], [1.0, 1.0], workers=map)
    assert math.isclose(np.prod(result.x), 2, rel_tol=1e-6)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda values: [v[:3] for v in values],
        lambda values: values[:1],
        lambda values: [],
        lambda values: [v.reshape(-1, 1) for v in values],
    ],
)
def test_what_a_map_returns_is_checked(spoil):
    def spoiled(function, points):
        return spoil([function(point) for point in points])

    with pytest.raises(ValueError, match=r"workers returned \d values of the shapes"):
        leastsq(residuals, START, args=(T, Y), workers=spoiled)
    with pytest.raises(TypeError, match="must be real numbers"):
        leastsq(
            residuals,
            START,
            args=(T, Y),
            workers=lambda function, points: [1j * function(p) for p in points],
        )
    single = leastsq(
        residuals,
        START,
        args=(T, Y),
        workers=lambda function, points: [list(function(p)) for p in points],
    )
    np.testing.assert_array_equal(single[0], leastsq(residuals, START, args=(T, Y))[0])


class AwkwardError(Exception):
    """An exception that cannot be unpickled."""

    def __init__(self, a, b):
        super().__init__("x")


def dies(p, parent):
    if os.getpid() != parent:
        os._exit(3)
    return np.array([p[0] - 1, p[1] - 2, p[0] * p[1] - 3])


def fails(p, parent):
    if os.getpid() != parent:
        raise AwkwardError(1, 2)
    return dies(p, os.getpid())


@pytest.mark.parametrize("func", [dies, fails])
def test_workers_that_die_end_the_fit(func):
    with pytest.raises((BrokenProcessPool, AwkwardError)):
        leastsq(func, [0.0, 0.0], args=(os.getpid(),), workers=2)


@pytest.mark.parametrize("jac", ["3-point", "cs"])
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), ([0, 0, 0], [2.4, 9, 9])])
def test_central_differences_and_complex_steps_of_many_points(jac, bounds):
    whole = least_squares(residuals, START, jac, bounds, args=(T, Y))
    calls = []

    def many(points, t, y):
        calls.append(points.shape)
        return residuals(points, t[:, np.newaxis], y[:, np.newaxis])

    found = least_squares(many, START, jac, bounds, args=(T, Y), vectorized=True)
    assert found.x == pytest.approx(whole.x, rel=1e-12)
    assert found.nfev == whole.nfev
    assert len(calls) < whole.nfev + 2 * whole.njev
    for workers in (map, 2):
        found = least_squares(residuals, START, jac, bounds, args=(T, Y), workers=workers)
        assert (found.x == whole.x).all()


@pytest.mark.parametrize("jac", ["3-point", "cs"])
@pytest.mark.parametrize("shape", [(-1,), (5, -1)])
def test_a_model_at_many_points_of_a_jacobian(jac, shape):
    def model(t, a, b, c):
        return a * np.exp(-b * t) + c

    t, y = T[:40].reshape(shape), Y[:40].reshape(shape)
    popt, pcov = curve_fit(model, t, y, jac=jac)
    for options in ({"vectorized": True}, {"workers": map}):
        found = curve_fit(model, t, y, jac=jac, **options)
        assert found[0] == pytest.approx(popt, rel=1e-12)
        assert found[1] == pytest.approx(pcov, rel=1e-9)


@pytest.mark.parametrize("jac", ["3-point", "cs"])
def test_a_jacobian_of_a_function_that_mixes_points_is_refused(jac):
    def mixing(points):
        return points[:1] * T[:, np.newaxis] + points[1:].mean() - Y[:, np.newaxis]

    with pytest.raises(ValueError, match="is not vectorized"):
        least_squares(mixing, [1.0, 2.0], jac, vectorized=True)


@pytest.mark.parametrize("options", [{"jac": "3-point"}, {"jac_sparsity": np.ones((5, 40))}])
def test_the_time_is_over_within_a_jacobian(options):
    calls, start = [], monotonic()

    def fun(p):
        calls.append(1)
        while len(calls) > 5 and monotonic() < start + 0.2:
            pass
        return p[:5] - 1

    result = least_squares(fun, np.zeros(40), max_time=0.1, **options)
    assert result.status == -3
    assert len(calls) < 10


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_parameters_of_joint_calls_are_let_go(n):
    seen = []

    def model(x, *p):
        seen.extend(map(weakref.ref, (value for value in p if isinstance(value, np.ndarray))))
        return sum(value * x**k for k, value in enumerate(p))

    x = np.linspace(-1, 1, 30)
    curve_fit(model, x, np.cos(3 * x), np.ones(n), vectorized=True)
    assert len(seen) > n
    assert not any(reference() is not None for reference in seen)
