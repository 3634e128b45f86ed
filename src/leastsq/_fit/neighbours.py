"""A second pass: fits that failed, or miss their data, begin again from their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray
from leastsq._fit.results import Results

Places = NDArray[np.int64]
Fit = Callable[[Places, FloatArray], Results]
"""Fits the data sets at some places from some starts; the results are in the same order."""


def try_neighbours(shape: tuple[int, ...], results: Results, fit: Fit) -> None:
    """Fit again where fits failed or miss their data, from each neighbour that is new.

    A neighbour is new when its fit has found a solution that describes its data. No fit begins
    twice from the same neighbour.
    """
    new = np.flatnonzero(results.can_help)
    while new.size:
        rescued = []
        for offset in offsets(len(shape)):
            again, start = candidates_beside(shape, results, new, offset)
            if not again.size:
                continue
            found = fit(again, results.x[start])
            results.adopt(again, found)
            rescued.append(again[found.can_help])
        new = np.unique(np.concatenate(rescued)) if rescued else np.empty(0, np.int64)


def offsets(axes: int) -> Iterator[tuple[int, ...]]:
    """List the directions of the neighbours along the batch axes."""
    for k in range(axes):
        for step in (-1, 1):
            yield tuple(step if i == k else 0 for i in range(axes))


def candidates_beside(
    shape: tuple[int, ...], results: Results, solved: Places, offset: tuple[int, ...]
) -> tuple[Places, Places]:
    """Find the fits that need help in a direction from solved ones; also return the latter."""
    index = np.array(np.unravel_index(solved, shape or (1,)))
    other = index + np.array(offset)[:, None]
    inside = ((other >= 0) & (other < np.array(shape)[:, None])).all(axis=0)
    beside = np.ravel_multi_index(tuple(other[:, inside]), shape)
    chosen = results.needs_help[beside]
    return np.asarray(beside[chosen]), solved[inside][chosen]
