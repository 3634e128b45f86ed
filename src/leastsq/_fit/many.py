"""Many fits in compiled code: the core fits a group in one call, without the GIL."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.bounds import Box
from leastsq._arguments.data import Data
from leastsq._core._calls import OUT_OF_MEMORY, PROMISE_BROKEN, native_function
from leastsq._fit.batch import Group
from leastsq._fit.one_by_one import OneByOne
from leastsq._fit.plan import Plan
from leastsq._fit.result import SOLVED
from leastsq._fit.results import Results, Solutions
from leastsq._fit.traps import interior, without_effect
from leastsq._functions.functions import (
    EPSILON,
    NO_JACOBIAN,
    callee,
    jacobian_error,
    pop_wrong_shape,
    precision_of,
)
from leastsq._functions.native import NativeFunction, StoppedError
from leastsq._functions.python import FLOAT32, Jacobian, changed_size
from leastsq._models.model import Model


class Bound(NamedTuple):
    """Native functions for data of one shape, and the arrays that they read; None is shared."""

    functions: list[Any]
    residual: Any
    jacobian: Any
    precision: float
    places: tuple[FloatArray | None, ...]


class Many:
    """Fits groups in compiled code. Each thread has one."""

    def __init__(self, plan: Plan, results: Results) -> None:
        self.plan = plan
        self.results = results
        self.one_by_one = OneByOne(plan, results)
        self.bound: dict[Any, Bound] = {}

    def fit(self, group: Group) -> None:
        """Fit a group; what happens in one fit does not stop another."""
        if group.m < self.plan.n:  # possible if parameters are fixed
            self.one_by_one.fit(group)
            return
        found, effect, is_done = self.solve(group, self.bind(group))
        if not is_done.all():
            group = group.take(is_done)
            found = found.take(is_done)
            effect = None if effect is None else effect[is_done]
        box = group.box
        as_least_squares = self.plan.options(box is not None).as_least_squares
        self.results.store(group.places, found, box, as_least_squares)
        if box is None or effect is None:
            return
        inside = interior(group.p, box)
        idle = without_effect(effect, found.x, inside, box, found.fnorm[:, None]).any(axis=1)
        again = idle & np.isin(found.ending % PROMISE_BROKEN, SOLVED)
        if again.any():
            self.one_by_one.fit(group.take(again))

    def solve(
        self, group: Group, bound: Bound
    ) -> tuple[Solutions, FloatArray | None, NDArray[np.bool_]]:
        """Call the core until all fits are done.

        Also return the effects of the parameters if there are bounds, and which fits are done.
        """
        plan, box, (fits, n) = self.plan, group.box, group.p.shape
        settings = plan.options(box is not None).settings
        error = jacobian_error(plan.jac if len(bound.functions) > 1 else None, n, bound.precision)
        cov = state = effect = None
        if self.results.covariance is not False:
            cov, state = np.empty((fits, n, n)), np.zeros((fits, n), np.int32)
        if box is not None:
            effect = np.zeros((fits, n))
        x, fnorm = group.p.copy(), np.zeros(fits)
        info, nfev, done = np.zeros(fits, np.int32), np.zeros(fits, np.int32), np.zeros(1, np.int32)
        is_done = np.zeros(fits, bool)
        first = 0
        while first < fits and not plan.is_cancelled:
            rest = slice(first, None)
            failure: Exception | None = None
            limits = None if box is None else Box(box.lower[rest], box.upper[rest])
            try:
                _core.many(
                    bound.residual,
                    bound.jacobian,
                    settings.for_core(limits, bound.precision),
                    group.m,
                    inputs(bound, group, rest),
                    fits - first,
                    plan.absolute_sigma,
                    *error,
                    x[rest],
                    fnorm[rest],
                    address(cov, rest),
                    address(state, rest),
                    address(effect, rest),
                    info[rest],
                    nfev[rest],
                    done,
                )
            except Exception as raised:
                failure = raised
            stopped = first + int(done[0])
            is_done[first:stopped] = True
            first = stopped + 1
            if stopped == fits or (failure is None and plan.is_cancelled):
                break
            if info[stopped] == OUT_OF_MEMORY:
                raise MemoryError(f"not enough memory for fits of {n} parameters")
            if failure is None:
                flag = int(info[stopped])
                failure = self.reason(bound, group, flag, x[stopped].copy(), int(nfev[stopped]))
            self.results.store_error(int(group.places[stopped]), failure)
        return Solutions(x, fnorm, info, nfev, cov, state), effect, is_done

    def reason(self, bound: Bound, group: Group, flag: int, x: FloatArray, nfev: int) -> Exception:
        """Find out why a native function stopped a fit without an exception."""
        m, n = group.m, self.plan.n
        if shape := pop_wrong_shape(bound.functions[0]):
            return changed_size(self.plan.f, m, shape[0])
        if len(bound.functions) > 1 and (shape := pop_wrong_shape(bound.functions[1])):
            return Jacobian(self.plan.jac, m, n, False).mismatch(shape)
        return StoppedError(flag, x, nfev)

    def bind(self, group: Group) -> Bound:
        """Bind the compiled functions to arrays of the shapes of a group."""
        key = (
            group.x_is_shared,
            *(None if a is None else a.shape[1:] for a in (group.x, group.y, group.weights)),
        )
        if key not in self.bound:
            bound = bind(self.plan, group)
            assert bound is not None
            self.bound[key] = bound
        return self.bound[key]


def bind(plan: Plan, group: Group) -> Bound | None:
    """Bind the functions to arrays of the shapes of a group; None if Python must call them."""
    if isinstance(plan.f, NativeFunction):
        block = group.y[0].copy()
        given = [plan.f] if plan.is_differenced else [plan.f, plan.jac]
        own = [function.with_data(block) for function in given]
        return Bound(own, *addresses(own, plan), EPSILON, (None, block, None))
    first = group.data(0)
    x = first.x if group.x_is_shared else first.x.copy()
    weights = None if first.weights is None else first.weights.copy()
    data = Data(x, first.y.copy(), weights, first.weighing)
    model = Model(plan.f, data, plan.n, is_padded=False)
    model.differentiate(None if plan.is_differenced else plan.jac, plan.col_deriv)
    functions: list[Any] = [callee(model.residuals, "residual", data.args)[1]]
    if model.jacobian is not None:
        functions.append(callee(model.jacobian, "Jacobian", data.args)[1])
    if None in functions:
        return None
    precision = precision_of(FLOAT32) if model.is_single else EPSILON
    places = (None if group.x_is_shared else data.x, data.y, data.weights)
    return Bound(functions, *addresses(functions, plan), precision, places)


def addresses(functions: list[Any], plan: Plan) -> tuple[Any, Any]:
    """Make the objects that the core calls; it differences the model if there is no Jacobian."""
    residual, *jacobian = (
        native_function(f.address, f.data, is_jacobian, False, True, plan.cancel)
        for f, is_jacobian in zip(functions, (False, True), strict=False)
    )
    return residual, jacobian[0] if jacobian else NO_JACOBIAN


def inputs(bound: Bound, group: Group, rest: slice) -> NDArray[np.int64]:
    """List the arrays that differ from fit to fit, as minpack_input describes them."""
    sources = zip(bound.places, (group.x, group.y, group.weights), strict=True)
    rows = [
        (place.ctypes.data, source[rest].ctypes.data, source.strides[0], place.nbytes)
        for place, source in sources
        if place is not None and source is not None
    ]
    return np.array(rows, np.int64)


def address(array: NDArray[Any] | None, rest: slice) -> int:
    """Return the address of the rest of an array, or the null pointer."""
    return 0 if array is None else array[rest].ctypes.data
