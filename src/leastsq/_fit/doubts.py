"""Warnings about the covariance of a fit, with the names of the parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray, Function, name_of
from leastsq._arguments.bounds import FIXED
from leastsq._core._calls import ACTS_TOGETHER, HARDLY_DETERMINED, WITHOUT_EFFECT
from leastsq._functions.signature import parameter_names

DISTANT = 1e4
"""A parameter has run away if its value is so many times its start, or so large if that is zero."""
VANISHED = 1e-30
"""A parameter is zero but for rounding errors if its value is this part of its start."""
STAYED = 1e-10
"""A parameter kept its order of magnitude, more or less, if its value is this part of its start."""
UNCERTAIN = 100
"""Its standard error then is more than so many times its value."""
VAGUE = 1e5
"""Nothing is known of a parameter whose error is so many times its value at p0 and at the end."""


def no_covariance(
    f: Function,
    p0: FloatArray,
    popt: FloatArray,
    held: NDArray[np.int32],
    state: NDArray[np.int32],
    points: int,
) -> str:
    """Explain why there is no covariance; held is that of a Box, and state that of the core."""
    reasons = []
    names = parameter_names(f, popt.size)
    idle = select(names, state == WITHOUT_EFFECT)
    if idle:
        where = "at p0" if np.array_equal(p0, popt) else "at the solution"
        reasons.append(f"{where} {name_of(f)} does not depend on {listed(idle)}")
    related = select(names, state == ACTS_TOGETHER)
    if related:
        how = "they act only together" if len(related) > 1 else "it has almost no effect"
        reasons.append(f"the data do not determine {listed(related)}: {how}")
    if reasons and held.any():
        on_bound = select(names, held != 0)
        reasons.append(f"{listed(on_bound)} {'is' if len(on_bound) == 1 else 'are'} on a bound")
    if not reasons:
        free = popt.size - np.count_nonzero(held)
        if points <= free:
            reasons.append(
                f"there are no more points ({points}) than parameters ({free}); if sigma holds the "
                "true errors, pass absolute_sigma=True"
            )
        else:
            reasons.append("an element of the covariance is too large for float64")
    return f"Covariance of the parameters could not be estimated: {'; '.join(reasons)}"


def doubtful_covariance(f: Function, state: NDArray[np.int32]) -> str:
    """Name the parameters whose standard errors may be infinite."""
    names = parameter_names(f, state.size)
    related = select(names, state == ACTS_TOGETHER)
    if related:
        return (
            f"The data hardly determine {listed(related)}: within the error of the differenced "
            "Jacobian they act only together. Treat their standard errors as infinite"
        )
    return (
        f"The data hardly determine {listed(select(names, state == HARDLY_DETERMINED))}: changing "
        "one can be almost compensated by the others, and their standard errors are more than 100 "
        "times their values. The other standard errors are doubtful too"
    )


def may_be_lost(p0: FloatArray, popt: FloatArray, pcov: FloatArray) -> bool:
    """Tell whether any parameter went far away, vanished or is vague; this takes little time."""
    triples = zip(p0.tolist(), popt.tolist(), pcov.diagonal().tolist(), strict=True)
    for before, after, variance in triples:
        size, usual = abs(after), abs(before)
        if size < VANISHED * usual or size > DISTANT * (usual or 1.0):
            return True
        if variance > (VAGUE * size) * (VAGUE * size):
            return True
    return False


def ran_away(p0: FloatArray, popt: FloatArray, stderr: FloatArray) -> NDArray[np.bool_]:
    """Tell which parameters went far away from p0, to values that their errors do not exclude."""
    with np.errstate(invalid="ignore", over="ignore"):
        is_far = np.abs(popt) > DISTANT * np.where(p0 == 0, 1.0, np.abs(p0))
        return np.asarray(is_far & (stderr > UNCERTAIN * np.abs(popt)) & np.isfinite(stderr))


def are_vague(p0: FloatArray, popt: FloatArray, stderr: FloatArray) -> NDArray[np.bool_]:
    """Tell of which parameters the data tell nothing: neither the order of magnitude nor the sign.

    A parameter whose best value is zero is smaller than its error by any factor. Its value at p0
    shows in which unit it is to be seen, unless that is zero, too.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        vague = stderr > VAGUE * np.maximum(np.abs(popt), np.abs(p0))
        return np.asarray(vague & np.isfinite(stderr) & (p0 != 0))


def distance_doubt(
    f: Function, p0: FloatArray, popt: FloatArray, stderr: FloatArray, held: NDArray[np.int32]
) -> str:
    """Name the parameters that ran away, are vague, or are left alone; empty if there are none.

    The arrays have the shape (n,).
    """
    if (away := ran_away(p0, popt, stderr)).any():
        return runaway(f, p0, popt, away)
    if (vague := are_vague(p0, popt, stderr)).any():
        names = listed(select(parameter_names(f, popt.size), vague))
        return (
            f"The data hardly determine {names}: the standard error is more than {VAGUE:,.0f} "
            "times the value at p0 and at the solution. Try another p0"
        )
    if (alone := left_alone(p0, popt, held)).any():
        return without_others(f, alone, have_vanished(p0, popt))
    return ""


def have_vanished(p0: FloatArray, popt: FloatArray) -> NDArray[np.bool_]:
    """Tell which parameters are zero but for rounding errors, although they were not at p0."""
    return np.asarray((popt != 0) & (np.abs(popt) < VANISHED * np.abs(p0)))


def left_alone(
    p0: FloatArray, popt: FloatArray, held: NDArray[np.integer[Any]]
) -> NDArray[np.bool_]:
    """Tell which parameters lost their effect when others vanished, as for data that are zero.

    The arrays have the shape (..., n).
    """
    vanished = have_vanished(p0, popt).any(axis=-1, keepdims=True)
    return np.asarray(vanished & (np.abs(popt) > STAYED * np.abs(p0)) & (held != FIXED))


def without_others(f: Function, alone: NDArray[np.bool_], vanished: NDArray[np.bool_]) -> str:
    """Name the parameters that lost their effect when others vanished."""
    names = parameter_names(f, alone.size)
    lost = select(names, vanished)
    return (
        f"The data do not determine {listed(select(names, alone))}: at the solution "
        f"{listed(lost)} {'is' if len(lost) == 1 else 'are'} zero within rounding errors. Are the "
        "data all zero? Treat the other standard errors as infinite"
    )


def runaway(f: Function, p0: FloatArray, popt: FloatArray, away: NDArray[np.bool_]) -> str:
    """Name the parameters that ran away."""
    names = select(parameter_names(f, popt.size), away)
    ways = ", ".join(
        f"{name} from {before:.6g} to {after:.6g}"
        for name, before, after in zip(names, p0[away], popt[away], strict=True)
    )
    return (
        f"The data hardly determine {listed(names)}: the fit moved {ways}, and there the standard "
        f"error is more than {UNCERTAIN} times the value. Try another p0, or a model without "
        f"{'this parameter' if len(names) == 1 else 'these parameters'}"
    )


def conditional_covariance(
    f: Function, together: NDArray[np.bool_], held: NDArray[np.int32]
) -> str:
    """Name the parameters on a bound that act only together with others."""
    names = parameter_names(f, together.size)
    on_bound = select(names, together & (held != 0))
    return (
        f"The data do not determine {listed(select(names, together))}: they act only together. "
        f"{listed(on_bound)} {'is' if len(on_bound) == 1 else 'are'} on a bound, and the standard "
        "errors of the other parameters hold only for this value"
    )


def select(names: Iterable[str], chosen: Iterable[np.bool_]) -> list[str]:
    """Select some of the names."""
    return [name for name, taken in zip(names, chosen, strict=True) if taken]


def listed(names: list[str]) -> str:
    """Join names with commas and 'and'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
