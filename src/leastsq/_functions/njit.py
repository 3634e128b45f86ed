"""Functions compiled by Numba, in the form in which the core calls them.

This module is imported when a function compiled by Numba is used, so Numba is imported already.
"""

from __future__ import annotations

import os
import sys
from threading import RLock
from typing import Any, NamedTuple

import numpy as np
from numba.core.errors import NumbaError

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.sigma import WHITEN
from leastsq._core._calls import hold, native_residuals
from leastsq._functions.njit_adapters import SHAPE, binder
from leastsq._functions.njit_code import (
    Known,
    in_object_mode,
    known_of,
    remember_codes,
    resolve,
    signature_of,
    size_of,
    types_given,
)
from leastsq._functions.roles import Role

WORD = np.dtype(np.int64)
ROOM = 64  # words, enough for most arguments
LOCK = RLock()
"""A process that is forked while another thread holds it gets a new one."""
COMPILERS = {"", "leastsq", "llvmlite", "numba", "numpy"} | sys.stdlib_module_names


class CompiledFunction:
    """An njit function in a role, together with its arguments, for one fit."""

    __slots__ = ("_block", "_function", "_held", "_known", "_role", "address", "data")

    def __init__(
        self, function: Any, role: Role, known: Known, bind: Any, args: tuple[Any, ...]
    ) -> None:
        block = np.empty(ROOM, WORD)
        self.address, release, words, self.data = bind(block, *args)
        if words > ROOM:
            block = np.empty(words, WORD)
            self.data = bind(block, *args)[3]
        self._block, self._function, self._role, self._known = block, function, role, known
        code = bind, known  # another thread may replace both
        self._held = hold(release, self.data, (block, code))

    def residuals_at(
        self, x: FloatArray, args: tuple[Any, ...], released: bool
    ) -> FloatArray | None:
        """Evaluate the function for as many residuals as the fit before makes expect.

        None if nothing is known of the number, or if it is another one.
        """
        size = self._known.sizes.get(self._role)
        if size is None or self._known.is_mixed:
            return None
        m = size.expected(args) if self._role.n is None else args[1].size
        if m == 1:  # a model may return more values than there are data, if there is one
            return None
        fvec = native_residuals(self.address, self.data, x, m, released)
        if fvec is None:
            self.pop_wrong_shape()
        return fvec

    def remember(self, m: int, args: tuple[Any, ...]) -> None:
        """Remember the number of residuals that the function returned, if there are any."""
        if m > 0:
            self._known.sizes[self._role] = size_of(m, args)

    @property
    def is_single(self) -> bool:
        """Whether the function returns float32."""
        return self._known.is_single

    @property
    def rounds_differently(self) -> bool:
        """Whether the same function in Python may have other rounding errors."""
        return self._role.weighing == WHITEN

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


def bound(function: Any, role: Role, args: tuple[Any, ...]) -> CompiledFunction | Refusal:
    """Bind a function to its arguments, or say why it must be called from Python."""
    if any(map(has_foreign_bytes, args)):
        return Refusal("Numba reads arrays of a foreign byte order as if it were native", False)
    with LOCK:
        return bound_alone(function, role, args)


def has_foreign_bytes(value: Any) -> bool:
    """Tell whether a value contains an array of another byte order than that of this machine."""
    if isinstance(value, tuple):
        return any(map(has_foreign_bytes, value))
    return isinstance(value, np.ndarray) and not value.dtype.isnative


def renew_lock() -> None:
    """Forget that another thread, which is not in this process, holds the lock."""
    global LOCK
    LOCK = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=renew_lock)


def bound_alone(function: Any, role: Role, args: tuple[Any, ...]) -> CompiledFunction | Refusal:
    """Bind a function while no other thread changes what is known of it."""
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
            raise_unrelated(error, before)
            # Try again: a signal may have disturbed Numba.
            if not (is_last or isinstance(error, NumbaError)):
                continue
            why = reason(function, role, args, error, before)
            refusal = Refusal(why, compiles(function, role, args, before))
            remember_codes(function, known)
            known.refusals.setdefault((role, kinds(function, args)), refusal)
            return refusal
    raise AssertionError


def bind(function: Any, known: Known, role: Role, args: tuple[Any, ...]) -> CompiledFunction:
    """Bind a function to its arguments, and compile what this needs."""
    code = known.binders.get(role)
    if code is None:
        code = known.binders[role] = binder(function, role)
    compiled = CompiledFunction(function, role, known, code, args)
    remember_codes(function, known)
    return compiled


def raise_unrelated(error: BaseException | None, before: BaseException | None) -> None:
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
    function: Any,
    role: Role,
    args: tuple[Any, ...],
    error: Exception,
    before: BaseException | None,
) -> str:
    """Find out why the function itself cannot be compiled; Numba's error is about bind."""
    try:
        resolve(function, types_given(role, kinds(function, args)))
    except Exception as own_error:
        raise_unrelated(own_error, before)
        return summary(own_error)
    return summary(error)


def compiles(
    function: Any, role: Role, args: tuple[Any, ...], before: BaseException | None
) -> bool:
    """Tell whether Numba can compile a function in some mode, so that Python can call it."""
    try:
        given = types_given(role, kinds(function, args))
        return in_object_mode(function) or signature_of(function, given) is not None
    except Exception as error:  # most errors of a failed compilation are NumbaErrors, not all
        raise_unrelated(error, before)
        return False


def kinds(function: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Get the types of arguments for which Numba compiles a function."""
    return tuple(map(function.typeof_pyval, args))


def summary(error: Exception) -> str:
    """Take the first part of Numba's message, before its hints."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    end = next((i for i, line in enumerate(lines) if not line or line.startswith("File ")), None)
    return " ".join(lines[:end]) or type(error).__name__
