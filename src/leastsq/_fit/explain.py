"""Errors of a model, in the words of who calls curve_fit."""

from __future__ import annotations

from typing import Any

from leastsq._arguments.arrays import Function
from leastsq._errors import ShapeError
from leastsq._functions.signature import refuse_other_count


def explain(error: BaseException, f: Function, jac: Function | None, x: Any, n: int) -> None:
    """Say what is wrong with the arguments if that is why a model cannot be called."""
    if isinstance(error, TypeError):
        refuse_other_count(f, n)
        if jac is not None:
            refuse_other_count(jac, n)
    elif isinstance(error, ShapeError):
        error.look_at(x)
