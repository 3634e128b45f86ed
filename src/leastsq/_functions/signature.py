"""The parameters of a model f(x, p1, ..., pn), as its signature shows them."""

from __future__ import annotations

import inspect
from types import FunctionType

from leastsq._arguments.arrays import Function, name_of


def positional(f: Function) -> list[str]:
    """List the positional arguments of a function; none if its signature is not known."""
    f = getattr(f, "py_func", f)  # the Python function of an njit function
    if type(f) is FunctionType and not f.__dict__:
        return list(f.__code__.co_varnames[: f.__code__.co_argcount])
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def parameter_count(f: Function) -> int:
    """Count the parameters of a model, without x."""
    count = len(positional(f))
    if count < 2:
        raise ValueError(f"Unable to determine number of fit parameters of {name_of(f)}: pass p0")
    return count - 1


def parameter_names(f: Function, n: int) -> list[str]:
    """Name the n parameters of a model, by its signature if possible."""
    parameters = positional(f)[1:]
    return parameters[:n] if len(parameters) >= n else [f"p[{j}]" for j in range(n)]


def refuse_other_count(f: Function, n: int, name: str = "p0") -> None:
    """Refuse an array with another number of parameters than the model has."""
    try:
        signature = inspect.signature(getattr(f, "py_func", f), follow_wrapped=False)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(None, *[None] * n)
    except TypeError as error:
        wanted = wanted_by(signature, str(error))
        together = ". Parameters are passed one by one: f(x, p1, ..., pn), or f(x, *p)"
        message = f"{name_of(f)} {wanted}, but {name} has {n}{together * ('takes 1 ' in wanted)}"
        raise TypeError(message) from None


def wanted_by(signature: inspect.Signature, reason: str) -> str:
    """Describe how many parameters a model has, or for what other reason it cannot be called."""
    parameters = signature.parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in named[1:])
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    needs_more = any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters)
    if needs_more or not (named or takes_any):
        return f"cannot be called with x and parameters alone ({reason})"
    if takes_any:
        count = f"at least {needed}"
    else:
        count = f"{needed}" if needed == len(named) - 1 else f"{needed} to {len(named) - 1}"
    names = ", ".join(p.name for p in named[1:])
    return f"takes {count} parameter{'s' * (count != '1')} after x" + (f" ({names})" * bool(names))
