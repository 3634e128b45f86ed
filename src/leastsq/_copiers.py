"""What an njit function returns -> the core's memory.

A copier is Python code that Numba compiles into an adapter, for the type that the function returns.
"""

from __future__ import annotations

from collections.abc import Callable

from numba import types
from numba.core.errors import NumbaTypeError
from numba.extending import register_jitable

STOP = -1


def copy_vector(returned, fvec, m, n):  # type: ignore[no-untyped-def]
    """Copy residuals, as Numba compiles it for 1-D arrays, tuples and lists."""
    if len(returned) != m:
        return STOP
    for i in range(m):
        fvec[i] = returned[i]
    return 0


def copy_array(returned, fvec, m, n):  # type: ignore[no-untyped-def]
    """Copy residuals in an array of any other shape."""
    if returned.size != m:
        return STOP
    for i, value in enumerate(returned.flat):
        fvec[i] = value
    return 0


def copy_number(returned, fvec, m, n):  # type: ignore[no-untyped-def]
    """Copy the only residual."""
    if m != 1:
        return STOP
    fvec[0] = returned
    return 0


@register_jitable
def copy_transpose(returned, fjac, m, n):  # type: ignore[no-untyped-def]
    """Copy a Jacobian of shape (n, m) to columns."""
    if returned.shape != (n, m):
        return STOP
    for j in range(n):
        for i in range(m):
            fjac[i + m * j] = returned[j, i]
    return 0


def copy_matrix(returned, fjac, m, n):  # type: ignore[no-untyped-def]
    """Copy a Jacobian of shape (m, n) to columns."""
    return copy_transpose(returned.T, fjac, m, n)


def copy_column(returned, fjac, m, n):  # type: ignore[no-untyped-def]
    """Copy the only column of a Jacobian."""
    if n != 1 or returned.size != m:
        return STOP
    for i in range(m):
        fjac[i] = returned[i]
    return 0


def residual_copier(returned: types.Type) -> Callable[..., int]:
    """Choose how to copy residuals of a type."""
    if isinstance(returned, types.Array):
        return copy_vector if returned.ndim == 1 else copy_array
    if isinstance(returned, types.UniTuple | types.List):
        return copy_vector
    if isinstance(returned, types.Float | types.Integer | types.Boolean):
        return copy_number
    raise NumbaTypeError(f"what it returns is not taken in compiled code: {returned}")


def jacobian_copier(returned: types.Type, transposed: bool) -> Callable[..., int]:
    """Choose how to copy a Jacobian of a type."""
    if isinstance(returned, types.Array) and returned.ndim == 2:
        return copy_transpose if transposed else copy_matrix
    if isinstance(returned, types.Array) and returned.ndim == 1:
        return copy_column
    raise NumbaTypeError(f"what it returns is not taken in compiled code: {returned}")
