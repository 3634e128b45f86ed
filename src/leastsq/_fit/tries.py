"""How a fit is tried again."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.bounds import Box
from leastsq._arguments.settings import Settings
from leastsq._core._calls import (
    AS_IT_IS,
    GTOL_REACHED,
    MAXFEV_REACHED,
    ON_OTHER_SIDE,
    PROMISE_BROKEN,
)

WORTHWHILE = 0.999
"""A smaller ratio of two norms of residuals means another minimum."""
GENTLE = 0.01
"""The factor of a first step that hardly leaves the start."""
COARSE = 1e-6
"""The relative error of residuals that come from a simulator or a file."""


class Try(NamedTuple):
    """How to try again.

    x is the start. diag contains the scale factors of the steps; None for the usual scale. limit is
    the ratio of the norms of residuals below which the try has found a better minimum. attempt is
    the option of the core. share is the part of the default of maxfev that the try may use; the
    rest, which has no share, begins at the best point. factor is that of the first step; None for
    the usual one. box contains bounds at zero for some parameters; None for the user's bounds.
    epsfcn is the relative error of the residuals; None for the usual one.
    """

    x: FloatArray
    diag: FloatArray | None = None
    limit: float = WORTHWHILE
    attempt: int = AS_IT_IS
    share: float = 1.0
    factor: float | None = None
    box: Box | None = None
    epsfcn: float | None = None

    @property
    def kind(self) -> tuple[Any, ...]:
        """What tries have in common if they can be done at the same time."""
        has_own = self.diag is not None, self.box is not None
        return *has_own, self.attempt, self.share, self.factor, self.epsfcn

    @property
    def is_rest(self) -> bool:
        """Whether to go on from the best point with all calls that are left."""
        return self.share == math.inf

    def has_ended_at_zero(self, x: FloatArray) -> bool:
        """Tell whether a parameter that was to keep its sign has become zero."""
        return self.box is not None and bool(((x == 0) & (self.x != 0)).any())

    def is_of_use(self, is_solved: bool, is_confirmed: bool) -> bool:
        """Tell whether to do the try, after others have solved the fit, or confirmed that."""
        if self.is_rest:
            return not is_solved
        return not is_confirmed or self.factor is None

    def settings(self, usual: Settings, diag: FloatArray | None) -> Settings:
        """Return the settings of a try, or of several with their diag; the user's scale is kept."""
        most = usual.maxfev if self.is_rest else int(self.share * usual.first.maxfev)
        epsfcn = usual.epsfcn if self.epsfcn is None else self.epsfcn
        settings = replace(usual, attempt=self.attempt, maxfev=most, epsfcn=epsfcn)
        if diag is not None and usual.diag is None:
            return replace(settings, factor=1.0, diag=diag)
        return settings if self.factor is None else replace(settings, factor=self.factor)


def is_broken(ending: Any) -> Any:
    """Tell whether no step did what the differences promise, for one fit or many."""
    return (ending > PROMISE_BROKEN) & (ending != PROMISE_BROKEN + GTOL_REACHED)


def has_crawled(ending: Any, settings: Settings) -> Any:
    """Tell whether a fit made the usual number of calls, and may make more; for one or many."""
    return (ending == MAXFEV_REACHED) & settings.leaves_calls


def may_be_noisy(ending: Any, is_open: Any, is_confined: Any, settings: Settings) -> Any:
    """Tell whether longer steps may give better differences, for one fit or many."""
    is_usual = settings.epsfcn is None and settings.diff_step is None
    is_doubtful = np.where(is_open, is_broken(ending), is_confined)
    return (is_doubtful | has_crawled(ending, settings)) & is_usual


def has_turned(start: FloatArray, x: FloatArray) -> Any:
    """Tell whether any parameter has changed its sign, for one fit or many."""
    return (np.sign(start) * np.sign(x) < 0).any(axis=-1)


def with_signs_of(start: FloatArray, x: FloatArray, box: Box | None) -> Box | None:
    """Bound the parameters that have changed their signs by zero; None if there are none."""
    if not has_turned(start, x):
        return None
    without = np.full(start.size, np.inf)
    lower, upper = Box(-without, without) if box is None else box
    turned = np.sign(start) * np.sign(x) < 0
    return Box(
        np.where(turned & (start > 0), np.maximum(lower, 0), lower),
        np.where(turned & (start < 0), np.minimum(upper, 0), upper),
    )


def tries_for(
    start: FloatArray,
    x: FloatArray,
    settings: Settings,
    box: Box | None,
    is_poor: bool,
    is_open: bool,
    is_misfit: bool,
    is_crawling: bool,
    is_noisy: bool,
) -> list[Try]:
    """Choose how to try a fit again that has ended at x, in one of these ways."""
    tries = [on_other_side(start, settings.loss is not None)] if is_poor else []
    if is_noisy and not is_crawling:
        tries.append(with_longer_differences(start if is_open else x, 0.25 if is_open else 0.1))
    if is_open or is_misfit:
        tries += from_start(start, x, settings, box, is_open)
    if is_noisy and is_crawling:
        tries.append(with_longer_differences(start, 0.25))
    if settings.is_limited and is_crawling:
        tries.append(the_rest(start))
    return tries


def on_other_side(start: FloatArray, is_robust: bool) -> Try:
    """Choose how to try again after a poor end: from the start, and on its other side."""
    return Try(start, None, 1.0 if is_robust else WORTHWHILE, ON_OTHER_SIDE)


def with_longer_differences(start: FloatArray, share: float) -> Try:
    """Choose to try again with differences for residuals that have few correct digits."""
    return Try(start, share=share, epsfcn=COARSE)


def going_on(x: FloatArray) -> Try:
    """Choose how to go on with a try that was cut short."""
    return Try(x)


def the_rest(x: FloatArray) -> Try:
    """Choose to use all calls that the user allows, after tries that used up the usual ones."""
    return Try(x, limit=1.0, share=math.inf)


def from_start(
    start: FloatArray, x: FloatArray, settings: Settings, box: Box | None, is_open: bool
) -> list[Try]:
    """Choose how to try again from the start, after an open end or one that misses the data.

    The steps are not scaled, or as usual but parameters that have changed their signs keep them, or
    small at first. After an end that only misses the data, these parameters always keep their
    signs.
    """
    signs = with_signs_of(start, x, box)
    if signs is None and not is_open:
        return []
    others = None if is_open else signs
    tries = [] if signs is None else [Try(start, share=0.35, box=signs)]
    if settings.diag is None:
        unscaled = Try(start, np.ones(start.size), share=0.35, box=others)
        tries.insert(0 if is_open else 1, unscaled)
    return [*tries, Try(start, share=0.25, factor=GENTLE, box=others)]
