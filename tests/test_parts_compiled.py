"""Compiled models of many points, which are called for blocks of them."""

from types import SimpleNamespace

import numba
import numpy as np
import pytest
from problems.rows import LARGE, M, decay, decay_jac, far, njit_decay, njit_jac

from leastsq import FitError, curve_fit
from leastsq._fit import curve, curve_in_parts
from leastsq._fit.result import Outcome
from leastsq._parts.threads import Threads


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sigma": 0.1 + LARGE},
        {"sigma": 0.1, "absolute_sigma": True},
        {"bounds": (0, [2.4, 9, 9])},
        {"loss": "soft_l1", "f_scale": 0.1 + LARGE},
        {"jac": njit_jac},
        {"chunks": True},
        {"threads": 2, "sigma": 0.1 + LARGE},
    ],
    ids=lambda options: " ".join(options),
)
def test_compiled_models_of_many_points(options):
    rng = np.random.default_rng(32)
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(M)
    plain = {name: value for name, value in options.items() if name not in ("chunks", "threads")}
    if "jac" in plain:
        plain["jac"] = decay_jac
    whole = curve_fit(decay, LARGE, y, full_output=True, **plain)
    found = curve_fit(njit_decay, LARGE, y, full_output=True, **options)
    apart, errors = far(whole[0], whole[1], found)
    assert apart < 1e-4
    assert errors < 1e-6
    if plain == options or "jac" in options:
        assert found[2]["fvec"] == pytest.approx(whole[2]["fvec"], abs=1e-8)
        assert found[2]["fjac"].shape == (3, M)
    assert curve_fit(njit_decay, LARGE, y, **options)[0] == pytest.approx(found[0], rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [{}, {"sigma": 0.1 + LARGE}, {"bounds": (0, [2.4, 9, 9])}, {"loss": "soft_l1"}],
    ids=lambda options: " ".join(options),
)
def test_a_compiled_model_of_many_points_is_fitted_block_by_block(options, monkeypatch):
    """Otherwise the fit is right, but done a second time, with all points in one call."""
    outcomes = []

    def fit_large_curve(*args):
        outcomes.append(curve_in_parts.fit_large_curve(*args))
        return outcomes[-1]

    module = SimpleNamespace(fit_large_curve=fit_large_curve)
    monkeypatch.setattr(curve, "curve_in_parts", lambda: module)
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(10).standard_normal(M)
    curve_fit(njit_decay, LARGE, y, **options)
    assert [type(each) for each in outcomes] == [Outcome]


@pytest.mark.parametrize(
    "f",
    [
        lambda t, a, b: a * t.mean() + b * t,
        lambda t, a, b: a + b * t + (b - 1) * t.std(),
        lambda t, a, b: a + b * LARGE,
    ],
)
def test_compiled_models_that_use_other_points_are_called_for_all(f):
    y = f(LARGE, 2.0, 3.0)
    with np.errstate(all="ignore"):
        popt = curve_fit(numba.njit(nogil=True)(f), LARGE, y, [1.0, 1.0])[0]
    assert popt == pytest.approx([2.0, 3.0], rel=1e-6)


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "cauchy"])
@pytest.mark.parametrize("f_scale", ["one", "each"])
def test_a_compiled_model_of_two_pieces_is_called_for_all(loss, f_scale):
    rng = np.random.default_rng(32)

    def pieces(t, a, b, offset):
        values = a * np.exp(-b * t)
        values[50_000:] += offset
        return values

    y = pieces(LARGE, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(M)
    options = {"loss": loss, "f_scale": np.full(M, 0.2) if f_scale == "each" else 0.2}
    if loss == "linear":
        options.clear()
    whole = curve_fit(pieces, LARGE, y, [1, 1, 0.1], **options)
    found = curve_fit(numba.njit(pieces), LARGE, y, [1, 1, 0.1], **options)
    assert far(*whole, found)[0] < 1e-3


@pytest.mark.parametrize("options", [{}, {"chunks": 5000}])
def test_the_look_at_a_model_leaves_the_data_alone(options):
    @numba.njit
    def shifts(t, a, b, c):
        t -= t[0]  # harmless if it is called for all points
        return a * np.exp(-b * t) + c

    t = LARGE + 0.0
    y = decay(t - t[0], 2.5, 1.3, 0.5)
    if options:
        with pytest.raises(ValueError, match="cannot be called for parts"):
            curve_fit(shifts, t, y, **options)
    else:
        assert curve_fit(shifts, t, y)[0] == pytest.approx([2.5, 1.3, 0.5], rel=1e-6)
    np.testing.assert_array_equal(t, LARGE - (0 if options else LARGE[0]))


def test_a_compiled_model_that_is_interrupted(monkeypatch):
    asked = []
    ask = Threads.ask

    def interrupted(self, question):
        asked.append(question)
        if len(asked) > 4:
            raise KeyboardInterrupt
        return ask(self, question)

    monkeypatch.setattr(Threads, "ask", interrupted)
    y = decay(LARGE, 2.5, 1.3, 0.5)
    with pytest.raises(KeyboardInterrupt) as raised:
        curve_fit(njit_decay, LARGE, y)
    cost = np.sum((decay(LARGE, *raised.value.x) - y) ** 2)
    assert cost < np.sum((decay(LARGE, 1, 1, 1) - y) ** 2)
    assert not hasattr(raised.value, "__notes__")


def test_a_compiled_model_without_time():
    calls = np.zeros(1)

    @numba.njit
    def counted(t, a, b, c):
        calls[0] += t.size
        return a * np.exp(-b * t) + c

    with pytest.raises(FitError, match="max_time is over") as raised:
        curve_fit(counted, LARGE, decay(LARGE, 2.5, 1.3, 0.5), max_time=1e-9)
    assert raised.value.popt == pytest.approx([1, 1, 1])


def test_a_compiled_model_of_a_column():
    pandas = pytest.importorskip("pandas")
    t = np.linspace(0, 5, 500)
    table = pandas.DataFrame({"t": t, "y": decay(t, 2.5, 1.3, 0.5)})
    for options in ({"chunks": 100}, {"threads": 2}):
        popt = curve_fit(njit_decay, table.t, table.y, **options)[0]
        assert popt == pytest.approx([2.5, 1.3, 0.5], rel=1e-6)


def test_two_variables_in_compiled_blocks():
    x = np.array([LARGE, LARGE**2])
    f = numba.njit(nogil=True)(lambda x, a, b: a * x[0] + b * x[1])
    y = 2 * x[0] + 3 * x[1]
    assert curve_fit(f, x, y)[0] == pytest.approx([2, 3])
    assert curve_fit(f, x, y, chunks=30_000)[0] == pytest.approx([2, 3])
    assert curve_fit(f, x[:, ::-1], y[::-1], threads=2)[0] == pytest.approx([2, 3])


def test_a_compiled_model_that_computes_in_float32():
    rng = np.random.default_rng(32)
    f = numba.njit(nogil=True)(lambda t, a, b: (a * np.exp(-b * t)).astype(np.float32))
    y = 2.0 * np.exp(-1.5 * LARGE) + 0.01 * rng.standard_normal(M)
    whole, cov = curve_fit(lambda t, a, b: a * np.exp(-b * t), LARGE, y)
    assert far(whole, cov, curve_fit(f, LARGE, y))[0] < 0.1
    assert far(whole, cov, curve_fit(f, LARGE, y, chunks=30_000))[0] < 0.1


def test_a_compiled_model_that_raises_or_returns_a_wrong_shape():
    @numba.njit
    def short(t, a, b):
        return (a + b * t)[:-1]

    @numba.njit
    def bad(t, a, b):
        if t[0] > 1:
            raise ArithmeticError("too late")
        return a + b * t

    for options in ({}, {"chunks": 20_000}, {"threads": 2}):
        with pytest.raises(ValueError, match="shape"):
            curve_fit(short, LARGE, LARGE, **options)
    with pytest.raises(ArithmeticError, match="too late"):
        curve_fit(bad, LARGE, LARGE, chunks=20_000)


@pytest.mark.parametrize("m", [M, 2**17 + 1, 3 * 2**16 + 1])
def test_a_last_block_of_any_size(m):
    t = np.linspace(0, 5, m)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(3).standard_normal(m)
    whole = curve_fit(decay, t, y)
    for options in ({}, {"chunks": True}, {"chunks": 50_001, "sigma": 0.5}):
        assert far(*whole, curve_fit(njit_decay, t, y, **options))[0] < 1e-4


def dwell():
    """A pause, then a ramp: the first points do not show what a mean is."""
    return np.where(np.arange(M) < 40_000, 0.0, np.linspace(-1, 5, M))


def sweeps():
    """Sweeps whose range grows at some point."""
    x = np.tile(np.linspace(0, 1, 1024), M // 1024 + 1)[:M]
    x[40 * 1024 :] *= 3
    return x


def large_beside():
    return LARGE


@pytest.mark.parametrize(
    ("f", "data"),
    [
        (lambda x, a, b, c: a * np.exp(-b * (x - x.mean())) + c, dwell),
        (lambda x, a, b, c: a * np.exp(-b * x / x.max()) + c, sweeps),
        (lambda x, a, b, c: a * np.exp(-8 * x) * 1e12 + b * (x - x.mean()) + c, large_beside),
    ],
)
def test_the_other_points_are_far_away(f, data):
    x = data()
    true = [1.0, 0.7, 0.3]
    y = f(x, *true) + 0.02 * np.random.default_rng(4).standard_normal(M)
    whole, cov = curve_fit(f, x, y, [1.0, 1.0, 1.0])
    assert far(whole, cov, curve_fit(numba.njit(f), x, y, [1.0, 1.0, 1.0]))[0] < 0.05
    with pytest.raises(ValueError, match="cannot be called for parts"):
        curve_fit(f, x, y, [1.0, 1.0, 1.0], chunks=True)


def test_a_derivative_that_uses_other_points():
    @numba.njit
    def of_first(t, a, b, c):
        x = LARGE[: t.size]
        found = np.empty((t.size, 3))
        found[:, 0] = np.exp(-b * x)
        found[:, 1] = -a * x * found[:, 0]
        found[:, 2] = 1
        return found

    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(5).standard_normal(M)
    whole, cov = curve_fit(decay, LARGE, y)
    assert far(whole, cov, curve_fit(njit_decay, LARGE, y, jac=of_first))[0] < 1e-3
    with pytest.raises(ValueError, match="of_first has other values for some"):
        curve_fit(njit_decay, LARGE, y, jac=of_first, chunks=True)


def test_a_loss_of_the_users_own_sees_all_residuals():
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(6).standard_normal(M)
    weights = np.linspace(1, 2, M)

    def loss(z):
        return np.array([weights * z, weights, 0 * z])

    whole, cov = curve_fit(decay, LARGE, y, loss=loss)
    assert far(whole, cov, curve_fit(njit_decay, LARGE, y, loss=loss))[0] < 1e-3


def test_x_of_three_dimensions():
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(8).standard_normal(M)
    f = lambda x, a, b, c: a * np.exp(-b * x[0, 0]) + c  # noqa: E731
    x = np.stack([LARGE] * 6).reshape(2, 3, -1)
    whole, cov = curve_fit(decay, LARGE, y)
    for g in (f, numba.njit(f)):
        assert far(whole, cov, curve_fit(g, x, y, [1.0, 1.0, 1.0], chunks=True))[0] < 1e-3


def test_parallel_models_get_one_thread():
    f = numba.njit(parallel=True)(decay)
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(9).standard_normal(M)
    whole, cov = curve_fit(decay, LARGE, y)
    assert far(whole, cov, curve_fit(f, LARGE, y, threads=2))[0] < 1e-3


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0, 9)])
def test_a_compiled_model_that_uses_the_index_where_it_has_no_effect_at_the_start(bounds):
    def changed(t, a, b, step):
        values = a + b * t
        values[100_000:] += step
        return values

    y = changed(LARGE, 1, 2, 0.5) + 0.1 * np.random.default_rng(3).standard_normal(M)
    whole = curve_fit(changed, LARGE, y, [1, 1, 0], bounds=bounds)[0]
    assert whole == pytest.approx([1, 2, 0.5], abs=0.01)
    found = curve_fit(numba.njit(changed), LARGE, y, [1, 1, 0], bounds=bounds)[0]
    np.testing.assert_allclose(found, whole, rtol=1e-7)
