"""One fit of residuals in parts."""

from __future__ import annotations

from typing import Any

from leastsq._arguments.arrays import FloatArray, Function
from leastsq._errors import add_best_point
from leastsq._fit.conditions import Conditions
from leastsq._fit.in_parts import InParts
from leastsq._fit.result import Outcome
from leastsq._parts.engines import divided_residuals


def fit_residuals_in_parts(
    func: Function,
    Dfun: Function | None,
    args: tuple[Any, ...],
    col_deriv: bool,
    x: FloatArray,
    conditions: Conditions,
    partitioned: bool,
    threads: Any,
) -> Outcome:
    """Minimize the sum of squares over all parts from x."""
    divided = divided_residuals(
        func, Dfun, args, col_deriv, conditions.settings, partitioned, threads
    )
    try:
        return InParts(*divided, Dfun, conditions).solve(x)
    except BaseException as error:
        add_best_point(error, x)
        raise
