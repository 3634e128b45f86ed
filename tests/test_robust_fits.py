"""Fits with a robust loss, side by side with SciPy."""

import itertools

import numba
import numpy as np
import pytest
from problems.outliers import LOSSES, T, Y, cost_of, cubic, residuals, slopes, with_outliers
from scipy import optimize

import leastsq
from leastsq import least_squares


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), ([0, 0, 0.5], [2.2, 3, 3])])
@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs", slopes])
@pytest.mark.parametrize("loss", [*LOSSES, cubic])
def test_the_minimum_is_scipys(loss, jac, bounds):
    options = {"jac": jac, "loss": loss, "f_scale": 0.1, "bounds": bounds, "args": (T, Y)}
    tight = {"xtol": 1e-12, "ftol": 1e-13, "gtol": 1e-10}
    ours = least_squares(residuals, [1, 1, 1], **options, **tight)
    theirs = optimize.least_squares(residuals, [1, 1, 1], **options, **tight)
    assert ours.success
    assert ours.cost <= theirs.cost * (1 + 1e-9)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-5)
    np.testing.assert_allclose(ours.jac, theirs.jac, atol=1e-3)
    np.testing.assert_array_equal(ours.active_mask, theirs.active_mask)
    np.testing.assert_array_equal(ours.fun, residuals(ours.x, T, Y))


@pytest.mark.parametrize("scale", [0.1, np.linspace(0.05, 0.3, 50)])
@pytest.mark.parametrize("loss", [*LOSSES, cubic])
def test_cost_and_gradient_are_those_of_the_loss(loss, scale):
    p = np.array([2.0, 0.7, 0.4])
    result = least_squares(residuals, p, slopes, loss=loss, f_scale=scale, args=(T, Y), max_nfev=1)
    assert (result.status, result.nfev, result.success) == (0, 1, False)
    np.testing.assert_allclose(result.cost, cost_of(p, loss, scale), rtol=1e-13)
    numerical = [
        (cost_of(p + h, loss, scale) - cost_of(p - h, loss, scale)) / 2e-6 for h in 1e-6 * np.eye(3)
    ]
    np.testing.assert_allclose(result.grad, numerical, rtol=1e-5, atol=1e-7)
    theirs = optimize.least_squares(
        residuals, p, slopes, loss=loss, f_scale=scale, args=(T, Y), max_nfev=1
    )
    np.testing.assert_allclose(result.jac, theirs.jac, rtol=1e-10, atol=1e-7)
    np.testing.assert_allclose(result.optimality, theirs.optimality, rtol=1e-10)


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0, 3)])
@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy"])
def test_robust_fits_are_not_worse_than_scipys_and_need_no_more_calls(loss, bounds):
    calls = np.zeros(2, int)
    for seed in range(30):
        options = {
            "loss": loss, "f_scale": 0.1, "bounds": bounds, "args": (T, with_outliers(seed)),
        }  # fmt: skip
        ours = least_squares(residuals, [1, 1, 1], **options)
        theirs = optimize.least_squares(residuals, [1, 1, 1], **options)
        assert ours.success
        assert ours.cost <= theirs.cost * (1 + 1e-6)
        calls += ours.nfev, theirs.nfev
    assert calls[0] <= calls[1]


def tutorial(seed):
    """Make data as in SciPy's tutorial: 15 points, three of them outliers."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 10, 15)
    noise = 0.1 * rng.standard_normal(15)
    noise[rng.integers(0, 15, 3)] *= 10
    y = 0.5 + 2 * np.exp(-t) + noise
    return lambda p: p[0] + p[1] * np.exp(p[2] * t) - y


@pytest.mark.parametrize(
    ("loss", "found"), [("soft_l1", 0.99), ("huber", 0.95), ("cauchy", 0.9), ("arctan", 0.75)]
)
def test_robust_fits_find_the_best_minimum_from_a_poor_start(loss, found):
    best = 0
    for seed in range(100):
        fun, options = tutorial(seed), {"loss": loss, "f_scale": 0.1}
        with np.errstate(over="ignore"):
            ours = least_squares(fun, [1.0, 1.0, 0.0], **options)
        others = [
            optimize.least_squares(fun, start, **options).cost
            for start in ([1.0, 1.0, 0.0], [0.5, 2.0, -1.0], [0.5, 2.0, -0.3], [0.5, 3.0, -3.0])
        ]
        best += ours.cost <= min(others) * (1 + 1e-3)
    assert best >= 100 * found


def with_leverage(seed):
    """Make a line with outliers far out in t, which a sum of squares follows."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 1, 60)
    y = 1 + 2 * t + 0.02 * rng.standard_normal(60)
    count = int(rng.choice([6, 12, 18]))
    t[:count] = rng.uniform(5, 6, count)
    y[:count] = 1 + 0.1 * rng.standard_normal(count)
    return t, y


@pytest.mark.parametrize("start", [(1.1, 1.9), (1, 1)])
@pytest.mark.parametrize("loss", LOSSES[2:])
def test_outliers_that_attract_a_sum_of_squares_do_not_spoil_a_robust_fit(loss, start):
    def line(t, a, b):
        return a + b * t

    found = 0
    options = {"loss": loss, "f_scale": 0.02}
    stack = [with_leverage(seed) for seed in range(40)]
    x, ys = np.array(stack).swapaxes(0, 1)
    many = leastsq.curve_fit_many(line, (x,), ys, start, **options)
    for t, y, popt_of_many, nfev in zip(x, ys, many.popt, many.nfev, strict=True):

        def fun(p, t=t, y=y):
            return p[0] + p[1] * t - y

        best = optimize.least_squares(fun, [1.0, 2.0], **options)
        result = least_squares(fun, start, **options)
        found += result.cost <= best.cost * (1 + 1e-3)
        popt, _, info, _, _ = leastsq.curve_fit(line, t, y, start, full_output=True, **options)
        np.testing.assert_allclose(popt, popt_of_many, rtol=1e-7)
        assert nfev == info["nfev"]
        parts = leastsq.curve_fit(line, t, y, start, full_output=True, chunks=17, **options)
        np.testing.assert_allclose(parts[0], popt, rtol=1e-5)
        assert parts[2]["nfev"] == nfev
    assert found >= 39


@pytest.mark.parametrize("loss", ["soft_l1", "huber"])
def test_residuals_in_two_heaps_need_few_steps(loss):
    """Between the heaps the cost hardly curves."""
    rng = np.random.default_rng(0)
    for y in (np.tile([0.0, 10], 10), np.tile([0.0, 10], 11)[1:]):
        args = (y + 0.1 * rng.standard_normal(y.size),)
        options = {"loss": loss, "f_scale": 0.1, "args": args}
        ours = least_squares(lambda p, y: p - y, [0.045], **options)
        theirs = optimize.least_squares(lambda p, y: p - y, [0.045], **options)
        assert ours.cost <= theirs.cost * (1 + 1e-6)
        assert ours.njev <= theirs.njev + 10


def test_the_callback_does_not_see_the_start_of_a_second_fit(capsys):
    t, y = with_leverage(0)

    def steps(verbose):
        seen = []

        def look(intermediate_result):
            seen.append(intermediate_result.nit)

        least_squares(
            lambda p: p[0] + p[1] * t - y, [1.0, 1.0], loss="cauchy", f_scale=0.02,
            callback=look, verbose=verbose,
        )  # fmt: skip
        return seen

    seen = steps(2)
    assert seen == steps(0) == list(range(1, len(seen) + 1))
    assert capsys.readouterr().out.count("\n") == len(seen) + 5  # a title, two starts, the end


def test_the_callback_sees_each_step_from_a_poor_start_once():
    """A line without noise: each part of the fit ends where it begins."""
    seen = []
    t = np.arange(20.0)
    least_squares(
        lambda p: p[0] + p[1] * t - 3 - 2 * t, [100.0, 0.0], loss="cauchy", f_scale=1e-6,
        callback=lambda intermediate_result: seen.append(intermediate_result.nit),
    )  # fmt: skip
    assert seen == list(range(1, len(seen) + 1))


@pytest.mark.parametrize("max_nfev", [None, 3, 6])
@pytest.mark.parametrize("scale", [0.01, np.repeat([0.01, 0.02], 25)])
@pytest.mark.parametrize("loss", [*LOSSES, cubic])
def test_the_cost_is_that_of_the_loss_from_a_poor_start(loss, scale, max_nfev):
    seen = []

    def look(intermediate_result):
        seen.append((intermediate_result.cost, cost_of(intermediate_result.x, loss, scale)))

    result = least_squares(
        residuals, [9.0, 2.0, 9.0], loss=loss, f_scale=scale, args=(T, Y), callback=look,
        max_nfev=max_nfev,
    )  # fmt: skip
    np.testing.assert_allclose(result.cost, cost_of(result.x, loss, scale), rtol=1e-12)
    np.testing.assert_allclose(*np.transpose(seen), rtol=1e-12)
    assert result.nit == len(seen)


@pytest.mark.parametrize("kind", ["Python", "njit"])
def test_a_robust_fit_never_ends_higher_than_its_start(kind):
    """A third of the points are on the line of the start, the others on lines far away."""
    compiled = numba.njit if kind == "njit" else lambda f: f
    t = np.linspace(0, 1, 60)
    kept = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = 1 + t + np.repeat([0.0, 40.0, 80.0], 20) + 0.01 * rng.standard_normal(60)
        options = {"loss": "arctan", "f_scale": 0.05, "args": (t, y)}
        f = compiled(lambda p, t, y: p[0] + p[1] * t - y)
        start = least_squares(f, [1.0, 1.0], max_nfev=1, **options)
        result = least_squares(f, [1.0, 1.0], **options)
        assert result.success
        assert result.cost <= start.cost
        np.testing.assert_allclose(result.x, [1, 1], atol=0.1)
        kept += result.nit > 0
    assert kept > 10


@pytest.mark.parametrize(("loss", "bounds"), list(itertools.product(LOSSES[1:], [None, (0, 3)])))
def test_curve_fit_and_leastsq_take_losses(loss, bounds):
    def model(t, a, b, c):
        return residuals((a, b, c), t, 0)

    given = {} if bounds is None else {"bounds": bounds}
    robust = {"loss": loss, "f_scale": 0.1}
    found = least_squares(residuals, [1, 1, 1], args=(T, Y), **robust, **given)
    x, ier = leastsq.leastsq(residuals, [1, 1, 1], args=(T, Y), factor=1, **robust, **given)
    assert ier in (1, 2, 3)
    popt, pcov = leastsq.curve_fit(model, T, Y, ftol=1e-12, **robust, **given)
    np.testing.assert_allclose(x, found.x, rtol=1e-4)
    np.testing.assert_allclose(popt, found.x, rtol=1e-4)
    theirs = optimize.curve_fit(model, T, Y, method="trf", ftol=1e-12, **robust, **given)
    np.testing.assert_allclose(popt, theirs[0], rtol=1e-4)
    np.testing.assert_allclose(pcov, theirs[1], rtol=2e-2)


@pytest.mark.parametrize("start", [(1, 1, 1), (4, 2, 4), (1, 1, 0)])
@pytest.mark.parametrize("kind", ["njit", "NumPy"])
def test_many_robust_fits_are_those_of_curve_fit(kind, start):
    def model(t, a, b, c):
        return a * np.exp(-b * t) + c

    stack = np.array([with_outliers(seed) for seed in range(40)])
    f = numba.njit(model) if kind == "njit" else model
    options = {"p0": start, "loss": "cauchy", "f_scale": 0.1}
    many = leastsq.curve_fit_many(f, T, stack, **options)
    for y, popt, perr in zip(stack, many.popt, many.perr, strict=True):
        alone, pcov = leastsq.curve_fit(f, T, y, **options)
        if kind == "njit":
            np.testing.assert_array_equal(popt, alone)
        np.testing.assert_allclose(popt, alone, rtol=1e-9)
        np.testing.assert_allclose(perr, np.sqrt(np.diag(pcov)), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::leastsq.OptimizeWarning")
@pytest.mark.parametrize("maxfev", [5, 10, 0])
def test_a_vectorized_model_is_not_blamed_for_fits_that_end_where_they_begin(maxfev):
    """The first try of a robust fit may end at p0, and a second one elsewhere."""

    def decay(t, a, b, c):
        return a * np.exp(-b * t) + c

    def line(t, a, b):
        return a + b * t

    rng = np.random.default_rng(0)
    f, t, p0 = (decay, np.linspace(0, 5, 20), (1, 1, 1)) if maxfev else (line, T, (1, 2))
    stack = f(t, *([3, 1, 1] if maxfev else p0)) + rng.normal(0, 0.02 * (maxfev > 0), (50, t.size))
    stack[rng.random(stack.shape) < 0.3] += 10
    if not maxfev:
        stack[:, ::2] += 1e6
        stack[:, ::3] += rng.normal(0, 100, stack[:, ::3].shape)
    options = {"loss": "cauchy", "f_scale": 0.01, "maxfev": maxfev}
    many = leastsq.curve_fit_many(f, t, stack, p0, vectorized=True, on_failure="last", **options)
    for y, popt, status, nfev in zip(stack, many.popt, many.status, many.nfev, strict=True):
        try:
            alone, _, info, _, ier = leastsq.curve_fit(f, t, y, p0, full_output=True, **options)
        except leastsq.FitError as error:
            alone, info, ier = error.popt, error.infodict, error.ier
        assert status == ier
        np.testing.assert_allclose(popt, alone, rtol=1e-6)
        assert nfev == info["nfev"]


@pytest.mark.filterwarnings("ignore::leastsq.OptimizeWarning")
def test_a_fit_whose_second_try_raises_has_no_results_of_the_first():
    @numba.njit
    def model(t, a, b, c):
        if np.sin(400 * a) > 0.985:
            raise ValueError("here")
        return a * np.exp(-b * t) + c

    raised = 0
    t = np.linspace(0, 5, 20)
    for seed in range(1, 13):
        rng = np.random.default_rng(seed)
        y = model(t, 3.0, 1.0, 1.0) + rng.normal(0, 0.02, (30, 20))
        is_outlier = rng.random(y.shape) < 0.4
        y[is_outlier] += rng.normal(0, 10, is_outlier.sum())
        many = leastsq.curve_fit_many(
            model, t, y, (1, 1, 1), loss="arctan", f_scale=0.02, on_failure="last"
        )
        failed = many.status == -3
        raised += np.count_nonzero(failed)
        for values in (many.popt, many.perr, many.pcov, many.chi2):
            assert np.isnan(values[failed]).all()
    assert raised > 0


def test_a_callback_that_stops_a_fit_at_its_last_step_prevents_a_second_fit():
    t, y = with_leverage(0)

    def stopped_at(step):
        calls = 0

        def look(intermediate_result):
            nonlocal calls
            calls += 1
            return calls == step

        result = least_squares(
            lambda p: p[0] + p[1] * t - y, [1.0, 1.0], loss="cauchy", f_scale=0.02, callback=look
        )
        assert calls == min(step, result.nit)
        return result.nit

    whole = stopped_at(1000)
    assert [stopped_at(step) for step in range(1, whole + 1)] == list(range(1, whole + 1))


def test_many_fits_take_simple_losses_alone():
    def model(t, a, b, c):
        return a * np.exp(-b * t) + c

    stack = np.array([with_outliers(1), with_outliers(2)])
    for f in (model, numba.njit(model)):
        with pytest.raises(ValueError, match="takes the names of losses"):
            leastsq.curve_fit_many(f, T, stack, loss=cubic)
        with pytest.raises(ValueError, match="f_scale must be one number"):
            leastsq.curve_fit_many(f, T, stack, loss="huber", f_scale=np.ones(50))


def test_losses_see_no_padding():
    def shifted(z):
        return np.array([z + 1, np.ones_like(z), np.zeros_like(z)])

    assert least_squares(lambda p: p[:2] - 1, [0.0, 0, 0], loss=shifted).cost == pytest.approx(1)


SWING = np.linspace(0, 4, 50)


def swing(seed):
    """Rounded data of a sine, some with the wrong sign, and its residuals and their Jacobian."""
    rng = np.random.default_rng(seed)
    y = np.round(3 * np.sin(2.2 * SWING + 0.4) + 0.1 * rng.standard_normal(50), 2)
    y[rng.random(50) < 0.15] *= -3

    def slopes(p):
        angle = p[1] * SWING + p[2]
        return np.stack([np.sin(angle), p[0] * SWING * np.cos(angle), p[0] * np.cos(angle)], 1)

    return lambda p: p[0] * np.sin(p[1] * SWING + p[2]) - y, slopes


@pytest.mark.parametrize(
    ("seed", "x0", "f_scale", "limit"),
    [(698, [1.31, 0.24, 1.69], 0.06, 300), (53, [2.74, 0.5, 0.81], 0.1, 184)],
)
def test_robust_fit_that_is_cut_short_is_not_called_solved(seed, x0, f_scale, limit):
    fun, jac = swing(seed)
    options = {"loss": "cauchy", "f_scale": f_scale}
    short = leastsq.least_squares(fun, x0, jac, max_nfev=limit, **options)
    whole = leastsq.least_squares(fun, x0, jac, max_nfev=5000, **options)
    assert short.cost > whole.cost * (1 + 1e-9)
    assert short.status == 0
    start = f_scale**2 * np.log1p((fun(np.array(x0)) / f_scale) ** 2).sum() / 2
    assert short.cost <= start * (1 + 1e-12)


@pytest.mark.parametrize("call", [186, 190, 195])
def test_an_exception_in_a_second_try_has_its_best_point(call):
    fun, jac = swing(53)
    seen, calls = [], []

    def interrupted(p):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return fun(p)

    def watch(intermediate_result):
        seen.append(intermediate_result.x)

    with pytest.raises(KeyboardInterrupt) as caught:
        least_squares(
            interrupted, [2.74, 0.5, 0.81], jac, loss="cauchy", f_scale=0.1, callback=watch
        )
    np.testing.assert_array_equal(caught.value.x, seen[-1])


@pytest.mark.parametrize("max_nfev", [4, 6, 8, 12, None])
def test_callback_that_stops_a_robust_fit_is_the_reason_of_its_end(max_nfev):
    x = np.linspace(0, 5, 40)
    y = 2.5 * np.exp(-1.3 * x) + 0.5 + 0.02 * np.random.default_rng(0).standard_normal(40)
    y[::7] += 2

    def stops_at(last):
        return lambda intermediate_result: intermediate_result.nit == last

    for last in range(1, 10):
        result = leastsq.least_squares(
            lambda p: p[0] * np.exp(-p[1] * x) + p[2] - y,
            [1, 1, 1],
            loss="soft_l1",
            f_scale=0.02,
            max_nfev=max_nfev,
            callback=stops_at(last),
        )
        assert result.success or result.status == (-2 if result.nit == last else 0)


@pytest.mark.filterwarnings("ignore:1 of 1 fits failed")
@pytest.mark.parametrize("loss", ["soft_l1", "huber"])
def test_points_without_weight_do_not_count(loss):
    """Most points have no weight. The fit begins with a wider loss if most others are outliers."""
    t = np.linspace(10, 100, 60)
    options = {"loss": loss, "f_scale": 0.002}

    def antoine(t, a, b, c):
        return a - b / (c + t)

    def fitted(*data, **others):
        try:
            popt = leastsq.curve_fit(antoine, *data, **options, **others)[0]
        except leastsq.FitError as error:  # crawls along a valley
            popt = error.popt
        return antoine(t, *popt)

    apart = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        y = 8.07 - 1730 / (233 + t) + 0.002 * rng.standard_normal(60)
        y[rng.choice(60, 5, replace=False)] += 0.04
        kept = rng.random(60) < 0.4
        sigma = np.where(kept, 1, np.inf)
        alone = fitted(t[kept], y[kept])
        curves = [fitted(t, y, sigma=sigma, chunks=chunks) for chunks in (None, 7)]
        many = leastsq.curve_fit_many(
            antoine, t, y[None], np.ones(3), sigma, on_failure="last", **options
        )
        curves.append(antoine(t, *many.popt[0]))
        apart.append(max(np.max(np.abs(curve - alone)) for curve in curves))
    assert sorted(apart)[-2] < 2e-4  # rounding errors decide where one of them ends


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "arctan"])
def test_infinite_residuals_are_not_outliers(loss):
    t = np.linspace(0, 5, 30)
    y = np.exp(-t)
    y[3] = np.inf
    fit = leastsq.leastsq(
        lambda p: p[0] * np.exp(-p[1] * t) - y, [1, 2], full_output=True, loss=loss
    )
    assert (fit[4], fit[2]["nfev"]) == (9, 1)
    with pytest.warns(leastsq.OptimizeWarning, match="not finite"):
        many = leastsq.curve_fit_many(lambda t, a, k: a * np.exp(-k * t), t, [y], [1, 2], loss=loss)
    assert (many.status[0], many.nfev[0]) == (9, 1)


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "arctan"])
@pytest.mark.parametrize("seed", range(3))
def test_a_start_that_overshoots_by_far_is_no_solution(loss, seed):
    """The weights of the residuals at the start are less than the rounding error of 1."""
    x = np.linspace(0, 100, 40)
    rng = np.random.default_rng(seed)
    y = 2 * np.exp(0.03 * x) + 0.5 * rng.standard_normal(40)
    y[::8] += 15

    def residuals(p):
        return p[0] * np.exp(p[1] * x) - y

    options = {"loss": loss, "f_scale": 0.75}
    fit = least_squares(residuals, [1, 1], **options)
    there = least_squares(residuals, [2, 0.03], **options)
    assert there.success
    assert fit.cost <= 1.001 * there.cost or not fit.success
