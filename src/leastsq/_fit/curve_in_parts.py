"""One fit of a model to data in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leastsq._arguments.arrays import FloatArray, Function
from leastsq._arguments.bounds import Box
from leastsq._arguments.options import Settings
from leastsq._errors import BestPoint
from leastsq._fit.in_parts import InParts
from leastsq._fit.result import Outcome
from leastsq._parts.engines import divided_curve

if TYPE_CHECKING:
    from leastsq._core._calls import Observer


def fit_curve_in_parts(
    f: Function,
    data: tuple[Any, Any, Any],
    p: FloatArray,
    jac: tuple[Any, Function | None],
    col_deriv: bool,
    settings: Settings,
    box: Box | None,
    may_be_few: bool,
    watch: Observer | None,
    deadline: float,
    check_finite: bool | None,
    nan_policy: str | None,
    options: dict[str, Any],
) -> Outcome:
    """Fit a model to xdata, ydata and sigma from p; jac as the user gave it, and as a function."""
    if options.get("vectorized") or options.get("workers") is not None:
        raise ValueError("vectorized and workers are for data in memory, which are not in parts")
    given, derivative = jac
    divided = divided_curve(
        f,
        given,
        col_deriv,
        box,
        settings,
        data,
        check_finite,
        nan_policy,
        options.get("chunks"),
        options.get("threads"),
    )
    with BestPoint(p):
        return InParts(*divided, derivative, settings, box, watch, deadline, may_be_few).solve(p)
