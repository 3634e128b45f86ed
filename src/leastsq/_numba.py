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
    HEADER,
    ROLES,
    VECTOR,
    Role,
    binder,
    in_object_mode,
    signature_of,
)
from leastsq._checks import FLOAT64, FloatArray


class CompiledFunction:
    """An njit function together with its arguments, for one fit."""

    __slots__ = ("_block", "address", "data")

    def __init__(self, block: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        self.address, self.data = block[:FAILED].tolist()
        self._block = block

    @property
    def failed(self) -> bool:
        """Whether the last call of the function failed."""
        return bool(self._block[FAILED])

    def point(self, n: int) -> FloatArray:
        """Copy the x of the call that failed."""
        return self._block[HEADER : HEADER + n].view(FLOAT64).copy()


class Known(NamedTuple):
    """What has been compiled for an njit function, and why something could not be."""

    binders: dict[Role, Any]
    reasons: dict[Any, str]


KNOWN: weakref.WeakKeyDictionary[Any, Known] = weakref.WeakKeyDictionary()


def known(function: Any) -> Known:
    """Look up what is known of a function."""
    found = KNOWN.get(function)
    if found is None:
        found = KNOWN[function] = Known({}, {})
    return found


def bound(
    function: Any, role_name: str, x: FloatArray, args: tuple[Any, ...]
) -> CompiledFunction | str:
    """Bind a function to its arguments; or say why it must be called from Python."""
    role = ROLES[role_name]
    binders, reasons = known(function)
    bind = binders.get(role)
    if bind is None:
        bind = binders[role] = binder(function, role)
    key = (role, kinds(args)) if reasons else None
    if key in reasons:
        return reasons[key]
    try:
        return CompiledFunction(bind(x, *args))
    except Exception as error:  # whatever Numba makes of what it does not know
        return reasons.setdefault((role, kinds(args)), summary(error))


def called(function: Any, x: FloatArray, args: tuple[Any, ...]) -> tuple[Any, str | None]:
    """Call a function from Python; return the reason in its place if Numba cannot compile it."""
    reasons = known(function).reasons
    key = kinds(args) if reasons else None
    if key in reasons:
        return None, reasons[key]
    try:
        return function(x, *args), None
    except Exception as error:
        if compiles(function, args):
            raise
        return None, reasons.setdefault(kinds(args), summary(error))


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
