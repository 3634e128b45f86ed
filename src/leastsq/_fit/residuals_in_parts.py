"""One fit of residuals in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leastsq._arguments.arrays import FloatArray, Function
from leastsq._arguments.bounds import Box
from leastsq._arguments.options import Settings
from leastsq._errors import add_best_point
from leastsq._fit.in_parts import InParts
from leastsq._fit.result import Outcome
from leastsq._parts.engines import divided_residuals

if TYPE_CHECKING:
    from leastsq._core._calls import Watch


def fit_residuals_in_parts(
    func: Function,
    Dfun: Function | None,
    args: tuple[Any, ...],
    col_deriv: bool,
    x: FloatArray,
    settings: Settings,
    box: Box | None,
    watch: Watch | None,
    deadline: float,
    partitioned: bool,
    threads: Any,
) -> Outcome:
    """Minimize the sum of squares over all parts from x."""
    divided = divided_residuals(func, Dfun, args, col_deriv, settings, partitioned, threads)
    try:
        return InParts(*divided, Dfun, settings, box, watch, deadline, False).solve(x)
    except BaseException as error:
        add_best_point(error, x)
        raise
