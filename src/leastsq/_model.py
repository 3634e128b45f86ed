"""A model f(x, *params) and its data -> residuals and their Jacobian, as functions of the params.

The functions here are written once and used twice: as they are, and compiled by Numba where the
model is. They take the data as arguments: x, y and what weighs the residuals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from leastsq import _minpack
from leastsq._checks import FLOAT64, FloatArray, Function, name_of
from leastsq._data import SCALE, WHITEN


class Tools(NamedTuple):
    """What Python and Numba do each in their own way."""

    unpack: Callable[[Any], tuple[Any, ...]]
    as_array: Callable[[Any], Any]
    transposed: Callable[[Any], Any]
    weighing: dict[str, Callable[[FloatArray, Any], Any]]


def residual_form(f: Function, weighing: str | None, tools: Tools) -> Function:
    """Make the function that computes residuals, weighed in one of the two ways or not."""
    unpack = tools.unpack
    if weighing is None:
        return named(lambda p, x, y: f(x, *unpack(p)) - y, f)
    weigh = tools.weighing[weighing]
    return named(lambda p, x, y, weights: weigh(weights, f(x, *unpack(p)) - y), f)


def jacobian_form(jac: Function, weighing: str | None, tools: Tools, col_deriv: bool) -> Function:
    """Make the function that computes the Jacobian of the residuals, of shape (m, n)."""
    unpack, by_rows = tools.unpack, tools.transposed if col_deriv else tools.as_array
    if weighing is None:
        return named(lambda p, x, y: by_rows(jac(x, *unpack(p))), jac)
    weigh = tools.weighing[weighing]
    return named(lambda p, x, y, weights: weigh(weights, by_rows(jac(x, *unpack(p)))), jac)


def named(form: Any, function: Function) -> Function:
    """Give a function the name by which the user knows it, and its error if it tells one."""
    form.__name__ = name_of(function)
    if hasattr(function, "error"):
        form.error = function.error
    return form  # type: ignore[no-any-return]


def transposed(values: Any) -> Any:
    """Turn the Jacobian that col_deriv speaks of."""
    return np.asarray(values).T


def scale(weights: FloatArray, values: Any) -> Any:
    """Multiply each row by its weight."""
    if weights.size > 1 and values.shape[:1] != weights.shape:
        raise ValueError(mismatch(values, weights.size))
    return (weights * values.T).T


def whiten(factor: FloatArray, values: Any) -> Any:
    """Solve L w = values, for what has the covariance L L'; L in Fortran order."""
    if values.shape[:1] != factor.shape[:1]:
        raise ValueError(mismatch(values, len(factor)))
    columns = np.array(values.T, FLOAT64, order="C")
    _minpack.whiten(factor, columns.reshape(-1, len(factor)).T)
    return columns.T


def mismatch(values: Any, m: int) -> str:
    """Say that there are not as many rows as errors."""
    return (
        f"f must return {m} values, and jac {m} rows, as sigma has {m} errors: got {values.shape}"
    )


IN_PYTHON = Tools(tuple, np.asarray, transposed, {SCALE: scale, WHITEN: whiten})


class Padded:
    """A function of fewer residuals than parameters, with zeros in the place of those missing."""

    def __init__(self, form: Function, n: int) -> None:
        self.form = form
        self.n = n
        self.m = 0
        self.__name__ = name_of(form)

    def __call__(self, p: Any, *args: Any) -> Any:
        """Evaluate the function, and count what it returns."""
        values = np.asarray(self.form(p, *args))
        self.m = values.size
        missing = max(self.n - len(values), 0)
        return np.concatenate([values, np.zeros((missing, *values.shape[1:]))])
