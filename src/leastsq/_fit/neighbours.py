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
    """Fit again where fits failed, from each neighbour in turn, as long as this helps."""
    helped = True
    while helped:
        helped = False
        for offset in offsets(len(shape)):
            again, start = neighbours_of_failures(shape, results, offset)
            if not again.size:
                continue
            found = fit(again, results.x[start])
            results.adopt(again, found)
            helped = helped or bool(found.is_solved.any())


def offsets(axes: int) -> Iterator[tuple[int, ...]]:
    """List the directions of the neighbours along the batch axes."""
    for k in range(axes):
        for step in (-1, 1):
            yield tuple(step if i == k else 0 for i in range(axes))


def neighbours_of_failures(
    shape: tuple[int, ...], results: Results, offset: tuple[int, ...]
) -> tuple[Places, Places]:
    """Find the fits that failed, and have a solved neighbour in a direction; and this neighbour."""
    failed = np.flatnonzero(results.has_failed & results.can_be_retried)
    index = np.array(np.unravel_index(failed, shape or (1,)))
    other = index + np.array(offset)[:, None]
    inside = ((other >= 0) & (other < np.array(shape)[:, None])).all(axis=0)
    neighbour = np.ravel_multi_index(tuple(other[:, inside]), shape)
    failed = failed[inside]
    solved = results.is_solved[neighbour]
    return failed[solved], np.asarray(neighbour[solved])
