"""Functions compiled by Numba, in the form in which the core calls them.

This module is imported when a function compiled by Numba is used, so Numba is imported already.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
from numba.core.errors import NumbaError

from leastsq._core._calls import hold
from leastsq._functions.njit_adapters import SHAPE, binder
from leastsq._functions.njit_code import (
    VECTOR,
    Known,
    cut_loose,
    in_object_mode,
    known_of,
    remember_codes,
    resolve,
    signature_of,
)

ROOM = 64  # words, enough for most arguments
COMPILERS = {"", "leastsq", "llvmlite", "numba", "numpy"} | sys.stdlib_module_names


class CompiledFunction:
    """An njit function together with its arguments, for one fit."""

    __slots__ = ("_block", "_function", "_held", "_known", "address", "data")

    def __init__(self, function: Any, known: Known, bind: Any, args: tuple[Any, ...]) -> None:
        block = np.empty(ROOM, np.int64)
        self.address, release, words, self.data = bind(block, *args)
        if words > ROOM:
            block = np.empty(words, np.int64)
            self.data = bind(block, *args)[3]
        self._block, self._function, self._known = block, function, known
        code = bind, known  # another thread may replace both
        self._held = hold(release, self.data, (block, code))

    def is_current(self) -> bool:
        """Tell whether the function has not been recompiled since."""
        return known_of(self._function) is self._known

    def pop_wrong_shape(self) -> tuple[int, ...]:
        """Return the shape that the function returned, if it was wrong, and forget it."""
        shape = self._block[SHAPE : SHAPE + 2].tolist()
        self._block[SHAPE : SHAPE + 2] = 0
        return tuple(length - 1 for length in shape if length)


def is_single(function: Any) -> bool:
    """Tell whether a function returns float32."""
    return known_of(function).is_single


class Refusal(NamedTuple):
    """Why a function cannot be called natively, and whether Numba can call it from Python."""

    reason: str
    numba_calls_it: bool


def bound(function: Any, role: str, args: tuple[Any, ...]) -> CompiledFunction | Refusal:
    """Bind a function to its arguments, or say why it must be called from Python."""
    known = known_of(function)
    if known.refusals:
        refusal: Refusal | None = known.refusals.get((role, kinds(function, args)))
        if refusal is not None:
            return refusal
    before = sys.exception()
    for is_last in (False, True):
        try:
            return bind(function, known, role, args)
        except Exception as error:
            refuse_foreign(error, before)
            # Try again: a signal may have disturbed Numba.
            if not (is_last or isinstance(error, NumbaError)):
                continue
            why = reason(function, args, error, before)
            refusal = Refusal(why, compiles(function, args, before))
            remember(function, known)
            known.refusals.setdefault((role, kinds(function, args)), refusal)
            return refusal
    raise AssertionError


def bind(function: Any, known: Known, role: str, args: tuple[Any, ...]) -> CompiledFunction:
    """Bind a function to its arguments, and compile what this needs."""
    code = known.binders.get(role)
    if code is None:
        code = known.binders[role] = binder(function, role)
    compiled = CompiledFunction(function, known, code, args)
    remember(function, known)
    return compiled


def remember(function: Any, known: Known) -> None:
    """Remember what was compiled for a function, and for the model that it was made from."""
    if known.model is not None:
        cut_loose(function)
        remember_codes(known.model, known_of(known.model))
    remember_codes(function, known)


def refuse_foreign(error: BaseException | None, before: BaseException | None) -> None:
    """Raise errors that do not come from compilation, such as MemoryError, again."""
    while error is not None and error is not before:
        if isinstance(error, MemoryError | RecursionError):
            raise error
        if not isinstance(error, NumbaError) and came_from_outside(error):
            raise error
        error = error.__cause__ or error.__context__


def came_from_outside(error: BaseException) -> bool:
    """Tell whether an error comes from other code than a compiler, such as a signal handler."""
    place = error.__traceback__
    while place is not None:
        name = str(place.tb_frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] not in COMPILERS:
            return True
        place = place.tb_next
    return False


def reason(
    function: Any, args: tuple[Any, ...], error: Exception, before: BaseException | None
) -> str:
    """Find out why the function itself cannot be compiled; Numba's error is about bind."""
    try:
        resolve(function, kinds(function, args))
    except Exception as own_error:
        refuse_foreign(own_error, before)
        return summary(own_error)
    return summary(error)


def compiles(function: Any, args: tuple[Any, ...], before: BaseException | None) -> bool:
    """Tell whether Numba can compile a function in some mode, so that Python can call it."""
    try:
        given = (VECTOR, *kinds(function, args))
        return in_object_mode(function) or signature_of(function, given) is not None
    except Exception as error:  # most errors of a failed compilation are NumbaErrors, not all
        refuse_foreign(error, before)
        return False


def kinds(function: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Get the types of arguments for which Numba compiles a function."""
    return tuple(map(function.typeof_pyval, args))


def summary(error: Exception) -> str:
    """Take the first part of Numba's message, before its hints."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    end = next((i for i, line in enumerate(lines) if not line or line.startswith("File ")), None)
    return " ".join(lines[:end]) or type(error).__name__
