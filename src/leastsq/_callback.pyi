from collections.abc import Callable
from typing import Any

def addresses(
    func: Callable[..., Any],
    Dfun: Callable[..., Any] | None,
    args: tuple[Any, ...],
    coerce: Callable[[object, Callable[..., Any], int], Any],
    takes_gil: bool,
    /,
) -> tuple[object, int, int, int]: ...
