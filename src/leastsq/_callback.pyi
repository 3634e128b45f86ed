from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

def addresses(
    func: Callable[..., Any],
    Dfun: Callable[..., Any] | None,
    args: tuple[Any, ...],
    coerce: Callable[[object, Callable[..., Any], int], Any],
    takes_gil: bool,
    /,
) -> tuple[object, int, int, int]: ...
def hold(release: int, data: int, needed: object, /) -> object: ...
def watch(
    residual: int,
    residual_data: int,
    jacobian: int,
    jacobian_data: int,
    released: bool,
    /,
) -> tuple[object, int, int, int]: ...
def first_residuals(
    func: Callable[..., Any],
    x: NDArray[np.float64],
    args: tuple[Any, ...],
    coerce: Callable[[object, Callable[..., Any]], NDArray[Any]],
    /,
) -> NDArray[Any]: ...
