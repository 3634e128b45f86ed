"""What a fit keeps to, besides its functions and its start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from leastsq._arguments.bounds import Box
from leastsq._arguments.settings import Settings

if TYPE_CHECKING:
    from leastsq._core._calls import Watch


class Conditions(NamedTuple):
    """The options and the bounds of a fit, who watches it, and when it ends at the latest.

    There may be fewer residuals than parameters if may_be_few. deadline is a time of the clock
    `monotonic`.
    """

    settings: Settings
    box: Box | None = None
    may_be_few: bool = False
    watch: Watch | None = None
    deadline: float = math.inf

    def having(self, settings: Settings) -> Conditions:
        """Return the same conditions with other options."""
        return self if settings is self.settings else self._replace(settings=settings)
