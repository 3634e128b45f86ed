"""The argument jac of curve_fit and of least_squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function, name_of
from leastsq._arguments.bounds import Box
from leastsq._core._calls import model_values
from leastsq._functions.native import NativeFunction
from leastsq._models.differences import (
    THREE_POINT_ERROR,
    Columns,
    Groups,
    broadcast_columns,
    central_columns,
    complex_columns,
)
from leastsq._models.points import AtPoints, known_as
from leastsq._models.sparsity import groups_of

NO_MODEL = "{} must not be a NativeFunction, which computes residuals: pass it to leastsq"


def read_jac(jac: Any, f: Function, box: Box | None, shape: tuple[int, ...]) -> Function | None:
    """Convert jac of curve_fit to a function, or to None for forward differences."""
    if isinstance(jac, NativeFunction):
        raise TypeError(NO_MODEL.format("jac"))
    if jac is None or callable(jac):
        return jac  # type: ignore[no-any-return]
    if not isinstance(jac, str):
        raise TypeError(f"jac must be a function, '2-point', '3-point' or 'cs', got {jac!r}")
    if jac == "2-point":
        return None
    columns = columns_of(jac, box)
    points = AtPoints(lambda q, x: model_values(f, x, q))

    def differenced(x: Any, *params: Any) -> Any:
        p = np.array(params, FLOAT64)
        return broadcast_columns(columns(lambda at: points(at, (x,)), p), shape)

    return known_as(differenced, points, THREE_POINT_ERROR if jac == "3-point" else None)


def jacobian_of(
    fun: Function,
    jac: str,
    box: Box | None,
    m: int,
    steps: FloatArray | None,
    structure: NDArray[np.bool_] | None,
    x0: FloatArray,
) -> Function:
    """Make the Jacobian of m residuals by central differences or complex steps.

    structure tells which elements may be nonzero; None if all may be. x0 is the start of the fit.
    """
    if structure is None:
        columns = columns_of(jac, box, steps)
    else:
        columns = columns_of(jac, box, steps, groups_of(structure), x0)
    points = AtPoints(lambda p, *args: np.asarray(fun(p, *args)).reshape(-1))

    def differenced(x: FloatArray, *args: Any) -> Any:
        values = broadcast_columns(columns(lambda at: points(at, args), x), (m,))
        return values if structure is None else np.where(structure, values, 0)

    return known_as(differenced, points, THREE_POINT_ERROR if jac == "3-point" else None)


def columns_of(
    jac: str,
    box: Box | None,
    steps: FloatArray | None = None,
    groups: Groups | None = None,
    x0: FloatArray | None = None,
) -> Columns:
    """Choose the differences by their name."""
    if jac == "3-point":
        return central_columns(box, steps, groups, x0)
    if jac == "cs":
        return complex_columns(groups)
    raise ValueError(f"jac must be callable, None, '2-point', '3-point' or 'cs', got {jac!r}")


class SparseJacobianError(ValueError):
    """A Jacobian is sparse, or a linear operator."""


def dense(jac: Function, m: int, n: int) -> Function:
    """Check the shape of a Jacobian; name SciPy's solver if it is not an array."""

    def checked(x: FloatArray, *args: Any) -> Any:
        values = jac(x, *args)
        if hasattr(values, "toarray") or hasattr(values, "matvec"):
            raise SparseJacobianError(
                f"{name_of(jac)} returns a {type(values).__name__}: leastsq needs an array. "
                "scipy.optimize.least_squares has solvers for sparse Jacobians"
            )
        array = np.asarray(values)
        if array.ndim < 2 and array.size == m * n:
            return array.reshape(m, n)
        if array.shape != (m, n):
            raise ValueError(
                f"The return value of `jac` has wrong shape: expected {(m, n)}, actual "
                f"{array.shape}"
            )
        return array

    checked.__name__ = name_of(jac)
    return checked
