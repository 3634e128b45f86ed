"""Warnings that point to the line of the user's code."""

from __future__ import annotations

import sys
import warnings

PACKAGE = __name__.partition(".")[0]


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line that called this package."""
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and is_ours(frame.f_globals):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)


def is_ours(namespace: dict[str, object]) -> bool:
    """Tell whether a namespace belongs to a module of this package."""
    return str(namespace.get("__name__", "")).partition(".")[0] == PACKAGE
