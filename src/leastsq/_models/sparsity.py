"""Forward differences of residuals that depend on few parameters each: jac_sparsity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import EPSILON, FLOAT64, FloatArray, Function
from leastsq._arguments.bounds import Box
from leastsq._models.differences import Groups, sizes_at
from leastsq._models.points import AtPoints, known_as

ROOT = EPSILON**0.5
FAINT = 1e-12
"""If a step changes the residuals by less, in units of the largest effect, it is lengthened."""


def read_sparsity(jac_sparsity: Any, m: int, n: int) -> NDArray[np.bool_]:
    """Convert the structure of an m x n Jacobian: True where an element may be nonzero."""
    if hasattr(jac_sparsity, "toarray"):
        jac_sparsity = jac_sparsity.toarray()
    structure: NDArray[np.bool_] = np.atleast_2d(jac_sparsity) != 0
    if structure.shape != (m, n):
        raise ValueError(f"`jac_sparsity` has wrong shape: {structure.shape}, not {(m, n)}")
    return structure


def grouped_jacobian(
    fun: Function,
    structure: NDArray[np.bool_],
    box: Box | None,
    steps: FloatArray | None,
    x0: FloatArray,
) -> Function:
    """Make the Jacobian by forward differences, with one call for each group of parameters."""
    groups = groups_of(structure)
    points = AtPoints(lambda p, *args: np.asarray(fun(p, *args), FLOAT64).reshape(-1))

    def by_steps(x: FloatArray, h: FloatArray, moving: Groups, args: Any) -> FloatArray:
        moved = x + steps_at(x, box, h)
        taken = moved - x
        at = np.tile(x, (1 + len(moving), 1))
        for point, group in zip(at[1:], moving, strict=True):
            point[group] = moved[group]
        here, *values = points(at, args)
        jacobian = np.zeros(structure.shape)
        for group, there in zip(moving, values, strict=True):
            columns = [j for j in group if taken[j] != 0]
            quotients = (there - here)[:, np.newaxis] / taken[columns]
            jacobian[:, columns] = np.where(structure[:, columns], quotients, 0)
        return jacobian

    def differenced(x: FloatArray, *args: Any) -> FloatArray:
        if steps is not None:
            return by_steps(x, steps * np.where(x == 0, 1, np.abs(x)), groups, args)
        h = ROOT * sizes_at(x, x0)
        jacobian = by_steps(x, h, groups, args)
        columns = np.abs(jacobian).max(axis=0, initial=0)
        faint = columns * h < FAINT * np.max(columns * np.abs(x), initial=0)
        again = [[j for j in group if faint[j]] for group in groups]
        again = [group for group in again if group]
        if again:
            longer = by_steps(x, ROOT * np.maximum(1, np.abs(x)), again, args)
            jacobian[:, faint] = longer[:, faint]
        return jacobian

    return known_as(differenced, points, ROOT)


def steps_at(x: FloatArray, box: Box | None, h: FloatArray) -> FloatArray:
    """Take steps away from zero, or the other way where there is more room between the bounds."""
    h = np.where(x < 0, -h, h)
    if box is None:
        return h
    room = np.where(h > 0, box.upper - x, x - box.lower)
    other_room = np.where(h > 0, x - box.lower, box.upper - x)
    turned = np.where((np.abs(h) > room) & (other_room > room), -h, h)
    return np.sign(turned) * np.minimum(np.abs(turned), np.maximum(room, other_room))


def groups_of(structure: NDArray[np.bool_]) -> Groups:
    """Put parameters that no residual depends on together into one group, one after another."""
    groups: list[tuple[list[int], NDArray[np.bool_]]] = []
    for j, column in enumerate(structure.T):
        for members, rows in groups:
            if not (rows & column).any():
                members.append(j)
                rows |= column
                break
        else:
            groups.append(([j], column.copy()))
    return [members for members, _ in groups]
