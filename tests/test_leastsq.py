"""leastsq's arguments: what it takes like SciPy, what it refuses and how it says so."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize

from leastsq import Parts, least_squares, leastsq


def assert_same_solution(ours, theirs):
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    assert ours[1] in (1, 2, 3, 4)
    assert theirs[1] in (1, 2, 3, 4)


@pytest.mark.parametrize(
    "x0",
    [[1, 1, 1], (1, 1, 1), np.ones(3, np.float32), np.ones((3, 1)), np.ones(6)[::2]],
    ids=["list", "tuple", "float32", "2-D", "strided"],
)
def test_any_real_starting_point_serves_as_in_scipy(fit, x0):
    assert_same_solution(leastsq(fit.residuals, x0), optimize.leastsq(fit.residuals, x0))


def test_flags_serve_as_starting_point(fit):
    x, _ = leastsq(fit.residuals, [True, True, True])
    np.testing.assert_array_equal(x, leastsq(fit.residuals, [1, 1, 1])[0])


def test_scalar_starting_point_becomes_one_parameter():
    x, _ = leastsq(lambda x: x - 3, 1.0)
    assert x.shape == (1,)
    np.testing.assert_allclose(x, 3)


@pytest.mark.parametrize("x0", [[1j, 1], ["a", "b"], np.array([1, 1], object), [1, None]])
def test_starting_point_that_is_not_real_is_named(x0):
    with pytest.raises(TypeError, match="x0 must be real numbers"):
        leastsq(lambda x: x, x0)


def test_args_that_are_no_tuple_are_the_only_argument():
    target = np.array([1.0, 2.0])
    x, _ = leastsq(lambda x, y: x - y, [0, 0], args=target)
    np.testing.assert_allclose(x, target)


@pytest.mark.parametrize(
    "shape", [lambda r: r.reshape(10, 5), list, tuple, lambda r: np.ma.array(r), np.asfortranarray]
)
def test_residuals_of_any_shape_and_kind_serve(fit, shape):
    # SciPy: "object too deep for desired array" where they are not 1-D.
    x, _ = leastsq(lambda p: shape(fit.residuals(p)), fit.start)
    np.testing.assert_allclose(x, leastsq(fit.residuals, fit.start)[0], rtol=1e-7)


def test_generator_and_async_function_are_told_so():
    def generator(x):
        yield x

    async def coroutine(x):
        return x

    for func, kind in [(generator, "generator"), (coroutine, "coroutine")]:
        with pytest.raises(TypeError, match=f"{kind} returns a {kind}"):
            leastsq(func, [1.0])


def test_read_only_and_strided_arrays_serve(fit):
    expected, _ = leastsq(fit.residuals, fit.start)

    def residuals(p):
        strided = np.repeat(fit.residuals(p), 2)[::2]
        strided.flags.writeable = False
        return strided

    start = np.repeat(fit.start, 3)[::3]
    start.flags.writeable = False
    np.testing.assert_array_equal(leastsq(residuals, start)[0], expected)


def test_residuals_of_higher_precision_are_rounded():
    def residuals(x):
        return np.asarray(x, np.longdouble) - [3, -1, 2]

    np.testing.assert_allclose(leastsq(residuals, [0.0, 0, 0])[0], [3, -1, 2])
    np.testing.assert_allclose(least_squares(residuals, [0.0, 0, 0]).x, [3, -1, 2])


def test_exact_numbers_serve_as_residuals():
    x, _ = leastsq(lambda x: [Fraction(float(x[0])) - 3, Fraction(float(x[1])) + 1], [0, 0])
    np.testing.assert_allclose(x, [3, -1])


@pytest.mark.parametrize(
    ("returned", "cause"),
    [
        (None, "returns None"),
        (np.array([1j, 1]), "complex128"),
        (np.array([1, 2], object), "'O'"),
        (["a", "b"], "real numbers"),
        ([[1, 2], [3]], "real numbers"),
        ([None, 1], "real numbers"),
    ],
)
def test_unusable_residuals_are_an_error_that_says_why(returned, cause):
    def unusable(x):
        return returned

    with pytest.raises(TypeError, match=f"unusable.*({cause})"):
        leastsq(unusable, [1, 2])


def test_fewer_residuals_than_parameters_read_as_in_scipy():
    with pytest.raises(TypeError, match=r"vector length N=3 must not exceed func output .* M=2"):
        leastsq(lambda x: x[:2], [1, 2, 3])


@pytest.mark.parametrize("change_at", [2, 3, 8])
def test_changed_number_of_residuals_is_an_error_from_the_first_change(fit, change_at):
    calls = []

    def shrinking(p):
        calls.append(p)
        return fit.residuals(p)[len(calls) >= change_at :]

    with pytest.raises(ValueError, match="changed size between calls"):
        leastsq(shrinking, fit.start)
    assert len(calls) == change_at


@pytest.mark.parametrize("flag", [True, False, np.True_])
def test_flag_in_the_place_of_Dfun_is_told_its_keyword(fit, flag):
    with pytest.raises(TypeError, match=f"full_output={flag}"):
        leastsq(fit.residuals, fit.start, (), flag)


@pytest.mark.parametrize(("func", "Dfun"), [("f", None), (None, None), (np.sin, 3.0)])
def test_what_cannot_be_called_is_named(func, Dfun):
    with pytest.raises(TypeError, match="must be callable"):
        leastsq(func, [1.0], Dfun=Dfun)


@pytest.mark.parametrize("name", ["ftol", "xtol", "gtol", "factor", "epsfcn", "atol"])
@pytest.mark.parametrize("value", [1j, "small", [1, 2]])
def test_option_that_is_no_number_is_named(fit, name, value):
    with pytest.raises(TypeError, match=f"{name} must be a real number"):
        leastsq(fit.residuals, fit.start, **{name: value})


@pytest.mark.parametrize(
    "options",
    [
        {"ftol": -1.0},
        {"xtol": -1.0},
        {"gtol": -1.0},
        {"ftol": np.nan},
        {"factor": 0.0},
        {"factor": np.nan},
        {"diag": [1, 0, 1]},
        {"diag": [1, np.nan, 1]},
    ],
    ids=str,
)
def test_improper_option_is_named_and_gives_zero_filled_outputs(fit, options):
    # SciPy's outputs are whatever was in memory.
    (name,) = options
    with pytest.raises(TypeError, match=rf"Improper input parameters\. {name} must"):
        leastsq(fit.residuals, fit.start, **options)
    x, cov_x, info, mesg, ier = leastsq(fit.residuals, fit.start, full_output=True, **options)
    assert (ier, cov_x) == (0, None)
    assert name in mesg
    np.testing.assert_array_equal(x, fit.start)
    assert not info["fjac"].any()
    assert not info["qtf"].any()


@pytest.mark.parametrize(
    "options",
    [
        {"x0": [1, None, 1]},
        {"Dfun": 3},
        {"ftol": "small"},
        {"xtol": -1.0},
        {"maxfev": 2.5},
        {"epsfcn": "a"},
        {"factor": 0.0},
        {"diag": [1, 2]},
        {"diag": [1, 2, -1]},
    ],
    ids=str,
)
def test_bad_input_is_refused_before_func_is_called(fit, options):
    calls = []
    (name,) = options
    with pytest.raises((TypeError, ValueError), match=name):
        leastsq(**{"func": calls.append, "x0": fit.start, **options})
    assert not calls


def test_empty_starting_point_is_improper():
    with pytest.raises(TypeError, match=r"Improper input parameters\. x0 is empty"):
        leastsq(lambda x: np.zeros(3), [])


def test_scale_of_wrong_length_is_told_both_lengths(fit):
    # SciPy reads past its end.
    with pytest.raises(ValueError, match="each of the 3 parameters, got 2"):
        leastsq(fit.residuals, fit.start, diag=[1, 2])


@pytest.mark.parametrize("maxfev", [10.5, None, "10", np.nan])
def test_maxfev_that_is_no_whole_number_is_refused(fit, maxfev):
    with pytest.raises(TypeError, match="maxfev must be a"):
        leastsq(fit.residuals, fit.start, maxfev=maxfev)


@pytest.mark.parametrize("maxfev", [0, -5, 10**30, 1e5, np.inf, np.int64(300)])
def test_maxfev_that_sets_no_limit_is_taken(fit, maxfev):
    assert leastsq(fit.residuals, fit.start, maxfev=maxfev)[1] == 1


def test_atol_is_ftol(fit):
    by_ftol = leastsq(fit.residuals, fit.start, ftol=1e-2, full_output=True)
    by_atol = leastsq(fit.residuals, fit.start, atol=1e-2, full_output=True)
    default = leastsq(fit.residuals, fit.start, full_output=True)
    np.testing.assert_array_equal(by_atol[0], by_ftol[0])
    assert by_atol[2]["nfev"] < default[2]["nfev"]


def test_atol_and_ftol_together_are_refused(fit):
    with pytest.raises(TypeError, match="atol is a synonym of ftol"):
        leastsq(fit.residuals, fit.start, ftol=1e-9, atol=1e-8)


def test_numpy_flags_work(fit):
    # SciPy: "'numpy.bool' object cannot be interpreted as an integer".
    returned = leastsq(
        fit.residuals,
        fit.start,
        Dfun=lambda p: fit.jacobian(p).T,
        full_output=np.True_,
        col_deriv=np.True_,
    )
    assert len(returned) == 5
    assert len(leastsq(fit.residuals, fit.start, full_output=np.False_)) == 2


@pytest.mark.parametrize("diag", [None, [1.0, 2.0, 0.5], [1e-3, 1.0, 1e3]])
@pytest.mark.parametrize("factor", [0.1, 100])
@pytest.mark.parametrize("epsfcn", [None, 0.0, -1.0, 1e-10])
def test_options_lead_the_way_they_lead_scipy(fit, diag, factor, epsfcn):
    options = {"diag": diag, "factor": factor, "epsfcn": epsfcn, "full_output": True}
    ours = leastsq(fit.residuals, fit.start, **options)
    theirs = optimize.leastsq(fit.residuals, fit.start, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4)
    assert abs(ours[2]["nfev"] - theirs[2]["nfev"]) <= 4


def test_single_precision_residuals_are_differenced_with_their_own_step(fit):
    points = []

    def single(p):
        points.append(p)
        return fit.residuals(p).astype(np.float32)

    leastsq(single, fit.start, xtol=1e-4, ftol=1e-4)
    assert points[1][0] - points[0][0] == pytest.approx(np.sqrt(np.finfo(np.float32).eps))


def test_the_users_arrays_stay_as_they_were(fit):
    x0, diag = np.array([1.0, 1.0, 1.0]), np.array([1.0, 2.0, 3.0])
    leastsq(fit.residuals, x0, diag=diag)
    np.testing.assert_array_equal(x0, [1, 1, 1])
    np.testing.assert_array_equal(diag, [1, 2, 3])


@pytest.mark.parametrize("scale", [1e-200, 1e-150, 1e150, 1e200])
def test_residuals_of_any_magnitude_solve_like_residuals_of_one(fit, scale):
    expected, _ = leastsq(fit.residuals, fit.start)
    x, ier = leastsq(lambda p: scale * fit.residuals(p), fit.start)
    np.testing.assert_allclose(x, expected, rtol=1e-6)
    assert ier == 1


def test_zero_solution_at_the_start_is_found():
    x, ier = leastsq(lambda x: x, [0.0, 0.0])
    np.testing.assert_array_equal(x, 0)
    assert ier == 4


@pytest.mark.parametrize("start", [0.0, 1e-300])
@pytest.mark.parametrize("size", [1e-150, 1.0, 1e9, 1e150])
@pytest.mark.parametrize("fixed_scale", [False, True])
def test_residuals_of_any_size_are_solved_from_next_to_zero(start, size, fixed_scale):
    A = np.vander([1.0, 2.0, 3.0, 5.0], 2)
    diag = np.ones(2) if fixed_scale else None
    x, ier = leastsq(
        lambda p: size * (A @ p - A @ [2, 3]), [start, start], Dfun=lambda p: size * A, diag=diag
    )
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, [2, 3], rtol=1e-7)


def precise_fits(size):
    """Linear fits that tolerances of zero let go on for ever."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        J, y = rng.standard_normal((30, 2)), size * rng.standard_normal(30)

        def residuals(p, J=J, y=y):
            return J @ p - y

        def jacobian(p, J=J):
            return J

        options = {"ftol": 0, "xtol": 0, "gtol": 0, "full_output": True}
        x, _, _, mesg, ier = leastsq(residuals, [1, 1], Dfun=jacobian, **options)
        np.testing.assert_allclose(x, np.linalg.lstsq(J, y)[0], rtol=1e-9, atol=1e-12 * size)
        yield ier, mesg


def test_tolerances_of_zero_end_where_numbers_end():
    codes = {}
    for size in (1, 1000):
        codes[size] = dict(precise_fits(size))
    assert {4, 6, 7, 8} >= set(codes[1]) >= {6, 7, 8}
    assert codes[1][6].startswith("ftol=0 is too small, no further reduction")
    assert codes[1][7].startswith("xtol=0 is too small, no further improvement")
    assert codes[1][8].startswith("gtol=0 is too small, func(x) is orthogonal")
    assert set(codes[1000]) <= {4, 8}  # the cosine is known to more digits


class Changing:
    """A number whose value changes."""

    def __init__(self, value):
        self.value = value

    def __float__(self):
        return self.value


class MostlyNine(int):
    """An integer that calls itself another number."""

    def __float__(self):
        return 3.0


def test_options_are_read_anew_in_every_fit(fit):
    def calls(**options):
        return leastsq(fit.residuals, fit.start, full_output=True, **options)[2]["nfev"]

    tolerance = Changing(1e-12)
    precise = calls(ftol=tolerance)
    tolerance.value = 0.1
    assert calls(ftol=tolerance) < precise
    calls(maxfev=MostlyNine(9))
    assert calls(maxfev=9) >= 9


def test_more_parameters_than_can_be_counted_are_refused():
    with pytest.raises(ValueError, match="at most 46339"):
        leastsq(lambda x: x, np.zeros(20_000_000))
    with pytest.raises(ValueError, match="at most 46339"):
        leastsq(lambda x, i: x, np.zeros(46340), args=(Parts(lambda i: (i,), 2),))


@pytest.mark.parametrize(
    "start",
    [
        [1, 2.0],
        (1, 2),
        [np.float64(1), 2],
        [np.float32(1), np.int8(2)],
        [True, 2],
        np.array([1, 2]),
        np.array([1, 2], np.uint8),
        np.array([1, 2], np.float16),
        np.array([1.0, 2], np.float32),
        np.array([1.0, 2], ">f8"),
        np.array([[1.0], [2.0]]),
        np.array([9.0, 1, 9, 2])[1::2],
        np.asfortranarray([[1.0, 2.0]]),
    ],
)
def test_starts_of_every_kind_are_the_same_start(start):
    seen = []

    def residuals(p):
        seen.append(p.copy())
        return p - 3

    before = np.array(start)
    x, _ = leastsq(residuals, start)
    assert seen[0].tolist() == [1, 2]
    assert seen[0].dtype == np.float64
    np.testing.assert_allclose(x, 3)
    np.testing.assert_array_equal(before, start)


@pytest.mark.parametrize("start", [2, 2.0, np.float64(2), np.int16(2), np.array(2), [[2]]])
def test_start_may_be_one_number(start):
    x, _ = leastsq(lambda p: p - 3, start)
    assert x.shape == (1,)


@pytest.mark.parametrize(
    "start", ["12", [1, "2"], [1, None], [1j, 2], [10**400, 1], np.ma.array([1, 2], mask=[0, 1])]
)
def test_starts_that_are_not_numbers_are_refused(start):
    with pytest.raises(TypeError, match="x0 must be real numbers"):
        leastsq(lambda p: p - 3, start)
