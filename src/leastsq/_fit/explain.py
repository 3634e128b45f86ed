"""Errors of a model, in the words of who calls curve_fit."""

from __future__ import annotations

from typing import Any

from leastsq._arguments.arrays import Function, name_of
from leastsq._arguments.warn import is_ours
from leastsq._errors import ShapeError, add_note
from leastsq._functions.signature import refuse_other_count

FOR_ONE_POINT = ("can be converted to Python scalars", "truth value of an array")
"""What NumPy says if a function for one number gets an array."""
DATES = (
    "xdata contains dates or times. Convert them to numbers: "
    '(dates - dates[0]) / np.timedelta64(1, "D") are days since the first'
)


def explain(error: BaseException, f: Function, jac: Function | None, x: Any, n: int) -> None:
    """Say what is wrong with the arguments if that is why a model cannot be called."""
    if isinstance(error, ShapeError):
        error.look_at(x)
    elif isinstance(error, TypeError) and is_raised_here(error):
        refuse_other_count(f, n)
        if jac is not None:
            refuse_other_count(jac, n)
    elif isinstance(error, TypeError | ValueError):
        if any(text in str(error) for text in FOR_ONE_POINT):
            add_note(
                error,
                f"{name_of(f)} gets all points at once, as an array: use np.exp in place of "
                "math.exp, and np.where in place of if",
            )
        elif getattr(getattr(x, "dtype", None), "kind", "") in ("m", "M"):
            add_note(error, DATES)


def is_raised_here(error: BaseException) -> bool:
    """Tell whether an exception comes from a call by this library, not from the called function."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or is_ours(trace.tb_frame.f_globals)
