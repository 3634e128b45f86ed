"""The fits of a batch, divided into groups that are fitted together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FLOAT64, FloatArray
from leastsq._arguments.bounds import Box
from leastsq._arguments.data import Data
from leastsq._arguments.many import Batch
from leastsq._arguments.sigma import SCALE
from leastsq._core._calls import data_norms
from leastsq._fit.misfit import UNEXPLAINED, left_over
from leastsq._fit.reasons import IMPROPER, MASKED, TOO_FEW, ZERO_SIGMA
from leastsq._fit.results import Results

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Group(NamedTuple):
    """Fits with the same number of points, which all have bounds or all have none.

    places are their numbers in the batch. x has one axis more than the x of a fit, unless
    x_is_shared. weights has one column or one for each point. box has a row for each fit. If the
    model is a NativeFunction, the rows of y are blocks of bytes.
    """

    places: Places
    m: int
    x: FloatArray | None
    x_is_shared: bool
    y: FloatArray
    weights: FloatArray | None
    p: FloatArray
    box: Box | None

    @property
    def free(self) -> NDArray[np.int64]:
        """The number of parameters of each fit that are not fixed."""
        free = np.full(*self.p.shape)
        if self.box is not None:
            free -= np.count_nonzero(self.box.lower == self.box.upper, axis=1)
        return free

    @property
    def is_bounded(self) -> Flags:
        """Whether each fit has a bound."""
        if self.box is None:
            return np.zeros(len(self.places), bool)
        finite: Any = np.isfinite(self.box.lower) | np.isfinite(self.box.upper)
        return np.asarray(finite.any(axis=1))

    @property
    def data_norms(self) -> FloatArray:
        """The norm of the data of each fit, weighed; -1 if they are blocks of bytes."""
        if self.y.dtype is not FLOAT64:
            return np.full(len(self.places), -1.0)
        return data_norms(self.y, self.weights, len(self.places))

    def misses(self, fnorm: FloatArray, is_systematic: Flags) -> Flags:
        """Tell which fits leave most of the variance of their data, if that is systematic."""
        found = is_systematic & (self.y.dtype is FLOAT64)
        if found.any():
            weights = None if self.weights is None else self.weights[found]
            found[found] = left_over(fnorm[found], self.y[found], weights) > UNEXPLAINED
        return found

    def take(self, chosen: Any) -> Group:
        """Select some of the fits."""
        return Group(
            self.places[chosen],
            self.m,
            self.x if self.x is None or self.x_is_shared else self.x[chosen],
            self.x_is_shared,
            self.y[chosen],
            None if self.weights is None else self.weights[chosen],
            self.p[chosen],
            None if self.box is None else Box(self.box.lower[chosen], self.box.upper[chosen]),
        )

    def without(self, left_out: Flags) -> Group:
        """Leave points out, as many of each fit; left_out has the shape of y."""
        kept = ~left_out
        x = self.x
        if x is not None:
            shape = (*x.shape[:-1], -1) if not self.x_is_shared else (len(kept), *x.shape[:-1], -1)
            if x.ndim > 1 + (not self.x_is_shared):  # several variables
                x = np.broadcast_to(x, (len(kept), *x.shape[-2:]))
                x = x[np.broadcast_to(kept[:, None], x.shape)]
            else:
                x = np.broadcast_to(x, kept.shape)[kept]
            x = x.reshape(shape)
        weights = self.weights
        if weights is not None and weights.shape[1] > 1:
            weights = weights[kept].reshape(len(kept), -1)
        y = self.y[kept].reshape(len(kept), -1)
        return self._replace(m=y.shape[1], x=x, x_is_shared=x is None, y=y, weights=weights)

    def x_of(self, i: int) -> FloatArray | None:
        """Return x of one fit."""
        return self.x if self.x is None or self.x_is_shared else self.x[i]

    def joint_x(self, fits: NDArray[np.int32]) -> FloatArray | None:
        """Return x of several fits: shape (m,), (k, m), (fits, m) or (k, fits, m)."""
        if self.x is None or self.x_is_shared:
            return self.x
        x = self.x[fits]
        return x if x.ndim == 2 else x.swapaxes(0, 1)

    def data(self, i: int) -> Data:
        """Return the data of one fit."""
        x = self.x_of(i)
        if self.weights is None:
            return Data(x, self.y[i], None, None)
        return Data(x, self.y[i], self.weights[i], SCALE)

    def own_data(self, i: int) -> Data:
        """Return the data of one fit, with a copy of x, because a model may write to it."""
        data = self.data(i)
        return data if data.x is None else data._replace(x=data.x.copy())

    def box_of(self, i: int) -> Box | None:
        """Return the bounds of one fit."""
        return None if self.box is None else Box(self.box.lower[i], self.box.upper[i])

    def box_from(self, first: int) -> Box | None:
        """Return the bounds of the fits from the first on."""
        return None if self.box is None else Box(self.box.lower[first:], self.box.upper[first:])


def example(batch: Batch) -> Group:
    """Make a group of one fit with the shapes of a batch."""
    m, x = batch.layout.m, batch.x
    if batch.xs:
        x = np.zeros((1, m) if len(batch.xs) == 1 else (1, len(batch.xs), m))
    weights = None if batch.sigma is None else np.ones((1, batch.sigma.values.shape[-1]))
    places, y, p = np.zeros(1, np.int64), np.zeros((1, m)), np.zeros((1, batch.n))
    return Group(places, m, x, not batch.xs, y, weights, p, None)


def groups(
    batch: Batch, fits: Places, places: Places, p: FloatArray | None, results: Results
) -> Iterator[Group]:
    """Divide some fits into groups, and store the reasons why others cannot be fitted.

    The results are stored at places. The fits begin from p, or from the starts of the batch.
    """
    whole, left_out = read(batch, fits, places, p)
    points = batch.layout.m - np.count_nonzero(left_out, axis=1)
    has_zeros = has_zero_sigma(whole, left_out)
    status = np.where(is_improper(whole) | has_zeros, IMPROPER, 0)
    status[points < whole.free] = TOO_FEW
    status[points == 0] = MASKED
    results.npoints[whole.places] = points
    results.status[whole.places] = status
    results.reason[whole.places[has_zeros & (status == IMPROPER)]] = ZERO_SIGMA
    kinds = np.where(status == 0, 2 * points + whole.is_bounded, -1)
    for kind in np.unique(kinds[kinds >= 0]):
        chosen = kinds == kind
        group = whole if chosen.all() else whole.take(chosen)
        if kind // 2 < whole.m:
            group = group.without(left_out[chosen])
        yield group if kind % 2 else group._replace(box=None)


def read(batch: Batch, fits: Places, places: Places, p: FloatArray | None) -> tuple[Group, Flags]:
    """Read the data of some fits, and mark the points that are left out."""
    m = batch.layout.m
    y = batch.y.rows(fits)
    left_out = np.isnan(y) if y.dtype is FLOAT64 else np.zeros((len(fits), m), bool)
    weights: FloatArray | None = None
    if batch.sigma is not None:
        sigma = batch.sigma.rows(fits)
        left_out = left_out | np.isnan(sigma)
        with np.errstate(all="ignore"):
            weights = 1.0 / sigma
    if batch.mask is not None:
        left_out = left_out | batch.mask.rows(fits)
    x = batch.x
    if batch.xs:
        x = batch.rows_of_x(fits)
        left_out = left_out | np.isnan(x).reshape(len(fits), -1, m).any(axis=1)
    elif x is not None:
        left_out = left_out | np.isnan(x).reshape(-1, m).any(axis=0)
    start = np.array(batch.p0.rows(fits) if p is None else p)
    box = None if batch.box is None else Box(*(limit.rows(fits) for limit in batch.box))
    if box is not None:
        start = np.where(box.lower == box.upper, box.lower, start)
    return Group(places, m, x, not batch.xs, y, weights, start, box), left_out


def is_improper(group: Group) -> Flags:
    """Mark the fits whose start or bounds are improper."""
    p, box = group.p, group.box
    found: Any = np.isnan(p).any(axis=1)
    if box is not None:
        found |= ~((box.lower <= p) & (p <= box.upper)).all(axis=1) | (group.free == 0)
    return np.asarray(found)


def has_zero_sigma(group: Group, left_out: Flags) -> Flags:
    """Mark the fits with a point that would weigh infinitely."""
    if group.weights is None:
        return np.zeros(len(group.places), bool)
    return np.asarray((np.isinf(group.weights) & ~left_out).any(axis=1))
