"""least_squares beside SciPy's: methods, Jacobians, losses, bounds, results."""

import itertools
import pickle
import re

import numba
import numpy as np
import pytest
from scipy import optimize, sparse

import leastsq
from leastsq import OptimizeResult, OptimizeWarning, least_squares

T = np.linspace(0, 5, 50)
LOSSES = ["linear", "soft_l1", "huber", "cauchy", "arctan"]
METHODS = ["trf", "dogbox", "lm"]


def residuals(p, t, y):
    return p[0] * np.exp(-p[1] * t) + p[2] - y


def slopes(p, t, y):
    decay = np.exp(-p[1] * t)
    return np.column_stack((decay, -p[0] * t * decay, np.ones_like(t)))


def with_outliers(seed, share=0.1):
    """Make a decay with noise, and outliers of 40 times the noise."""
    rng = np.random.default_rng(seed)
    p = rng.uniform([1, 0.5, 0], [4, 2, 1])
    y = residuals(p, T, 0) + 0.05 * rng.standard_normal(T.size)
    is_outlier = rng.random(T.size) < share
    return y + np.where(is_outlier, rng.normal(0, 2, T.size), 0)


Y = with_outliers(3)


def cubic(z):
    """A loss of our own: 3/2 ((1 + z)**(2/3) - 1)."""
    t = 1 + z
    return np.array([1.5 * (t ** (2 / 3) - 1), t ** (-1 / 3), -1 / 3 * t ** (-4 / 3)])


def cost_of(p, loss, scale):
    z = (residuals(p, T, Y) / scale) ** 2
    rho = {
        "linear": z,
        "soft_l1": 2 * (np.sqrt(1 + z) - 1),
        "huber": np.where(z <= 1, z, 2 * np.sqrt(z) - 1),
        "cauchy": np.log1p(z),
        "arctan": np.arctan(z),
    }
    values = cubic(z)[0] if callable(loss) else rho[loss]
    return 0.5 * np.sum(scale**2 * values)


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
    for y in (np.repeat([0.0, 10], 10), np.repeat([0.0, 10], [10, 11])):
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


def test_huge_residuals_have_an_infinite_cost():
    result = least_squares(lambda x: np.array([1e200 * (x[0] - 1), 1e199]), [0.5])
    np.testing.assert_allclose(result.x, 1)
    assert result.cost == np.inf


def test_losses_see_no_padding():
    def shifted(z):
        return np.array([z + 1, np.ones_like(z), np.zeros_like(z)])

    assert least_squares(lambda p: p[:2] - 1, [0.0, 0, 0], loss=shifted).cost == pytest.approx(1)


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
    [(698, [1.31, 0.24, 1.69], 0.06, None), (53, [2.74, 0.5, 0.81], 0.1, 184)],
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
