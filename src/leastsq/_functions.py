"""func and Dfun, from Python, Numba or native code -> what the core calls by address."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from leastsq._callback import Callback
from leastsq._callbacks import as_many_residuals, as_residuals
from leastsq._checks import FloatArray, Function, name_of, refuse_too_few
from leastsq._jacobian import Jacobian
from leastsq._native import NativeFunction

if TYPE_CHECKING:
    from leastsq._numba import CompiledFunction


class Functions:
    """func and Dfun with their arguments; the addresses are good while this lives."""

    def __init__(
        self,
        func: Function,
        Dfun: Function | None,
        args: tuple[Any, ...],
        col_deriv: bool,
        x: FloatArray,
        m: int,
    ) -> None:
        self.args = args
        self.m, self.n = m, x.size
        self.func, self.native_func = callee(func, "residual", x, args)
        self.Dfun: Any = None
        self.native_Dfun = self.python_Dfun = None
        if Dfun is not None:
            role = "transpose" if col_deriv else "Jacobian"
            self.Dfun, self.native_Dfun = callee(Dfun, role, x, args)
            self.python_Dfun = Jacobian(self.Dfun, m, self.n, col_deriv)

        self.jacobian = self.jacobian_data = 0
        in_python = self.native_func is None or (Dfun is not None and self.native_Dfun is None)
        if in_python:
            self.callback = Callback(self.func, self.python_Dfun, args, as_many_residuals)
            self.residual, self.jacobian, self.residual_data = self.callback.addresses()
            self.jacobian_data = self.residual_data
        if self.native_func is not None:
            self.residual, self.residual_data = self.native_func.address, self.native_func.data
        self.fills = self.native_Dfun is not None
        if self.native_Dfun is not None:
            refuse_unfit(self.native_Dfun, m)
            self.jacobian, self.jacobian_data = self.native_Dfun.address, self.native_Dfun.data
        self.release_the_gil = not (in_python or is_parallel(self.func) or is_parallel(self.Dfun))

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


def first_residuals(
    func: Any, x: FloatArray, args: tuple[Any, ...]
) -> tuple[Function, NDArray[Any]]:
    """Evaluate func at x0; for what Numba cannot compile the Python function behind it steps in."""
    if isinstance(func, NativeFunction):
        refuse_too_few(func.m, x.size)
        return func, func(x)
    if is_dispatcher(func):
        from leastsq import _numba

        returned, reason = _numba.called(func, x.copy(), args)
        if reason is None:
            return func, as_residuals(returned, func)
        warn_of_python(func, reason, stacklevel=4)
        func = func.py_func
    return func, as_residuals(func(x.copy(), *args), func)


def callee(
    function: Any, role: str, x: FloatArray, args: tuple[Any, ...]
) -> tuple[Any, NativeFunction | CompiledFunction | None]:
    """Find the form in which Python calls a function, and the native one where there is one."""
    if isinstance(function, NativeFunction):
        return function, function
    if not is_dispatcher(function):
        return function, None
    from leastsq import _numba

    bound = _numba.bound(function, role, x, args)
    if not isinstance(bound, str):
        return function, bound
    warn_of_python(function, bound, stacklevel=5)
    return (function if _numba.compiles(function, args) else function.py_func), None


def is_dispatcher(function: Any) -> bool:
    """Tell whether it is an njit function, without importing Numba."""
    registry = sys.modules.get("numba.core.registry")
    return registry is not None and isinstance(function, registry.CPUDispatcher)


def is_parallel(function: object) -> bool:
    """Tell whether it runs in Numba's own threads, which are for one caller at a time."""
    return bool(getattr(function, "targetoptions", {}).get("parallel", False))


def warn_of_python(function: Function, reason: str, stacklevel: int) -> None:
    """Say why a compiled function is called from Python."""
    warnings.warn(
        f"{name_of(function)} is called from Python, which is slow: {reason}",
        RuntimeWarning,
        stacklevel=stacklevel,
    )


def refuse_unfit(Dfun: NativeFunction | CompiledFunction, m: int) -> None:
    """Refuse a NativeFunction that would not compute this Jacobian."""
    if not isinstance(Dfun, NativeFunction):
        return
    if Dfun.role == "residual":
        raise TypeError("Dfun must be a Jacobian function, got the residual's signature")
    if Dfun.m != m:
        raise ValueError(f"Dfun is for {Dfun.m} residuals, but func returned {m}")


def refuse_unread(args: tuple[Any, ...], func: Function, Dfun: Function | None) -> None:
    """Refuse arguments that no function would get."""
    if args and all(isinstance(f, NativeFunction) for f in (func, Dfun) if f is not None):
        raise TypeError("a NativeFunction takes no args: give it its data when it is made")
