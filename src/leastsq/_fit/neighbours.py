"""A second pass: fits that failed begin again from the solutions of their neighbours."""

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
    """Fit again where fits failed, from each neighbour in turn, as long as there are new ones.

    A neighbour is new when its fit has been solved. No fit begins twice from the same neighbour.
    """
    new = np.flatnonzero(results.is_solved)
    while new.size:
        rescued = []
        for offset in offsets(len(shape)):
            again, start = failures_beside(shape, results, new, offset)
            if not again.size:
                continue
            found = fit(again, results.x[start])
            results.adopt(again, found)
            rescued.append(again[found.is_solved])
        new = np.unique(np.concatenate(rescued)) if rescued else np.empty(0, np.int64)


def offsets(axes: int) -> Iterator[tuple[int, ...]]:
    """List the directions of the neighbours along the batch axes."""
    for k in range(axes):
        for step in (-1, 1):
            yield tuple(step if i == k else 0 for i in range(axes))


def failures_beside(
    shape: tuple[int, ...], results: Results, solved: Places, offset: tuple[int, ...]
) -> tuple[Places, Places]:
    """Find the fits that failed in a direction from solved ones; also return these neighbours."""
    index = np.array(np.unravel_index(solved, shape or (1,)))
    other = index + np.array(offset)[:, None]
    inside = ((other >= 0) & (other < np.array(shape)[:, None])).all(axis=0)
    beside = np.ravel_multi_index(tuple(other[:, inside]), shape)
    failed = results.has_failed[beside] & results.can_be_retried[beside]
    return np.asarray(beside[failed]), solved[inside][failed]
