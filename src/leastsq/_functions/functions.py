"""The functions of one fit: in Python, compiled by Numba, or native."""

from __future__ import annotations

import math
import sys
from functools import cache
from threading import get_ident, main_thread
from time import monotonic
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from leastsq._arguments.arrays import EPSILON, FLOAT64, FloatArray, Function, name_of, refuse_sizes
from leastsq._arguments.warn import warn
from leastsq._core._calls import (
    ModelResiduals,
    first_residuals,
    native_function,
    python_function,
)
from leastsq._functions.native import NativeFunction
from leastsq._functions.python import (
    FLOAT32,
    Jacobian,
    as_many_residuals,
    as_residuals,
    changed_size,
)
from leastsq._functions.roles import ModelForm, Role
from leastsq._functions.signature import refuse_other_count

if TYPE_CHECKING:
    from leastsq._core._calls import Callee, Joint, Observer
    from leastsq._functions.njit import CompiledFunction

    Native = NativeFunction | CompiledFunction

NO_JACOBIAN = 0  # a null pointer
PYTHON_FUNCTIONS = FunctionType, ModelResiduals

LONG_FACTORIZATION = 10**7
"""If m*n**2 is larger, a factorization takes milliseconds, and the GIL is released for it."""


class Functions:
    """func and Dfun with their arguments, for one fit.

    fvec contains the residuals at x0 if is_evaluated is true; otherwise it is filled later.
    precision is the relative error of the residuals. For curve_fit, model is the Model object; it
    evaluates the residuals at x0, and knows whether the model computes in float32. When the clock
    `monotonic` shows deadline, no function is called any more. is_whole tells that these are all
    rows of the fit.
    """

    Dfun: Any = None
    native_func: Native | None = None
    native_Dfun: Native | None = None
    python_Dfun: Jacobian | None = None
    jacobian: Callee | int = NO_JACOBIAN
    together: Joint | Observer | None = None
    """What evaluates the residuals at many points, for differences."""
    is_evaluated = True
    precision = EPSILON
    data_norm = -1.0
    """The norm of the data of a model; negative if it is not known."""

    def __init__(
        self,
        func: Function,
        Dfun: Function | None,
        args: tuple[Any, ...],
        col_deriv: bool,
        x: FloatArray,
        model: Any = None,
        deadline: float = math.inf,
        is_whole: bool = True,
    ) -> None:
        self.func: Any = func
        self.args = args
        self.deadline = deadline
        fvec = self.first_residuals(func, x, model)
        if fvec.dtype is not FLOAT64:
            self.precision = precision_of(fvec.dtype)
            fvec = fvec.astype(FLOAT64)
        elif not (model is None and type(func) is FunctionType) and self.is_single(model):
            self.precision = precision_of(FLOAT32)
        self.fvec = fvec
        self.m, self.n = m, n = fvec.size, x.size
        if is_whole:
            refuse_sizes(m, n)
        if Dfun is not None:
            self.take_jacobian(Dfun, col_deriv)
        is_native = self.native_func is not None and (Dfun is None or self.native_Dfun is not None)
        self.release_the_gil = (is_native or m * n**2 > LONG_FACTORIZATION) and not (
            is_parallel(self.func) or (Dfun is not None and is_parallel(self.Dfun))
        )
        self.residual = self.callee(self.func, self.native_func, as_many_residuals)
        if Dfun is not None:
            self.jacobian = self.callee(self.python_Dfun, self.native_Dfun, None)

    def first_residuals(self, func: Any, x: FloatArray, model: Any) -> Any:
        """Find out how func is called, and evaluate it at x0 unless it is native."""
        if type(func) in PYTHON_FUNCTIONS:  # the usual case
            first = func if model is None else model.first(func)
            return first_residuals(first, x, self.args, as_residuals)
        self.func, self.native_func = binding_of(func, "residual", self.args)
        if isinstance(self.native_func, NativeFunction):
            self.is_evaluated = self.deadline < math.inf
            return self.native_func(x) if self.is_evaluated else self.native_func.room()
        compiled: Any = self.native_func
        if compiled is not None:
            fvec = compiled.residuals_at(x, self.args, not is_parallel(func))
            if fvec is not None:
                return fvec
        first = self.func if model is None else model.first(self.func)
        fvec = first_residuals(first, x, self.args, as_residuals)
        while compiled is not None and not compiled.is_current():
            self.func, compiled = binding_of(func, "residual", self.args)
            fvec = first_residuals(self.func, x, self.args, as_residuals)
        self.native_func = compiled
        if compiled is not None:
            compiled.remember(fvec.size, self.args)
            if compiled.rounds_differently:  # and a difference would contain that
                again = compiled.residuals_at(x, self.args, not is_parallel(func))
                return fvec if again is None else again
        return fvec

    def is_single(self, model: Any) -> bool:
        """Tell whether residuals in float64 were computed in float32."""
        if model is not None:
            return bool(model.is_single)
        native = self.native_func
        if native is None or isinstance(native, NativeFunction):
            return is_single(self.func)
        return native.is_single

    def take_jacobian(self, Dfun: Function, col_deriv: bool) -> None:
        """Find out how Dfun is called."""
        kind = "transpose" if col_deriv else "Jacobian"
        self.Dfun, self.native_Dfun = binding_of(Dfun, kind, self.args)
        refuse_unfit(self.Dfun, self.m)
        self.python_Dfun = Jacobian(self.Dfun, self.m, self.n, col_deriv)
        if self.deadline < math.inf and hasattr(self.Dfun, "points"):
            self.Dfun.points.deadline = self.deadline

    def callee(self, function: Any, native: Native | None, coerce: Any) -> Callee:
        """Make the object that the core calls; coerce is None for a Jacobian."""
        released, time_left = self.release_the_gil, self.time_left
        if native is None:
            return python_function(function, self.args, coerce, released, time_left)
        return native_function(
            native.address,
            native.data,
            coerce is None,
            get_ident() == main_thread().ident,
            released,
            None,
            time_left,
        )

    @property
    def time_left(self) -> float:
        """The time until the deadline, in seconds."""
        return self.deadline if self.deadline == math.inf else self.deadline - monotonic()

    def jacobian_error(self) -> tuple[float, float]:
        """Estimate the relative error of the Jacobian's columns, at least and at most."""
        in_single = self.python_Dfun is not None and self.python_Dfun.is_single
        return jacobian_error(self.Dfun, self.n, self.precision, in_single)

    def raise_wrong_shape(self) -> None:
        """If a function compiled by Numba returned a wrong shape, raise an error that says so."""
        if self.native_func is not None and (shape := pop_wrong_shape(self.native_func)):
            raise changed_size(self.func, self.m, shape[0])
        if self.native_Dfun is not None and (shape := pop_wrong_shape(self.native_Dfun)):
            assert self.python_Dfun is not None
            raise self.python_Dfun.mismatch(shape[::-1] if self.python_Dfun.transposed else shape)


def jacobian_error(
    Dfun: Any, n: int, precision: float, in_single: bool = False
) -> tuple[float, float]:
    """Estimate the relative error of the columns of a Jacobian, at least and at most.

    precision is that of the residuals; in_single tells whether Dfun returns float32.
    """
    if Dfun is None:
        step = precision**0.5
        return step / 4, 10 * step
    if hasattr(Dfun, "error"):
        return Dfun.error / 4, 10 * Dfun.error
    entries = 10 * precision_of(FLOAT32) if in_single else 0.0
    rounding = max(100 * n * EPSILON, entries)
    return rounding, rounding


def pop_wrong_shape(function: Native) -> tuple[int, ...]:
    """Get the shape that a function compiled by Numba returned, if it was wrong."""
    return () if isinstance(function, NativeFunction) else function.pop_wrong_shape()


def binding_of(function: Any, kind: str, args: tuple[Any, ...]) -> tuple[Any, Native | None]:
    """Find the function that Python calls, and the native function if there is one.

    kind is that of its Role.
    """
    if isinstance(function, NativeFunction):
        return function, function
    form = function if isinstance(function, ModelForm) else None
    dispatcher = function if form is None else form.function
    if not is_dispatcher(dispatcher):
        return function, None
    numba = numba_module()
    bound = numba.bound(dispatcher, Role(kind) if form is None else form.role, args)
    if not isinstance(bound, numba.Refusal):
        return function, bound
    if form is not None and form.role.n is not None:
        refuse_other_count(dispatcher, form.role.n)
    warn_of_python(dispatcher, bound.reason)
    if bound.numba_calls_it:
        return function, None
    python = dispatcher.py_func
    return (python if form is None else form.calling(python)), None


@cache
def numba_module() -> Any:
    """Import the module that needs Numba, when a function compiled by Numba is used."""
    from leastsq._functions import njit

    return njit


def is_dispatcher(function: Any) -> bool:
    """Tell whether a function is an njit function, without importing Numba."""
    if type(function) in PYTHON_FUNCTIONS:  # the usual case
        return False
    registry = sys.modules.get("numba.core.registry")
    kind = getattr(registry, "CPUDispatcher", None)  # missing while a thread imports Numba
    return kind is not None and isinstance(function, kind)


def is_single(function: Any) -> bool:
    """Tell whether a function is an njit function that returns float32."""
    return is_dispatcher(function) and bool(numba_module().is_single(function))


def is_parallel(function: object) -> bool:
    """Tell whether a function uses Numba's threads, which serve one caller at a time."""
    options = getattr(function, "targetoptions", None)
    return options is not None and bool(options.get("parallel"))


def is_compiled(function: Any) -> bool:
    """Tell whether a function is compiled by Numba, and leaves the threads to its caller."""
    return is_dispatcher(function) and not is_parallel(function)


def warn_of_python(function: Function, reason: str) -> None:
    """Warn that a compiled function is called from Python, and say why."""
    warn(f"{name_of(function)} is called from Python, which is slow: {reason}", RuntimeWarning)


def precision_of(dtype: np.dtype[Any]) -> float:
    """Estimate the relative error of a function from the dtype of its values."""
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else EPSILON


def refuse_unfit(Dfun: object, m: int) -> None:
    """Refuse a NativeFunction that cannot compute this Jacobian."""
    if not isinstance(Dfun, NativeFunction):
        return
    if Dfun.role == "residual":
        raise TypeError("Dfun must be a Jacobian function, got the residual's signature")
    if Dfun.m != m:
        raise ValueError(f"Dfun is for {Dfun.m} residuals, but func returned {m}")


def refuse_unread(func: Function, Dfun: Function | None) -> None:
    """Refuse arguments if all functions are native, and would not receive them."""
    if isinstance(func, NativeFunction) and (Dfun is None or isinstance(Dfun, NativeFunction)):
        raise TypeError(
            "a NativeFunction receives no args: pass its data as NativeFunction(..., data=data)"
        )
