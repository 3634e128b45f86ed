"""curve_fit_many of NumPy models: called for many fits at once, and every fit as curve_fit's."""

import warnings

import numba
import numpy as np
import pytest
from problems.batches import MODELS, T, alone, batch, decay, peak, spot
from test_many import assert_same, derivatives, many

from leastsq import OptimizeWarning, curve_fit, curve_fit_many


@pytest.fixture
def y():
    rng = np.random.default_rng(5)
    truth = rng.uniform([2, 0.5, 0.2], [3, 2, 0.8], (40, 3))
    return decay(T, *truth.T[..., None]) + 0.01 * rng.standard_normal((40, 30))


@pytest.mark.slow
@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("f", MODELS)
def test_every_fit_is_that_of_curve_fit_alone(f, weighted, bounded):
    data = batch(f, 60, seed=2)
    options = data.options(weighted, bounded)
    fits = many(f, data.x, data.y, data.p0, vectorized=True, **options)
    for k in range(60):
        own = {name: value[k] for name, value in options.items() if name == "sigma"}
        if bounded:
            own["bounds"] = data.bounds[0][k], data.bounds[1][k]
        status, popt, pcov = alone(f, data.x, data.y[k], data.p0[k], **own)
        assert fits.status[k] == status
        assert np.isnan(popt).all() == np.isnan(fits.popt[k]).all()
        if status in (1, 2, 3, 4) and np.isfinite(pcov).all():
            errors = np.sqrt(np.diag(pcov))
            # NumPy's scalars square a width by pow, and its arrays by a product.
            tolerance = 1e-6 if f is spot else 1e-9
            assert (np.abs(fits.popt[k] - popt) <= tolerance * errors).all()
            assert (np.abs(fits.pcov[k] - pcov) <= tolerance * np.outer(errors, errors)).all()


def test_model_is_called_for_all_fits_at_once(y):
    sizes = []

    def counted(x, a, b, c):
        sizes.append(np.size(a))
        return decay(x, a, b, c)

    fits = curve_fit_many(counted, T, y)
    assert fits.success.all()
    assert sum(sizes[4:]) == pytest.approx(fits.nfev.sum(), abs=60)  # the rest are comparisons
    assert len(sizes) < 150
    assert max(sizes) == 40 * 3
    sizes.clear()
    curve_fit_many(counted, T, y, vectorized=False)
    assert set(sizes) == {1}


def test_results_do_not_depend_on_threads_or_chunks(y):
    expected = curve_fit_many(decay, T, y)
    for options in ({"threads": 2, "chunk": 3}, {"chunk": 1}, {"threads": 8}):
        assert_same(curve_fit_many(decay, T, y, **options), expected)


def normalized(x, a, b):
    values = np.exp(-b * x)
    return a * values / values.sum()


def branching(x, a, b):
    if b > 0:
        return a * np.exp(-b * x)
    return a + 0 * x


def filling(x, a, b):
    values = np.empty(x.size)
    values[:] = a * np.exp(-b * x)
    return values


def looping(x, a, b):
    return [a * np.exp(-b * t) for t in x]


def integrating(x, a, b):
    return float(a) * np.exp(-b * x)


@pytest.mark.parametrize("f", [normalized, branching, filling, looping, integrating])
def test_model_for_one_fit_is_called_for_one_fit(f):
    b = np.linspace(0.5, 2, 7)
    y = np.array([f(T, 3.0, value) for value in b])
    with pytest.warns(
        RuntimeWarning, match=f"{f.__name__} is called for one fit at a time"
    ) as caught:
        fits = curve_fit_many(f, T, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_allclose(fits.popt[:, 1], b, rtol=1e-6)
    np.testing.assert_array_equal(fits.popt, curve_fit_many(f, T, y, vectorized=False).popt)
    with pytest.raises(ValueError, match=f"{f.__name__} is not vectorized: with"):
        curve_fit_many(f, T, y, vectorized=True)


def test_model_that_mixes_fits_far_from_the_start_is_found_out():
    def mixing(x, a, b):
        values = a * np.exp(-b * x)
        return values * (values.max() / 2 if np.any(a > 1.5) else 1)

    y = np.linspace(1.6, 2.4, 9)[:, None] * np.exp(-np.linspace(1, 2, 9)[:, None] * T)
    expected = curve_fit_many(mixing, T, y, vectorized=False)
    with pytest.warns(RuntimeWarning, match="mixes them"):
        fits = curve_fit_many(mixing, T, y)
    assert_same(fits, expected)


def test_model_that_raises_ends_its_fit_only(y):
    def fragile(x, a, b, c):
        if np.any(c > 100):
            raise ValueError("c is too large")
        return decay(x, a, b, c)

    p0 = np.ones((40, 3))
    p0[[3, 20], 2] = 200
    with pytest.warns(OptimizeWarning, match="2 of 40 fits failed: the model raised"):
        fits = curve_fit_many(fragile, T, y, p0)
    good = np.delete(np.arange(40), [3, 20])
    np.testing.assert_array_equal(fits.popt[good], curve_fit_many(decay, T, y[good]).popt)
    assert fits.status[[3, 20]].tolist() == [-3, -3]
    assert fits.message(20) == "The model raised ValueError: c is too large"


def test_shapes_that_broadcast_are_enough():
    x = np.linspace(0, 1, 8)
    y = np.random.default_rng(0).random((5, 8))
    fits = curve_fit_many(lambda x, a: a, x, y)
    np.testing.assert_allclose(fits.popt[:, 0], y.mean(axis=1), rtol=1e-7)
    assert curve_fit_many(lambda x, a: a * x, x, y).success.all()
    assert curve_fit_many(lambda x, a: a * np.ones(8), None, y).success.all()


def stacked(x, a, b, c):
    e = np.exp(-b * x)
    return np.stack([e, -a * x * e, e**0], axis=-1)


def by_columns(x, a, b, c):
    return np.moveaxis(stacked(x, a, b, c), -1, -2)


@pytest.mark.parametrize("weighted", [False, True])
def test_jacobians_are_evaluated_jointly_or_alone(y, weighted):
    sigma = 0.01 * (1 + T) if weighted else None
    expected = [curve_fit(decay, T, row, sigma=sigma, jac=derivatives) for row in y]
    popt, pcov = (np.array(part) for part in zip(*expected, strict=True))
    for jac, options in ((stacked, {"vectorized": True}), (by_columns, {"col_deriv": True})):
        fits = curve_fit_many(decay, T, y, sigma=sigma, jac=jac, **options)
        np.testing.assert_array_equal(fits.popt, popt)
        np.testing.assert_array_equal(fits.pcov, pcov)
    with pytest.warns(RuntimeWarning, match="derivatives is called for one fit at a time"):
        fits = curve_fit_many(decay, T, y, sigma=sigma, jac=derivatives)
    np.testing.assert_array_equal(fits.popt, popt)
    with pytest.raises(ValueError, match="derivatives is not vectorized"):
        curve_fit_many(decay, T, y, jac=derivatives, vectorized=True)


def test_jacobian_that_raises_or_has_another_shape_ends_its_fit(y):
    def fragile(x, a, b, c):
        if np.any(a > 100):
            raise ArithmeticError("a is too large")
        return stacked(x, a, b, c)

    p0 = np.ones((40, 3))
    p0[7, 0] = 200
    fits = many(decay, T, y, p0, jac=fragile)
    assert np.flatnonzero(~fits.success).tolist() == [7]
    assert "ArithmeticError: a is too large" in fits.message(7)
    with pytest.raises(TypeError, match="mismatch between"):
        many(decay, T, y, jac=lambda x, a, b, c: np.ones((2, 2)))


def test_float32_models_are_differenced_with_longer_steps(y):
    def single(x, a, b, c):
        return decay(x, a, b, c).astype(np.float32)

    fits = curve_fit_many(single, T, y)
    for k in range(40):
        own = curve_fit(single, T, y[k])
        np.testing.assert_array_equal(fits.popt[k], own[0])


def test_each_fit_may_have_its_own_x(y):
    x = T + 0.01 * np.arange(40)[:, None]
    fits = curve_fit_many(decay, (x,), y)
    plane = curve_fit_many(lambda xy, a, b: a * xy[0] + b * xy[1], (x, y), 2 * x - y)
    np.testing.assert_allclose(plane.popt, [[2, -1]] * 40)
    for k in range(40):
        np.testing.assert_allclose(fits.popt[k], curve_fit(decay, x[k], y[k])[0], rtol=1e-9)


def test_trapped_fits_are_tried_again_as_by_curve_fit():
    rng = np.random.default_rng(7)
    truth = rng.uniform([1, 2, 0.3, 0], [3, 4, 1, 0.2], (60, 4))
    y = np.array([peak(T, *p) for p in truth]) + 0.02 * rng.standard_normal((60, 30))
    y[::4] = 0.02 * rng.standard_normal((15, 30))
    start, bounds = [0.5, 0.3, 0.2, 0.0], ([0, 0, 0.1, 0], [9, 6, 3, 2])
    fits = many(peak, T, y, start, bounds=bounds)
    for k in range(60):
        status, popt, _ = alone(peak, T, y[k], start, bounds=bounds)
        assert fits.status[k] == status
        np.testing.assert_allclose(fits.popt[k], popt, rtol=1e-9, atol=1e-9)


def test_images_are_fitted_by_models_of_two_variables():
    data = batch(spot, 20, gaps=False)
    images = data.y.reshape(4, 5, 5, 5)
    fits = many(spot, data.x, images, data.p0.reshape(4, 5, 5), axis=(-2, -1), vectorized=True)
    for k in np.ndindex(4, 5):
        status, popt, _ = alone(spot, data.x, images[k].reshape(-1), data.p0.reshape(4, 5, 5)[k])
        assert fits.status[k] == status
        np.testing.assert_allclose(fits.popt[k], popt, rtol=1e-9)


def any_below(x, a, b):
    if np.any(b < 0):
        return np.full(np.broadcast_shapes(np.shape(b), x.shape), 1e10)
    return a * np.exp(-b * x)


def edges(x, a, b):
    z = a * np.exp(-0.5 * ((x - b) / 0.3) ** 2)
    return z + np.roll(z, 1)


def from_start(x, a, b):
    return a * np.exp(-b * (x - x.min()))


@pytest.mark.parametrize("chunk", [None, 1, 10])
def test_one_fit_cannot_spoil_the_others(chunk):
    rng = np.random.default_rng(0)
    x = np.linspace(0, 5, 40)
    y = 3 * np.exp(-x * rng.uniform(0.5, 2, (50, 1))) + 0.05 * rng.standard_normal((50, 40))
    y[20] = 3 * np.exp(-0.001 * x) + 0.3 * rng.standard_normal(40)
    alone = many(any_below, x, y, vectorized=False)
    assert_same(many(any_below, x, y, chunk=chunk), alone)
    centers = np.where(np.arange(90)[:, None] % 30, 2.5, 4.9)
    peaks = 2 * np.exp(-0.5 * ((x - centers) / 0.3) ** 2)
    alone = many(edges, x, peaks, [1, 3], vectorized=False)
    found = many(edges, x, peaks, [1, 3], chunk=chunk)
    np.testing.assert_allclose(found.popt, alone.popt, rtol=1e-9)


def test_models_may_use_all_of_x():
    x = np.tile(np.linspace(0, 5, 40), (600, 1))
    x[37::211] += 2
    y = 3 * np.exp(-0.7 * (x - x.min(axis=1, keepdims=True)))
    found = many(from_start, (x,), y)
    np.testing.assert_allclose(found.popt, [[3, 0.7]] * 600, rtol=1e-6)
    y[::2, 5] = np.nan
    y[11, 0] = np.nan
    found, alone = (many(from_start, x[0], y, vectorized=v) for v in (None, False))
    np.testing.assert_allclose(found.popt, alone.popt, rtol=1e-9)


def test_jacobian_that_mixes_fits_is_found_out(y):
    def mixing(x, a, b, c):
        J = stacked(x, a, b, c)
        return 0 * J if np.any(b < 0.7) else J

    p0 = np.full((40, 3), 1.0)
    assert_same(
        many(decay, T, y, p0, jac=mixing), many(decay, T, y, p0, jac=mixing, vectorized=False)
    )
    with pytest.raises(ValueError, match="decay is not vectorized: if it is called for many"):
        many(decay, T, y, p0, jac=mixing, vectorized=True)


def test_model_that_writes_to_x_changes_no_other_fit(y):
    def clearing(x, a, b, c):
        x[x > 3 * a] = 0
        return decay(x, a, b, c)

    x = T.copy()
    alone = many(clearing, x, y, vectorized=False).popt
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(alone[0], curve_fit(clearing, T.copy(), y[0])[0])
    for f in (clearing, numba.njit(clearing)):
        np.testing.assert_allclose(many(f, x, y).popt, alone, rtol=1e-6)
    np.testing.assert_array_equal(x, T)


def test_complex_values_fail_as_they_do_alone(y):
    def partly_complex(x, a, b, c):
        return decay(x, a, b, c) + (0j if np.any(a > 4) else 0)

    y[11] *= 2
    fits = many(partly_complex, T, y)
    assert np.flatnonzero(fits.status < 0).tolist() == [11]
    assert "TypeError" in fits.message(11)


def test_flattened_values_are_explained():
    images = batch(spot, 6, gaps=False)
    with pytest.warns(RuntimeWarning, match=r"leave out .ravel\(\)"):
        curve_fit_many(
            lambda x, *p: spot(x, *p).ravel(), images.x, images.y, images.p0, on_failure="last"
        )


def test_a_large_constant_does_not_hide_that_a_model_mixes_fits():
    rng = np.random.default_rng(0)
    t = np.linspace(0.1, 5, 200)

    def clock(t, frequency, change, rate):
        e = np.exp(-rate * t)
        return frequency + change * e / e.max()

    def slopes(t, frequency, change, rate):
        e = np.exp(-rate * (t - 0.1))
        return np.stack([np.ones_like(e), e, -change * (t - 0.1) * e], -1)

    low, high = [0.99e7, 3e-3, 0.5], [1e7, 6e-3, 1.5]
    y = np.array([clock(t, *p) for p in rng.uniform(low, high, (40, 3))])
    y += 5e-5 * rng.standard_normal(y.shape)
    start = np.stack([y[:, -20:].mean(1), y[:, 0] - y[:, -20:].mean(1), np.ones(40)], 1)
    with pytest.warns(RuntimeWarning, match="one fit at a time"):
        fits = curve_fit_many(clock, t, y, start, jac=slopes)
    alone = [curve_fit(clock, t, row, p, jac=slopes)[0] for row, p in zip(y, start, strict=True)]
    np.testing.assert_array_equal(fits.popt, alone)


def test_fits_that_another_one_stopped_at_their_start_are_noticed():
    t = np.linspace(0, 5, 40)

    def guarded(t, a, b):
        if np.any(b < 0):
            return np.full(np.broadcast(t, a).shape, 1e6)
        return a * np.exp(-b * t)

    for seed in range(8):
        rng = np.random.default_rng(seed)
        is_bad = rng.random(64) < 0.9
        is_bad[[0, -1]] = True
        y = 3 * np.exp(-t) + 0.05 * rng.standard_normal((64, 40))
        p0 = np.stack([np.full(64, 2.0), np.where(is_bad, -0.5, 0.5)], 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fits = curve_fit_many(guarded, t, y, p0)
            alone = curve_fit_many(guarded, t, y, p0, vectorized=False)
        np.testing.assert_allclose(fits.popt, alone.popt, rtol=1e-6)


def test_long_data_are_fitted_one_after_another():
    t = np.linspace(0, 5, 20_000)
    counts = []

    def decay(t, a, b, c):
        counts.append(np.ndim(a))
        return a * np.exp(-b * t) + c

    curve_fit_many(decay, t, np.exp(-t) + np.zeros((3, 1)))
    assert set(counts) == {0}


@pytest.mark.parametrize("fits", [1, 10, 600])
@pytest.mark.parametrize("options", [{}, {"bounds": (0, 10)}, {"chunk": 1}], ids=str)
def test_models_may_return_the_same_memory_at_every_call(fits, options):
    """The model is also called for single fits, to compare, before the joint values are used."""
    memory, slopes = np.empty((5000, T.size)), np.empty((5000, T.size, 2))

    def model(t, a, k):
        values = memory[: np.size(a)]
        np.multiply(a, np.exp(-k * t), out=values)
        return values if np.ndim(a) else values[0]

    def jac(t, a, k):
        values = slopes[: np.size(a)]
        values[..., 0] = np.exp(-k * t)
        values[..., 1] = -a * t * np.exp(-k * t)
        return values if np.ndim(a) else values[0]

    rng = np.random.default_rng(0)
    true = rng.uniform((1, 0.5), (3, 2), (fits, 2))
    y = true[:, :1] * np.exp(-true[:, 1:] * T) + 0.05 * rng.standard_normal((fits, T.size))
    bounds = options.get("bounds", (-np.inf, np.inf))
    alone = [curve_fit(model, T, one, bounds=bounds)[0] for one in y[:10]]
    for given in (None, jac):
        found = curve_fit_many(model, T, y, jac=given, vectorized=True, **options)
        np.testing.assert_allclose(found.popt[:10], alone, rtol=1e-5)
        copied = None if given is None else lambda *p: jac(*p).copy()
        new = curve_fit_many(lambda t, a, k: model(t, a, k).copy(), T, y, jac=copied, **options)
        np.testing.assert_array_equal(found.popt, new.popt)
