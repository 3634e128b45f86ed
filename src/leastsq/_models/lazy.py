"""Data that are not in memory yet."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_lazy(values: Any) -> bool:
    """Tell whether values are a Dask collection, or an xarray object made of one."""
    if type(values) is np.ndarray:
        return False
    graph = getattr(values, "__dask_graph__", None)
    return graph is not None and graph() is not None
