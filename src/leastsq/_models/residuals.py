"""The residuals of a model f(x, *params) and their Jacobian, as functions of the parameters.

The functions take the data as arguments: x, y and the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from leastsq import _core
from leastsq._arguments.arrays import FLOAT64, FloatArray, Function, is_masked, name_of, real_array
from leastsq._arguments.data import Data
from leastsq._arguments.sigma import SCALE, WHITEN
from leastsq._core import _calls
from leastsq._core._calls import model_residuals, model_values
from leastsq._errors import ShapeError
from leastsq._functions.python import refuse_nothing


def residual_form(f: Function, weighing: str | None) -> Function:
    """Make the function that computes the residuals, with or without weights."""
    difference = difference_of(f)
    if weighing is None:
        return named(model_residuals(f, difference, False), f)
    weigh = WEIGHING[weighing]

    def weighed(values: Any, y: FloatArray, weights: FloatArray) -> Any:
        return weigh(weights, difference(values, y))

    return named(model_residuals(f, weighed, weighing == SCALE), f)


def jacobian_form(jac: Function, weighing: str | None, col_deriv: bool) -> Function:
    """Make the function that computes the Jacobian of the residuals, of shape (m, n)."""
    rows_of = transposed if col_deriv else as_array
    if weighing is None:
        return named(lambda p, x, y: rows_of(model_values(jac, x, p)), jac)
    weigh = WEIGHING[weighing]
    return named(lambda p, x, y, weights: weigh(weights, rows_of(model_values(jac, x, p))), jac)


def named(form: Any, function: Function) -> Function:
    """Give a function the name and the attributes `error` and `points` of the user's function."""
    form.__name__ = name_of(function)
    known = getattr(function, "__dict__", None)
    if known:  # few functions have attributes
        for name in ("error", "points"):
            if name in known:
                setattr(form, name, known[name])
    return form  # type: ignore[no-any-return]


def difference_of(f: Function) -> Callable[[Any, FloatArray], Any]:
    """Make the function that subtracts the data from the values of f, and checks their shape."""

    def difference(values: Any, y: FloatArray) -> Any:
        if type(values) is np.ndarray and values.shape == y.shape:
            return values - y
        refuse_nothing(values, f, "the values of the model")
        if is_masked(values):
            raise TypeError(f"{name_of(f)} returns masked values: mask ydata instead")
        try:
            refuse_shape(np.shape(values), y.shape)
            left = np.asarray(values - y)
        except ShapeError:
            raise
        except (TypeError, ValueError) as error:
            raise TypeError(f"The return value of {name_of(f)} must be numbers: {error}") from error
        return left.reshape(y.shape) if left.size == y.size else left

    return difference


def refuse_shape(given: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuse values unless there is one for each point, or one for all points."""
    sizes = math.prod(given), math.prod(wanted)
    if 1 in sizes:
        return
    try:
        together = math.prod(np.broadcast_shapes(given, wanted))
    except ValueError:
        together = 0
    if not sizes[0] == sizes[1] == together:
        raise ShapeError(given, wanted)


def transposed(values: Any) -> Any:
    """Transpose the Jacobian, for col_deriv."""
    return as_array(values).T


def as_array(values: Any) -> Any:
    """Convert a Jacobian to an array of real numbers."""
    return np.atleast_1d(real_array(values, "The return value of jac"))


def scale(weights: FloatArray, values: Any) -> Any:
    """Multiply each row by its weight."""
    refuse_other_rows(values, weights)
    return (weights * values.T).T


def whiten(factor: FloatArray, values: Any) -> Any:
    """Solve L w = values, if the values have the covariance L L'; L is in Fortran order."""
    refuse_other_rows(values, factor)
    columns = np.array(real_array(values.T, "The return value of f"), FLOAT64, order="C")
    _core.whiten(factor, columns.reshape(-1, len(factor)).T)
    return columns.T


def data_norm(data: Data) -> float:
    """Estimate the norm of the data, weighed as the residuals: see data_norms."""
    if data.weighing != WHITEN:
        return _calls.data_norm(data.y, data.weights)
    assert data.weights is not None
    return _calls.data_norm(whiten(data.weights, data.y), None)


def refuse_other_rows(values: Any, errors: FloatArray) -> None:
    """Refuse values unless there is one row for each error in sigma."""
    if errors.size > 1 and len(values) != len(errors):
        raise ValueError("f must return one value, and jac one row, for each error in sigma")


WEIGHING = {SCALE: scale, WHITEN: whiten}


class Padded:
    """Residuals or their Jacobian, with zeros added if there are fewer rows than parameters."""

    def __init__(self, form: Function, n: int, is_jacobian: bool) -> None:
        self.form = form
        self.n = n
        self.is_jacobian = is_jacobian
        self.m = 0
        named(self, form)

    def __call__(self, p: Any, *args: Any) -> Any:
        """Evaluate the function, and count the rows that it returns."""
        values = np.asarray(self.form(p, *args))
        if not self.is_jacobian:
            values = values.reshape(-1)
        self.m = len(values)
        missing = max(self.n - self.m, 0)
        return np.concatenate([values, np.zeros((missing, *values.shape[1:]))])
