"""Residuals at many points: what every fit needs to know of it. The rest is imported when used."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from leastsq._arguments.arrays import FloatArray, Function, name_of

if TYPE_CHECKING:
    from leastsq._functions.functions import Functions
    from leastsq._models.model import Model

ALONE = nullcontext()


def side_by_side(
    functions: Functions,
    func: Any,
    args: tuple[Any, ...],
    x0: FloatArray,
    vectorized: bool,
    workers: Any,
) -> AbstractContextManager[None]:
    """Let residuals be evaluated for many points at once, if the user wants that.

    func is the user's function: with vectorized, of points of shape (n, k). The context ends the
    processes that workers needs.
    """
    if not vectorized and workers is None:
        return ALONE
    evaluation = together().of_residuals(functions, func, args, x0, vectorized, workers)
    return evaluation or ALONE


def models_side_by_side(
    functions: Functions, model: Model, x0: FloatArray, vectorized: bool, workers: Any
) -> AbstractContextManager[None]:
    """Let the residuals of a model be evaluated as side_by_side does."""
    if model.is_padded or not (vectorized or workers is not None):
        return ALONE
    return together().of_model(functions, model, x0, vectorized, workers) or ALONE


@cache
def together() -> Any:
    """Import the module that evaluates residuals at many points."""
    from leastsq._models import together

    return together


def at_one_point(func: Function) -> Function:
    """Make a function of one point from a function of many; its x has the shape (n, 1)."""

    def single(p: FloatArray, *args: Any) -> Any:
        values = np.asarray(func(p[:, np.newaxis], *args))
        if values.ndim != 2 or values.shape[1] != 1:
            raise ValueError(
                f"{name_of(func)} is not vectorized: for x of shape ({p.size}, 1) it must return "
                f"values of shape (m, 1), not {values.shape}"
            )
        return values[:, 0]

    single.__name__ = name_of(func)
    return single
