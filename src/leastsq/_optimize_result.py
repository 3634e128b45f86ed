"""The result of least_squares."""

from __future__ import annotations

from typing import Any

import numpy as np


class OptimizeResult(dict[str, Any]):
    """A dict whose items are attributes, too, as SciPy's class of this name."""

    __module__ = "leastsq"

    def __getattr__(self, name: str) -> Any:
        """Look an item up."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __dir__(self) -> list[str]:
        """List the items."""
        return list(self)

    def __repr__(self) -> str:
        """Show an item a line; large arrays are shortened."""
        if not self:
            return f"{type(self).__name__}()"
        width = max(map(len, self)) + 1
        return "\n".join(f"{name:>{width}}: {shown(self[name], width + 2)}" for name in self)


def shown(value: Any, indent: int) -> str:
    """Show a value, with its lines indented."""
    if isinstance(value, np.ndarray):
        text = np.array2string(
            value,
            max_line_width=max(76 - indent, 30),
            threshold=24,
            formatter={"float_kind": short},  # type: ignore[arg-type]
        )
    else:
        text = str(value)
    return text.replace("\n", "\n" + " " * indent)


def short(number: float) -> str:
    """Format a number with four digits."""
    if not np.isfinite(number):
        return f"{number:>10}"
    return np.format_float_scientific(number, precision=3, pad_left=2, unique=False)
