"""Fits of every kind, side by side in many threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from problems.curve import curve, curve_transpose, njit_curve, njit_jacobian
from problems.models import derivatives, exponential

from leastsq import FitError, NativeFunction, StoppedError, curve_fit, leastsq

THREADS = 16
FITS = 1000


def shown(result):
    """All that came out of a fit, as bytes and text that can be compared."""
    if isinstance(result, tuple | list):
        return tuple(map(shown, result))
    if isinstance(result, dict):
        return tuple((key, shown(value)) for key, value in result.items())
    return result.tobytes() if isinstance(result, np.ndarray) else repr(result)


@pytest.fixture
def kinds(fit, library, residual, jacobian):
    """Calls from a starting point with mixed functions and options."""
    data = {"args": (fit.x, fit.y)}
    full = {"full_output": True}
    box = {"bounds": ([0, 0, 0.55], [2.2, np.inf, 2])}
    model = exponential, fit.x, fit.y
    buffer = threading.local()

    def into_a_buffer(p):
        buffer.values = getattr(buffer, "values", np.empty(50))
        np.subtract(fit.residuals(p), 0, out=buffer.values)
        return buffer.values

    def raising(p):
        if p[1] > 1.1:
            raise FitError("no", p, {}, 0)
        return fit.residuals(p)

    stopping = NativeFunction(library.to_count, 3, data=fit.x)
    return [
        lambda x0: leastsq(fit.residuals, x0),
        lambda x0: leastsq(into_a_buffer, x0, **full),
        lambda x0: leastsq(curve, x0, **data, **full, factor=0.5),
        lambda x0: leastsq(fit.residuals, x0, Dfun=fit.jacobian, **full, diag=[1, 2, 3]),
        lambda x0: leastsq(curve, x0, Dfun=curve_transpose, col_deriv=True, **data),
        lambda x0: leastsq(fit.residuals, x0, **full, **box),
        lambda x0: leastsq(fit.residuals, x0, Dfun=fit.jacobian, **box),
        lambda x0: leastsq(fit.residuals, x0, **full, maxfev=6, epsfcn=1e-10),
        lambda x0: leastsq(residual, x0, **full),
        lambda x0: leastsq(residual, x0, Dfun=jacobian, **full, **box),
        lambda x0: leastsq(residual, x0, Dfun=fit.jacobian),
        lambda x0: leastsq(njit_curve, x0, **data, **full),
        lambda x0: leastsq(njit_curve, x0, Dfun=njit_jacobian, **data, **box),
        lambda x0: leastsq(stopping, x0),
        lambda x0: leastsq(raising, x0),
        lambda x0: curve_fit(*model, x0, sigma=np.linspace(1, 2, 50)),
        lambda x0: curve_fit(*model, x0, jac=derivatives, bounds=(0, 3)),
        lambda x0: curve_fit(*model, x0, maxfev=4),
    ]


@pytest.mark.slow
def test_sixteen_threads_of_a_thousand_fits_give_the_serial_answers(kinds):
    starts = np.random.default_rng(1).uniform(0.6, 2, (5, 3))

    def solve(k):
        try:
            return shown(kinds[k % len(kinds)](starts[k % len(starts)]))
        except (FitError, StoppedError) as failure:
            return type(failure), str(failure)

    period = len(kinds) * len(starts)
    expected = [solve(k) for k in range(period)]
    assert len(set(expected)) > period / 2
    together = threading.Barrier(THREADS)

    def differing(thread):
        together.wait()
        numbers = range(7 * thread, 7 * thread + FITS)
        return [k for k in numbers if solve(k) != expected[k % period]]

    with ThreadPoolExecutor(THREADS) as pool:
        assert not any(pool.map(differing, range(THREADS)))
