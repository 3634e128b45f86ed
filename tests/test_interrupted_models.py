"""A time-out of the user's, raised by a signal handler within the model, ends every fit."""

import numpy as np
import pytest

from leastsq import curve_fit, curve_fit_many

X = np.linspace(0, 5, 40)
STACK = np.array([(2 + k) * np.exp(-1.5 * X) + 0.5 + 0.01 * np.cos(40 * X) for k in range(60)])


def timed_out(call):
    calls = []

    def model(x, a, b, c):
        calls.append(a)
        if len(calls) == call:
            raise TimeoutError
        return a * np.exp(-b * x) + c

    return model


@pytest.mark.parametrize("call", [11, 12, 13, 14, 15, 16])
@pytest.mark.parametrize("vectorized", [None, False])
def test_in_a_batch(call, vectorized):
    with pytest.raises(TimeoutError):
        curve_fit_many(timed_out(call), X, STACK, vectorized=vectorized)


@pytest.mark.parametrize("call", range(1, 20))
def test_in_parts(call):
    with pytest.raises(TimeoutError):
        curve_fit(timed_out(call), X, STACK[0], chunks=10)
