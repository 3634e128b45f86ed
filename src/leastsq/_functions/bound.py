"""Functions compiled by Numba, bound to arrays whose contents the core replaces."""

from __future__ import annotations

from typing import Any

from leastsq._core._calls import native_function
from leastsq._functions.functions import NO_JACOBIAN, binding_of, pop_wrong_shape
from leastsq._functions.python import Jacobian, changed_size


def bound_functions(model: Any) -> list[Any] | None:
    """Bind the residuals of a model, and its Jacobian if there is one, to its data.

    Return None if Python must call one of them.
    """
    args = model.data.args
    functions: list[Any] = [binding_of(model.residuals, "residual", args)[1]]
    if model.jacobian is not None:
        functions.append(binding_of(model.jacobian, "Jacobian", args)[1])
    return None if None in functions else functions


def callees(functions: list[Any], watched: bool, flag: Any, time_left: float) -> tuple[Any, Any]:
    """Make the objects that the core calls; it differences the model if there is no Jacobian."""
    residual, *jacobian = (
        native_function(f.address, f.data, is_jacobian, watched, True, flag, time_left)
        for f, is_jacobian in zip(functions, (False, True), strict=False)
    )
    return residual, jacobian[0] if jacobian else NO_JACOBIAN


def wrong_shape(functions: list[Any], f: Any, jac: Any, m: int, n: int) -> Exception | None:
    """Make the error for a function that returned a wrong shape, if one did."""
    if shape := pop_wrong_shape(functions[0]):
        return changed_size(f, m, shape[0])
    if len(functions) > 1 and (shape := pop_wrong_shape(functions[1])):
        return Jacobian(jac, m, n, False).mismatch(shape)
    return None
