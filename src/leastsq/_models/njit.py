"""The residuals of a model that is compiled by Numba, and their Jacobian."""

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
from leastsq._models import residuals
from leastsq._models.residuals import IN_PYTHON, Tools


def compiled(make: Any, function: Any, weighing: str | None, n: int, *flags: bool) -> Any:
    """Compile a function of n parameters; its attribute in_python is used if that fails."""
    forms = known_of(function).forms
    key = make, weighing, n, flags
    if key not in forms:
        nogil = not function.targetoptions.get("parallel")
        form = njit(nogil=nogil)(make(function, weighing, tools_for(n), *flags))
        form.in_python = make(function.py_func, weighing, IN_PYTHON, *flags)
        known_of(form).model = function
        forms.setdefault(key, form)  # when it is complete, for other threads
    return forms[key]


@cache
def tools_for(n: int) -> Tools:
    """Make the operations for compiled functions of n parameters."""

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
    """Use the same function for every model."""
    return difference


@njit
def difference(values, y):  # type: ignore[no-untyped-def]
    """Subtract the data from the values of a model, and check their shape."""
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
    """Get the shape of an array, a tuple, a list or a number, in compiled code."""


@overload(shape_of)
def shape_in_compiled_code(values):  # type: ignore[no-untyped-def]
    """Choose how to get the shape of values of a type."""
    if isinstance(values, types.Array):
        return lambda values: values.shape
    if isinstance(values, types.Sequence | types.BaseTuple):
        return lambda values: (len(values),)
    return lambda values: (1,)


@njit
def as_array(values):  # type: ignore[no-untyped-def]
    """Return the Jacobian unchanged."""
    return values


@njit
def transposed(values):  # type: ignore[no-untyped-def]
    """Transpose the Jacobian, for col_deriv."""
    return values.T


refuse_other_rows = njit(residuals.refuse_other_rows)


@njit
def scale(weights, values):  # type: ignore[no-untyped-def]
    """Multiply each row by its weight."""
    refuse_other_rows(values, weights)
    return (weights * values.T).T


@njit
def whiten(factor, values):  # type: ignore[no-untyped-def]
    """Solve L w = values for all columns."""
    refuse_other_rows(values, factor)
    columns = np.ascontiguousarray(values.T).astype(np.float64)
    for column in columns.reshape(-1, factor.shape[0]):
        substitute(factor, column)
    return columns.T


@njit
def substitute(factor, b):  # type: ignore[no-untyped-def]
    """Solve L w = b, and store w in b."""
    for k in range(b.size):
        b[k] /= factor[k, k]
        for i in range(k + 1, b.size):
            b[i] -= b[k] * factor[i, k]
