"""func and Dfun, from Python, Numba or native code -> what the core calls by address."""

from __future__ import annotations

import sys
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from leastsq._callback import addresses
from leastsq._callbacks import as_many_residuals, as_residuals
from leastsq._checks import FLOAT64, FloatArray, Function, name_of, refuse_too_few
from leastsq._jacobian import Jacobian
from leastsq._native import NativeFunction
from leastsq._warnings import warn

if TYPE_CHECKING:
    from leastsq._numba import CompiledFunction

EPSILON = float(np.finfo(FLOAT64).eps)

LARGE = 10**7
"""m*n**2 from where a factorisation takes milliseconds: so long one may wait for the GIL again."""


class Functions:
    """func and Dfun with their arguments; the addresses are good while this lives.

    fvec holds the residuals at x0 if they are evaluated, and has room for them if not; precision is
    their relative error.
    """

    native_func: NativeFunction | CompiledFunction | None = None
    evaluated = True
    precision = EPSILON
    Dfun: Any = None
    jacobian = jacobian_data = 0
    python_Dfun: Jacobian | None = None  # noqa: N815
    native_Dfun: NativeFunction | CompiledFunction | None = None  # noqa: N815

    def __init__(
        self,
        func: Function,
        Dfun: Function | None,
        args: tuple[Any, ...],
        col_deriv: bool,
        x: FloatArray,
    ) -> None:
        self.args = args
        self.n = x.size
        self.func, self.native_func = callee(func, "residual", x, args)
        if isinstance(self.native_func, NativeFunction):
            self.evaluated = False
            self.fvec = self.native_func.room()
        else:
            returned = None if self.native_func is None else self.native_func.returned
            if returned is None:
                returned = self.func(x.copy(), *args)
            if type(returned) is np.ndarray and returned.dtype is FLOAT64:
                self.fvec = returned.flatten()
            else:
                residuals = as_residuals(returned, self.func)
                self.fvec, self.precision = residuals.astype(FLOAT64), precision_of(residuals.dtype)
        self.m = m = self.fvec.size
        refuse_too_few(m, self.n)
        if Dfun is not None:
            role = "transpose" if col_deriv else "Jacobian"
            self.Dfun, self.native_Dfun = callee(Dfun, role, x, args)
            self.python_Dfun = Jacobian(self.Dfun, m, self.n, col_deriv)

        in_python = self.native_func is None or (Dfun is not None and self.native_Dfun is None)
        self.release_the_gil = (not in_python or m * self.n**2 > LARGE) and not (
            is_parallel(self.func) or is_parallel(self.Dfun)
        )
        if in_python:
            self.callback, self.residual, self.jacobian, self.residual_data = addresses(
                self.func, self.python_Dfun, args, as_many_residuals, self.release_the_gil
            )
            self.jacobian_data = self.residual_data
        if self.native_func is not None:
            self.residual, self.residual_data = self.native_func.address, self.native_func.data
        if self.native_Dfun is not None:
            refuse_unfit(self.native_Dfun, m)
            self.jacobian, self.jacobian_data = self.native_Dfun.address, self.native_Dfun.data

    def raise_failure(self) -> None:
        """If a function compiled by Numba failed, call it from Python, where it can say why."""
        for function, native, call in (
            (self.func, self.native_func, self.residuals_at),
            (self.Dfun, self.native_Dfun, self.jacobian_at),
        ):
            if native is None or isinstance(native, NativeFunction) or not native.failed:
                continue
            call(native.point(self.n))
            raise RuntimeError(
                f"{name_of(function)} failed in compiled code, but not when it was called "
                "again from Python"
            )

    def residuals_at(self, x: FloatArray) -> object:
        """Evaluate the residuals from Python, with every check."""
        return as_many_residuals(self.func(x, *self.args), self.func, self.m)

    def jacobian_at(self, x: FloatArray) -> object:
        """Evaluate the Jacobian from Python, with every check."""
        assert self.python_Dfun is not None
        return self.python_Dfun(x, *self.args)


def callee(
    function: Any, role: str, x: FloatArray, args: tuple[Any, ...]
) -> tuple[Any, NativeFunction | CompiledFunction | None]:
    """Find the form in which Python calls a function, and the native one where there is one."""
    if type(function) is FunctionType:
        return function, None
    if isinstance(function, NativeFunction):
        return function, function
    if not is_dispatcher(function):
        return function, None
    numba = numba_module()
    bound = numba.bound(function, role, x, args)
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
    return registry is not None and isinstance(function, registry.CPUDispatcher)


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
