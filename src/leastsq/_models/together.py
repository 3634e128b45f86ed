"""The residuals at many points, for finite differences: vectorized=True."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function, name_of, real_array
from leastsq._arguments.sigma import WHITEN
from leastsq._core._calls import joint_function, observer
from leastsq._functions.native import NativeFunction
from leastsq._models.points import MOST_JOINT_NUMBERS, AtPoints, Vectorized
from leastsq._models.residuals import WEIGHING
from leastsq._models.same import are_same
from leastsq._models.side_by_side import at_one_point
from leastsq._models.workers import ModelValues, PicklableResiduals, Workers

if TYPE_CHECKING:
    from leastsq._core._calls import Joint
    from leastsq._functions.functions import Functions
    from leastsq._models.model import Model


def of_residuals(
    functions: Functions,
    func: Any,
    args: tuple[Any, ...],
    x0: FloatArray,
    vectorized: bool,
    workers: Any,
) -> Workers | None:
    """Let residuals be evaluated for many points at once; return workers that are to be ended."""
    refuse_both(func, vectorized, workers)
    points = getattr(functions.Dfun, "points", None)
    if not vectorized:
        return by_workers(functions, points, workers, func, args)
    if points is None:
        functions.together = joint(functions, func, func, args, x0, functions.fvec)
        return None

    def many(p: Any) -> Any:
        return func(p, *args)

    alone = lambda p: at_one_point(func)(p, *args)  # noqa: E731
    points.together = Vectorized(many, alone, func, functions.m, functions.deadline)
    return None


def of_model(
    functions: Functions, model: Model, x0: FloatArray, vectorized: bool, workers: Any
) -> Workers | None:
    """Let the residuals of a model be evaluated as of_residuals does."""
    refuse_both(model.f, vectorized, workers)
    data = model.data
    points = getattr(functions.Dfun, "points", None)
    if not vectorized and points is not None:
        return by_workers(functions, points, workers, ModelValues(model.f, data.y.shape), (data.x,))
    if not vectorized:
        residuals = PicklableResiduals(model.f, data.weighing)
        return by_workers(functions, None, workers, residuals, data.args)
    if points is not None:
        values = ModelValues(model.f, data.y.shape)
        points.together = Vectorized(
            lambda p: values.of_many(p, data.x),
            lambda p: values(p, data.x),
            model.f,
            data.y.size,
            functions.deadline,
        )
        return None
    x, y, *weights = data.args
    if y.ndim == 1 and data.weighing != WHITEN:
        scale = weights[0] if weights else None
        functions.together = joint(functions, model.f, model.f, (x,), x0, functions.fvec, y, scale)
    else:
        stacked = as_residuals_of_many(model)
        functions.together = joint(functions, stacked, model.f, data.args, x0, functions.fvec)
    return None


def refuse_both(func: Any, vectorized: bool, workers: Any) -> None:
    """Refuse what cannot be evaluated at many points."""
    if isinstance(func, NativeFunction):
        raise TypeError("vectorized and workers are for functions that Python calls")
    if vectorized and workers is not None:
        raise ValueError("pass vectorized or workers, not both")


def by_workers(
    functions: Functions, points: AtPoints | None, workers: Any, func: Any, args: tuple[Any, ...]
) -> Workers:
    """Let residuals be evaluated by workers: for the core, or for the points of a Jacobian."""
    evaluate = Workers(workers, func, args, functions.m, functions.deadline)
    if points is not None:
        points.together = evaluate
    else:
        functions.together = observer(evaluate)
        functions.together.at_once = evaluate.count
    return evaluate


def joint(
    functions: Functions,
    function: Function,
    named: Function,
    args: tuple[Any, ...],
    x0: FloatArray,
    fvec: FloatArray,
    y: FloatArray | None = None,
    weights: FloatArray | None = None,
) -> Joint:
    """Make what evaluates a vectorized function: residuals, or a model of the data y."""

    def coerce(returned: Any, shape: tuple[int, int]) -> FloatArray:
        values = real_array(returned, f"The return value of {name_of(named)}")
        if y is not None:
            values = np.broadcast_to(values, shape)
        if values.shape != shape:
            raise ValueError(
                f"{name_of(named)} is not vectorized: it returns values of shape {values.shape}, "
                f"not {shape}"
            )
        return np.ascontiguousarray(values, FLOAT64)

    def compare(values: FloatArray, alone: FloatArray) -> None:
        if not are_same(values, alone):
            k = int(np.argmax(~np.isclose(values, alone, rtol=1e-9, atol=0, equal_nan=True)))
            raise ValueError(
                f"{name_of(named)} is not vectorized: residual {k} at the starting point is "
                f"{values[k]} if it is called for several points at once, but {alone[k]} alone"
            )

    most = max(1, MOST_JOINT_NUMBERS // functions.m)
    start = x0.copy()
    return joint_function(
        function, args, coerce, compare, start, fvec.copy(), most, functions.time_left, y, weights
    )


def as_residuals_of_many(model: Model) -> Function:
    """Make the residuals of points of shape (n, k) from a model; their shape is (m, k)."""
    f, weighing = model.f, model.data.weighing

    def residuals(points: FloatArray, x: Any, y: FloatArray, *weights: FloatArray) -> FloatArray:
        count = points.shape[1]
        values = f(x, *points.reshape(-1, count, *(1,) * y.ndim))
        left = (np.broadcast_to(values, (count, *y.shape)) - y).reshape(count, -1).T
        return left if weighing is None else WEIGHING[weighing](weights[0], left)

    return residuals
