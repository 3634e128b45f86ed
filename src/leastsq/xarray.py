"""Curve fits of labelled arrays, with the interface of ``xarray.DataArray.curvefit``.

This module needs xarray; nothing else in this library does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from leastsq._arguments.bounds import Box
from leastsq._curve_fit_many import curve_fit_many
from leastsq._functions.signature import positional
from leastsq._models.lazy import is_lazy

__all__ = ["curvefit"]


def curvefit(
    obj: xr.DataArray | xr.Dataset,
    coords: str | xr.DataArray | Iterable[str | xr.DataArray],
    func: Callable[..., Any],
    reduce_dims: str | Iterable[str] | None = None,
    skipna: bool = True,
    p0: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    param_names: Sequence[str] | None = None,
    errors: str = "raise",
    kwargs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Fit a function to labelled arrays, as ``xarray.DataArray.curvefit`` does, but much faster.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data. A chunked array gives lazy results; it needs one chunk along the dimensions of
        the points.
    coords : str, DataArray, or iterable of them
        The independent variables, by name or as arrays. The dimensions that these variables label
        are fitted over. Other variables may differ from fit to fit; name the dimensions of their
        points in reduce_dims. If there are neither, the dimensions of the 1-D variables are
        fitted over.
    func : callable or NativeFunction
        The model ``func(x, *params)``, as in curve_fit_many. x has the shape (m,), or (k, m) for k
        coords.
    reduce_dims : str or iterable of str, optional
        More dimensions whose points belong to one fit.
    skipna : bool, optional
        Whether to leave out points that are NaN. If not, NaN is an error.
    p0 : mapping, optional
        The start of parameters by name: numbers, or DataArrays with a start for each fit.
        Default: the default in the signature of func, or 1; if the bounds exclude it, a point
        between them, as in curve_fit.
    bounds : mapping, optional
        Pairs of a lower and an upper bound of parameters by name: numbers, or DataArrays.
    param_names : sequence of str, optional
        The names of the parameters. Default: those in the signature of func.
    errors : {'raise', 'ignore'}, optional
        Whether a fit without a solution is an error. If not, its coefficients are NaN.
    kwargs : mapping, optional
        Other arguments of curve_fit_many. sigma and mask may be DataArrays or Variables, whose
        dimensions are found by name, or arrays with the shape of the data.

    Returns
    -------
    Dataset
        The variables ``curvefit_coefficients`` with the dimension ``param``,
        ``curvefit_covariance`` with the dimensions ``cov_i`` and ``cov_j``, ``curvefit_stderr``,
        ``curvefit_status`` and ``curvefit_chi2``. With ``covariance="stderr"`` among kwargs there
        is no covariance, with ``covariance=False`` no stderr either. For a Dataset, the name of
        each variable comes before them.

    Raises
    ------
    FitError
        A fit found no solution.
    ValueError
        Dimensions that do not match; an unknown parameter in p0 or bounds; NaN without skipna.

    See Also
    --------
    leastsq.curve_fit_many : the same for plain arrays, and the meaning of the status.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from leastsq.xarray import curvefit
    >>> def decay(t, amplitude, rate):
    ...     return amplitude*np.exp(-rate*t)
    >>> t = xr.DataArray(np.linspace(0, 5, 50), dims="t")
    >>> rates = xr.DataArray([0.5, 1.0, 2.0], dims="x")
    >>> data = decay(t, 3.0, rates).assign_coords(t=t)
    >>> fits = curvefit(data, "t", decay)
    >>> fits.curvefit_coefficients.sel(param="rate").round(6).values
    array([0.5, 1. , 2. ])
    """
    if errors not in ("raise", "ignore"):
        raise ValueError(f"errors must be 'raise' or 'ignore', got {errors!r}")
    names = list(param_names) if param_names is not None else positional(func)[1:]
    if not names:
        raise ValueError("the signature of func does not show its parameters: pass param_names")
    for what, given in (("p0", p0), ("bounds", bounds)):
        if unknown := set(given or {}) - set(names):
            raise ValueError(f"{what} has the unknown parameters {sorted(unknown)}")
    if p0 is not None and "p0" in (kwargs or {}):
        raise ValueError("pass p0, or p0 among kwargs, not both")
    usual = defaults(func)
    options = {"on_failure": "raise" if errors == "raise" else "nan", **(kwargs or {})}
    listed = [coords] if isinstance(coords, str | xr.DataArray) else list(coords)
    variables = [obj[name] if isinstance(name, str) else name for name in listed]
    more = [reduce_dims] if isinstance(reduce_dims, str) else list(reduce_dims or ())

    def fit(data: xr.DataArray, prefix: str) -> xr.Dataset:
        labelled = labelled_by(variables, data)
        dims = list(dict.fromkeys([*labelled, *more]))
        if not dims:
            dims = list(dict.fromkeys(v.dims[0] for v in variables if v.ndim == 1))
        return fit_array(
            data, variables, func, dims, skipna, p0, bounds, names, usual, options, prefix
        )

    if isinstance(obj, xr.DataArray):
        return fit(obj, "")
    parts = [fit(data, f"{name}_") for name, data in obj.data_vars.items()]
    merged = xr.merge(parts, compat="override", join="outer", combine_attrs="drop")
    return merged.assign_attrs(obj.attrs)


def labelled_by(variables: list[xr.DataArray], data: xr.DataArray) -> list[Any]:
    """List the dimensions of the data that variables label."""
    return [dim for dim in data.dims if any(v.equals(data[dim]) for v in variables)]


def defaults(func: Callable[..., Any]) -> dict[str, float]:
    """Return the numbers that the signature of a function has as defaults."""
    try:
        parameters = inspect.signature(getattr(func, "py_func", func)).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if isinstance(p.default, int | float)}


def fit_array(
    data: xr.DataArray,
    variables: list[xr.DataArray],
    func: Callable[..., Any],
    dims: list[str],
    skipna: bool,
    p0: Mapping[str, Any] | None,
    bounds: Mapping[str, Any] | None,
    names: list[str],
    usual: dict[str, float],
    options: dict[str, Any],
    prefix: str,
) -> xr.Dataset:
    """Fit one array; dims are those of the points."""
    if not dims or set(dims) - set(data.dims):
        raise ValueError(
            f"the points of a fit have the dimensions {dims}, and the data {data.dims}: pass 1-D "
            "coords, or reduce_dims"
        )
    if not skipna:
        data = complete(data)
        variables = [complete(v) for v in variables]
    kept = [dim for dim in data.dims if dim not in dims]
    y = data.transpose(*kept, *dims)
    each = y.isel(dict.fromkeys(dims, 0), drop=True)
    limits = {name: pair_of(name, pair) for name, pair in (bounds or {}).items()}
    given = [*(p0 or {}).values(), *(limit for pair in limits.values() for limit in pair)]
    given += [options.get("sigma"), options.get("mask")]
    given += [v for v in variables if not is_coordinate(v, data)]
    arrays = [value for value in given if isinstance(value, xr.DataArray)]
    if arrays:
        xr.align(y, *arrays, join="exact")  # raises if labels differ, or their order
    lower, upper = (
        by_parameter([limits.get(name, (-np.inf, np.inf))[side] for name in names], each)
        for side in (0, 1)
    )
    start = starts(names, p0 or {}, usual, Box(*np.broadcast_arrays(lower, upper)), each)
    for name in ("sigma", "mask"):
        values: Any = options.get(name)
        if isinstance(values, xr.Variable):
            values = xr.DataArray(values)
        elif not isinstance(values, xr.DataArray) and np.shape(values) == data.shape:
            values = xr.DataArray(values if is_lazy(values) else np.asarray(values), dims=data.dims)
        if isinstance(values, xr.DataArray):
            options = options | {name: like(values, y, name).data}
    fits = curve_fit_many(
        func,
        independent(variables, y, kept),
        y.data,
        **{"p0": start, "bounds": (lower, upper), "axis": tuple(range(-len(dims), 0))} | options,
    )
    coords = {name: values for name, values in data.coords.items() if set(values.dims) <= set(kept)}
    found: dict[str, Any] = {
        "coefficients": ((*kept, "param"), fits.popt),
        "status": (kept, fits.status),
        "chi2": (kept, fits.chi2),
    }
    labels: dict[str, Any] = {"param": names}
    if fits.pcov is not None:
        found["covariance"] = ((*kept, "cov_i", "cov_j"), fits.pcov)
        labels |= {"cov_i": names, "cov_j": names}
    if fits.perr is not None:
        found["stderr"] = ((*kept, "param"), fits.perr)
    named = {f"{prefix}curvefit_{name}": values for name, values in found.items()}
    return xr.Dataset(named, {**coords, **labels})


def pair_of(name: str, pair: Any) -> tuple[Any, Any]:
    """Return the lower and the upper bound of a parameter."""
    try:
        lower, upper = pair
    except (TypeError, ValueError):
        message = f"bounds of {name} must be a pair (lower, upper), got {pair!r}"
        raise ValueError(message) from None
    return lower, upper


def complete(values: xr.DataArray) -> xr.DataArray:
    """Refuse NaN; in a chunked array, when it is computed."""

    def refuse(block: Any) -> Any:
        if np.isnan(block).any():
            raise ValueError("the data or a coordinate contain NaN, and skipna is False")
        return block

    if values.dtype.kind != "f":
        return values
    if values.chunks:
        return values.copy(data=values.data.map_blocks(refuse, meta=values.data._meta))
    refuse(values.values)
    return values


def starts(
    names: list[str],
    p0: Mapping[str, Any],
    usual: Mapping[str, float],
    box: Box,
    each: xr.DataArray,
) -> Any:
    """Choose the start of each parameter: p0, or its usual start if the bounds allow it."""
    interior, given = box.interior(), []
    for j, name in enumerate(names):
        value = usual.get(name, 1.0)
        is_allowed = (box.lower[..., j] <= value) & (value <= box.upper[..., j])
        given.append(p0.get(name, np.where(is_allowed, value, interior[..., j])))
    return by_parameter(given, each)


def is_coordinate(variable: xr.DataArray, data: xr.DataArray) -> bool:
    """Tell whether a variable is a coordinate of the data, which has the labels of the data."""
    return variable.name in data.coords and variable.identical(data.coords[variable.name])


def independent(variables: list[xr.DataArray], y: xr.DataArray, kept: list[Any]) -> Any:
    """Return x: an array that all fits share, or a tuple of arrays if x differs from fit to fit."""
    if any(set(v.dims) & set(kept) for v in variables):
        return tuple(like(v, y, "a coordinate").data for v in variables)
    dims = [dim for dim in y.dims if dim not in kept]
    own = {name: values for name, values in y.coords.items() if not set(values.dims) & set(kept)}
    points = xr.DataArray(np.empty([y.sizes[dim] for dim in dims]), own, dims)
    arrays = [like(v, points, "a coordinate").values for v in variables]
    return arrays[0] if len(arrays) == 1 else np.stack(arrays)


def by_parameter(values: list[Any], each: xr.DataArray) -> Any:
    """Put the values of all parameters side by side, for each fit if any of them differ."""
    if not any(isinstance(value, xr.DataArray) or np.ndim(value) for value in values):
        return np.array(values, float)
    return np.stack([for_each(value, each) for value in values], axis=-1).astype(float)


def for_each(value: Any, each: xr.DataArray) -> Any:
    """Return the start or the bound of a parameter for each fit."""
    if isinstance(value, xr.DataArray):
        return like(value, each, "p0 or bounds").values
    try:
        return np.broadcast_to(value, each.shape)
    except ValueError:
        raise ValueError(
            f"p0 or bounds have the shape {np.shape(value)}, but the fits {dict(each.sizes)}: pass "
            "DataArrays, whose dimensions have names"
        ) from None


def like(values: xr.DataArray, other: xr.DataArray, name: str) -> xr.DataArray:
    """Broadcast values to the dimensions of another array, by their names."""
    if values.dims == other.dims:
        return values
    if foreign := set(values.dims) - set(other.dims):
        raise ValueError(f"{name} has the dimensions {sorted(foreign)}, which the fits do not have")
    return values.broadcast_like(other).transpose(*other.dims)
