"""Functions that copy the return value of an njit function to the memory of the core.

Numba compiles a copier into an adapter, for the type that the njit function returns. If the shape
is wrong, the copier stores its lengths plus one in `found`: the rows and columns of the Jacobian,
also of one that is transposed.
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


def copy_any_shape(returned, y, fvec, m, n, found):  # type: ignore[no-untyped-def]
    """Copy the values of a model, an array of the shape of the data y or of one number."""
    if returned.size == 1 and y.size == m:
        for i in range(m):
            fvec[i] = returned.flat[0]
        return 0
    is_alike = returned.size == m
    for k in range(min(returned.ndim, y.ndim)):
        if y.size > 1 and returned.shape[returned.ndim - 1 - k] != y.shape[y.ndim - 1 - k]:
            is_alike = False
    if not is_alike:
        found[0] = returned.size + 1
        return STOP
    for i, value in enumerate(returned.flat):
        fvec[i] = value
    return 0


def whiten_residuals(factor, fvec, m, n, found):  # type: ignore[no-untyped-def]
    """Solve L w = f for residuals f, if the data have the covariance L L'."""
    substitute(factor, fvec, m, 1)
    return 0


def whiten_columns(factor, fjac, m, n, found):  # type: ignore[no-untyped-def]
    """Solve L w = a for each column a of a Jacobian."""
    substitute(factor, fjac, m, n)
    return 0


@register_jitable
def substitute(factor, numbers, m, n):  # type: ignore[no-untyped-def]
    """Replace n columns of m numbers by the solutions for the lower triangle factor."""
    for j in range(n):
        for k in range(m):
            numbers[k + m * j] /= factor[k, k]
            for i in range(k + 1, m):
                numbers[i + m * j] -= numbers[k + m * j] * factor[i, k]


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
    return copy_matrix(returned.T, fjac, m, n, found)


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
        if not fits(rows, columns, m, n, found):
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


def copier_of_any_shape(returned: types.Type) -> Callable[..., int]:
    """Return what copies the values of a model that are an array of any shape."""
    if isinstance(returned, types.Array):
        return copy_any_shape
    raise NumbaTypeError(f"its return type is not supported: {returned}")


def whiten(is_residual: bool) -> Callable[..., int]:
    """Choose how to weigh by the factor of a covariance."""
    return whiten_residuals if is_residual else whiten_columns


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
