"""Functions that copy the return value of an njit function to the memory of the core.

Numba compiles a copier into an adapter, for the type that the njit function returns. If the shape
is wrong, the copier stores each length plus one in `found`.
"""

from __future__ import annotations

from collections.abc import Callable

from numba import types
from numba.core.errors import NumbaTypeError
from numba.extending import register_jitable

STOP = -1


def copy_vector(returned, fvec, m, n, found):  # type: ignore[no-untyped-def]
    """Copy residuals from a 1-D array, a tuple or a list."""
    if len(returned) != m:
        found[0] = len(returned) + 1
        return STOP
    for i in range(m):
        fvec[i] = returned[i]
    return 0


def copy_array(returned, fvec, m, n, found):  # type: ignore[no-untyped-def]
    """Copy residuals from an array of any other shape."""
    if returned.size != m:
        found[0] = returned.size + 1
        return STOP
    for i, value in enumerate(returned.flat):
        fvec[i] = value
    return 0


def copy_number(returned, fvec, m, n, found):  # type: ignore[no-untyped-def]
    """Copy the only residual."""
    if m != 1:
        found[0] = 2
        return STOP
    fvec[0] = returned
    return 0


@register_jitable
def fits(rows, columns, m, n, found):  # type: ignore[no-untyped-def]
    """Compare the shape of a Jacobian with the one that it must have."""
    if rows == m and columns == n:
        return True
    found[0] = rows + 1
    found[1] = columns + 1
    return False


@register_jitable
def copy_matrix(returned, fjac, m, n, found):  # type: ignore[no-untyped-def]
    """Copy a Jacobian of shape (m, n) to columns; of one parameter, in any shape."""
    if n == 1 and returned.size == m:
        for i, value in enumerate(returned.flat):
            fjac[i] = value
        return 0
    if not fits(returned.shape[0], returned.shape[1], m, n, found):
        return STOP
    for j in range(n):
        for i in range(m):
            fjac[i + m * j] = returned[i, j]
    return 0


def copy_transpose(returned, fjac, m, n, found):  # type: ignore[no-untyped-def]
    """Copy a Jacobian of shape (n, m) to columns; of one parameter, in any shape."""
    answer = copy_matrix(returned.T, fjac, m, n, found)
    found[0], found[1] = found[1], found[0]
    return answer


def copy_column(returned, fjac, m, n, found):  # type: ignore[no-untyped-def]
    """Copy the only column of a Jacobian."""
    if n != 1 or len(returned) != m:
        found[0] = len(returned) + 1
        return STOP
    for i in range(m):
        fjac[i] = returned[i]
    return 0


def copy_rows(returned, fjac, m, n, found):  # type: ignore[no-untyped-def]
    """Copy a Jacobian that is a tuple or list of m rows."""
    rows = len(returned)
    if rows == 0:
        found[0] = 1
        return STOP
    for i in range(rows):
        columns = len(returned[i])
        if n == 1 and rows == 1 and columns == m:
            for k in range(m):
                fjac[k] = returned[i][k]
            return 0
        if not fits(rows, columns, m, n, found):
            return STOP
        for j in range(n):
            fjac[i + m * j] = returned[i][j]
    return 0


def copy_columns(returned, fjac, m, n, found):  # type: ignore[no-untyped-def]
    """Copy a Jacobian that is a tuple or list of n columns."""
    columns = len(returned)
    if columns == 0:
        found[0] = 1
        return STOP
    for j in range(columns):
        rows = len(returned[j])
        if n == 1 and columns == m and rows == 1:
            fjac[j] = returned[j][0]
            continue
        if not fits(columns, rows, n, m, found):
            return STOP
        for i in range(m):
            fjac[i + m * j] = returned[j][i]
    return 0


def residual_copier(returned: types.Type) -> Callable[..., int]:
    """Choose how to copy residuals of a type."""
    if isinstance(returned, types.Array):
        return copy_vector if returned.ndim == 1 else copy_array
    if is_row(returned):
        return copy_vector
    if isinstance(returned, types.Float | types.Integer | types.Boolean):
        return copy_number
    raise NumbaTypeError(f"its return type is not supported: {returned}")


def jacobian_copier(returned: types.Type, transposed: bool) -> Callable[..., int]:
    """Choose how to copy a Jacobian of a type."""
    if isinstance(returned, types.Array) and returned.ndim == 2:
        return copy_transpose if transposed else copy_matrix
    if is_row(returned):
        return copy_column
    if isinstance(returned, types.UniTuple | types.List) and is_row(returned.dtype):
        return copy_columns if transposed else copy_rows
    raise NumbaTypeError(f"its return type is not supported: {returned}")


def is_row(kind: types.Type) -> bool:
    """Tell whether a type is a vector, or a tuple or list of numbers."""
    if isinstance(kind, types.Array):
        return bool(kind.ndim == 1)
    return isinstance(kind, types.UniTuple | types.List) and isinstance(
        kind.dtype, types.Float | types.Integer | types.Boolean
    )
