"""Whatever a user hands over: no crash, no hang, no leak, and only documented exceptions."""

import gc
import warnings
import weakref

import hostile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leastsq import FitError, NativeFunction, StoppedError, curve_fit, leastsq

DOCUMENTED = (TypeError, ValueError, StoppedError, FitError)
OWN = (hostile.FuncError, StopIteration, KeyboardInterrupt, SystemExit)
POINT = st.sampled_from(hostile.POINTS)
GOOD_POINT = st.sampled_from(hostile.POINTS[:17])
TURNS = st.lists(
    st.sampled_from([*hostile.READS, *hostile.ACTS]) | st.sampled_from([*hostile.RETURNS]),
    max_size=12,
)
NUMBER = st.sampled_from(hostile.NUMBERS) | st.sampled_from(hostile.THINGS)
COUNT = st.sampled_from([0, 1, 3, 20, -5, 2**31, 2**63, 10**30, 2.5, np.int8(4), None, "7"])
PAIR = st.tuples(NUMBER, NUMBER)
OPTIONS = st.dictionaries(
    st.sampled_from(["ftol", "xtol", "gtol", "epsfcn", "factor", "diag", "atol"]),
    NUMBER,
    max_size=2,
)
MANY = settings(max_examples=10 * settings().max_examples)
MOST_CALLS = 200 * (hostile.M + 2)
"""By default, of as many parameters as there are residuals."""


def run(call, *others):
    """Call it, and let through what is neither documented nor among the others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except (*DOCUMENTED, *OWN, *others):
            return None


def assert_released(functions):
    """Nothing but the test holds the functions and what they returned."""
    references = [weakref.ref(f) for f in functions.values()]
    references += [weakref.ref(array) for f in functions.values() for array in f.kept]
    functions.clear()
    if any(reference() is not None for reference in references):
        gc.collect()
    assert not [reference() for reference in references if reference() is not None]


@pytest.mark.slow
@MANY
@given(
    POINT | GOOD_POINT, TURNS, st.none() | TURNS, OPTIONS, st.none() | PAIR, COUNT, st.booleans()
)
def test_leastsq_survives(x0, turns, Dfun_turns, options, bounds, maxfev, full_output):
    functions = {"func": hostile.Function(hostile.residuals, turns)}
    if Dfun_turns is not None:
        functions["Dfun"] = hostile.Function(hostile.jacobian, Dfun_turns)
    options = {**options, "bounds": bounds, "maxfev": maxfev, "full_output": full_output}
    result = run(lambda: leastsq(x0=x0, **functions, **options))
    assert functions["func"].calls <= MOST_CALLS
    if result is not None:
        assert result[0].shape == (np.size(x0),)
        assert result[-1] in range(11)
    del result
    assert_released(functions)


@pytest.mark.slow
@MANY
@given(
    POINT | GOOD_POINT,
    POINT | st.just(np.arange(float(hostile.M))),
    POINT | st.just(np.arange(float(hostile.M))),
    st.none() | POINT,
    TURNS,
    OPTIONS,
    st.none() | PAIR,
    st.sampled_from([None, "lm", "trf", "dogbox", "text", 3]),
    st.sampled_from([None, "omit", "raise", "text"]),
    COUNT,
)
def test_curve_fit_survives(p0, x, y, sigma, turns, options, bounds, method, policy, maxfev):
    functions = {"f": hostile.Function(hostile.residuals, turns)}
    if bounds is not None:
        options = {**options, "bounds": bounds}

    def model(x, *p):
        return functions["f"](np.array(p))

    result = run(
        lambda: curve_fit(
            model, x, y, p0, sigma, method=method, nan_policy=policy, maxfev=maxfev, **options
        ),
        OverflowError,  # NumPy's, when it takes ydata from huge integers
    )
    if result is not None:
        popt, pcov = result
        assert pcov.shape == (popt.size, popt.size)
    del result
    assert_released(functions)


@pytest.mark.slow
@MANY
@given(
    st.sampled_from([0, -1, 1, 3, 5, 2**31, 10**30, 2.5, "3", None, np.int64(3)]),
    NUMBER | st.just(b"data"),
    POINT | GOOD_POINT,
    OPTIONS,
    COUNT,
)
def test_native_function_survives(library, m, data, x0, options, maxfev):
    native = run(lambda: NativeFunction(library.to_count, m, data))
    if native is not None and native.m < 1000:
        run(lambda: native(x0))
        run(lambda: leastsq(native, x0, maxfev=maxfev, **options))


@given(NUMBER | POINT)
def test_what_is_no_function_is_refused(thing):
    if callable(thing) or isinstance(thing, int | np.integer):
        return  # a function, or the address of one
    for call in (
        lambda: leastsq(thing, [1, 2]),
        lambda: curve_fit(thing, [1, 2], [1, 2]),
        lambda: NativeFunction(thing, 2),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()
