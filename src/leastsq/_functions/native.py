"""Functions in native code, which the core calls directly."""

from __future__ import annotations

import ctypes
import math
import operator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from leastsq import _core
from leastsq._arguments.arrays import LARGEST_INT, FloatArray, own_vector
from leastsq._core._calls import OUT_OF_MEMORY, native_function
from leastsq._functions.native_pointers import UNKNOWN, data_address, function_pointer

INT, DATA, VECTOR = "int", "void*", "double*"
SIGNATURES = {
    "residual": [INT, DATA, INT, INT, VECTOR, VECTOR, INT],
    "Jacobian": [INT, DATA, INT, INT, VECTOR, VECTOR, VECTOR, INT, INT],
}

NUMBERS = ctypes.POINTER(ctypes.c_double)
JACOBIAN = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, *[ctypes.c_int] * 2, *[NUMBERS] * 3, *[ctypes.c_int] * 2
)


class StoppedError(RuntimeError):
    """A native function ended the fit.

    Attributes
    ----------
    flag : int
        The negative number that the function returned.
    x : ndarray, shape (n,), float64
        The best point found so far.
    nfev : int
        Number of calls of the residual function, including the last one.
    """

    __module__ = "leastsq"

    def __init__(self, flag: int, x: FloatArray, nfev: int) -> None:
        super().__init__(f"A native function ended the fit: it returned {flag} (nfev = {nfev}).")
        self.flag = flag
        self.x = x
        self.nfev = nfev

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the attributes too, not only the message."""
        return type(self), (self.flag, self.x, self.nfev)


class NativeFunction:
    """A compiled function that leastsq calls directly at its address.

    Parameters
    ----------
    function : PyCapsule, ctypes or cffi function pointer, numba.cfunc, scipy.LowLevelCallable, int
        The function or its address. To be used as func, it must be a residual function with the C
        signature ::

            int residual(void *data, int m, int n, const double *x, double *fvec, int iflag);

        which writes the m residuals at x (n numbers) to fvec. To be used as Dfun, it must have the
        C signature ::

            int jacobian(void *data, int m, int n, const double *x, double *fvec,
                         double *fjac, int ldfjac, int iflag);

        and write the derivative of residual i with respect to parameter j to
        ``fjac[i + ldfjac*j]``. fvec contains the residuals at x and must not be changed. iflag is
        1 if the residuals are needed, and 2 if derivatives are needed, including finite
        differences. A negative return value ends the fit with a StoppedError. These are the
        signatures ``cminpack_func_mn`` and ``cminpack_funcder_mn`` of cminpack.
    m : int
        Number of residuals, at least 1.
    data : ndarray, ctypes or cffi pointer, ctypes structure or array, PyCapsule, int, optional
        The function receives the address of the contents of this object as its first argument.
        Default: NULL, or the user data of a LowLevelCallable.

    Raises
    ------
    TypeError
        The function or the data has a type that is not listed above, or m is not an integer.
    ValueError
        A null pointer; m < 1; an object that declares other types than those above.

    Notes
    -----
    A NativeFunction keeps the objects of the function and of the data alive, but not the memory
    that the data points to. Several threads may use one NativeFunction at the same time if its
    function is thread-safe. A NativeFunction cannot be pickled, because an address is valid in one
    process only.

    Examples
    --------
    >>> import ctypes
    >>> import numpy as np
    >>> from leastsq import NativeFunction, leastsq
    >>> numbers = ctypes.POINTER(ctypes.c_double)
    >>> @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int,
    ...                   numbers, numbers, ctypes.c_int)
    ... def rosenbrock(data, m, n, x, fvec, iflag):  # stands for a function compiled from C
    ...     fvec[0] = 10*(x[1] - x[0]**2)
    ...     fvec[1] = 1 - x[0]
    ...     return 0
    >>> x, ier = leastsq(NativeFunction(rosenbrock, 2), [-1.2, 1])
    >>> np.round(x, 6)
    array([1., 1.])
    """

    __module__ = "leastsq"

    __slots__ = ("_keep", "address", "data", "m", "role")

    address: int
    data: int
    m: int
    role: str | None
    _keep: tuple[Any, Any]

    def __init__(self, function: Any, m: int, data: Any = None) -> None:
        pointer = function_pointer(function)
        if pointer.address == 0:
            raise ValueError("the native function is a null pointer")
        fields = {
            "address": pointer.address,
            "data": pointer.data if data is None else data_address(data),
            "m": residual_count(m),
            "role": role_of(pointer.signature),
            "_keep": (function, data),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse to change anything: the function was checked when it was made."""
        raise AttributeError(f"a NativeFunction cannot be changed: make one with another {name}")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse to delete anything."""
        raise AttributeError(f"a NativeFunction cannot be changed: its {name} cannot be deleted")

    def __call__(self, x: ArrayLike) -> FloatArray:
        """Evaluate the residuals at x, n numbers; shape (m,)."""
        point = own_vector(x, "x")
        fvec = self.room()
        callee = native_function(self.address, self.data, False, False, True, None, math.inf)
        info = _core.evaluate(callee, point, fvec)
        if info < 0:
            raise StoppedError(info, point, 1)
        if info == OUT_OF_MEMORY:
            raise MemoryError(f"not enough memory for {self.m} residuals")
        return fvec

    def with_data(self, data: Any) -> NativeFunction:
        """Return the same function with other data."""
        return NativeFunction(self._keep[0], self.m, data)

    def jacobian_at(self, x: FloatArray, fvec: FloatArray) -> FloatArray:
        """Evaluate the Jacobian at x, where the residuals are fvec; shape (m, n)."""
        fjac = np.full((x.size, self.m), np.nan)
        point, residuals = x.copy(), fvec.copy()
        pointers = [array.ctypes.data_as(NUMBERS) for array in (point, residuals, fjac)]
        flag = JACOBIAN(self.address)(self.data, self.m, x.size, *pointers, self.m, 2)
        if flag < 0:
            raise StoppedError(flag, x, 0)
        return fjac.T

    def room(self) -> FloatArray:
        """Allocate the residuals of this function, filled with NaN."""
        if self.role == "Jacobian":
            raise TypeError("func must be a residual function, got the Jacobian's signature")
        return np.full(self.m, np.nan)

    def __copy__(self) -> NativeFunction:
        """Return the object itself, because it cannot change."""
        return self

    def __deepcopy__(self, memo: Any) -> NativeFunction:
        """Return the object itself, because its address points to the data."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: an address is valid in one process only."""
        raise TypeError(
            "a NativeFunction cannot be pickled: its addresses are valid in this process only"
        )

    def __repr__(self) -> str:
        """Show the function and the number of residuals."""
        return f"NativeFunction({self._keep[0]!r}, m={self.m})"


def residual_count(m: int) -> int:
    """Check the number of residuals, which is an int in C."""
    try:
        if isinstance(m, bool):
            raise TypeError
        count = operator.index(m)
    except TypeError:
        raise TypeError(f"m, the number of residuals, must be an integer, got {m!r}") from None
    if not 1 <= count <= LARGEST_INT:
        raise ValueError(f"m, the number of residuals, must be from 1 to {LARGEST_INT}, got {m}")
    return count


def role_of(signature: list[str] | None) -> str | None:
    """Find out from its types what a function computes; None if the types are not known."""
    if signature is None:
        return None
    for role, wanted in SIGNATURES.items():
        if len(signature) == len(wanted) and all(map(serves, signature, wanted)):
            return role
    expected = " or ".join(f"{s[0]}({', '.join(s[1:])})" for s in SIGNATURES.values())
    raise ValueError(
        f"a native function must be {expected}, got {signature[0]}({', '.join(signature[1:])})"
    )


def serves(given: str, wanted: str) -> bool:
    """Tell whether a type can be used for another; void* and any other pointer can."""
    pointers = given.endswith("*") and wanted.endswith("*")
    return given in (wanted, UNKNOWN) or (pointers and DATA in (given, wanted))
