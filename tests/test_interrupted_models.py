"""A time-out of the user's, raised by a signal handler within the model, ends every fit."""

import numpy as np
import pytest

from leastsq import curve_fit, curve_fit_many, least_squares, leastsq

X = np.linspace(0, 5, 40)
STACK = np.array([(2 + k) * np.exp(-1.5 * X) + 0.5 + 0.01 * np.cos(40 * X) for k in range(60)])


def model_that_raises(call, error):
    calls = []

    def model(x, a, b, c):
        calls.append(a)
        if len(calls) == call:
            raise error
        return a * np.exp(-b * x) + c

    return model


@pytest.mark.parametrize("call", [11, 12, 13, 14, 15, 16])
@pytest.mark.parametrize("vectorized", [None, False])
def test_in_a_batch(call, vectorized):
    with pytest.raises(TimeoutError):
        curve_fit_many(model_that_raises(call, TimeoutError), X, STACK, vectorized=vectorized)


@pytest.mark.parametrize("call", range(1, 20))
def test_in_parts(call):
    with pytest.raises(TimeoutError):
        curve_fit(model_that_raises(call, TimeoutError), X, STACK[0], chunks=10)


@pytest.mark.parametrize("call", range(1, 60, 3))
def test_memory_errors_in_parts(call):
    with pytest.raises(MemoryError):
        curve_fit(model_that_raises(call, MemoryError), X, STACK[0], chunks=10)


class CancelledError(Exception):
    """What a user may raise to end a fit."""


SLOPES = np.random.default_rng(0).standard_normal((400, 20))
TARGET = 2 * SLOPES[:, 0] + 1


def residuals_that_raise(call, error):
    """The first attempt ends with a solution after 111 calls, and others follow."""
    calls = []

    def residuals(p):
        calls.append(p)
        if len(calls) == call:
            raise error
        return SLOPES @ np.tanh(p) - TARGET

    return residuals


@pytest.mark.parametrize("call", [60, 112, 200, 300, 500, 770])
@pytest.mark.parametrize(
    "error", [CancelledError(), MemoryError(), StopIteration(), TimeoutError()]
)
def test_in_a_further_attempt(call, error):
    with pytest.raises(type(error)):
        leastsq(residuals_that_raise(call, error), np.zeros(20))


@pytest.mark.parametrize("call", [200, 500])
def test_a_further_attempt_may_leave_the_domain_of_the_model(call):
    solution = leastsq(residuals_that_raise(0, None), np.zeros(20))
    found = leastsq(residuals_that_raise(call, ValueError("math domain error")), np.zeros(20))
    assert found[1] in (1, 2, 3, 4)
    np.testing.assert_allclose(
        np.sum(residuals_that_raise(0, None)(found[0]) ** 2),
        np.sum(residuals_that_raise(0, None)(solution[0]) ** 2),
        rtol=1e-6,
    )


@pytest.mark.parametrize("solve", [leastsq, least_squares])
def test_whatever_a_callback_raises_ends_every_attempt(solve):
    residuals = residuals_that_raise(0, None)
    steps = []
    solve(residuals, np.zeros(20), callback=lambda x: steps.append(0))
    for step in range(1, len(steps) + 1, 5):
        seen = []

        def callback(x, step=step, seen=seen):
            seen.append(x)
            if len(seen) == step:
                raise ValueError("the user closed the window")

        with pytest.raises(ValueError, match="closed"):
            solve(residuals, np.zeros(20), callback=callback)
        assert len(seen) == step
