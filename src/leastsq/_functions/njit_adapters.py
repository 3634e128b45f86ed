"""Compiled code between the core and an njit function.

For each njit function and role there is one compiled function `bind(block, *args)`. It stores the
arguments in a block of memory. It returns the addresses of two more functions, the number of words
that the block must have, and the address of the block. The first function is the adapter, with the
signature that the core expects: it reads the arguments from the block, calls the njit function and
copies the return value; njit_outputs makes residuals of the values of a model on the way. The
second function releases the arguments. Numba keeps bind and these two functions for every
combination of argument types, as it keeps any njit function.

The block owns its arguments until they are released: they are counted by Numba's reference counts.
If the njit function passes an array to Python, the array lives as long as Python needs it. The same
holds for x: if somebody has kept x, the next call gets a new array.

If the njit function raises an exception, the adapter takes the GIL, lets Numba raise the exception
in Python, and tells the core to stop. If the njit function returns a wrong shape, the adapter
stores the shape in the block and tells the core to stop.
"""

from __future__ import annotations

import weakref
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic
from numba.np import arrayobj

from leastsq._functions.njit_code import VECTOR, Target, resolve, types_given
from leastsq._functions.njit_copiers import STOP
from leastsq._functions.njit_outputs import (
    INT,
    WORD,
    Output,
    copy_of_model,
    copy_returned,
    raise_in_python,
)
from leastsq._functions.roles import Role

# The block in words of 8 bytes: the memory of x, the rows and columns of a wrong shape, the args.
POINT, SHAPE, ARGS = 0, 1, 3

POINTER = ir.DoubleType().as_pointer()
RESIDUAL_SIGNATURE = ir.FunctionType(INT, [POINTER, INT, INT, POINTER, POINTER, INT])
JACOBIAN_SIGNATURE = ir.FunctionType(INT, [POINTER, INT, INT, POINTER, POINTER, POINTER, INT, INT])
RELEASE_SIGNATURE = ir.FunctionType(ir.VoidType(), [POINTER])


def binder(function: Any, role: Role) -> Any:
    """Make the compiled function that binds arguments to a function in a role."""
    reference = weakref.ref(function)  # because Numba never frees an intrinsic

    @intrinsic
    def begin(typing_context, block, args):  # type: ignore[no-untyped-def]
        resolve(reference(), types_given(role, args))
        return types.UniTuple(types.intp, 4)(block, args), generate

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        block_type, args = signature.args
        target = resolve(reference(), types_given(role, args))
        refuse_unowned(context, args)
        adapter = add_adapter(context, builder.module, target, role, args)
        release = add_release(context, builder.module, args)
        block = context.make_array(block_type)(context, builder, values[0])
        words = ARGS - -context.get_abi_sizeof(context.get_value_type(args)) // 8
        has_room = builder.icmp_signed(">=", block.nitems, WORD(words))
        with cgutils.if_likely(builder, has_room):
            data = builder.bitcast(block.data, POINTER)
            set_point(context, builder, data, cgutils.get_null_value(cgutils.voidptr_t))
            for i in range(2):
                builder.store(WORD(0), builder.gep(block.data, [WORD(SHAPE + i)]))
            context.nrt.incref(builder, args, values[1])
            builder.store(values[1], place_of_args(context, builder, data, args))
        code, own, data = [builder.ptrtoint(p, WORD) for p in (adapter, release, block.data)]
        return context.make_tuple(builder, signature.return_type, [code, own, WORD(words), data])

    @njit
    def bind(block, *args):  # type: ignore[no-untyped-def]
        return begin(block, args)

    return bind


def add_adapter(
    context: Any, module: Any, target: Target, role: Role, args: types.BaseTuple
) -> ir.Function:
    """Generate the function that the core calls."""
    is_residual = role.kind == "residual"
    signature = RESIDUAL_SIGNATURE if is_residual else JACOBIAN_SIGNATURE
    adapter, builder = new_function(module, signature, "leastsq_adapter")
    data, m, n, x = adapter.args[:4]
    answer = cgutils.alloca_once_value(builder, INT(STOP))
    found = builder.bitcast(builder.gep(data, [WORD(SHAPE)]), WORD.as_pointer())
    numbers = adapter.args[4 if is_residual else 5]
    output = Output(context, builder, numbers, m, n, found, answer)
    stored = builder.load(place_of_args(context, builder, data, args))
    given = cgutils.unpack_tuple(builder, stored, len(args))

    def evaluate(*values: Any) -> None:
        status, returned = call(context, builder, target, values, types_given(role, args))
        with cgutils.if_likely(builder, status.is_ok):
            if role.n is None:
                copy_returned(output, role, target.returns, returned)
            else:
                own = list(zip(args, given, strict=True))[1:]
                copy_of_model(output, role, target.returns, returned, own)
            context.nrt.decref(builder, target.returns, returned)
        raise_in_python(context, builder, status)

    if role.n is not None:
        evaluate(given[0], *(builder.load(builder.gep(x, [WORD(j)])) for j in range(role.n)))
    else:
        point = point_at(context, builder, data, x, builder.sext(n, WORD))
        has_point = cgutils.is_not_null(builder, point.meminfo)
        with builder.if_else(has_point, likely=True) as (then, otherwise):
            with then:
                evaluate(point._getvalue(), *given)
            with otherwise:
                api = context.get_python_api(builder)
                state = api.gil_ensure()
                api.err_set_string("PyExc_MemoryError", "no room for x")
                api.gil_release(state)
    builder.ret(builder.load(answer))
    return adapter


def point_at(context: Any, builder: Any, data: Any, x: Any, n: Any) -> Any:
    """Copy x to an array that nobody else uses; without memory if the allocation fails."""
    slot = builder.bitcast(builder.gep(data, [WORD(POINT)]), cgutils.voidptr_t.as_pointer())
    is_new = cgutils.alloca_once_value(builder, ir.Constant(ir.IntType(1), 1))
    last = builder.load(slot)
    with builder.if_then(cgutils.is_not_null(builder, last)):
        owners = builder.load(builder.bitcast(last, WORD.as_pointer()))
        builder.store(builder.icmp_signed("!=", owners, WORD(1)), is_new)
    with cgutils.if_unlikely(builder, builder.load(is_new)):
        size = builder.mul(n, WORD(8))
        fresh = context.nrt.meminfo_alloc_aligned_unchecked(builder, size, 32)
        context.nrt.decref(builder, VECTOR, vector(context, builder, last, n)._getvalue())
        builder.store(fresh, slot)
    memory = builder.load(slot)
    with cgutils.if_likely(builder, cgutils.is_not_null(builder, memory)):
        start = builder.bitcast(context.nrt.meminfo_data(builder, memory), POINTER)
        cgutils.memcpy(builder, start, x, n)
    return vector(context, builder, memory, n)


def vector(context: Any, builder: Any, memory: Any, n: Any) -> Any:
    """Make an array of n numbers from memory with a reference count of Numba's."""
    array = context.make_array(VECTOR)(context, builder)
    start = cgutils.alloca_once_value(builder, cgutils.get_null_value(POINTER))
    with cgutils.if_likely(builder, cgutils.is_not_null(builder, memory)):
        numbers = builder.bitcast(context.nrt.meminfo_data(builder, memory), POINTER)
        builder.store(numbers, start)
    arrayobj.populate_array(array, builder.load(start), [n], [WORD(8)], WORD(8), memory)
    return array


def set_point(context: Any, builder: Any, data: Any, memory: Any) -> None:
    """Store the memory of x in the block."""
    slot = builder.bitcast(builder.gep(data, [WORD(POINT)]), cgutils.voidptr_t.as_pointer())
    builder.store(memory, slot)


def call(
    context: Any, builder: Any, target: Target, values: Any, given: tuple[types.Type, ...]
) -> tuple[Any, Any]:
    """Call the compiled code of the function with values of the given types."""
    if target.takes_tuple:
        rest = types.BaseTuple.from_types(given[1:])
        values = values[0], context.make_tuple(builder, rest, values[1:])
        given = given[0], rest
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


def add_release(context: Any, module: Any, args: types.BaseTuple) -> ir.Function:
    """Generate the function that releases what a block owns."""
    release, builder = new_function(module, RELEASE_SIGNATURE, "leastsq_release")
    data = release.args[0]
    slot = builder.bitcast(builder.gep(data, [WORD(POINT)]), cgutils.voidptr_t.as_pointer())
    x = vector(context, builder, builder.load(slot), WORD(0))
    context.nrt.decref(builder, VECTOR, x._getvalue())
    context.nrt.decref(builder, args, builder.load(place_of_args(context, builder, data, args)))
    builder.ret_void()
    return release


def new_function(module: Any, kind: ir.FunctionType, name: str) -> tuple[ir.Function, Any]:
    """Begin a private function of a module."""
    function = ir.Function(module, kind, name=name)
    function.linkage = "internal"
    return function, ir.IRBuilder(function.append_basic_block("entry"))


def place_of_args(context: Any, builder: Any, data: Any, args: types.BaseTuple) -> Any:
    """Get the address of the arguments in the block."""
    kind = context.get_value_type(args).as_pointer()
    return builder.bitcast(builder.gep(data, [WORD(ARGS)]), kind)


def refuse_unowned(context: Any, kind: types.Type) -> None:
    """Refuse arguments that Numba copies back to Python, or whose memory may be freed."""
    if isinstance(kind, types.BaseTuple):
        for item in kind:
            refuse_unowned(context, item)
    elif context.data_model_manager[kind].contains_nrt_meminfo() and not isinstance(
        kind, types.Array | types.UnicodeType
    ):
        raise NumbaTypeError(f"an argument cannot be passed to compiled code: {kind}")
