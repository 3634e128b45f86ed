"""least_squares beside SciPy's: methods, Jacobians, losses, bounds, results."""

import pickle
import re

import numba
import numpy as np
import pytest
from problems.outliers import METHODS, T, Y, cubic, residuals, slopes
from scipy import optimize, sparse

import leastsq
from leastsq import OptimizeResult, OptimizeWarning, least_squares


@pytest.mark.parametrize("method", METHODS)
def test_small_units_do_not_end_a_fit_at_once(method):
    """SciPy's trf compares the gradient with gtol, whatever the unit of the data is."""
    y = Y * 1e-9
    result = least_squares(residuals, [1e-9, 1, 1e-9], args=(T, y), method=method)
    best = least_squares(residuals, [1, 1, 1], args=(T, Y))
    np.testing.assert_allclose(result.x, best.x * [1e-9, 1, 1e-9], rtol=1e-3)
    theirs = optimize.least_squares(residuals, [1e-9, 1, 1e-9], args=(T, y))
    assert theirs.nfev == 1 or theirs.cost >= result.cost


def test_tolerances_have_the_meaning_of_the_method():
    def count(method, **options):
        off = {"ftol": None, "xtol": None, "gtol": None}
        if method == "lm":
            off = dict.fromkeys(off, 1e-15)
        return least_squares(
            residuals, [1, 1, 1], slopes, method=method, args=(T, Y), **{**off, **options}
        )

    by_gtol = count("dogbox", gtol=1e-6)
    assert by_gtol.status == 1
    assert by_gtol.optimality <= 1e-6
    assert count("trf", xtol=1e-4).status == 3
    assert count("lm", xtol=1e-4).status == 3
    assert count("trf", xtol=1e-4).nfev < count("trf", xtol=1e-15).nfev
    assert count("lm", ftol=1e-6).status == 2
    assert count("trf", ftol=1e-6).nfev < count("trf", ftol=1e-15).nfev


def test_optimality_is_scaled_by_the_distance_from_the_bound_for_trf_alone():
    given = {"jac": slopes, "bounds": ([0, 0, 0], [2.2, 3, 3]), "args": (T, Y), "max_nfev": 1}
    for method in ("trf", "dogbox"):
        ours = least_squares(residuals, [2, 1, 1], method=method, **given)
        theirs = optimize.least_squares(residuals, [2, 1, 1], method=method, **given)
        np.testing.assert_allclose(ours.optimality, theirs.optimality, rtol=1e-9)


def test_fewer_residuals_than_parameters():
    def few(p):
        return [p[0] * p[1] - 2]

    ours = least_squares(few, [1.0, 1.0], loss="soft_l1", f_scale=[0.5])
    assert ours.success
    assert ours.fun.shape == (1,)
    assert ours.jac.shape == (1, 2)
    np.testing.assert_allclose(np.prod(ours.x), 2)
    with pytest.raises(ValueError, match="Method 'lm' doesn't work when the number of residuals"):
        least_squares(few, [1.0, 1.0], method="lm")


def test_equal_bounds_fix_a_parameter_and_lm_takes_bounds():
    result = least_squares(
        residuals, [1, 0.7, 1], bounds=([0, 0.7, 0], [9, 0.7, 9]), method="lm", args=(T, Y)
    )
    assert result.x[1] == 0.7
    assert result.active_mask.tolist() == [0, -1, 0]


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
def test_keywords_and_one_argument_without_a_tuple(jac):
    def scaled(p, t, y=0, scale=1):
        return scale * residuals(p, t, y)

    plain = least_squares(scaled, [1, 1, 1], jac, args=(T, Y, 2))
    named = least_squares(scaled, [1, 1, 1], jac, args=T, kwargs={"y": Y, "scale": 2})
    np.testing.assert_array_equal(plain.x, named.x)


def test_calls_are_counted_without_those_for_differences():
    calls = []

    def counted(p):
        calls.append(p.copy())
        return residuals(p, T, Y)

    result = least_squares(counted, [1, 1, 1])
    differences = 3 * (result.njev + 1)  # and once more at the solution
    assert len(calls) == pytest.approx(result.nfev + differences, abs=6)
    assert result.nit < result.nfev
    assert least_squares(counted, [1, 1, 1], max_nfev=5).nfev == 5
    assert least_squares(counted, [1, 1, 1], method="lm").njev is None


@pytest.mark.slow
@pytest.mark.parametrize("jac", ["2-point", "njit"])
@pytest.mark.parametrize("loss", ["linear", "cauchy", cubic])
def test_compiled_functions_give_the_same(loss, jac):
    compiled = numba.njit(residuals)
    options = {"loss": loss, "f_scale": 0.1, "args": (T, Y)}
    ours = least_squares(
        compiled, [1, 1, 1], numba.njit(slopes) if jac == "njit" else jac, **options
    )
    plain = least_squares(residuals, [1, 1, 1], slopes if jac == "njit" else jac, **options)
    np.testing.assert_allclose(ours.x, plain.x, rtol=1e-6)
    np.testing.assert_allclose(ours.jac, plain.jac, atol=1e-5)
    assert ours.status == plain.status


def test_c_functions_and_their_faults(fit, residual, jacobian):
    result = least_squares(residual, fit.start, jacobian)
    np.testing.assert_allclose(result.x, leastsq.leastsq(fit.residuals, fit.start)[0], rtol=1e-5)
    np.testing.assert_allclose(result.jac, fit.jacobian(result.x), atol=1e-8)
    with pytest.raises(ValueError, match="not finite in the initial point"):
        least_squares(residual, [np.float64(1), -1e6, 1])


def test_doubts_are_part_of_the_message():
    flat = least_squares(lambda x: np.array([1.0, 2.0]) + 0 * x[0], [1.0])
    assert flat.message.startswith("`gtol` termination condition is satisfied.\n  But the Jacobian")


def test_args_may_be_a_list():
    listed = least_squares(residuals, [1, 1, 1], args=[T, Y])
    np.testing.assert_array_equal(listed.x, least_squares(residuals, [1, 1, 1], args=(T, Y)).x)
    assert least_squares(lambda x, a: x - a, [1.0], args=2.0).x == pytest.approx(2)


def test_numbers_are_numpys():
    result = least_squares(residuals, [1, 1, 1], args=(T, Y))
    assert type(result.cost) is type(result.optimality) is np.float64


def test_structure_saves_calls():
    n = 30
    structure = np.eye(n, dtype=int) + np.eye(n, k=1, dtype=int) + np.eye(n, k=-1, dtype=int)
    calls = []

    def tridiagonal(x):
        calls.append(x.copy())
        f = (3 - x) * x + 1
        f[1:] -= x[:-1]
        f[:-1] -= 2 * x[1:]
        return f

    plain = least_squares(tridiagonal, -np.ones(n))
    without = len(calls)
    calls.clear()
    for given in (structure, sparse.csr_array(structure)):
        grouped = least_squares(tridiagonal, -np.ones(n), jac_sparsity=given, bounds=(-2, 2))
        np.testing.assert_allclose(grouped.x, plain.x, atol=1e-7)
    assert len(calls) < without / 2
    assert np.min(calls) >= -2
    for jac in ("3-point", "cs"):
        for box in ((-np.inf, np.inf), (-2, 2), (-1, 2)):  # on a bound, differences are one-sided
            options = {"jac": jac, "bounds": box}
            alone = least_squares(tridiagonal, -np.ones(n), **options)
            calls.clear()
            grouped = least_squares(tridiagonal, -np.ones(n), jac_sparsity=structure, **options)
            assert len(calls) <= 7 * grouped.njev + grouped.nfev + 7
            np.testing.assert_allclose(grouped.x, alone.x, atol=1e-9)
            np.testing.assert_allclose(grouped.jac, alone.jac, atol=1e-7)
    with pytest.raises(ValueError, match="`jac_sparsity` has wrong shape"):
        least_squares(tridiagonal, -np.ones(n), jac_sparsity=structure[1:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "newton"}, "`method` must be"),
        ({"jac": "4-point"}, "`jac` must be"),
        ({"loss": "hinge"}, "`loss` must be one of"),
        ({"tr_solver": "best"}, "`tr_solver` must be"),
        ({"tr_solver": "lsmr"}, "sparse Jacobians of scipy.optimize.least_squares"),
        ({"verbose": 3}, "`verbose` must be"),
        ({"max_nfev": 0}, "`max_nfev` must be"),
        ({"x_scale": "auto"}, "x_scale must be"),
        ({"x_scale": -1}, "x_scale must be"),
        ({"f_scale": 0}, "f_scale must be positive"),
        ({"f_scale": [1, 2], "loss": "huber"}, "one for each of the 50 residuals"),
        ({"loss": lambda z: z}, "has wrong shape"),
        ({"x0": [[1, 1, 1]]}, "at most 1 dimension"),
        ({"x0": [1j, 1, 1]}, "must be real"),
        ({"x0": [np.nan, 1, 1]}, "must be finite"),
        ({"bounds": (2, 3)}, "Initial guess is outside of provided bounds"),
        ({"bounds": (3, 2)}, "is above its upper bound"),
        ({"ftol": None, "xtol": None, "gtol": None}, "At least one of the tolerances"),
        ({"ftol": None, "method": "lm"}, "All tolerances must be higher"),
        ({"max_time": -1}, "max_time must not be negative"),
        ({"jac": lambda p, t, y: np.ones((3, 50))}, "wrong shape: expected (50, 3)"),
        ({"jac": lambda p, t, y: sparse.eye_array(50, 3)}, "leastsq needs an array"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, message):
    given = {"x0": [1, 1, 1], "args": (T, Y), **options}
    with pytest.raises(ValueError, match=re.escape(message)):
        least_squares(residuals, **given)


def test_residuals_are_checked_at_the_start():
    with pytest.raises(ValueError, match="not finite in the initial point"):
        least_squares(lambda p: p * np.inf, [1.0])
    with pytest.raises(ValueError, match="at most 1-d"):
        least_squares(lambda p: np.ones((2, 2)) * p, [1.0])
    with pytest.raises(TypeError, match="returns None"):
        least_squares(lambda p: None, [1.0])
    with pytest.warns(UserWarning, match="effectively disables"):
        least_squares(residuals, [1, 1, 1], ftol=1e-17, args=(T, Y))


def test_a_wrong_jacobian_is_told():
    def wrong(p, t, y):
        return -slopes(p, t, y)

    with pytest.warns(OptimizeWarning, match="derivatives are wrong"):
        result = least_squares(residuals, [1, 1, 1], wrong, args=(T, Y))
    assert "check_derivative" in result.message


def test_a_jacobian_that_is_not_finite_ends_the_fit():
    result = least_squares(
        residuals, [1, 1, 1], lambda p, t, y: np.full((50, 3), np.nan), args=(T, Y)
    )
    assert (result.status, result.success) == (-1, False)
    assert np.isnan(result.grad).all()


def test_results_are_dicts_with_attributes():
    result = least_squares(residuals, [1, 1, 1], args=(T, Y))
    again = pickle.loads(pickle.dumps(result))
    assert isinstance(again, OptimizeResult)
    assert again.keys() == result.keys()
    np.testing.assert_array_equal(again.x, result.x)
    result.note = "mine"
    assert result["note"] == "mine"
    del result.note
    assert set(dir(result)) == set(result)
    assert not hasattr(result, "note")
    assert repr(OptimizeResult()) == "OptimizeResult()"
    theirs = optimize.least_squares(residuals, [1, 1, 1], args=(T, Y))
    assert set(theirs) <= set(result)
    lines = repr(result).splitlines()
    assert lines[0] == "     message: `ftol` termination condition is satisfied."
    assert [line for line in lines if line.startswith(" active_mask: [0 0 0]")]


def test_sparse_problems_go_to_scipy_under_the_patch():
    def sparse_slopes(p, t, y):
        return sparse.csr_array(slopes(p, t, y))

    with leastsq.patch_scipy():
        for options in (
            {"jac": sparse_slopes},
            {"tr_solver": "lsmr"},
            {"jac_sparsity": np.ones((50, 3))},
        ):
            result = optimize.least_squares(residuals, [1, 1, 1], args=(T, Y), **options)
            assert "nit" not in result
        ours = optimize.least_squares(residuals, [1, 1, 1], args=(T, Y))
        assert isinstance(ours, optimize.OptimizeResult)
        assert "nit" in ours
        assert optimize.least_squares(residuals, [1, 1, 1], args=(T, Y), max_time=0).status == -3


def test_huge_residuals_have_an_infinite_cost():
    result = least_squares(lambda x: np.array([1e200 * (x[0] - 1), 1e199]), [0.5])
    np.testing.assert_allclose(result.x, 1)
    assert result.cost == np.inf


def test_a_cost_that_is_no_sum_of_squares_is_named():
    def negative(z):
        return np.array([np.log1p(z) - 5, 1 / (1 + z), -1 / (1 + z) ** 2])

    with pytest.raises(ValueError, match="The cost is negative or not finite"):
        least_squares(residuals, [1, 1, 1], loss=negative, args=(T, Y))
    with pytest.raises(ValueError, match="f_scale must be positive, from 1e-150"):
        least_squares(residuals, [1, 1, 1], loss="huber", f_scale=1e300, args=(T, Y))
    with pytest.raises(ValueError, match="diag must not spread"):
        least_squares(residuals, [1, 1, 1], x_scale=[1e-200, 1, 1e200], args=(T, Y))


def test_c_functions_take_no_other_arguments(residual):
    for options in ({"kwargs": {"a": 1}}, {"vectorized": True}, {"args": (1,)}):
        with pytest.raises(TypeError, match="NativeFunction"):
            least_squares(residual, [1, 1, 1], **options)
    with pytest.raises(ValueError, match="at least as many residuals"):
        least_squares(residual, np.ones(51))


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
@pytest.mark.parametrize("scale", [1, 1e-6, 1e-12, 1e9])
def test_a_structure_does_not_change_what_is_found_in_any_units(jac, scale):
    t = np.linspace(0, 5, 50)

    def residuals(p, y):
        return p[0] * np.exp(-p[1] / scale * t) + p[2] - y

    for seed in range(10):
        y = 3 * np.exp(-t) + 0.5 + 0.05 * np.random.default_rng(seed).standard_normal(50)
        for start in [2, 0.7 * scale, 0.3], [2, 0.7 * scale, 0]:
            alone = least_squares(residuals, start, args=(y,))
            grouped = least_squares(residuals, start, jac, jac_sparsity=np.ones((50, 3)), args=(y,))
            assert grouped.success
            assert grouped.cost <= alone.cost * (1 + 1e-6)


@pytest.mark.parametrize("ratio", [1e-3, 1e-6, 1e-9])
def test_a_structure_does_not_hide_a_small_coefficient(ratio):
    """The change by a step relative to the coefficient may be lost in rounding errors."""
    t = np.linspace(0, 1, 30)
    structure = np.ones((30, 2))
    for seed in range(10):
        y = 3 + 3 * ratio * t + 0.1 * ratio * np.random.default_rng(seed).standard_normal(30)

        def residuals(p, y=y):
            return p[0] + p[1] * t - y

        alone = least_squares(residuals, [3.1, 2 * ratio])
        grouped = least_squares(residuals, [3.1, 2 * ratio], jac_sparsity=structure)
        assert grouped.cost <= alone.cost * (1 + 1e-3)


@pytest.mark.parametrize(("loss", "rho"), [("arctan", np.arctan), ("cauchy", np.log1p)])
def test_a_crawling_robust_fit_does_not_lose_its_gradient(loss, rho):
    """Each step brings more than the model promises, so the rows of outliers lose their weight."""
    x = np.linspace(0.05, 10, 50)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        v, k = rng.uniform(1, 5), rng.uniform(0.5, 1.5)
        y = v * x / (k + x)
        lower = np.array([0, 1.2 * k])
        start = [v * rng.uniform(0.7, 1.3), 1.01 * lower[1]]

        def residuals(p, y=y):
            return p[0] * x / (p[1] + x) - y

        def jacobian(p):
            return np.stack([x / (p[1] + x), -p[0] * x / (p[1] + x) ** 2], 1)

        bounds = lower, np.inf
        options = {"bounds": bounds, "loss": loss, "f_scale": 0.001}
        result = least_squares(residuals, start, jacobian, **options)
        if result.success and "predicts" not in result.message:
            for part in 1e-7, 1e-6, 1e-5:
                lower_down = np.maximum(result.x * (1 - part * np.sign(result.grad)), lower)
                cost = 0.5e-6 * np.sum(rho((residuals(lower_down) / 0.001) ** 2))
                assert cost > result.cost * (1 - 5e-6)
