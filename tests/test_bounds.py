"""bounds: what is taken, what is refused, and what a fit does with them."""

import numba
import numpy as np
import pytest
from problems import mgh
from scipy import optimize

from leastsq import (
    FitError,
    NativeFunction,
    StoppedError,
    curve_fit,
    curve_fit_many,
    least_squares,
    leastsq,
)

WIDE = (0, 10)


def recorded(function, seen):
    """The function, which adds to what was seen."""

    def recording(x, *args):
        seen.append(x.copy())
        return function(x, *args)

    return recording


@pytest.mark.parametrize(
    "bounds",
    [
        (0, 2),
        ([0, 0, 0], [2, 2, 2]),
        (0, [2, 2, 2]),
        [(0, 0, 0), 2],
        np.array([[0, 0, 0], [2, 2, 2]]),
        optimize.Bounds(0, 2),
        optimize.Bounds([0, 0, 0], [2, 2, 2]),
    ],
    ids=str,
)
def test_bounds_come_in_many_forms(fit, bounds):
    x, ier = leastsq(fit.residuals, fit.start, bounds=bounds)
    assert ier in (1, 2, 3, 4)
    assert x[0] == 2


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0, 0.5), r"outside of provided bounds: x0\[0\] = 1.0 is above its upper bound 0.5"),
        (
            ([0, 1.5, 0], 2),
            r"outside of provided bounds: x0\[1\] = 1.0 is below its lower bound 1.5",
        ),
        ((2, 0), r"the lower bound of x0\[0\], 2.0, is above its upper bound 0.0"),
        (([0, 0, np.nan], 2), r"the bounds of x0\[2\] must be numbers, got nan and 2.0"),
        ((0, np.nan), r"the bounds of x0\[0\] must be numbers, got 0.0 and nan"),
        (([0, 0], 2), "one lower bound for each of the 3 parameters, or one for all, got 2"),
        ((0, [[1, 2], [3, 4]]), "one upper bound for each of the 3 parameters"),
        (((0, 2), (0, 2), (0, 2)), r"bounds must be a pair \(lb, ub\)"),
        (3, r"bounds must be a pair \(lb, ub\)"),
    ],
)
def test_what_is_wrong_with_bounds_is_told(fit, bounds, message):
    with pytest.raises(ValueError, match=message):
        leastsq(fit.residuals, fit.start, bounds=bounds)


def test_bounds_that_are_no_numbers_are_refused(fit):
    with pytest.raises(TypeError, match="The lower bounds must be real numbers"):
        leastsq(fit.residuals, fit.start, bounds=("a", 2))


def test_nan_is_not_within_bounds(fit):
    with pytest.raises(ValueError, match=r"x0\[1\] is NaN"):
        leastsq(fit.residuals, [1, np.nan, 1], bounds=WIDE)


@pytest.mark.slow
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (-1e300, np.inf), (-1e300, 1e300)])
@pytest.mark.parametrize("analytic", [True, False])
def test_bounds_out_of_reach_change_no_bit(bounds, analytic):
    for case in mgh.CASES:
        points = [], []
        for seen, limits in zip(points, (None, bounds), strict=True):
            with np.errstate(all="ignore"):
                leastsq(
                    recorded(case.residuals, seen),
                    case.start,
                    Dfun=case.jacobian if analytic else None,
                    full_output=True,
                    maxfev=300,
                    bounds=limits,
                )
        free, bounded = points
        # A fit whose parameters run away to where they have no effect is tried again within bounds.
        assert np.array_equal(free, bounded[: len(free)]), case.name
        assert len(bounded) == len(free) or np.isfinite(bounds).any()


def test_solution_is_on_the_bound_exactly(fit):
    x, _, info, _, ier = leastsq(
        fit.residuals, fit.start, full_output=True, bounds=([0, 0, 0.6], [2, 10, 10])
    )
    assert ier in (1, 2, 3, 4)
    assert x[0] == 2
    assert x[2] == 0.6
    assert info["active_mask"].tolist() == [1, 0, -1]
    assert info["active_mask"].dtype.kind == "i"


def test_parameter_on_a_bound_does_not_end_the_fit_of_the_others():
    # Beside 1e9, which is where x[0] stays, every step of x[1] is small.
    def residuals(x):
        return np.array([x[0] - 1e9 - 1, np.exp(x[1]) - 20, 0.1 * x[1]])

    x, ier = leastsq(residuals, [1e9, 0], bounds=([0, -9], [1e9, 9]), ftol=0, xtol=1e-3)
    assert ier == 2
    assert x[0] == 1e9
    assert x[1] == pytest.approx(leastsq(lambda y: residuals([1e9, *y]), [0])[0][0], rel=1e-3)


def test_start_on_the_best_corner_is_returned(fit):
    corner = [0.5, 0, 0.1]
    bounds = 0, [0.5, 0.5, 0.1]
    x, _, info, _, ier = leastsq(fit.residuals, corner, full_output=True, bounds=bounds)
    assert (ier, info["nfev"]) == (4, 4)
    assert x.tolist() == corner
    assert info["active_mask"].tolist() == [1, -1, 1]


def test_there_is_no_active_mask_without_bounds(fit):
    assert "active_mask" not in leastsq(fit.residuals, fit.start, full_output=True)[2]
    info = leastsq(fit.residuals, fit.start, full_output=True, bounds=(-np.inf, np.inf))[2]
    assert info["active_mask"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("analytic", [True, False])
@pytest.mark.parametrize("start", [[0, 1, 0], [10, 10, 10], [0, 10, 0]])
def test_start_on_a_bound_is_left(fit, start, analytic):
    jacobian = fit.jacobian if analytic else None
    x, ier = leastsq(fit.residuals, start, Dfun=jacobian, bounds=WIDE)
    assert ier in (1, 2, 3, 4)
    assert x == pytest.approx(leastsq(fit.residuals, fit.start)[0], rel=1e-6)


def test_parameter_on_the_wrong_bound_is_released():
    # From the start the gradient presses both on bounds, of which the solution touches one alone.
    matrix = np.array([[1.0, 0.9], [0.9, 1.0], [0.1, 0.1]])
    target = np.array([0.3, 1.5])

    def residuals(x):
        return matrix @ (x - target)

    x, _, info, _, _ = leastsq(residuals, [0, 0], full_output=True, bounds=(0, 1))
    assert info["active_mask"].tolist() == [0, 1]
    expected = target[0] + matrix[:, 0] @ matrix[:, 1] * 0.5 / (matrix[:, 0] @ matrix[:, 0])
    assert x == pytest.approx([expected, 1])


@pytest.mark.parametrize("analytic", [True, False])
def test_fixed_parameter_stays_and_costs_nothing(fit, analytic):
    seen = []
    x, cov_x, info, _, ier = leastsq(
        recorded(fit.residuals, seen),
        [1, 1, 0.5],
        Dfun=fit.jacobian if analytic else None,
        full_output=True,
        bounds=([0, 0, 0.5], [10, 10, 0.5]),
    )
    without = leastsq(
        lambda p: fit.residuals([*p, 0.5]),
        [1, 1],
        Dfun=(lambda p: fit.jacobian([*p, 0.5])[:, :2]) if analytic else None,
        full_output=True,
    )
    assert ier in (1, 2, 3, 4)
    assert {point[2] for point in seen} == {0.5}
    assert len(seen) == info["nfev"] == without[2]["nfev"]
    assert x[:2] == pytest.approx(without[0], rel=1e-7)
    assert cov_x[:2, :2] == pytest.approx(without[1], rel=1e-5)
    assert not cov_x[2].any()
    assert not cov_x[:, 2].any()
    assert info["active_mask"].tolist() == [0, 0, -1]


@pytest.mark.parametrize("bounds", [[(0, 5), (0, 5)], ([0, 5], [0, 5]), ([1, 2], [1, 2])])
def test_bounds_that_fix_everything_are_refused_as_pairs(bounds):
    t = np.linspace(0, 1, 9)
    for call in (
        lambda: leastsq(lambda p: p[0] + p[1] * t - 1, [1, 2], bounds=bounds),
        lambda: curve_fit(lambda t, a, b: a + b * t, t, 1 + t, bounds=bounds),
    ):
        with pytest.raises(ValueError, match=r"fix every parameter.*not a pair for each"):
            call()


def test_covariance_is_of_what_is_free_at_the_solution(fit):
    x, cov_x, *_ = leastsq(fit.residuals, fit.start, full_output=True, bounds=(0, [2, 9, 9]))
    free = fit.jacobian(x)[:, 1:]
    assert cov_x[1:, 1:] == pytest.approx(np.linalg.inv(free.T @ free), rel=1e-4)
    assert not cov_x[0].any()


def test_singular_part_that_is_fixed_is_of_no_matter_to_the_covariance():
    def residuals(x):
        return np.array([x[0] + x[1] - 1, x[0] + x[1] - 3])

    cov_x = leastsq(residuals, [1, 0], full_output=True, bounds=([-9, 0], [9, 0]))[1]
    assert cov_x == pytest.approx(np.array([[0.5, 0], [0, 0]]))


@pytest.mark.parametrize("width", [1e-3, 1e-9, 1e-15, 0.0])
def test_differences_fit_into_narrow_bounds(fit, width):
    seen = []
    limits = np.array([2.0, 1.0, 0.0]), np.array([2.0 + width, 1.0 + width, 1.0])
    x, ier = leastsq(recorded(fit.residuals, seen), limits[0] + [0, 0, 0.5], bounds=limits)
    assert ier in (1, 2, 3, 4)
    assert all(np.all((limits[0] <= p) & (p <= limits[1])) for p in seen)
    assert x[:2] == pytest.approx(limits[1][:2], abs=1e-14)


def test_rounding_leads_no_difference_out_of_bounds():
    start = float.fromhex("-0x1.53dd88705d582p-32")
    upper = float.fromhex("0x1.d872c3efefa6fp-29")
    assert start + (upper - start) > upper
    seen = []

    def residuals(x):  # x[0] is of no matter, so that a longer step is tried
        return np.array([x[1] - 1, x[1] + 1])

    leastsq(recorded(residuals, seen), [start, 0], bounds=([start, -9], [upper, 9]))
    assert max(x[0] for x in seen) == upper


def test_domain_that_ends_at_a_bound_is_never_left():
    def residuals(x):
        if x[0] > 1 or x[1] < 0:
            raise AssertionError("outside")
        return np.array([np.sqrt(1 - x[0]) + x[1], np.sqrt(x[1]) - 0.1 + 1 - x[0]])

    x, ier = leastsq(residuals, [1, 0], bounds=([-9, 0], [1, 9]))
    assert ier in (1, 2, 3, 4)
    assert np.all(x <= [1, np.inf])


def test_every_option_goes_with_bounds(fit):
    expected = leastsq(fit.residuals, fit.start, ftol=1e-12, xtol=1e-12, bounds=(0, 2))[0]
    x, _, _, _, ier = leastsq(
        lambda p, sign: sign * fit.residuals(p),
        fit.start,
        args=(-1,),
        Dfun=lambda p, sign: sign * fit.jacobian(p).T,
        full_output=True,
        col_deriv=True,
        atol=1e-12,
        xtol=1e-12,
        factor=0.1,
        diag=[1, 2, 3],
        bounds=(0, 2),
    )
    assert ier in (1, 2, 3, 4)
    assert x == pytest.approx(expected, rel=1e-6)
    assert leastsq(fit.residuals, fit.start, full_output=True, maxfev=5, bounds=(0, 2))[4] == 5


def test_bounds_of_the_user_are_left_alone(fit):
    lower, upper = np.zeros(3), np.full(3, 2.0)
    leastsq(fit.residuals, fit.start, bounds=(lower, upper))
    assert not lower.any()
    assert (upper == 2).all()


def test_native_functions_stay_within_bounds(fit, residual, jacobian, native_only):
    for Dfun in (None, jacobian):
        x, ier = leastsq(residual, fit.start, Dfun=Dfun, bounds=(0, 2))
        assert ier in (1, 2, 3, 4)
        assert x[0] == 2


def test_njit_functions_stay_within_bounds(fit):
    @numba.njit
    def residuals(p, x, y):
        if p.min() < 0 or p.max() > 2:
            raise ValueError("outside")
        return p[0] * np.exp(-p[1] * x) + p[2] - y

    x, ier = leastsq(residuals, fit.start, args=(fit.x, fit.y), bounds=(0, 2))
    assert ier in (1, 2, 3, 4)
    assert x == pytest.approx(leastsq(fit.residuals, fit.start, bounds=(0, 2))[0], rel=1e-7)


def test_stop_within_bounds_keeps_the_best_point(fit, library, curve):
    curve.stop_at = 6
    with pytest.raises(StoppedError) as stopped:
        leastsq(NativeFunction(library.residual, 50, data=curve), fit.start, bounds=(0, 2))
    assert np.all((stopped.value.x >= 0) & (stopped.value.x <= 2))


DOSES = np.array([0, 1e-14, 1e-11, 1e-11, 1e-10, 1e-10, 1e-9, 1e-9, 1e-8, 1e-8])
DOSES = np.concatenate([DOSES, [1e-7, 1e-7, 1e-6, 1e-6, 1e-5]])
RESPONSES = np.array([5042, 5259, 5598, 4868, 4769, 3931, 4503, 2588, 3089, 2084, 3665, 2149])
RESPONSES = np.concatenate([RESPONSES, [2216, 1433, 1926.0]])


def log_logistic(x, top, bottom, middle, slope):
    return bottom + (top - bottom) / (1 + (x / middle) ** slope)


@pytest.mark.parametrize("options", [{}, {"chunks": 4}, {"loss": "soft_l1", "f_scale": 1e9}])
@pytest.mark.parametrize(
    "start",
    [
        (1400, 2043, 8e-10, 0.49),
        (2121, 10317, 4.1e-9, 2.5),
        (3709, 2451, 9.6e-10, 0.6),
        (530, 204, 8e-11, 0.05),
    ],
)
def test_a_fit_does_not_end_a_hair_beside_its_bound(start, options):
    """The data are those of a binding experiment (Nitrendipene); two bounds exclude the minimum."""
    bounds = [530, 204, 8e-11, 0.05], [3712.681, 20429, 8.030197e-9, 4.94]
    popt, pcov, info, *_ = curve_fit(
        log_logistic, DOSES, RESPONSES, start, bounds=bounds, full_output=True, **options
    )
    np.testing.assert_array_equal(info["active_mask"], [1, 0, 1, 0])
    np.testing.assert_array_equal(popt[[0, 2]], np.array(bounds[1])[[0, 2]])
    # Those of the fit of the other two alone.
    errors = np.sqrt(np.diag(pcov))
    np.testing.assert_allclose(errors, [0, 536.966, 0, 1.5508], rtol=2e-3)
    if not options:
        many = curve_fit_many(log_logistic, DOSES, RESPONSES[None], start, bounds=bounds)
        np.testing.assert_array_equal(many.popt[0], popt)
        np.testing.assert_array_equal(many.pcov[0], pcov)


RYEGRASS = np.array([0, 0.625, 1.25, 2.5, 7.5, 10, 20])
LENGTHS = np.array([10.63, 9.97, 9.1, 8.45, 4.73, 4.3, 3.68])


@pytest.mark.parametrize("wrap", [lambda model: model, numba.njit], ids=["Python", "njit"])
def test_a_fit_starts_inside_if_the_model_is_not_finite_on_the_bound(wrap):
    """At zero the doses are divided by zero; SciPy moves such a start inside, too."""
    model = wrap(log_logistic)
    start = [11.0, 3.0, 0.0, 2.0]
    expected = optimize.curve_fit(log_logistic, RYEGRASS, LENGTHS, [11, 3, 3, 2])[0]

    def residuals(p):
        return log_logistic(RYEGRASS, *p) - LENGTHS

    with np.errstate(all="ignore"):
        found = [
            curve_fit(model, RYEGRASS, LENGTHS, start, bounds=(0, np.inf))[0],
            curve_fit(model, RYEGRASS, LENGTHS, start, bounds=(0, np.inf), chunks=2)[0],
            curve_fit_many(model, RYEGRASS, LENGTHS[None], start, bounds=(0, np.inf)).popt[0],
            leastsq(residuals, start, bounds=(0, np.inf))[0],
            least_squares(residuals, start, bounds=(0, np.inf)).x,
            least_squares(residuals, start, bounds=([0, 0, 0, 2], np.inf), loss="huber").x,
        ]
    for x in found[:-1]:
        np.testing.assert_allclose(x, expected, rtol=1e-4)
    assert np.isfinite(found[-1]).all()


def test_a_start_that_is_not_finite_inside_either_is_refused():
    def residuals(p):
        return np.full(3, np.nan)

    with pytest.raises(FitError, match="not finite"):
        curve_fit(lambda x, a, b: np.full(3, np.nan), [1, 2, 3], [1, 2, 3], [0, 1], bounds=(0, 2))
    with pytest.raises(ValueError, match="not finite"):
        least_squares(residuals, [0, 1], bounds=(0, 2))


def test_two_parameters_that_are_zero_start_at_different_values():
    """The model divides by their difference."""
    t = np.linspace(0.1, 20, 30)

    def bateman(t, dose, ka, ke):
        return dose * ka / (ka - ke) * (np.exp(-ke * t) - np.exp(-ka * t))

    y = bateman(t, 8, 2, 0.2)
    with np.errstate(all="ignore"):
        popt, _ = curve_fit(bateman, t, y, [8, 0, 0], bounds=(0, np.inf))
    np.testing.assert_allclose(bateman(t, *popt), y, atol=1e-4)


def test_a_fit_starts_inside_if_the_given_jacobian_is_not_finite_on_the_bound():
    x = np.linspace(0.05, 10, 40)

    def toth(x, a, k, power):
        return a * x / (k + x**power) ** (1 / power)

    def jac(x, a, k, power):
        y = toth(x, a, k, power)
        inner = k + x**power
        by_power = y * (np.log(inner) / power**2 - x**power * np.log(x) / (power * inner))
        return np.stack([y / a, -y / (power * inner), by_power], axis=-1)

    y = toth(x, 2, 1.5, 0.6)
    start, bounds = [1.0, 1.0, 0.0], (0, np.inf)
    with np.errstate(all="ignore"):
        found = [
            curve_fit(toth, x, y, start, jac=jac, bounds=bounds)[0],
            curve_fit(toth, x, y, start, jac=jac, bounds=bounds, chunks=9)[0],
            curve_fit_many(toth, x, y[None], start, jac=jac, bounds=bounds).popt[0],
        ]
    for popt in found:
        np.testing.assert_allclose(popt, [2, 1.5, 0.6], rtol=1e-5)


@pytest.mark.parametrize("unit", [1e-12, 1e-20])
def test_small_data_are_fitted_from_zero_bounds(unit):
    """At v = 0, k has no effect; its column is much smaller than 1 elsewhere."""
    x = np.linspace(0.1, 10, 20)

    def f(x, v, k):
        return unit * v * x / (k + x)

    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = rng.uniform(1, 3), rng.uniform(1, 4)
        y = f(x, *truth) + 0.01 * unit * rng.standard_normal(20)
        expected = curve_fit(f, x, y, truth)[0]
        popt = curve_fit(f, x, y, [0, 0], bounds=(0, np.inf))[0]
        np.testing.assert_allclose(popt, expected, rtol=1e-4)
        result = least_squares(lambda p, y=y: f(x, *p) - y, [0, 0], bounds=(0, np.inf))
        np.testing.assert_allclose(result.x, expected, rtol=1e-3)
