"""Functions compiled by Numba -> functions that the core calls by address; what is known of each.

A failure in compiled code is told by calling the function again from Python. This module is
imported when a function of Numba's was met, and never before Numba itself.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import numpy as np

from leastsq._adapters import (
    FAILED,
    POINT,
    ROLES,
    VECTOR,
    binder,
    in_object_mode,
    resolve,
    signature_of,
)
from leastsq._checks import FLOAT64, FloatArray


class CompiledFunction:
    """An njit function together with its arguments, for one fit."""

    __slots__ = ("_block", "address", "data", "returned")

    def __init__(
        self, block: np.ndarray[Any, np.dtype[np.int64]], address: int, data: int, returned: Any
    ) -> None:
        self._block = block
        self.address = address
        self.data = data
        self.returned = returned  # at x0, None after an error; it may lie in the block

    @property
    def failed(self) -> bool:
        """Whether the last call of the function failed."""
        return bool(self._block[FAILED])

    def point(self, n: int) -> FloatArray:
        """Copy the x of the call that failed."""
        return self._block[POINT : POINT + n].view(FLOAT64).copy()


class Refusal(NamedTuple):
    """Why a function cannot be called natively, and whether Numba can call it from Python."""

    reason: str
    numba_calls_it: bool


class Known(NamedTuple):
    """What has been compiled for an njit function in each role, and what could not be."""

    binders: dict[str, Any]
    refusals: dict[Any, Refusal]


KNOWN: weakref.WeakKeyDictionary[Any, Known] = weakref.WeakKeyDictionary()


def bound(
    function: Any, role: str, x: FloatArray, args: tuple[Any, ...]
) -> CompiledFunction | Refusal:
    """Bind a function to its arguments; or say why it must be called from Python."""
    known = KNOWN.get(function)
    if known is None:
        known = KNOWN[function] = Known({}, {})
    bind = known.binders.get(role)
    if bind is None:
        bind = known.binders[role] = binder(function, ROLES[role])
    if known.refusals:
        refusal = known.refusals.get((role, kinds(args)))
        if refusal is not None:
            return refusal
    try:
        return CompiledFunction(*bind(x, *args))
    except Exception as error:  # whatever Numba makes of what it does not know
        refusal = Refusal(summary(cause(function, args) or error), compiles(function, args))
        return known.refusals.setdefault((role, kinds(args)), refusal)


def cause(function: Any, args: tuple[Any, ...]) -> Exception | None:
    """Find what is the matter with the function itself, which Numba does not say of bind."""
    try:
        resolve(function, tuple(map(function.typeof_pyval, args)))
    except Exception as error:
        return error
    return None


def compiles(function: Any, args: tuple[Any, ...]) -> bool:
    """Tell whether Numba can compile a function in some mode, so that Python can call it."""
    try:
        given = (VECTOR, *map(function.typeof_pyval, args))
        return in_object_mode(function) or signature_of(function, given) is not None
    except Exception:  # most, but not all that a compilation fails with is a NumbaError
        return False


def kinds(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Tell arguments apart as far as it takes to remember what failed."""
    return tuple((type(a), getattr(a, "dtype", None), getattr(a, "ndim", None)) for a in args)


def summary(error: Exception) -> str:
    """Take from Numba's message what comes before its hints."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    end = next((i for i, line in enumerate(lines) if not line or line.startswith("File ")), None)
    return " ".join(lines[:end]) or type(error).__name__
