"""Many fits in compiled code: the core fits a group in one call, without the GIL."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import EPSILON, FloatArray
from leastsq._arguments.data import Data
from leastsq._arguments.settings import Settings
from leastsq._core._calls import OUT_OF_MEMORY
from leastsq._errors import ShapeError
from leastsq._fit.batch import Group
from leastsq._fit.keep import Keeper
from leastsq._fit.plan import Plan
from leastsq._fit.results import Results, Solutions, room_for
from leastsq._functions.bound import bound_functions, callees, wrong_shape
from leastsq._functions.functions import jacobian_error, pop_wrong_shape, precision_of
from leastsq._functions.native import NativeFunction, StoppedError
from leastsq._functions.python import FLOAT32
from leastsq._models.model import Model


class Bound(NamedTuple):
    """Native functions for data of one shape, and the arrays that they read, if there are any."""

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
        self.keeper = Keeper(plan, results)
        self.bound: dict[Any, Bound] = {}

    def fit(self, group: Group) -> None:
        """Fit a group; what happens in one fit does not stop another."""
        self.keeper.fit(group, self.solve)

    def solve(self, group: Group, settings: Settings) -> tuple[Solutions, NDArray[np.bool_]]:
        """Call the core until all fits are done, or cancelled; also return which are done."""
        plan, bound, (fits, n) = self.plan, self.bind(group), group.p.shape
        found = room_for(group.p, self.results.covariance is not False, group.box)
        is_done, done = np.zeros(fits, bool), np.zeros(1, np.int32)
        norms = group.data_norms
        first = 0
        while first < fits:
            failure = self.call(group, norms, settings, bound, found, first, done)
            stopped = first + int(done[0])
            is_done[first:stopped] = True
            if stopped == fits or (failure is None and plan.is_cancelled):
                break
            flag = int(found.ending[stopped])
            if flag == OUT_OF_MEMORY:
                raise MemoryError(f"not enough memory for fits of {n} parameters")
            if failure is None:
                x, nfev = found.x[stopped].copy(), int(found.nfev[stopped])
                failure = self.reason(bound, group, stopped, flag, x, nfev)
            self.results.store_error(int(group.places[stopped]), failure)
            first = stopped + 1
        return found, is_done

    def call(
        self,
        group: Group,
        norms: FloatArray,
        settings: Settings,
        bound: Bound,
        found: Solutions,
        first: int,
        done: NDArray[np.int32],
    ) -> Exception | None:
        """Call the core for the fits from the first on; return what a function raised."""
        plan, (fits, n) = self.plan, group.p.shape
        try:
            _core.many(
                bound.residual,
                bound.jacobian,
                settings.from_fit(first).for_core(group.box_from(first), bound.precision),
                group.m,
                n,
                fits - first,
                norms[first:].ctypes.data,
                inputs(bound, group, first),
                fits - first,
                settings.diag_count(fits - first),
                plan.absolute_sigma,
                *jacobian_error(plan.jac if bound.jacobian else None, n, bound.precision),
                found.addresses(first),
                done,
            )
        except Exception as raised:
            return raised
        return None

    def reason(
        self, bound: Bound, group: Group, fit: int, flag: int, x: FloatArray, nfev: int
    ) -> Exception:
        """Find out why a native function stopped a fit without an exception."""
        if pop_wrong_shape(bound.functions[0]):
            return ShapeError(np.shape(self.plan.f(group.x_of(fit), *x)), (group.m,))
        error = wrong_shape(bound.functions, self.plan.f, self.plan.jac, group.m, self.plan.n)
        return error or StoppedError(flag, x, nfev)

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
        return Bound(own, *callees(own, False, plan.cancel, math.inf), EPSILON, (None, block, None))
    first = group.data(0)
    x = None if first.x is None else first.x.copy()  # the model may write to it
    weights = None if first.weights is None else first.weights.copy()
    data = Data(x, first.y.copy(), weights, first.weighing)
    model = Model(plan.f, data, plan.n, is_padded=False)
    model.differentiate(None if plan.is_differenced else plan.jac, plan.col_deriv)
    functions = bound_functions(model)
    if functions is None:
        return None
    precision = precision_of(FLOAT32) if model.is_single else EPSILON
    places = (data.x, data.y, data.weights)
    return Bound(functions, *callees(functions, False, plan.cancel, math.inf), precision, places)


def inputs(bound: Bound, group: Group, first: int) -> NDArray[np.int64]:
    """List the arrays that the functions read, as minpack_input describes them."""
    rows = []
    for place, source in zip(bound.places, (group.x, group.y, group.weights), strict=True):
        if place is None or source is None:
            continue
        is_shared = source is group.x and group.x_is_shared
        begin, step = (source, 0) if is_shared else (source[first:], source.strides[0])
        rows.append((place.ctypes.data, begin.ctypes.data, step, place.nbytes))
    return np.array(rows, np.int64)
