"""func and Dfun, from Python, Numba or native code -> what the core calls by address."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from leastsq._callback import Callback
from leastsq._callbacks import as_many_residuals, as_residuals
from leastsq._checks import FloatArray, Function, name_of, refuse_too_few
from leastsq._jacobian import Jacobian
from leastsq._native import NativeFunction

if TYPE_CHECKING:
    from leastsq._numba import CompiledFunction


class Callee(NamedTuple):
    """One function of a fit: as Python calls it, and natively where that is possible."""

    function: Function
    native: NativeFunction | CompiledFunction | None

    @property
    def may_run_without_gil(self) -> bool:
        """Whether several threads may be inside at once; Numba's own threads are for one caller."""
        options = getattr(self.function, "targetoptions", {})
        return self.native is not None and not options.get("parallel", False)

    def raise_failure(self, call: Callable[[FloatArray], object], n: int) -> None:
        """If compiled code failed, call it again from Python, where it can say why."""
        if self.native is None or isinstance(self.native, NativeFunction):
            return
        if self.native.failed:
            call(self.native.point(n))
            raise RuntimeError(
                f"{name_of(self.function)} failed in compiled code, but not when it was called "
                "again from Python"
            )


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
        self.func = callee(func, "residual", x, args)
        self.Dfun = self.python_Dfun = None
        if Dfun is not None:
            self.Dfun = callee(Dfun, "transpose" if col_deriv else "Jacobian", x, args)
            self.python_Dfun = Jacobian(self.Dfun.function, m, self.n, col_deriv)
        callees = [self.func] if self.Dfun is None else [self.func, self.Dfun]
        self.release_the_gil = all(each.may_run_without_gil for each in callees)

        self.residual = self.residual_data = self.jacobian = self.jacobian_data = 0
        if any(each.native is None for each in callees):
            self.callback = Callback(self.func.function, self.python_Dfun, args, as_many_residuals)
            self.residual, self.jacobian, self.residual_data = self.callback.addresses()
            self.jacobian_data = self.residual_data
        if self.func.native is not None:
            self.residual, self.residual_data = self.func.native.address, self.func.native.data
        self.fills = self.Dfun is not None and self.Dfun.native is not None
        if self.Dfun is not None and self.Dfun.native is not None:
            refuse_unfit(self.Dfun.native, m)
            self.jacobian, self.jacobian_data = self.Dfun.native.address, self.Dfun.native.data

    def raise_failure(self) -> None:
        """Raise what a function compiled by Numba failed with, if one did."""
        self.func.raise_failure(self.residuals_at, self.n)
        if self.Dfun is not None:
            self.Dfun.raise_failure(self.jacobian_at, self.n)

    def residuals_at(self, x: FloatArray) -> object:
        """Evaluate the residuals from Python, with every check."""
        func = self.func.function
        return as_many_residuals(func(x, *self.args), func, self.m)

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


def callee(function: Any, role: str, x: FloatArray, args: tuple[Any, ...]) -> Callee:
    """Find the native form of a function, or the form in which Python can call it."""
    if isinstance(function, NativeFunction):
        return Callee(function, function)
    if not is_dispatcher(function):
        return Callee(function, None)
    from leastsq import _numba

    bound = _numba.bound(function, role, x, args)
    if not isinstance(bound, str):
        return Callee(function, bound)
    warn_of_python(function, bound, stacklevel=5)
    return Callee(function if _numba.compiles(function, args) else function.py_func, None)


def is_dispatcher(function: Any) -> bool:
    """Tell whether it is an njit function, without importing Numba."""
    registry = sys.modules.get("numba.core.registry")
    return registry is not None and isinstance(function, registry.CPUDispatcher)


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
