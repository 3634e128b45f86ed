"""A NumPy model that is evaluated for many fits in one call.

The parameters have the shape (count, 1), so that they broadcast against x. Elementwise models work
as they are. A model that works for one fit only, or mixes fits, is found out by a comparison.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import EPSILON, FLOAT64, FloatArray, Function, name_of, real_array
from leastsq._arguments.bounds import Box
from leastsq._arguments.warn import warn
from leastsq._core._calls import model_values, own_result
from leastsq._functions.functions import precision_of
from leastsq._functions.python import FLOAT32, Jacobian
from leastsq._models.residuals import difference_of, named
from leastsq._models.same import are_same, mark_same

Fits = NDArray[np.int32]
Errors = dict[int, Exception]
CHECKED = 4096
"""One in so many joint values is compared with a single one, and one in each call."""
MIXED = "if it is called for many fits at once, it mixes them"
GOLDEN = 0.6180339887498949
SAMPLES = 10
"""The largest number of fits to look at before a model is called for all fits jointly."""


class Data(Protocol):
    """The data of several fits, with a start for each in p."""

    @property
    def m(self) -> int:
        """The number of points of a fit."""

    @property
    def p(self) -> FloatArray:
        """The starting points, shape (fits, n)."""

    @property
    def box(self) -> Box | None:
        """The bounds, one row for each fit."""

    def x_of(self, fit: int) -> FloatArray | None:
        """Return x of one fit."""

    def joint_x(self, fits: Fits) -> FloatArray | None:
        """Return x of several fits, so that it broadcasts against their parameters."""


class MismatchError(ValueError):
    """A function cannot be called for several fits jointly."""


class MixedFitsError(MismatchError):
    """A joint evaluation, which was possible before, gave other values than a single one."""


class JointModel:
    """A model and its Jacobian, each evaluated jointly or for one fit at a time."""

    def __init__(self, f: Function, jac: Function | None, n: int, col_deriv: bool) -> None:
        self.f = f
        self.jac = jac
        self.n = n
        self.col_deriv = col_deriv
        self.jac_is_joint = False
        self.precision = EPSILON
        self.is_jac_single = False
        self.turn = 0

    def values(self, data: Data, points: FloatArray, fits: Fits) -> tuple[FloatArray, Errors]:
        """Evaluate the model; shape (count, m). Also return what it raised, by point."""
        shape = (len(points), data.m)
        try:
            values = joint_array(self.f, data, points, fits, shape)
        except TimeoutError:
            raise
        except Exception:
            return one_by_one(self.value, data, points, fits, shape)
        self.spot_check(self.value, data, points, fits, values)
        return values, {}

    def jacobians(self, data: Data, points: FloatArray, fits: Fits) -> tuple[FloatArray, Errors]:
        """Evaluate the Jacobian; shape (count, n, m). Also return what it raised, by point."""
        shape = (len(points), self.n, data.m)
        if self.jac_is_joint and len(points):
            try:
                values = self.joint_slopes(data, points, fits)
            except TimeoutError:
                raise
            except Exception:
                return one_by_one(self.slopes, data, points, fits, shape)
            self.spot_check(self.slopes, data, points, fits, values)
            return values, {}
        return one_by_one(self.slopes, data, points, fits, shape)

    def spot_check(
        self, function: Any, data: Data, points: FloatArray, fits: Fits, values: FloatArray
    ) -> None:
        """Compare some of the joint values with single values, others in each call."""
        count = len(points)
        for _ in range(min(count, 1 + count // CHECKED)):
            self.turn += 1
            i = int(count * (self.turn * GOLDEN % 1))
            self.compare_one(function, data, points[i], int(fits[i]), values[i])

    def compare_one(
        self, function: Any, data: Data, p: FloatArray, fit: int, values: FloatArray
    ) -> None:
        """Compare the joint values of one fit with its values alone."""
        try:
            same = are_same(values, function(data, fit, p.copy()))
        except TimeoutError:
            raise
        except Exception:
            same = False
        if not same:
            raise MixedFitsError(MIXED)

    def joint_slopes(self, data: Data, points: FloatArray, fits: Fits) -> FloatArray:
        """Evaluate the Jacobian jointly; shape (count, n, m)."""
        assert self.jac is not None
        shape = (self.n, data.m) if self.col_deriv else (data.m, self.n)
        whole = joint_array(self.jac, data, points, fits, (len(points), *shape))
        return whole if self.col_deriv else np.ascontiguousarray(whole.transpose(0, 2, 1))

    def value(self, data: Data, fit: int, p: FloatArray) -> FloatArray:
        """Evaluate the model for one fit, and check what it returns; shape (m,)."""
        returned = model_values(self.f, own_copy(data.x_of(fit)), p)
        if np.asarray(returned).dtype == FLOAT32:
            self.precision = precision_of(FLOAT32)
        values = difference_of(self.f)(returned, np.zeros(data.m))
        return real_array(values, "The values of the model").astype(FLOAT64)

    def slopes(self, data: Data, fit: int, p: FloatArray) -> FloatArray:
        """Evaluate the Jacobian for one fit, and check what it returns; shape (n, m)."""
        jac, x = self.jac, own_copy(data.x_of(fit))
        assert jac is not None
        form = Jacobian(
            named(lambda p: model_values(jac, x, p), jac), data.m, self.n, self.col_deriv
        )
        found = form(p).T.astype(FLOAT64)
        self.is_jac_single = form.is_single
        return found

    def check(self, data: Data) -> None:
        """Compare joint and single evaluations; raise a MismatchError if they differ."""
        points, fits, alone = self.samples(data)
        compare(lambda: joint_array(self.f, data, points, fits, alone.shape), alone)

    def check_jacobian(self, data: Data) -> None:
        """Compare joint and single evaluations of the Jacobian; joint ones are used from now on."""
        assert self.jac is not None
        points, fits, _ = self.samples(data)
        alone = np.array([self.slopes(data, *given) for given in zip(fits, points, strict=True)])
        compare(lambda: self.joint_slopes(data, points, fits), alone)
        self.jac_is_joint = True

    def samples(self, data: Data) -> tuple[FloatArray, Fits, FloatArray]:
        """Choose points of two fits, and evaluate the model there, one after the other.

        Raise what the model raises, if it raises everywhere.
        """
        count = len(data.p)
        error: Exception | None = None
        found = []
        for i, fit in enumerate(np.linspace(0, count - 1, SAMPLES).astype(np.int32)):
            p = data.p[fit] + 0.02 * i * np.maximum(np.abs(data.p[fit]), 0.1)
            if data.box is not None:
                p = np.clip(p, data.box.lower[fit], data.box.upper[fit])
            try:
                found.append((p, fit, self.value(data, int(fit), p)))
            except TimeoutError:
                raise
            except Exception as raised:
                error = raised
        if error is not None and not found:
            raise error
        ends = found[0], found[-1]
        points, fits, values = (np.array([end[k] for end in ends]) for k in range(3))
        return points, fits, values


def joint_array(
    function: Function, data: Data, points: FloatArray, fits: Fits, shape: tuple[int, ...]
) -> FloatArray:
    """Call a function with the parameters of several fits, and convert what it returns."""
    columns = np.ascontiguousarray(points.T)[:, :, None]
    x = data.joint_x(fits)
    if x is not None:
        x = x.view()
        x.flags.writeable = False  # a model that writes to x would change other fits
    # The model is called again, for single fits, before the values are used.
    values = real_array(own_result(function, x, *columns), "The values of the model")
    if values.ndim == 1 and values.size == math.prod(shape) > shape[-1]:
        raise ValueError(
            f"it returns a 1-D array of {values.size} values instead of the shape {shape}: leave "
            "out .ravel() or .flatten() at its end"
        )
    if values.shape != shape:
        values = np.broadcast_to(values, shape)
    return np.ascontiguousarray(values, FLOAT64)


def one_by_one(
    function: Any, data: Data, points: FloatArray, fits: Fits, shape: tuple[int, ...]
) -> tuple[FloatArray, Errors]:
    """Evaluate a function for one point after another, and collect what it raises."""
    values = np.zeros(shape)
    errors: Errors = {}
    for i, fit in enumerate(fits.tolist()):
        try:
            values[i] = function(data, fit, points[i].copy())
        except TimeoutError:  # of a signal handler
            raise
        except Exception as error:
            # The traceback of the first is enough; tracebacks keep the variables of the model.
            errors[i] = error if not errors else without_traceback(error)
    return values, errors


def without_traceback(error: Exception) -> Exception:
    """Let go of the frames in which an exception was raised."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


def compare(evaluate: Callable[[], FloatArray], alone: FloatArray) -> None:
    """Compare joint with single values; raise a MismatchError if they differ."""
    try:
        with np.errstate(all="ignore"):
            jointly = evaluate()
    except TimeoutError:
        raise
    except Exception as error:
        raise MismatchError(
            f"with parameters of shape (2, 1) it raises {type(error).__name__}: {error}"
        ) from error
    same = mark_same(jointly, alone)
    if not same.all():
        k = tuple(np.argwhere(~same)[0])
        raise MismatchError(
            f"with the parameters of two fits, of shape (2, 1), it returns {jointly[k]}, but "
            f"{alone[k]} with the parameters of one of the fits"
        )


def own_copy(x: FloatArray | None) -> FloatArray | None:
    """Copy x, because a model may write to it."""
    return None if x is None else x.copy()


def warn_of_single_calls(function: Function, reason: str) -> None:
    """Warn that a function is not called jointly, and say why."""
    warn(
        f"{name_of(function)} is called for one fit at a time, which is slow: {reason}",
        RuntimeWarning,
    )
