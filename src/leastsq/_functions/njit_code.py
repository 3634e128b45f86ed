"""The compiled code of an njit function for some types of arguments."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from operator import is_
from typing import Any, NamedTuple

from numba import njit, types
from numba.core.errors import NumbaTypeError

from leastsq._functions.roles import Role

VECTOR = types.Array(types.float64, 1, "C")


class Target(NamedTuple):
    """Compiled code, and how it is called."""

    code: Any
    takes: tuple[types.Type, ...]
    returns: types.Type
    takes_tuple: bool


class Size(NamedTuple):
    """The number of residuals that a function returned, and the argument that had this size."""

    m: int
    place: int | None

    def expected(self, args: tuple[Any, ...]) -> int:
        """Return the number of residuals to expect for the args of a fit."""
        if self.place is None or self.place >= len(args):
            return self.m
        size = getattr(args[self.place], "size", None)
        return size if isinstance(size, int) and size > 0 else self.m


def size_of(m: int, args: tuple[Any, ...]) -> Size:
    """Remember the number of residuals, and which of the args has this size."""
    places = (k for k, each in enumerate(args) if getattr(each, "size", None) == m)
    return Size(m, next(places, None))


class Known:
    """Cached compilation results of an njit function.

    codes contains its compiled code for each combination of types; binders the functions that bind
    its arguments, by role; sizes how many residuals it returned last, by role; refusals the reasons
    why it is called from Python, by role and types; wrapped the wrappers for which Numba fills in
    default arguments.
    """

    def __init__(self, function: Any) -> None:
        self.codes: list[Any] = list(dict.values(function.overloads))
        self.binders: dict[Role, Any] = {}
        self.sizes: dict[Role, Size] = {}
        self.refusals: dict[Any, Any] = {}
        self.wrapped: dict[bool, Any] = {}

    def is_of(self, function: Any) -> bool:
        """Tell whether the function has not been recompiled since, except for more types."""
        now = list(dict.values(function.overloads))  # faster than the values of an OrderedDict
        if not self.codes:
            return not now
        return now == self.codes or (len(now) > len(self.codes) and all(map(is_, self.codes, now)))

    @cached_property
    def singles(self) -> set[bool]:
        """Whether the function returns float32, for the types for which it was compiled."""
        returned = [code.signature.return_type for code in self.codes]
        return {str(getattr(kind, "dtype", kind)) == "float32" for kind in returned}

    @property
    def is_single(self) -> bool:
        """Whether the function returns float32, for whatever types it was compiled."""
        return self.singles == {True}

    @property
    def is_mixed(self) -> bool:
        """Whether the function returns float32 for some types of its arguments only."""
        return len(self.singles) > 1


def known_of(function: Any) -> Known:
    """Get the Known of a function, which is an attribute of the function."""
    known: Known | None = getattr(function, "_leastsq_known", None)
    if known is None or not known.is_of(function):
        known = function._leastsq_known = Known(function)
    return known


def remember_codes(function: Any, known: Known) -> None:
    """Remember the compiled code of a function, to notice later if it is recompiled."""
    if len(known.codes) != len(function.overloads):
        known.codes = list(dict.values(function.overloads))
        known.__dict__.pop("singles", None)


def cut_loose(own: Any) -> None:
    """Allow a function that this library made to be freed together with the user's function.

    Numba keeps the compiled code of a function as long as the function lives. The annotations of
    the code refer to the Python function, its closure refers to the user's function, and our
    function belongs to the user's function. Python's garbage collector does not see this cycle.
    """
    for kinds, code in list(dict.items(own.overloads)):
        if code.type_annotation is not None:
            own.overloads[kinds] = code._replace(type_annotation=None)


def wrapped(function: Any, has_args: bool) -> Any:
    """Wrap a function with default arguments or *args, whose arguments Numba rearranges."""

    @njit
    def with_args(x, *args):  # type: ignore[no-untyped-def]
        return function(x, *args)

    @njit
    def alone(x):  # type: ignore[no-untyped-def]
        return function(x)

    return with_args if has_args else alone


def types_given(role: Role, args: Iterable[types.Type]) -> tuple[types.Type, ...]:
    """List the types of what a function is called with in a role, for the args of a fit."""
    if role.n is None:
        return (VECTOR, *args)
    x, *_ = args
    return (x, *[types.float64] * role.n)


def resolve(function: Any, given: tuple[types.Type, ...]) -> Target:
    """Find or compile the code of a function for arguments of the given types."""
    if in_object_mode(function):
        raise NumbaTypeError("it is compiled in object mode")
    signature = signature_of(function, given)
    if signature is None:
        raise NumbaTypeError(f"it has no signature for {given}")
    is_folded = len(signature.args) != len(given) or any(
        isinstance(kind, types.Omitted | types.StarArgTuple | types.StarArgUniTuple)
        for kind in signature.args
    )
    has_args = len(given) > 1
    if is_folded:
        wrappers = known_of(function).wrapped
        if has_args not in wrappers:
            wrappers[has_args] = wrapped(function, has_args)
        function = wrappers[has_args]
        signature = signature_of(function, given)
        cut_loose(function)
    code = function.overloads[signature.args]
    return Target(code, signature.args, signature.return_type, is_folded and has_args)


def in_object_mode(function: Any) -> bool:
    """Tell whether a function was not to be compiled in nopython mode."""
    return bool(function.targetoptions.get("forceobj"))


def signature_of(function: Any, given: tuple[types.Type, ...]) -> Any:
    """Find or compile the signature that accepts the given types; None if there is none."""
    return types.Dispatcher(function).get_call_type(function.typingctx, given, {})
