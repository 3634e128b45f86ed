"""curve_fit_many of a Dask array: lazy results, one task for each chunk of the batch axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import numpy as np

from leastsq._arguments.bounds import pair
from leastsq._arguments.layout import Layout, read_layout
from leastsq._arguments.many import numbers, read_x
from leastsq._fit.many_fits import ManyFits
from leastsq._fit.plan import Plan
from leastsq._fit.reasons import ALL_REASONS, messages

NAMES = {"sigma", "mask", "p0", "lower", "upper"}
"""Arguments that may be arrays with a value for each fit; others are x."""
NUMBERS = {
    "chi2": np.float64,
    "npoints": np.int32,
    "status": np.int8,
    "nfev": np.int32,
    "attempts": np.int8,
    "doubtful": np.bool_,
    "_reasons": np.int8,
}
"""The results of which there is one number for each fit."""


class Task:
    """Fits one chunk; what it returns is one array, because a task returns one."""

    def __init__(
        self, fit: Any, plan: Plan, how: Any, varying: list[str], common: dict[str, Any]
    ) -> None:
        self.fit = fit
        self.plan = plan
        self.how = how
        self.varying = varying
        self.common = common

    def __call__(self, y: Any, *arrays: Any) -> Any:
        """Fit the data y, with the arrays that belong to its fits."""
        given = self.common | dict(zip(self.varying, arrays, strict=True))
        bounds = given.pop("lower"), given.pop("upper")
        xs = [given.pop(name) for name in self.varying if name not in NAMES]
        if xs:
            given["xdata"] = tuple(xs)
        return pack(self.fit(self.plan, self.how, ydata=y, bounds=bounds, **given))


def pack(fits: ManyFits) -> Any:
    """Put all results of a fit side by side."""
    parts: list[Any] = [fits.popt, fits.active_mask]
    if fits.pcov is not None:
        n = fits.popt.shape[-1]
        parts.append(fits.pcov.reshape(*fits.status.shape, n * n))
    elif fits.perr is not None:
        parts.append(fits.perr)
    numbers = [getattr(fits, name) for name in NUMBERS]
    return np.concatenate([*parts, np.stack(numbers, axis=-1)], axis=-1, dtype=np.float64)


def unpack(packed: Any, n: int, covariance: bool | str) -> dict[str, Any]:
    """Take the results apart."""
    shape = packed.shape[:-1]
    pcov = perr = None
    if covariance is True:
        pcov = packed[..., 2 * n : 2 * n + n * n].reshape(*shape, n, n)
    elif covariance == "stderr":
        perr = packed[..., 2 * n : 3 * n]
    numbers = {
        name: packed[..., k - len(NUMBERS)].astype(dtype)
        for k, (name, dtype) in enumerate(NUMBERS.items())
    }
    return {
        "popt": packed[..., :n],
        "pcov": pcov,
        "_perr": perr,
        "active_mask": packed[..., n : 2 * n].astype(np.int8),
        **numbers,
    }


@dataclass(frozen=True, eq=False, repr=False)
class LazyFits(ManyFits):
    """Results that are Dask arrays. Computed together, they are taken apart afterwards."""

    _packed: Any
    _covariance: bool | str

    def compute(self, **options: Any) -> ManyFits:
        """Compute all results; options are those of ``dask.compute``, such as scheduler."""
        (packed,) = dask.compute(self._packed, **options)
        results = unpack(packed, self.popt.shape[-1], self._covariance)
        arrays: dict[str, Any] = {
            name: None if values is None else np.array(values) for name, values in results.items()
        }
        return ManyFits(**arrays, _messages=self._messages, _errors={})


def fit_lazily(
    fit: Any,
    plan: Plan,
    how: tuple[Any, Any, Any],
    xdata: Any,
    ydata: Any,
    p0: Any,
    sigma: Any,
    bounds: Any,
    axis: Any,
    mask: Any,
) -> ManyFits:
    """Make the lazy results of fit, which fits a chunk; how is passed on to it."""
    lower, upper, ydata, p0, sigma, mask = map(
        without_labels, (*pair(bounds), ydata, p0, sigma, mask)
    )
    if ydata.dtype.names is not None:
        raise TypeError(
            "ydata must not be a structured Dask array: pass the data blocks of the fits as "
            "numbers along the last axis, or a NumPy array"
        )
    if any(math.isnan(size) for size in ydata.shape):
        raise ValueError("the shape of ydata is not known: call ydata.compute_chunk_sizes()")
    layout = read_layout(ydata, axis)
    y = points_last(ydata, layout.axes)
    refuse_divided_points(y, layout)
    if len(layout.points) > 1:
        y = y.reshape(*layout.batch, layout.m)
    n = plan.n
    given = {
        "sigma": None if sigma is None else like_ydata(sigma, "sigma", layout),
        "mask": None if mask is None else like_ydata(mask, "mask", layout),
        "p0": p0,
        "lower": lower,
        "upper": upper,
    }
    if isinstance(xdata, tuple):
        for i, values in enumerate(xdata):
            whole = da.asarray(like_ydata(without_labels(values), "xdata", layout))
            given[f"x{i}"] = da.broadcast_to(whole, y.shape)
    varying = {name: values for name, values in given.items() if np.ndim(values) > 1}
    if not isinstance(xdata, tuple):
        given["xdata"] = read_x(xdata, layout)[0]
    common = {name: values for name, values in given.items() if name not in varying}
    labels = tuple(f"batch {k}" for k in range(len(layout.batch)))
    arrays = [y, (*labels, "points")]
    for name, values in varying.items():
        last = n if name in ("p0", "lower", "upper") else values.shape[-1]
        whole = da.broadcast_to(da.asarray(values), (*layout.batch, last))
        arrays.extend([whole.rechunk((*y.chunks[:-1], last)), (*labels, name)])
    width = 2 * n + len(NUMBERS) + {True: n * n, "stderr": n, False: 0}[how[1]]
    packed = da.blockwise(
        Task(fit, plan, how, list(varying), common),
        (*labels, "results"),
        *arrays,
        new_axes={"results": width},
        concatenate=True,
        dtype=np.float64,
        meta=np.empty((0,) * (len(labels) + 1)),
        token="curve_fit_many",
    )
    return LazyFits(
        **unpack(packed, n, how[1]),
        _messages=messages(plan, ALL_REASONS),
        _errors={},
        _packed=packed,
        _covariance=how[1],
    )


def refuse_divided_points(y: Any, layout: Layout) -> None:
    """Refuse data whose points are in more than one chunk."""
    if any(blocks > 1 for blocks in y.numblocks[len(layout.batch) :]):
        raise ValueError(
            "ydata must have one chunk along the axis of points, because a fit needs all of its "
            f"points: pass ydata.rechunk({dict.fromkeys(layout.axes, -1)})"
        )


def points_last(values: Any, axes: tuple[int, ...]) -> Any:
    """Move the axes of points to the end."""
    return da.moveaxis(values, axes, range(-len(axes), 0))


def like_ydata(values: Any, name: str, layout: Layout) -> Any:
    """Arrange errors, a mask or x like ydata, with the points on the last axis."""
    if not hasattr(values, "__dask_graph__"):
        values = np.asarray(values) if name == "mask" else numbers(values, name)
    elif isinstance(values._meta, np.ma.MaskedArray):
        values = da.ma.filled(values.astype(np.float64), np.nan)  # broadcasting would drop the mask
    return layout.flatten(values, name)


def without_labels(values: Any) -> Any:
    """Return the array of a labelled array; other values unchanged."""
    return values.data if hasattr(values, "dims") else values
