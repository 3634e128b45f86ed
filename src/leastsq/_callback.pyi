from collections.abc import Callable
from typing import Any

class Callback:
    def __new__(
        cls,
        func: Callable[..., Any],
        Dfun: Callable[..., Any] | None,
        args: tuple[Any, ...],
        coerce: Callable[[object, Callable[..., Any], int], Any],
        takes_gil: bool,
    ) -> Callback: ...
    def addresses(self) -> tuple[int, int, int]: ...
