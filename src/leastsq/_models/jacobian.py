"""The argument jac of curve_fit."""

from __future__ import annotations

from typing import Any

from leastsq._arguments.arrays import Function
from leastsq._arguments.bounds import Box
from leastsq._functions.native import NativeFunction
from leastsq._models.differences import complex_step, three_point

NO_MODEL = "{} must not be a NativeFunction, which computes residuals: pass it to leastsq"


def read_jac(jac: Any, f: Function, box: Box | None, shape: tuple[int, ...]) -> Function | None:
    """Convert jac to a function, or to None for forward differences."""
    if isinstance(jac, NativeFunction):
        raise TypeError(NO_MODEL.format("jac"))
    if jac is None or callable(jac):
        return jac  # type: ignore[no-any-return]
    if not isinstance(jac, str):
        raise TypeError(f"jac must be a function, '2-point', '3-point' or 'cs', got {jac!r}")
    if jac == "2-point":
        return None
    if jac == "3-point":
        return three_point(f, box, shape)
    if jac == "cs":
        return complex_step(f, shape)
    raise ValueError(f"jac must be callable, None, '2-point', '3-point' or 'cs', got {jac!r}")
