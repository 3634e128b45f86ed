"""func and Dfun, from Python or native -> what the core calls by address."""

from __future__ import annotations

from typing import Any, NamedTuple

from leastsq._callback import Callback
from leastsq._callbacks import as_many_residuals
from leastsq._checks import Function
from leastsq._jacobian import Jacobian
from leastsq._native import NativeFunction


class Functions(NamedTuple):
    """Addresses of the functions and of their data, good as long as the callback lives."""

    residual: int
    residual_data: int
    jacobian: int
    jacobian_data: int
    fills: bool
    callback: Callback | None

    @property
    def are_native(self) -> bool:
        """Whether nothing of Python is called."""
        return self.callback is None


def functions_of(
    func: Function,
    Dfun: Function | None,
    args: tuple[Any, ...],
    m: int,
    n: int,
    col_deriv: bool,
) -> Functions:
    """Find the address and the data of each function, and whether the Jacobian is filled in."""
    fills = isinstance(Dfun, NativeFunction)
    python_Dfun = None if fills or Dfun is None else Jacobian(Dfun, m, n, col_deriv)
    residual = residual_data = jacobian = jacobian_data = 0
    callback = None
    if python_Dfun is not None or not isinstance(func, NativeFunction):
        callback = Callback(func, python_Dfun, args, as_many_residuals)
        residual, jacobian, residual_data = callback.addresses()
        jacobian_data = residual_data
    if isinstance(func, NativeFunction):
        residual, residual_data = func.address, func.data
    if isinstance(Dfun, NativeFunction):
        refuse_unfit(Dfun, m)
        jacobian, jacobian_data = Dfun.address, Dfun.data
    return Functions(residual, residual_data, jacobian, jacobian_data, fills, callback)


def refuse_unfit(Dfun: NativeFunction, m: int) -> None:
    """Refuse a native function that would not compute this Jacobian."""
    if Dfun.role == "residual":
        raise TypeError("Dfun must be a Jacobian function, got the residual's signature")
    if Dfun.m != m:
        raise ValueError(f"Dfun is for {Dfun.m} residuals, but func returned {m}")


def refuse_unread(args: tuple[Any, ...], func: Function, Dfun: Function | None) -> None:
    """Refuse arguments that no function would get."""
    if args and all(isinstance(f, NativeFunction) for f in (func, Dfun) if f is not None):
        raise TypeError("a NativeFunction takes no args: give it its data when it is made")
