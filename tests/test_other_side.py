"""Fits whose parameters have the same effect at the start, so that they may go to either side."""

import numpy as np
import pytest
from numba import njit
from scipy import optimize

from leastsq import OptimizeWarning, curve_fit, curve_fit_many, least_squares, leastsq

X = np.linspace(0, 10, 50)
ZEROS = [0, 0, 0]
DECAY_STARTS = [ZEROS, [0, 0, 1], [0, 0, 5], [0, 0, -1]]


def decay(x, a, k, c):
    return a * np.exp(-k * x) + c


def logistic(x, a, k, m, c):
    return a / (1 + np.exp(-k * (x - m))) + c


def noisy(model, truth, seed):
    return model(X, *truth) + 0.1 * np.random.default_rng(seed).standard_normal(X.size)


def decays(sign, count=10):
    for seed in range(count):
        rng = np.random.default_rng(seed)
        truth = sign * rng.uniform(1, 5), rng.uniform(0.2, 2), rng.uniform(-1, 2)
        yield truth, noisy(decay, truth, seed)


def lowest(model, y, truth):
    popt = optimize.curve_fit(model, X, y, truth)[0]
    return np.sum((model(X, *popt) - y) ** 2)


def chi2(model, y, popt):
    return np.sum((model(X, *popt) - y) ** 2)


@pytest.fixture(autouse=True)
def overflowing():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("p0", DECAY_STARTS)
def test_exponentials_without_amplitude_are_found(p0, sign):
    for truth, y in decays(sign):
        popt = curve_fit(decay, X, y, p0)[0]
        assert chi2(decay, y, popt) <= 1.0001 * lowest(decay, y, truth)
        result = least_squares(lambda p, y=y: decay(X, *p) - y, p0, max_nfev=2000)
        assert 2 * result.cost <= 1.0001 * lowest(decay, y, truth)


def test_logistic_curves_are_found_from_zeros():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = [rng.uniform(1, 5), rng.uniform(0.5, 3), rng.uniform(3, 7), rng.uniform(-1, 2)]
        y = noisy(logistic, truth, seed)
        popt = curve_fit(logistic, X, y, [0, 0, 0, 0])[0]
        assert chi2(logistic, y, popt) <= 1.0001 * lowest(logistic, y, truth)


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), ([-9, 0, -9], [9, 9, 9])])
@pytest.mark.parametrize("model", [decay, njit(decay)])
def test_a_batch_finds_what_curve_fit_finds(model, bounds):
    stack = np.array([y for sign in (1, -1) for _, y in decays(sign)])
    for p0 in DECAY_STARTS:
        many = curve_fit_many(model, X, stack, p0, bounds=bounds)
        for k, y in enumerate(stack):
            alone = curve_fit(model, X, y, p0, bounds=bounds, full_output=True)
            np.testing.assert_allclose(many.popt[k], alone[0], rtol=1e-7)
            assert (many.nfev[k], many.status[k]) == (alone[2]["nfev"], alone[4])


def test_every_route_goes_to_the_other_side():
    truth, y = next(decays(1))
    p0 = [0, 0, 5]
    wanted, _, info, _, _ = curve_fit(decay, X, y, p0, full_output=True)
    short = leastsq(lambda p: decay(X, *p) - y, p0)
    whole = leastsq(lambda p: decay(X, *p) - y, p0, full_output=True)
    assert short[0].tolist() == whole[0].tolist() == wanted.tolist()
    assert short[1] == whole[4]
    assert whole[2]["nfev"] == info["nfev"]
    np.testing.assert_array_equal(whole[2]["fvec"], decay(X, *wanted) - y)
    for options in ({"chunks": 7}, {"vectorized": True}, {"bounds": (-99, 99)}):
        found = curve_fit(decay, X, y, p0, **options)[0]
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert wanted == pytest.approx(truth, rel=0.2)


def test_the_attempts_share_the_calls():
    for maxfev in (3, 10, 20, 50, 100):
        calls = []
        _, y = next(decays(1))

        def residuals(p, y=y, calls=calls):
            calls.append(p)
            return decay(X, *p) - y

        with pytest.warns(RuntimeWarning, match=f"maxfev = {maxfev}"):
            leastsq(residuals, [0, 0, 5], maxfev=maxfev)
        assert maxfev <= len(calls) <= maxfev + 5


def test_parameters_that_always_act_together_cost_little():
    def redundant(x, a, b, k):
        return (a + b) * np.exp(-k * x)

    for truth, _ in decays(1):
        both = truth[0], 0, truth[1]
        y = noisy(redundant, both, 1)
        with pytest.warns(OptimizeWarning, match="act only together"):
            popt, _, info, _, _ = curve_fit(redundant, X, y, full_output=True)
        assert info["nfev"] <= 100
        assert chi2(redundant, y, popt) <= 1.0001 * lowest(redundant, y, both)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_exception_leaves_the_best_point(error):
    _, y = next(decays(1))
    norms = []
    total = leastsq(lambda p: decay(X, *p) - y, [0, 0, 5], full_output=True)[2]["nfev"]
    for last in (3, total // 3, total // 2 + 5, total - 3):

        def residuals(p, last=last):
            if len(norms) == last:
                raise error
            values = decay(X, *p) - y
            norms.append(np.linalg.norm(values))
            return values

        norms.clear()
        with pytest.raises(error) as caught:
            leastsq(residuals, [0, 0, 5])
        best = np.linalg.norm(decay(X, *caught.value.x) - y)
        assert best <= min(norms) * (1 + 1e-6)
