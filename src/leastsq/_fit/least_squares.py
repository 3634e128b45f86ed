"""least_squares: the problem as the solver takes it, and the result as the user sees it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from leastsq import _core
from leastsq._arguments.arrays import FloatArray, Function, are_finite
from leastsq._arguments.bounds import Box
from leastsq._arguments.settings import Settings
from leastsq._core._calls import (
    JACOBIAN_NOT_FINITE,
    NO_TIME,
    OUT_OF_MEMORY,
    RESIDUALS_NOT_FINITE,
    STOPPED,
    TIME_IS_UP,
    TRF,
)
from leastsq._fit.result import Outcome, addition, message
from leastsq._functions.functions import Functions, binding_of, is_dispatcher, refuse_unread
from leastsq._functions.native import NativeFunction, StoppedError
from leastsq._functions.python import as_residuals
from leastsq._models.jacobian import dense, jacobian_of
from leastsq._models.residuals import Padded
from leastsq._models.sparsity import grouped_jacobian, read_sparsity
from leastsq._optimize_result import OptimizeResult

NOT_FINITE = "Residuals are not finite in the initial point."
NO_COST = "The cost is negative or not finite in the initial point, because of `loss` or `f_scale`."
STATUS = {1: 2, 2: 3, 3: 4, 4: 1, 5: 0, 6: 2, 7: 3, 8: 1, 10: -1, TIME_IS_UP: -3, STOPPED: -2}
TEXTS = {
    0: "The maximum number of function evaluations is exceeded.",
    1: "`gtol` termination condition is satisfied.",
    2: "`ftol` termination condition is satisfied.",
    3: "`xtol` termination condition is satisfied.",
    4: "Both `ftol` and `xtol` termination conditions are satisfied.",
}


class Start:
    """The residuals at x0, which are evaluated already; Functions takes them from here."""

    def __init__(self, residuals: FloatArray) -> None:
        self.residuals = residuals
        self.is_single = residuals.dtype == np.float32

    def first(self, func: Function) -> Function:
        """Make the function for the first call."""
        return lambda x, *args: self.residuals


class Problem:
    """The residuals and their Jacobian, as the solver takes them.

    m is the number of residuals. If there are fewer than parameters, the solver gets zeros, too.
    """

    def __init__(
        self,
        fun: Any,
        jac: Any,
        args: tuple[Any, ...],
        x: FloatArray,
        box: Box | None,
        settings: Settings,
        method: str,
        jac_sparsity: Any,
    ) -> None:
        self.args = args
        self.has_jac = callable(jac)
        self.has_njev = self.has_jac or method != "lm"
        self.start: Start | None = None
        if isinstance(fun, NativeFunction):
            if args:
                refuse_unread(fun, jac if callable(jac) else None)
            if fun.m < x.size:
                raise ValueError(
                    "a NativeFunction must return at least as many residuals as x0 has"
                )
            self.m = fun.m
        else:
            fun, residuals = first_call(x, fun, args)
            self.m = residuals.size
            self.start = Start(residuals)
        m, n = self.m, x.size
        if m < n and method == "lm":
            raise ValueError(
                f"Method 'lm' doesn't work when the number of residuals ({m}) is less than the "
                f"number of variables ({n})."
            )
        jac = jacobian_for(fun, jac, m, x, box, settings, jac_sparsity)
        settings.refuse_other_rows(m)
        self.settings = settings
        self.is_padded = m < n
        if self.is_padded:
            fun = Padded(fun, n, is_jacobian=False)
            jac = None if jac is None else Padded(jac, n, is_jacobian=True)
            self.start = Start(np.append(residuals, np.zeros(n - m)))
            self.settings = self.settings.padded(m, n)
        self.fun, self.jac = fun, jac

    def functions(self, x: FloatArray, deadline: float) -> Functions:
        """Make the functions of a fit from x0."""
        return Functions(self.fun, self.jac, self.args, False, x, self.start, deadline)


def first_call(x: FloatArray, fun: Function, args: tuple[Any, ...]) -> tuple[Function, FloatArray]:
    """Evaluate the residuals at x0; also return the function that Numba or Python can call."""
    try:
        return fun, residuals_at(x, fun, args)
    except Exception:
        python = binding_of(fun, "residual", args)[0] if is_dispatcher(fun) else fun
        if python is fun:
            raise
    return python, residuals_at(x, python, args)


def residuals_at(x: FloatArray, fun: Function, args: tuple[Any, ...]) -> FloatArray:
    """Evaluate the residuals at x0, and check their shape."""
    returned = fun(x.copy(), *args)
    residuals = as_residuals(returned, fun)
    if np.ndim(returned) > 1:
        raise ValueError(f"`fun` must return at most 1-d array_like, got {np.ndim(returned)}-d")
    return residuals.copy()


def jacobian_for(
    fun: Function,
    jac: Any,
    m: int,
    x0: FloatArray,
    box: Box | None,
    settings: Settings,
    jac_sparsity: Any,
) -> Function | None:
    """Make the function for the Jacobian, or None for forward differences in the core."""
    n = x0.size
    structure = None if jac_sparsity is None else read_sparsity(jac_sparsity, m, n)
    if callable(jac):
        is_compiled = isinstance(jac, NativeFunction) or is_dispatcher(jac)
        return jac if is_compiled else dense(jac, m, n)
    if jac != "2-point":
        return jacobian_of(fun, jac, box, m, settings.diff_step, structure, x0.copy())
    if structure is None:
        return None
    return grouped_jacobian(fun, structure, box, settings.diff_step, x0.copy())


def result_of(problem: Problem, functions: Functions, outcome: Outcome) -> OptimizeResult:
    """Collect what the user sees."""
    if outcome.ier == RESIDUALS_NOT_FINITE:
        raise ValueError(NO_COST if are_finite(outcome.residuals) else NOT_FINITE)
    settings, m = problem.settings, problem.m
    if outcome.epsfcn is not None:
        settings = replace(settings, epsfcn=outcome.epsfcn)
    jacobian, gradient = jacobian_at_end(functions, outcome, settings)
    status = STATUS[outcome.ier]
    text = TEXTS.get(status, message(outcome.ier, settings))
    if doubt := addition(outcome.ending, has_Dfun=problem.has_jac):
        text = text.removesuffix(".") + doubt
    counts = outcome.counts
    return OptimizeResult(
        message=text,
        success=status > 0,
        status=status,
        x=outcome.x,
        cost=np.float64(outcome.cost),
        fun=outcome.residuals[:m],
        jac=jacobian[:m],
        grad=gradient,
        optimality=optimality(gradient, outcome.x, outcome.box, settings.tests == TRF),
        active_mask=outcome.active_mask(),
        nfev=counts["trials"],
        njev=counts["njev"] if problem.has_njev else None,
        nit=counts["nit"],
    )


def jacobian_at_end(
    functions: Functions, outcome: Outcome, settings: Settings
) -> tuple[FloatArray, FloatArray]:
    """Compute the Jacobian at the solution, and the gradient of the cost; NaN without time."""
    n, m = outcome.x.size, outcome.residuals.size
    columns, weighed = np.empty((n, m)), np.empty(m)
    released = functions.release_the_gil
    differentiate = _core.differentiate_nogil if released else _core.differentiate
    ending = differentiate(
        functions.residual,
        functions.jacobian,
        settings.for_core(
            outcome.box, functions.precision, released=released, together=functions.together
        ),
        outcome.x,
        outcome.residuals,
        columns,
        weighed,
    )
    if ending < 0 and ending != NO_TIME:
        functions.raise_wrong_shape()
        raise StoppedError(ending, outcome.x, outcome.counts["nfev"])
    if ending == OUT_OF_MEMORY:
        raise MemoryError(f"not enough memory for the Jacobian of {m} residuals")
    if ending in (NO_TIME, JACOBIAN_NOT_FINITE):
        return np.full((m, n), np.nan), np.full(n, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):  # of residuals above 1e154
        return columns.T, columns @ weighed


def optimality(
    gradient: FloatArray, x: FloatArray, box: Box | None, by_distance: bool
) -> np.float64:
    """Compute the largest element of the gradient that bounds let decrease the cost."""
    sizes = np.abs(gradient).tolist()
    if box is not None:
        for j, (slope, value) in enumerate(zip(gradient.tolist(), x.tolist(), strict=True)):
            ahead = value - box.lower[j] if slope > 0 else box.upper[j] - value
            if ahead == 0 or (by_distance and ahead < math.inf):
                sizes[j] *= ahead
    return np.float64(math.nan if any(map(math.isnan, sizes)) else max(sizes))
