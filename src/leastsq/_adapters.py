"""Compiled code between the core and an njit function.

For each njit function there is one compiled `bind(x, *args)`. It stores the arguments in a block
of memory and returns that, with its address and the one of an adapter: a function with the core's
signature that takes the arguments out of the block, calls the njit function and copies what it
returns. For residuals bind itself makes the first call, and returns what came of it. Numba keeps
bind and its adapter for every combination of argument types, like any function of its own.

The block borrows the arguments: they live in the caller's tuple as long as the fit. An error inside
the njit function is only marked: in the block, or by None for what the first call returned.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic
from numba.np import arrayobj

from leastsq._copiers import STOP, jacobian_copier, residual_copier

# The block, in words of 8 bytes: failed or not, x, the args.
FAILED, POINT = range(2)

WORDS = types.Array(types.int64, 1, "C")
VECTOR = types.Array(types.float64, 1, "C")
NUMBERS = types.CPointer(types.float64)

INT = ir.IntType(32)
WORD = cgutils.intp_t
POINTER = ir.DoubleType().as_pointer()
RESIDUAL_SIGNATURE = ir.FunctionType(INT, [POINTER, INT, INT, POINTER, POINTER, INT])
JACOBIAN_SIGNATURE = ir.FunctionType(INT, [POINTER, INT, INT, POINTER, POINTER, POINTER, INT, INT])


class Role(NamedTuple):
    """What a function is to the core, and so what its adapter looks like."""

    called_at_x0: bool
    signature: ir.FunctionType
    target: int
    copier: Callable[[types.Type], Callable[..., int]]


ROLES = {
    "residual": Role(True, RESIDUAL_SIGNATURE, 4, residual_copier),
    "Jacobian": Role(False, JACOBIAN_SIGNATURE, 5, partial(jacobian_copier, transposed=False)),
    "transpose": Role(False, JACOBIAN_SIGNATURE, 5, partial(jacobian_copier, transposed=True)),
}


def binder(function: Any, role: Role) -> Any:
    """Make the compiled function that binds arguments to a function."""
    function = weakref.ref(function)
    held = []  # compiled code: called where it lies, it is not compiled once more

    @intrinsic
    def begin(typing_context, x, args):  # type: ignore[no-untyped-def]
        target = resolve(function(), args)
        held.append(target.code)
        returned = types.Optional(target.returns) if role.called_at_x0 else types.none

        def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
            x_value, args_value = values
            adapter = add_adapter(context, builder.module, target, role, args)
            n = builder.extract_value(builder.extract_value(x_value, 5), 0)
            kind = context.get_value_type(args)
            size = -(-context.get_abi_sizeof(kind) // 8)
            block = arrayobj._empty_nd_impl(
                context, builder, WORDS, [builder.add(n, WORD(POINT + size))]
            )
            data = builder.bitcast(block.data, POINTER)
            builder.store(WORD(0), builder.gep(block.data, [WORD(FAILED)]))
            borrowed = borrow(context, builder, args, args_value)
            builder.store(borrowed, place_of_args(context, builder, data, n, args))
            value = context.get_dummy_value()
            if role.called_at_x0:
                nothing = context.make_optional_none(builder, target.returns)
                place = cgutils.alloca_once_value(builder, nothing)
                x_data = builder.extract_value(x_value, 4)
                status, value = call(context, builder, target, data, x_data, n, args)
                with cgutils.if_likely(builder, status.is_ok):
                    value = context.make_optional_value(builder, target.returns, value)
                    builder.store(value, place)
                value = builder.load(place)
            addresses = (builder.ptrtoint(adapter, WORD), builder.ptrtoint(data, WORD))
            given = (block._getvalue(), *addresses, value)
            return context.make_tuple(builder, signature.return_type, given)

        return types.Tuple((WORDS, types.intp, types.intp, returned))(x, args), generate

    @njit
    def bind(x, *args):  # type: ignore[no-untyped-def]
        return begin(x, args)

    return bind


class Target(NamedTuple):
    """The compiled code for some types of arguments."""

    code: Any
    takes: tuple[types.Type, ...]
    returns: types.Type
    folded: bool


def resolve(function: Any, args: Iterable[types.Type]) -> Target:
    """Find or compile the code of a function for x and the args."""
    if in_object_mode(function):
        raise NumbaTypeError("it is compiled in object mode")
    given = (VECTOR, *args)
    signature = signature_of(function, given)
    if signature is None:
        raise NumbaTypeError(f"it has no signature for {given}")
    folded = len(signature.args) != len(given) or any(
        isinstance(kind, types.Omitted | types.StarArgTuple | types.StarArgUniTuple)
        for kind in signature.args
    )
    if folded:  # defaults or *args: let Numba call it as Python would
        function = unfolded(function)
        signature = signature_of(function, given)
    code = function.overloads[signature.args]
    return Target(code, signature.args, signature.return_type, folded)


def unfolded(function: Any) -> Any:
    """Wrap a function whose arguments Numba folds."""

    @njit
    def plain(x, *args):  # type: ignore[no-untyped-def]
        return function(x, *args)

    return plain


def add_adapter(
    context: Any, module: Any, target: Target, role: Role, args: types.BaseTuple
) -> ir.Function:
    """Write the function that the core calls."""
    adapter = ir.Function(module, role.signature, name="leastsq_adapter")
    adapter.linkage = "internal"
    builder = ir.IRBuilder(adapter.append_basic_block("entry"))
    data, m, n, x = adapter.args[:4]
    n_words = builder.sext(n, WORD)
    answer = cgutils.alloca_once_value(builder, INT(STOP))
    status, returned = call(context, builder, target, data, x, n_words, args)
    with cgutils.if_likely(builder, status.is_ok):
        copier = role.copier(target.returns)
        signature = types.int32(target.returns, NUMBERS, types.int32, types.int32)
        copying = context.compile_subroutine(builder, copier, signature)
        status, copied = context.call_internal_no_propagate(
            builder, copying.fndesc, signature, [returned, adapter.args[role.target], m, n]
        )
        context.nrt.decref(builder, target.returns, returned)
        with cgutils.if_likely(builder, status.is_ok):
            builder.store(copied, answer)
    failed = builder.icmp_signed("!=", builder.load(answer), INT(0))
    with cgutils.if_unlikely(builder, failed):
        cgutils.memcpy(builder, builder.gep(data, [WORD(POINT)]), x, n_words)
        mark = builder.bitcast(builder.gep(data, [WORD(FAILED)]), WORD.as_pointer())
        builder.store(WORD(1), mark)
    builder.ret(builder.load(answer))
    return adapter


def call(
    context: Any, builder: Any, target: Target, data: Any, x: Any, n: Any, args: types.BaseTuple
) -> tuple[Any, Any]:
    """Call the function where its code lies, with a copy of x and with the args in the block."""
    own_x = builder.gep(data, [WORD(POINT)])
    cgutils.memcpy(builder, own_x, x, n)
    vector = context.make_array(VECTOR)(context, builder)
    arrayobj.populate_array(vector, own_x, [n], [WORD(8)], WORD(8), None)
    stored = builder.load(place_of_args(context, builder, data, n, args))
    if target.folded:
        values, given = [vector._getvalue(), stored], (VECTOR, args)
    else:
        values = [vector._getvalue(), *cgutils.unpack_tuple(builder, stored, len(args))]
        given = (VECTOR, *args)
    values = [
        context.cast(builder, *value_and_types)
        for value_and_types in zip(values, given, target.takes, strict=True)
    ]

    description = target.code.fndesc
    address = target.code.library.get_pointer_to_function(description.llvm_func_name)
    if address == 0:
        raise NumbaTypeError("its compiled code has no address")
    kind = context.call_conv.get_function_type(description.restype, description.argtypes)
    function = builder.inttoptr(WORD(address), kind.as_pointer())
    status, returned = context.call_conv.call_function(
        builder, function, description.restype, description.argtypes, values
    )
    return status, returned


def place_of_args(context: Any, builder: Any, data: Any, n: Any, args: types.BaseTuple) -> Any:
    """Point at the args in the block, behind x."""
    place = builder.gep(data, [builder.add(WORD(POINT), n)])
    return builder.bitcast(place, context.get_value_type(args).as_pointer())


def borrow(context: Any, builder: Any, kind: types.Type, value: Any) -> Any:
    """Take the reference count off a value, whose owner is the caller's Python object."""
    if isinstance(kind, types.BaseTuple):
        items = cgutils.unpack_tuple(builder, value, len(kind))
        borrowed = [borrow(context, builder, *pair) for pair in zip(kind, items, strict=True)]
        return context.make_tuple(builder, kind, borrowed)
    if not context.data_model_manager[kind].contains_nrt_meminfo():
        return value
    if not isinstance(kind, types.Array | types.UnicodeType):
        raise NumbaTypeError(f"an argument cannot be passed to compiled code: {kind}")
    fields = cgutils.create_struct_proxy(kind)(context, builder, value=value)
    fields.meminfo = cgutils.get_null_value(fields.meminfo.type)
    fields.parent = cgutils.get_null_value(fields.parent.type)
    return fields._getvalue()


def in_object_mode(function: Any) -> bool:
    """Tell whether a function was not to be compiled in nopython mode."""
    return bool(function.targetoptions.get("forceobj"))


def signature_of(function: Any, given: tuple[types.Type, ...]) -> Any:
    """Find or compile the signature by which types are taken; None if there is none."""
    return types.Dispatcher(function).get_call_type(function.typingctx, given, {})
