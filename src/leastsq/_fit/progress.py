"""Reports on the progress of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Progress:
    """A context that counts the fits that are done, and tells the callback and the bar."""

    def __init__(
        self, total: int, callback: Callable[[int, int], Any] | None, with_bar: bool
    ) -> None:
        self.done = 0
        self.total = total
        self.callback = callback
        self.bar = bar(total) if with_bar else None

    def __enter__(self) -> Progress:
        """Return the object itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()

    def restart(self) -> None:
        """Begin to count again."""
        self.done = 0
        if self.bar is not None:
            self.bar.reset()

    def __call__(self, more: int) -> None:
        """Count fits that are done."""
        self.done += more
        if self.bar is not None:
            self.bar.update(more)
        if self.callback is not None:
            self.callback(self.done, self.total)


def bar(total: int) -> Any:
    """Make a progress bar of tqdm."""
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            "progress=True needs tqdm: pip install leastsq[progress], or pass a callback"
        ) from error
    return tqdm(total=total, unit="fits", unit_scale=True)
