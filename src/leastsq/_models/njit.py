"""A model compiled by Numba -> residuals and their Jacobian in compiled code."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload

from leastsq._arguments.sigma import SCALE, WHITEN
from leastsq._errors import ShapeError
from leastsq._functions.njit_adapters import WORD
from leastsq._functions.njit_code import known_of
from leastsq._models.residuals import IN_PYTHON, Tools


def compiled(make: Any, function: Any, weighing: str | None, n: int, *flags: bool) -> Any:
    """Compile a form of n parameters, and leave with it what to call where that fails."""
    forms = known_of(function).forms
    key = make, weighing, n, flags
    if key not in forms:
        nogil = not function.targetoptions.get("parallel")
        form = njit(nogil=nogil)(make(function, weighing, tools_for(n), *flags))
        form.in_python = make(function.py_func, weighing, IN_PYTHON, *flags)
        known_of(form).model = function
        forms.setdefault(key, form)  # once it is whole
    return forms[key]


@cache
def tools_for(n: int) -> Tools:
    """Make what compiled forms of n parameters are built of."""

    @intrinsic
    def unpack(typing_context, p):  # type: ignore[no-untyped-def]
        numbers = types.UniTuple(types.float64, n)

        def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
            data = builder.extract_value(values[0], 4)
            loaded = [builder.load(builder.gep(data, [WORD(j)])) for j in range(n)]
            return context.make_tuple(builder, numbers, loaded)

        return numbers(p), generate

    return Tools(unpack, difference_of, as_array, transposed, {SCALE: scale, WHITEN: whiten})


def difference_of(function: Any) -> Any:
    """Take the data from what any model returns, and see that they go together."""
    return difference


@njit
def difference(values, y):  # type: ignore[no-untyped-def]
    """Subtract the data from the values of a model."""
    given = shape_of(values)
    size = 1
    for length in given:
        size *= length
    if 1 not in (size, y.size) and size != y.size:
        raise ShapeError(given, y.shape)
    left = values - y
    if y.size not in (1, left.size):
        raise ShapeError(given, y.shape)
    return left


def shape_of(values: Any) -> Any:
    """Tell the shape of an array, a tuple, a list or a number."""


@overload(shape_of)
def shape_in_compiled_code(values):  # type: ignore[no-untyped-def]
    """Choose how to tell a shape."""
    if isinstance(values, types.Array):
        return lambda values: values.shape
    if isinstance(values, types.Sequence | types.BaseTuple):
        return lambda values: (len(values),)
    return lambda values: (1,)


@njit
def as_array(values):  # type: ignore[no-untyped-def]
    """Leave a Jacobian as it is."""
    return values


@njit
def transposed(values):  # type: ignore[no-untyped-def]
    """Turn the Jacobian that col_deriv speaks of."""
    return values.T


@njit
def scale(weights, values):  # type: ignore[no-untyped-def]
    """Multiply each row by its weight."""
    if weights.size > 1 and values.shape[0] != weights.size:
        raise ValueError("there are not as many rows as errors")
    return (weights * values.T).T


@njit
def whiten(factor, values):  # type: ignore[no-untyped-def]
    """Solve L w = values, for one column or for many."""
    if values.shape[0] != factor.shape[0]:
        raise ValueError("there are not as many rows as errors")
    columns = np.ascontiguousarray(values.T).astype(np.float64)
    for column in columns.reshape(-1, factor.shape[0]):
        substitute(factor, column)
    return columns.T


@njit
def substitute(factor, b):  # type: ignore[no-untyped-def]
    """Solve L w = b in the place of b."""
    for k in range(b.size):
        b[k] /= factor[k, k]
        for i in range(k + 1, b.size):
            b[i] -= b[k] * factor[i, k]
