"""curve_fit_many of compiled models: every fit is the fit of curve_fit alone, bit for bit."""

import math
import warnings

import numba
import numpy as np
import pytest
from problems.batches import MODELS, T, alone, batch, decay, line, peak, spot

from leastsq import FitError, OptimizeWarning, curve_fit, curve_fit_many

COMPILED = {f: numba.njit(f) for f in MODELS}


def many(*args, **options):
    """Fit, whatever the warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return curve_fit_many(*args, **options)


@pytest.fixture
def stack():
    """A stack of 3 x 4 decays of 30 points."""
    rng = np.random.default_rng(5)
    truth = rng.uniform([2, 0.5, 0.2], [3, 2, 0.8], (3, 4, 3))
    return decay(T, *np.moveaxis(truth, -1, 0)[..., None]) + 0.01 * rng.standard_normal((3, 4, 30))


@pytest.mark.slow
@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("f", MODELS)
def test_every_fit_is_that_of_curve_fit_alone(f, weighted, bounded):
    data = batch(f, 60)
    options = data.options(weighted, bounded)
    fits = many(COMPILED[f], data.x, data.y, data.p0, **options)
    for k in range(60):
        own = {name: value[k] for name, value in options.items() if name == "sigma"}
        if bounded:
            own["bounds"] = data.bounds[0][k], data.bounds[1][k]
        status, popt, pcov = alone(COMPILED[f], data.x, data.y[k], data.p0[k], **own)
        assert fits.status[k] == status
        np.testing.assert_array_equal(fits.popt[k], popt)
        np.testing.assert_array_equal(fits.pcov[k], pcov)


@pytest.mark.parametrize("f", [decay, spot])
def test_results_do_not_depend_on_threads_chunks_or_order(f):
    data = batch(f, 200)
    expected = many(COMPILED[f], data.x, data.y, data.p0, bounds=data.bounds, threads=1)
    for options in ({"threads": 2}, {"threads": 8, "chunk": 7}, {"chunk": 1}):
        found = many(COMPILED[f], data.x, data.y, data.p0, bounds=data.bounds, **options)
        assert_same(found, expected)
    order = np.random.default_rng(0).permutation(200)
    lower, upper = data.bounds
    found = many(
        COMPILED[f], data.x, data.y[order], data.p0[order], bounds=(lower[order], upper[order])
    )
    np.testing.assert_array_equal(found.popt, expected.popt[order])
    np.testing.assert_array_equal(found.status, expected.status[order])


def assert_same(found, expected):
    for name in ("popt", "pcov", "chi2", "npoints", "status", "nfev", "active_mask"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)


def test_python_models_are_fitted_too(stack):
    found = curve_fit_many(decay, T, stack)
    expected = curve_fit_many(COMPILED[decay], T, stack)
    np.testing.assert_allclose(found.popt, expected.popt, rtol=1e-6)
    np.testing.assert_allclose(found.pcov, expected.pcov, rtol=1e-4)
    assert found.success.all()


def test_shapes_are_those_of_the_batch_axes(stack):
    fits = curve_fit_many(COMPILED[decay], T, stack)
    assert fits.popt.shape == (3, 4, 3)
    assert fits.pcov.shape == (3, 4, 3, 3)
    assert fits.perr.shape == (3, 4, 3)
    for values in (fits.chi2, fits.npoints, fits.status, fits.nfev, fits.success):
        assert values.shape == (3, 4)
    assert fits.active_mask.shape == (3, 4, 3)
    popt, pcov = fits
    assert popt is fits.popt
    assert pcov is fits.pcov
    for found, k in ((fits, (2, 3)), (curve_fit_many(COMPILED[decay], T, stack[2, 3]), ())):
        own = curve_fit(COMPILED[decay], T, stack[2, 3], full_output=True)
        np.testing.assert_array_equal(found.popt[k], own[0])
        np.testing.assert_array_equal(found.pcov[k], own[1])
        np.testing.assert_allclose(found.chi2[k], np.sum(own[2]["fvec"] ** 2), rtol=1e-13)
        assert found.nfev[k] == own[2]["nfev"]
        assert found.npoints[k] == 30
        assert found.message(k) == own[3]


def test_points_may_lie_on_any_axes(stack):
    expected = curve_fit_many(COMPILED[decay], T, stack, sigma=1 + stack)
    first = np.moveaxis(stack, -1, 0)
    assert_same(curve_fit_many(COMPILED[decay], T, first, sigma=1 + first, axis=0), expected)
    image = stack.reshape(3, 4, 5, 6)
    for y, axes in ((image, (-2, -1)), (image.transpose(2, 3, 0, 1), (0, 1))):
        found = curve_fit_many(
            COMPILED[decay], T.reshape(5, 6), y, sigma=1 + y, axis=axes, p0=(1, 1, 1)
        )
        assert_same(found, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, ">f8", np.longdouble])
def test_data_of_any_kind_of_number_are_converted(stack, dtype):
    y = (100 * stack).astype(dtype)
    expected = curve_fit_many(COMPILED[decay], T, y.astype(float))
    assert_same(curve_fit_many(COMPILED[decay], T, y), expected)
    assert_same(curve_fit_many(COMPILED[decay], list(T), y.tolist()), expected)


def test_each_fit_may_have_its_own_x_start_bounds_and_errors(stack):
    rng = np.random.default_rng(1)
    x = T + 0.01 * rng.random((3, 4, 1))
    p0 = rng.uniform(0.9, 1.1, (4, 3))
    upper = np.full((3, 1, 3), 9.0)
    upper[1, 0, 0] = 2.2
    sigma = rng.uniform(0.5, 1, (3, 4, 1))
    fits = curve_fit_many(COMPILED[decay], (x,), stack, p0, sigma, True, (0, upper))
    for i in range(3):
        for j in range(4):
            own = curve_fit(
                COMPILED[decay], x[i, j], stack[i, j], p0[j], sigma[i, j], True,
                bounds=(0, upper[i, 0]),
            )  # fmt: skip
            np.testing.assert_array_equal(fits.popt[i, j], own[0])
            np.testing.assert_array_equal(fits.pcov[i, j], own[1])
    assert (fits.active_mask[1, :, 0] == (fits.popt[1, :, 0] == 2.2)).all()


@pytest.mark.parametrize("axis", [0, (0, 1), (-2, -1)])
@pytest.mark.parametrize("fits", [1, 4])
def test_x_of_each_fit_has_the_axes_of_ydata(axis, fits):
    rng = np.random.default_rng(0)
    x = np.tile(T, (fits, 1))
    offsets = rng.uniform(0, 1, (fits, 1))
    y = 3 * np.exp(-rng.uniform(0.5, 2, (fits, 1)) * x) + offsets
    points = (T.size,) if axis == 0 else (5, T.size // 5)

    def laid_out(values, count):
        whole = values.reshape(len(values), *count)
        return whole if axis == (-2, -1) else np.moveaxis(whole, 0, -1)

    def model(x, a, k):
        return a * np.exp(-k * x[0]) + x[1]

    each, one = (1,) * len(points), laid_out(x[:1], points)
    expected = many(model, (T, offsets), y).popt
    for xs in (laid_out(x, points), one, T.reshape(points)):
        found = many(model, (xs, laid_out(offsets, each)), laid_out(y, points), axis=axis)
        np.testing.assert_array_equal(found.popt, expected)


def test_several_variables_may_differ_from_fit_to_fit():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 4, (2, 7, 25))

    @numba.njit
    def plane(x, a, b, c):
        return a * x[0] + b * x[1] + c

    z = np.array([plane(np.array(xy), 1, 2, 3) for xy in zip(x, y, strict=True)])
    z += 0.1 * rng.standard_normal(z.shape)
    z[3, 4] = np.nan
    fits = curve_fit_many(plane, (x, y), z)
    common = curve_fit_many(plane, np.array([x[0], y[0]]), z)
    for k in range(7):
        kept = ~np.isnan(z[k])
        own = curve_fit(plane, np.array([x[k], y[k]])[:, kept], z[k, kept])
        np.testing.assert_array_equal(fits.popt[k], own[0])
        own = curve_fit(plane, np.array([x[0], y[0]])[:, kept], z[k, kept])
        np.testing.assert_array_equal(common.popt[k], own[0])


def test_points_are_left_out_where_anything_is_nan_or_masked(stack):
    left_out = np.random.default_rng(3).random((7, *stack.shape)) < 0.02
    x = np.where(left_out[0], np.nan, np.broadcast_to(T, stack.shape))
    y = np.ma.array(np.where(left_out[1], np.nan, stack), mask=left_out[2])
    sigma = np.where(left_out[3], np.nan, 1 + stack)
    mask = left_out[4]
    mask[0, 0] = True
    gone = left_out[:5].any(axis=0)
    fits = curve_fit_many(COMPILED[decay], (x,), y, sigma=sigma, mask=mask)
    assert fits.status[0, 0] == -1
    np.testing.assert_array_equal(fits.npoints, np.count_nonzero(~gone, axis=-1))
    for i, j in zip(*np.nonzero(fits.status > 0), strict=True):
        kept = ~gone[i, j]
        own = curve_fit(COMPILED[decay], T[kept], stack[i, j, kept], sigma=(1 + stack)[i, j, kept])
        np.testing.assert_array_equal(fits.popt[i, j], own[0])
    whole = curve_fit_many(COMPILED[decay], T, stack, mask=[[[True]], [[False]], [[True]]])
    assert (whole.status[[0, 2]] == -1).all()
    assert (whole.status[1] > 0).all()


def test_masks_of_x_and_bool_data_count(stack):
    hidden = np.zeros(30, bool)
    hidden[20:] = True
    y = stack.copy()
    y[..., 20:] += 50
    expected = curve_fit_many(COMPILED[decay], T[:20], y[..., :20])
    for x in (np.ma.array(T, mask=hidden), (np.ma.array(T, mask=hidden),)):
        assert_same(curve_fit_many(COMPILED[decay], x, y), expected)
    bits = stack > 1
    for f in (line, COMPILED[line]):
        assert_same(curve_fit_many(f, T, bits), curve_fit_many(f, T, bits.astype(float)))


@numba.njit
def fragile(x, a, b, c):
    if c > 100:
        raise ValueError("c is too large")
    return a * np.exp(-b * x) + c


def fragile_in_python(x, a, b, c):
    if np.any(c > 100):
        raise ValueError("c is too large")
    return a * np.exp(-b * x) + c


@pytest.mark.parametrize("f", [fragile, fragile_in_python])
def test_fits_that_fail_in_every_way_do_not_disturb_the_others(stack, f):
    y = np.tile(stack.reshape(12, 30), (84, 1))
    p0 = np.ones((len(y), 3))
    sigma = np.ones_like(y)
    upper = np.full((len(y), 3), np.inf)
    y[0] = np.nan
    y[1, 1:] = np.nan
    y[2, 3] = np.inf
    p0[3, 2] = 200
    p0[4] = 1e-3, 400, 0.4  # a start where nothing has an effect
    p0[5, 1] = np.nan
    upper[6, 0] = 0.5  # below the start
    sigma[7, 3] = 0
    with pytest.warns(OptimizeWarning) as caught:
        fits = curve_fit_many(f, T, y, p0, sigma, bounds=(-np.inf, upper))
    good = curve_fit_many(f, T, y[8:], sigma=sigma[8:], bounds=(-np.inf, upper[8:]))
    assert len(caught) == 1
    assert fits.status[:8].tolist() == [-1, -2, 9, -3, fits.status[4], -4, -4, -4]
    assert np.isnan(fits.popt[[0, 1, 2, 3, 5, 6, 7]]).all()
    assert np.isnan(fits.pcov[[0, 1, 2, 3, 5, 6, 7]]).all()
    assert "ValueError: c is too large" in fits.message(3)
    np.testing.assert_array_equal(fits.popt[8:], good.popt)
    np.testing.assert_array_equal(fits.pcov[8:], good.pcov)
    text = str(caught[0].message)
    assert "the model raised an exception (the fit at 3, status -3)" in text
    assert "sigma are improper (3 fits, the first at 5, status -4)" in text
    assert "sigma contains zeros" in fits.message(7)
    assert "bounds" in fits.message(6)
    assert caught[0].filename == __file__


def test_what_to_do_about_failures_is_up_to_the_user(stack):
    options = {"maxfev": 6}
    with pytest.warns(OptimizeWarning, match="12 of 12 fits failed: the maximum number of calls"):
        fits = curve_fit_many(COMPILED[decay], T, stack, **options)
    assert np.isnan(fits.popt).all()
    assert not fits.success.any()
    fits = many(COMPILED[decay], T, stack, on_failure="last", **options)
    assert np.isfinite(fits.popt).all()
    assert np.isnan(fits.pcov).all()
    with pytest.raises(FitError, match=r"The fit at index \(0, 0\): Number of calls") as caught:
        curve_fit_many(COMPILED[decay], T, stack, on_failure="raise", **options)
    with pytest.raises(FitError) as own:
        curve_fit(COMPILED[decay], T, stack[0, 0], **options)
    np.testing.assert_array_equal(caught.value.popt, own.value.popt)
    assert caught.value.ier == own.value.ier == 5
    assert caught.value.partial.status[0, 0] == 5


def test_first_failure_is_raised_whatever_the_threads(stack):
    y = np.tile(stack.reshape(12, 30), (50, 1))
    p0 = np.ones((600, 3))
    p0[[77, 300], 2] = 200
    for threads in (1, 2, 8):
        with pytest.raises(ValueError, match="c is too large") as caught:
            curve_fit_many(fragile, T, y, p0, on_failure="raise", threads=threads, chunk=10)
        assert caught.value.__notes__ == ["in the fit at index 77"]


def test_model_that_raises_in_every_fit_raises():
    @numba.njit
    def broken(x, a, b):
        if x.size > 0:
            raise ValueError("never works")
        return a * x + b

    for f in (broken, broken.py_func):
        with pytest.raises(ValueError, match="never works"):
            curve_fit_many(f, T, np.ones((3, 30)), [1, 1])


@pytest.mark.parametrize("how", ["too few points", "improper bounds", "no time"])
def test_a_fit_that_raises_does_not_take_the_reasons_of_the_others(how):
    y, bounds, options = np.ones((5, 30)), (-np.inf, np.inf), {}
    if how == "too few points":
        y[1:, 2:] = np.nan
    elif how == "improper bounds":
        bounds = (np.array([[0.0]] + [[5.0]] * 4), 9)
    else:
        options = {"max_time": 1e-9, "vectorized": False}

    def broken(x, a, b, c):
        raise ValueError("never works")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        fits = curve_fit_many(broken, T, y, np.ones(3), bounds=bounds, **options)
    expected = {"too few points": -2, "improper bounds": -4, "no time": 0}[how]
    np.testing.assert_array_equal(fits.status[1:], expected)


def test_covariance_may_be_left_out(stack):
    whole = curve_fit_many(COMPILED[decay], T, stack)
    errors = curve_fit_many(COMPILED[decay], T, stack, covariance="stderr")
    nothing = curve_fit_many(COMPILED[decay], T, stack, covariance=False)
    np.testing.assert_array_equal(errors.perr, np.sqrt(np.diagonal(whole.pcov, axis1=-2, axis2=-1)))
    assert errors.pcov is nothing.pcov is nothing.perr is None
    np.testing.assert_array_equal(errors.perr, whole.perr)
    popt, perr = errors
    np.testing.assert_array_equal(popt, whole.popt)
    np.testing.assert_array_equal(perr, errors.perr)
    assert tuple(nothing)[1] is None


def test_undetermined_parameters_have_infinite_errors_and_one_warning():
    @numba.njit
    def double(x, a, b):
        return (a + b) * x

    y = np.random.default_rng(0).standard_normal((5, 30))
    with pytest.warns(OptimizeWarning, match=r"no covariance \(5 fits, the first at 0") as caught:
        fits = curve_fit_many(double, T, y)
    assert len(caught) == 1
    assert np.isinf(fits.pcov).all()
    assert fits.success.all()
    assert np.isinf(many(double, T, y, covariance="stderr").perr).all()


def derivatives(x, a, b, c):
    J = np.empty((x.size, 3))
    J[:, 0] = np.exp(-b * x)
    J[:, 1] = -a * x * J[:, 0]
    J[:, 2] = 1
    return J


@pytest.mark.slow
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0, [2.5, 5, 5])])
@pytest.mark.parametrize("jac", ["njit", "python", "3-point", "cs", "2-point", None])
def test_jacobians_are_those_of_curve_fit(stack, jac, bounds):
    f = decay if jac == "python" else COMPILED[decay]
    jac = {"njit": numba.njit(derivatives), "python": derivatives}.get(jac, jac)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "derivatives is called for one fit at a time")
        fits = curve_fit_many(f, T, stack, jac=jac, bounds=bounds)
    for k in np.ndindex(3, 4):
        own = curve_fit(f, T, stack[k], jac=jac, bounds=bounds)
        np.testing.assert_array_equal(fits.popt[k], own[0])
        np.testing.assert_array_equal(fits.pcov[k], own[1])


def test_jacobian_of_another_shape_fails_its_fit(stack):
    with pytest.raises(TypeError, match=r"should be \(30, 3\), but it is \(3, 30\)"):
        curve_fit_many(
            COMPILED[decay], T, stack, jac=numba.njit(lambda x, a, b, c: np.ones((3, x.size)))
        )


@pytest.mark.parametrize(
    "options",
    [
        {"ftol": 1e-3},
        {"xtol": 1e-12, "factor": 0.1},
        {"diag": [1, 2, 3]},
        {"x_scale": [1, 2, 3]},
        {"diff_step": 1e-4},
        {"method": "trf"},
        {"max_nfev": 3},
        {"epsfcn": 1e-6},
    ],
)
def test_options_are_those_of_curve_fit(stack, options):
    fits = many(COMPILED[decay], T, stack, **options)
    for k in np.ndindex(3, 4):
        status, popt, pcov = alone(COMPILED[decay], T, stack[k], [1, 1, 1], **options)
        assert fits.status[k] == status
        np.testing.assert_array_equal(fits.popt[k], popt)
        np.testing.assert_array_equal(fits.pcov[k], pcov)


def test_start_of_a_fixed_parameter_does_not_matter(stack):
    levels = np.linspace(0.3, 0.6, 12).reshape(3, 4)
    lower, upper = np.full((2, 3, 4, 3), np.array([[[[0.0]]], [[[9.0]]]]))
    lower[..., 2] = upper[..., 2] = levels
    fits = curve_fit_many(COMPILED[decay], T, stack, [1, 1, 1], bounds=(lower, upper))
    assert fits.success.all()
    np.testing.assert_array_equal(fits.popt[..., 2], levels)
    fits = curve_fit_many(decay, T, stack, [1, 1, 1], bounds=([0, 0, 0.5], [9, 9, 0.5]))
    assert (fits.popt[..., 2] == 0.5).all()


def test_fixed_parameters_need_no_points(stack):
    y = stack.copy()
    y[0, 0, 2:] = np.nan
    y[0, 1, 1:] = np.nan
    fits = many(COMPILED[decay], T, y, [1, 1, 0.5], bounds=([0, 0, 0.5], [9, 9, 0.5]))
    own = alone(COMPILED[decay], T[:2], y[0, 0, :2], [1, 1, 0.5], bounds=([0, 0, 0.5], [9, 9, 0.5]))
    assert fits.status[0, 0] > 0
    assert fits.status[0, 1] == -2
    assert (fits.popt[..., 2] == 0.5)[fits.success].all()
    assert own[0] == -2 or np.array_equal(own[1], fits.popt[0, 0])


def test_trapped_fits_are_tried_again_as_by_curve_fit():
    rng = np.random.default_rng(7)
    truth = rng.uniform([1, 2, 0.3, 0], [3, 4, 1, 0.2], (60, 4))
    y = np.array([peak(T, *p) for p in truth]) + 0.02 * rng.standard_normal((60, 30))
    y[::4] = 0.02 * rng.standard_normal((15, 30))
    start, bounds = [0.5, 0.3, 0.2, 0.0], ([0, 0, 0.1, 0], [9, 6, 3, 2])
    fits = many(COMPILED[peak], T, y, start, bounds=bounds)
    for k in range(60):
        status, popt, _ = alone(COMPILED[peak], T, y[k], start, bounds=bounds)
        assert fits.status[k] == status
        np.testing.assert_array_equal(fits.popt[k], popt)


@pytest.mark.parametrize("f", [decay, COMPILED[decay]])
def test_failed_fits_begin_again_from_their_neighbours(f):
    a, b = np.meshgrid(np.linspace(1, 40, 12), np.linspace(0.5, 6, 9))
    y = decay(T, a[..., None], b[..., None], 0.5)
    y[4, 5, 3:] = np.nan
    options = {"maxfev": 30}
    alone = many(f, T, y, **options)
    fits = many(f, T, y, "neighbours", **options)
    failed = alone.status == 5
    assert failed.sum() > 10
    np.testing.assert_array_equal(fits.popt[alone.success], alone.popt[alone.success])
    assert fits.success[failed].sum() > 0.9 * failed.sum()
    np.testing.assert_allclose(
        fits.popt[fits.success], np.stack([a, b, 0.5 + 0 * a], -1)[fits.success], rtol=1e-3
    )
    assert (fits.attempts[alone.success] == 1).all()
    assert (fits.attempts[failed] > 1).all()
    assert fits.attempts[4, 5] == 1 or fits.success[4, 5]
    again = many(f, T, y, "neighbours", threads=3, chunk=4, **options)
    assert_same(again, fits)
    with pytest.raises(ValueError, match="p0 must be numbers or 'neighbours'"):
        curve_fit_many(f, T, y, "neighbour")


def drifting_peak(x, height, middle, width):
    """A peak that has values only close to its place, x[0]."""
    away = np.abs(middle - x[0]) > 1.5
    return np.where(away, np.nan, height * np.exp(-0.5 * ((x[1] - middle) / width) ** 2))


def drifting(rows):
    """Three columns of peaks that move from row to row; the middle column has no values."""
    place = np.repeat(np.linspace(1, 0.8 * rows, rows)[:, None], 3, 1)
    x = place[..., None], np.linspace(-3, 3, 20) + place[..., None]
    y = drifting_peak(x, 3, place[..., None], 0.8)
    y += 0.02 * np.random.default_rng(0).standard_normal(y.shape)
    y[:, 1] = np.inf
    return x, y


def test_a_fit_begins_once_from_each_neighbour():
    x, y = drifting(40)
    told = []
    with pytest.warns(OptimizeWarning, match="40 of 120 fits failed"):
        fits = curve_fit_many(drifting_peak, x, y, "neighbours", callback=lambda *n: told.append(n))
    assert fits.success[:, [0, 2]].all()
    assert (fits.attempts[:, 1] <= 5).all()
    assert (fits.nfev[:, 1] <= 5).all()
    assert fits.attempts[20, 0] == 2
    assert fits.nfev[20, 0] > 5
    assert told[0][0] > 0
    assert told.count((120, 120)) > 10


def test_a_callback_can_stop_the_second_pass():
    x, y = drifting(20)

    def stop(done, total):
        if done == total:
            calls.append(done)
        if len(calls) == 3:
            raise ZeroDivisionError

    calls = []
    with pytest.raises(ZeroDivisionError) as caught:
        curve_fit_many(drifting_peak, x, y, "neighbours", callback=stop)
    assert caught.value.partial.success.sum() > 2


def test_time_that_is_up_in_the_second_pass_is_reported(monkeypatch):
    x, y = drifting(60)
    told = []

    def clock():
        return math.inf if told.count((180, 180)) > 2 else 0.0

    monkeypatch.setattr("leastsq._fit.plan.monotonic", clock)
    with pytest.warns(OptimizeWarning, match="The time was up before all failed fits began again"):
        fits = curve_fit_many(
            drifting_peak, x, y, "neighbours", max_time=9, callback=lambda *n: told.append(n)
        )
    assert 2 < fits.success.sum() < 60


def test_messages_take_the_index_of_a_row_of_argwhere(stack):
    fits = curve_fit_many(COMPILED[decay], T, stack)
    for index in ((1, 2), [1, 2], np.array([1, 2]), np.argwhere(fits.success)[6]):
        assert fits.message(index) == fits.message((1, 2))
    row = curve_fit_many(COMPILED[decay], T, stack[0])
    assert row.message(np.argwhere(row.success)[1]) == row.message(1)


def test_nothing_to_fit_gives_empty_results():
    fits = curve_fit_many(COMPILED[line], T, np.empty((0, 30)))
    assert fits.popt.shape == (0, 2)
    assert fits.pcov.shape == (0, 2, 2)
    fits = curve_fit_many(COMPILED[line], T, np.full((4, 30), np.nan))
    assert (fits.status == -1).all()
    assert np.isnan(fits.popt).all()


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"f": 3}, TypeError, "f must be callable"),
        ({"p0": [1, 1]}, TypeError, "decay takes 3 parameters after x .*, but p0 has 2"),
        ({"p0": [1, 1, 1, 1]}, TypeError, "decay takes 3 parameters after x .*, but p0 has 4"),
        ({"p0": np.ones((5, 3))}, ValueError, r"p0 of shape \(5, 3\)"),
        ({"nan_policy": "omit"}, TypeError, "NaN is always left out"),
        ({"p0": [9, 1, 1], "bounds": (0, 2)}, ValueError, "outside of provided bounds"),
        ({"xdata": T[:9]}, ValueError, r"xdata has shape \(9,\)"),
        ({"xdata": (T[:9],)}, ValueError, r"xdata\[0\] has the shape \(9,\)"),
        ({"sigma": np.ones(9)}, ValueError, r"sigma has the shape \(9,\)"),
        ({"mask": np.ones(30)}, TypeError, "mask must be boolean"),
        (
            {"mask": np.ones(9, bool)},
            ValueError,
            r"mask has the shape \(9,\).*\(3, 4, 1\)",
        ),
        ({"bounds": (0, np.ones(4))}, ValueError, "upper bounds"),
        ({"axis": 3}, ValueError, "axis"),
        ({"axis": ()}, ValueError, "axis must name at least one axis"),
        ({"ydata": 3.0}, ValueError, "axis of points"),
        ({"ydata": np.ones((3, 0)), "xdata": []}, ValueError, "must not be empty"),
        ({"ydata": np.ones((3, 30)) * 1j}, TypeError, "ydata must be real"),
        ({"ydata": [["a"] * 30]}, ValueError, "ydata must be numbers"),
        ({"covariance": "all"}, ValueError, "covariance must be"),
        ({"on_failure": "warn"}, ValueError, "on_failure must be"),
        ({"method": "newton"}, ValueError, "method"),
        ({"threads": 0}, ValueError, "must be positive"),
        ({"vectorized": "yes"}, TypeError, "vectorized must be"),
        ({"chunk": 0}, ValueError, "must be positive"),
        ({"ftol": -1.0}, ValueError, "ftol must not be negative"),
        ({"fto": 1.0}, TypeError, "no option fto"),
    ],
)
def test_wrong_calls_are_refused_before_any_fit(stack, changed, error, text):
    given = {"f": COMPILED[decay], "xdata": T, "ydata": stack} | changed
    with pytest.raises(error, match=text):
        curve_fit_many(**given)


@numba.njit
def column(x, a, b, c):
    return (a + b * x + c * x**2).reshape(-1, 1)


@pytest.mark.parametrize("f", [column, column.py_func])
def test_a_column_of_values_is_refused_with_its_shape(stack, f):
    with pytest.raises(ValueError, match=r"shape \(30, 1\), but ydata has shape \(30,\)"):
        curve_fit_many(f, T, stack)


def test_x_of_each_fit_in_an_array_is_told_to_be_a_tuple():
    x, y = np.tile(T, (4, 1)), np.ones((4, T.size))
    with pytest.raises(ValueError, match=r"in a tuple: xdata=\(x,\)"):
        curve_fit_many(decay, x, y)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, {"maxfev": 60}, {"maxfev": 100_000}], ids=str)
def test_fits_from_wild_starts_end_as_in_curve_fit(options):
    """Many of them take further attempts, of all kinds."""
    x = np.linspace(0, 6, 40)
    truth = np.array([3, 2, 1, 0.2])

    @numba.njit
    def decays(x, a, k, b, q):
        return a * np.exp(-k * x) + b * np.exp(-q * x)

    rng = np.random.default_rng(1)
    its = truth * (1 + 0.2 * rng.standard_normal((150, 4)))
    noise = 10.0 ** rng.uniform(-4, -0.5, (150, 1)) * rng.standard_normal((150, 40))
    stack = decays(x, *its.T[:, :, None]) + noise
    starts = truth * np.exp(1.5 * rng.standard_normal((150, 4)))
    starts *= np.where(rng.random((150, 4)) < 0.2, -1, 1)
    fits = curve_fit_many(decays, x, stack, starts, on_failure="last", **options)
    for k, (y, start) in enumerate(zip(stack, starts, strict=True)):
        try:
            popt, pcov, info, *_ = curve_fit(decays, x, y, start, full_output=True, **options)
        except FitError as error:
            popt, pcov, info = error.popt, fits.pcov[k], error.infodict
        np.testing.assert_array_equal(popt, fits.popt[k])
        np.testing.assert_array_equal(pcov, fits.pcov[k])
        assert info["nfev"] == fits.nfev[k]
