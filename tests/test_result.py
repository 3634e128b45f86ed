"""What leastsq returns: the tuple, infodict, messages, warnings and exit codes."""

import re
import warnings

import numpy as np
import pytest
from scipy import optimize

from leastsq import leastsq


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@pytest.fixture(params=[False, True], ids=["differenced", "analytic"])
def options(request, fit):
    return {"Dfun": fit.jacobian if request.param else None, "full_output": True}


def test_outputs_have_scipys_types_and_layout(fit, options):
    ours = leastsq(fit.residuals, fit.start, **options)
    theirs = optimize.leastsq(fit.residuals, fit.start, **options)
    assert [type(part) for part in ours] == [type(part) for part in theirs]
    assert list(ours[2]) == list(theirs[2])
    for name, value in theirs[2].items():
        assert type(ours[2][name]) is type(value), name
        if isinstance(value, np.ndarray):
            assert ours[2][name].dtype == value.dtype, name
            assert ours[2][name].shape == value.shape, name
            assert ours[2][name].flags.c_contiguous, name
    assert ours[0].flags.owndata
    assert ours[0].flags.writeable


def test_outputs_agree_with_scipys(fit, options):
    ours = leastsq(fit.residuals, fit.start, **options)
    theirs = optimize.leastsq(fit.residuals, fit.start, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-7)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)
    np.testing.assert_allclose(ours[2]["fvec"], theirs[2]["fvec"], atol=1e-7)
    np.testing.assert_array_equal(ours[2]["ipvt"], theirs[2]["ipvt"])
    np.testing.assert_allclose(
        np.abs(np.triu(ours[2]["fjac"].T[:3])), np.abs(np.triu(theirs[2]["fjac"].T[:3])), rtol=1e-5
    )
    assert ours[4] == theirs[4]


def test_outputs_belong_together(fit):
    seen = {}

    def jacobian(p):
        seen["J"] = fit.jacobian(p)
        seen["f"] = fit.residuals(p)
        return seen["J"]

    x, cov_x, info, _, _ = leastsq(fit.residuals, fit.start, Dfun=jacobian, full_output=True)
    R = info["fjac"].T[:3]
    J = seen["J"][:, info["ipvt"]]
    np.testing.assert_array_equal(R, np.triu(R))
    assert not info["fjac"][:, 3:].any()
    assert (np.diff(np.abs(np.diag(R))) <= 0).all()
    np.testing.assert_allclose(R.T @ R, J.T @ J, rtol=1e-12)
    np.testing.assert_allclose(R.T @ info["qtf"], J.T @ seen["f"], atol=1e-12)
    np.testing.assert_allclose(cov_x, np.linalg.inv(seen["J"].T @ seen["J"]), rtol=1e-10)
    np.testing.assert_array_equal(info["fvec"], fit.residuals(x))


def test_singular_jacobian_has_no_covariance():
    x, cov_x, *_, ier = leastsq(lambda x: np.array([x[0], x[0] - 1]), [3.0, 1.0], full_output=True)
    assert cov_x is None
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, [0.5, 1])


def two_parameters(x):
    return np.array([x[0] ** 2 + 1, x[0] - 2, x[1] ** 3 - 1, 5.0])


EXITS = {
    1: {"ftol": 0.1, "xtol": 0.1},
    2: {"ftol": 0.0, "xtol": 1e-4},
    3: {"ftol": 0.9, "xtol": 0.99},
    4: {"gtol": 0.9},
    5: {"maxfev": 5},
    6: {"ftol": 0.0, "xtol": 0.0},
}


@pytest.mark.parametrize(("ier", "exit_options"), EXITS.items())
def test_exit_codes_and_messages_are_scipys(ier, exit_options):
    ours, theirs = (
        solver(two_parameters, [1, 2], full_output=True, **exit_options)
        for solver in (leastsq, optimize.leastsq)
    )
    assert (ours[4], theirs[4]) == (ier, ier)
    assert without_numbers(ours[3]) == without_numbers(theirs[3])


def test_xtol_that_is_too_small_reads_as_in_scipy():
    # With a Jacobian of the wrong sign every step goes wrong, and the region shrinks for ever.
    options = {"Dfun": lambda x: -np.ones((1, 1)), "ftol": 0, "xtol": 0, "full_output": True}
    ours, theirs = (
        solver(lambda x: x - 1, [1 + 1e-6], **options) for solver in (leastsq, optimize.leastsq)
    )
    assert (ours[4], theirs[4]) == (7, 7)
    assert without_numbers(ours[3]) == without_numbers(theirs[3])


def without_numbers(mesg):
    return re.sub(r"\d[-.\de]*", "#", mesg)


def test_small_tolerances_can_be_read_in_messages(fit):
    # SciPy prints them as 0.000000.
    mesg = leastsq(fit.residuals, fit.start, full_output=True, ftol=1e-9, xtol=0)[3]
    assert "1e-09" in mesg


def test_solution_at_the_start_gives_ier_4():
    assert leastsq(rosenbrock, [1.0, 1.0])[1] == 4


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_residuals_that_are_not_finite_at_the_start_give_ier_9(bad):
    # SciPy returns x0 with ier 4, a success.
    def func(x):
        return np.array([x[0], bad])

    x, cov_x, info, mesg, ier = leastsq(func, [2.0], full_output=True)
    assert ier == 9
    assert cov_x is None
    assert info["nfev"] == 1
    assert "not finite" in mesg
    np.testing.assert_array_equal(x, [2])
    with pytest.warns(RuntimeWarning, match="residuals at the starting point are not finite"):
        leastsq(func, [2.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_jacobian_that_is_not_finite_gives_ier_10(fit, bad):
    def jacobian(p):
        J = fit.jacobian(p)
        J[7, 1] = bad
        return J

    *_, ier = leastsq(fit.residuals, fit.start, Dfun=jacobian, full_output=True)
    assert ier == 10
    with pytest.warns(RuntimeWarning, match="Jacobian is not finite"):
        leastsq(fit.residuals, fit.start, Dfun=jacobian)


def test_differencing_steps_back_from_the_edge_of_the_domain():
    def func(x):
        return np.array([x[0] - 0.25, 1.0]) if x[0] <= 1 else np.array([np.nan, np.nan])

    x, ier = leastsq(func, [1.0])
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, 0.25)


def test_residuals_that_are_finite_at_one_point_alone_give_ier_10():
    *_, ier = leastsq(lambda x: np.array([1.0 if x[0] == 1 else np.nan]), [1.0], full_output=True)
    assert ier == 10


def test_trial_point_that_is_not_finite_is_only_rejected():
    def func(x):
        return np.array([np.log(x[0]) + 5]) if x[0] > 0 else np.array([np.nan])

    x, ier = leastsq(func, [1.0])
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, np.exp(-5))


def test_rejected_steps_keep_the_best_x():
    seen = []

    def func(x):
        seen.append((np.sum(rosenbrock(x) ** 2), x.copy()))
        return rosenbrock(x)

    x, _, info, _, ier = leastsq(func, [-1.2, 1.0], maxfev=12, full_output=True)
    assert ier == 5
    best = min(cost for cost, _ in seen)
    assert np.sum(info["fvec"] ** 2) <= best * (1 + 1e-6)
    np.testing.assert_array_equal(rosenbrock(x), info["fvec"])


def test_failure_warns_at_the_callers_line_unless_full_output(fit):
    with pytest.warns(RuntimeWarning, match="maxfev = 5") as caught:
        leastsq(fit.residuals, fit.start, maxfev=5)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert leastsq(fit.residuals, fit.start, maxfev=5, full_output=True)[4] == 5
