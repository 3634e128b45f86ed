"""func and Dfun, from Python, Numba or native code -> what the core calls by address."""

from __future__ import annotations

import sys
from functools import cache
from threading import get_ident, main_thread
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from leastsq._callback import addresses, first_residuals, watch
from leastsq._callbacks import as_many_residuals, as_residuals, changed_size
from leastsq._checks import FLOAT64, FloatArray, Function, name_of, refuse_sizes
from leastsq._jacobian import Jacobian
from leastsq._native import NativeFunction
from leastsq._warnings import warn

if TYPE_CHECKING:
    from leastsq._numba import CompiledFunction

FLOAT32 = np.dtype(np.float32)
EPSILON = float(np.finfo(FLOAT64).eps)

LARGE = 10**7
"""m*n**2 from where a factorisation takes milliseconds: so long one may wait for the GIL again."""


class Functions:
    """func and Dfun with their arguments; the addresses are good while this lives.

    fvec holds the residuals at x0 if they are evaluated, and has room for them if not; precision is
    their relative error. A model tells how to evaluate them at x0, and whether they are computed in
    float32.
    """

    def __init__(
        self,
        func: Function,
        Dfun: Function | None,
        args: tuple[Any, ...],
        col_deriv: bool,
        x: FloatArray,
        model: Any = None,
    ) -> None:
        native_func: NativeFunction | CompiledFunction | None = None
        native_Dfun: NativeFunction | CompiledFunction | None = None
        python_Dfun: Jacobian | None = None
        first = func if model is None else model.first
        if type(func) is not FunctionType:  # most are one, and need no look
            is_compiled = is_dispatcher(func)
            func, native_func = callee(func, "residual", args)
            first = func if is_compiled or model is None else first
        self.evaluated = not isinstance(native_func, NativeFunction)
        if isinstance(native_func, NativeFunction):
            fvec = native_func.room()
        else:
            fvec = first_residuals(first, x, args, as_residuals)
            while native_func is not None and not is_current(native_func):
                func, native_func = callee(func, "residual", args)  # compiled anew meanwhile
                fvec = first_residuals(func, x, args, as_residuals)
        self.precision = EPSILON
        if fvec.dtype is not FLOAT64:
            self.precision = precision_of(fvec.dtype)
            fvec = fvec.astype(FLOAT64)
        elif (model is None and is_single(func)) or (model is not None and model.is_single):
            self.precision = precision_of(FLOAT32)
        m, n = fvec.size, x.size
        refuse_sizes(m, n)
        in_python = native_func is None
        if Dfun is not None:
            role = "transpose" if col_deriv else "Jacobian"
            Dfun, native_Dfun = callee(Dfun, role, args)
            python_Dfun = Jacobian(Dfun, m, n, col_deriv)
            in_python = in_python or native_Dfun is None

        self.release_the_gil = (not in_python or m * n**2 > LARGE) and not (
            is_parallel(func) or is_parallel(Dfun)
        )
        if in_python:
            self.callback, self.residual, self.jacobian, data = addresses(
                func, python_Dfun, args, as_many_residuals, self.release_the_gil
            )
            self.residual_data = self.jacobian_data = data
        if native_func is not None:
            self.residual, self.residual_data = native_func.address, native_func.data
        if native_Dfun is not None:
            refuse_unfit(native_Dfun, m)
            self.jacobian, self.jacobian_data = native_Dfun.address, native_Dfun.data
        if (native_func or native_Dfun) and get_ident() == main_thread().ident:
            self.look_for_signals(native_func is not None, native_Dfun is not None)
        self.func, self.native_func = func, native_func
        self.Dfun: Any = Dfun
        self.native_Dfun, self.python_Dfun = native_Dfun, python_Dfun
        self.args, self.fvec, self.m, self.n = args, fvec, m, n

    def jacobian_error(self) -> tuple[float, float]:
        """Estimate the relative error of the Jacobian's columns, at least and at most."""
        if self.Dfun is None:
            step = self.precision**0.5
            return step / 4, 10 * step
        if hasattr(self.Dfun, "error"):
            return self.Dfun.error / 4, 10 * self.Dfun.error
        is_single = self.python_Dfun is not None and self.python_Dfun.is_single
        rounding = 100 * self.n * (precision_of(FLOAT32) if is_single else EPSILON)
        return rounding, rounding

    def look_for_signals(self, of_residual: bool, of_jacobian: bool) -> None:
        """Let Python handle its signals between the calls of native functions."""
        self.watch, residual, jacobian, data = watch(
            self.residual if of_residual else 0,
            self.residual_data if of_residual else 0,
            self.jacobian if of_jacobian else 0,
            self.jacobian_data if of_jacobian else 0,
            self.release_the_gil,
        )
        if of_residual:
            self.residual, self.residual_data = residual, data
        if of_jacobian:
            self.jacobian, self.jacobian_data = jacobian, data

    def raise_wrong_shape(self) -> None:
        """Raise what is wrong with what a function compiled by Numba returned, if that is it."""
        if self.native_func is not None and (shape := wrong_shape(self.native_func)):
            raise changed_size(self.func, self.m, shape[0])
        if self.native_Dfun is not None and (shape := wrong_shape(self.native_Dfun)):
            assert self.python_Dfun is not None
            raise self.python_Dfun.mismatch(shape)


def is_current(function: NativeFunction | CompiledFunction) -> bool:
    """Tell whether a function was not compiled anew since it was bound to its arguments."""
    return isinstance(function, NativeFunction) or function.is_current()


def wrong_shape(function: NativeFunction | CompiledFunction) -> tuple[int, ...]:
    """Tell the shape of what a function compiled by Numba returned, if that was wrong."""
    return () if isinstance(function, NativeFunction) else function.wrong_shape


def callee(
    function: Any, role: str, args: tuple[Any, ...]
) -> tuple[Any, NativeFunction | CompiledFunction | None]:
    """Find the form in which Python calls a function, and the native one where there is one."""
    if isinstance(function, NativeFunction):
        return function, function
    if not is_dispatcher(function):
        return function, None
    numba = numba_module()
    bound = numba.bound(function, role, args)
    if not isinstance(bound, numba.Refusal):
        return function, bound
    warn_of_python(function, bound.reason)
    if bound.numba_calls_it:
        return function, None
    return getattr(function, "in_python", function.py_func), None


@cache
def numba_module() -> Any:
    """Import what needs Numba, once a function of Numba's was met."""
    from leastsq import _numba

    return _numba


def is_dispatcher(function: Any) -> bool:
    """Tell whether it is an njit function, without importing Numba."""
    registry = sys.modules.get("numba.core.registry")
    kind = getattr(registry, "CPUDispatcher", None)  # another thread may be importing Numba
    return kind is not None and isinstance(function, kind)


def is_single(function: Any) -> bool:
    """Tell whether it is an njit function that returns float32, whatever Python makes of it."""
    return is_dispatcher(function) and bool(numba_module().is_single(function))


def is_parallel(function: object) -> bool:
    """Tell whether it runs in Numba's own threads, which are for one caller at a time."""
    options = getattr(function, "targetoptions", None)
    return options is not None and bool(options.get("parallel"))


def warn_of_python(function: Function, reason: str) -> None:
    """Say to whoever called leastsq why a compiled function is called from Python."""
    warn(f"{name_of(function)} is called from Python, which is slow: {reason}", RuntimeWarning)


def precision_of(dtype: np.dtype[Any]) -> float:
    """Guess the relative error of a function that returns numbers of a dtype."""
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else EPSILON


def refuse_unfit(Dfun: NativeFunction | CompiledFunction, m: int) -> None:
    """Refuse a NativeFunction that would not compute this Jacobian."""
    if not isinstance(Dfun, NativeFunction):
        return
    if Dfun.role == "residual":
        raise TypeError("Dfun must be a Jacobian function, got the residual's signature")
    if Dfun.m != m:
        raise ValueError(f"Dfun is for {Dfun.m} residuals, but func returned {m}")


def refuse_unread(func: Function, Dfun: Function | None) -> None:
    """Refuse arguments where no function would get them."""
    if all(isinstance(f, NativeFunction) for f in (func, Dfun) if f is not None):
        raise TypeError("a NativeFunction takes no args: give it its data when it is made")
