"""Code that copies what an njit function returned to the memory of the core.

The values of a model become residuals there, and its Jacobian that of the residuals: the data y are
subtracted, and the rows are weighed. The code for the usual types is generated here, because Numba
compiles it several times faster than a Python function; the other types have copiers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.np import arrayobj

from leastsq._arguments.sigma import SCALE
from leastsq._functions.njit_copiers import (
    STOP,
    copier_of_any_shape,
    jacobian_copier,
    residual_copier,
    whiten,
)
from leastsq._functions.roles import Role

NUMBERS = types.CPointer(types.float64)
LENGTHS = types.CPointer(types.int64)
REAL = types.Float, types.Integer, types.Boolean

INT = ir.IntType(32)
WORD = cgutils.intp_t


class Output:
    """The memory of the core: m residuals, or the Jacobian by columns.

    found is the place for the lengths of a wrong shape, plus one; answer that of what the core is
    answered.
    """

    def __init__(
        self, context: Any, builder: Any, numbers: Any, m: Any, n: Any, found: Any, answer: Any
    ) -> None:
        self.context = context
        self.builder = builder
        self.numbers = numbers
        self.m = m
        self.n = n
        self.found = found
        self.answer = answer

    @property
    def rows(self) -> Any:
        """The number m as a word."""
        return self.builder.sext(self.m, WORD)

    def refuse(self, length: Any) -> None:
        """Store a wrong length, and tell the core to stop."""
        self.builder.store(self.builder.add(length, WORD(1)), self.found)
        self.builder.store(INT(STOP), self.answer)

    def call(self, function: Any, *given: tuple[types.Type, Any]) -> None:
        """Call a function whose arguments end with numbers, m, n and found; it returns the answer.

        given are the types of its first arguments, and their values.
        """
        kinds, values = zip(*given, strict=True)
        signature = types.int32(*kinds, NUMBERS, types.int32, types.int32, LENGTHS)
        compiled = self.context.compile_subroutine(self.builder, function, signature)
        arguments = [*values, self.numbers, self.m, self.n, self.found]
        status, answer = self.context.call_internal_no_propagate(
            self.builder, compiled.fndesc, signature, arguments
        )
        with cgutils.if_likely(self.builder, status.is_ok):
            self.builder.store(answer, self.answer)
        raise_in_python(self.context, self.builder, status)


class Vector:
    """A contiguous array of one number for each row, or of one for all rows."""

    def __init__(self, output: Output, kind: types.Type, value: Any) -> None:
        self.builder = output.builder
        if kind.layout != "C":
            raise NumbaTypeError(f"its data are not contiguous: {kind}")
        array = output.context.make_array(kind)(output.context, output.builder, value)
        self.data, self.size = array.data, array.nitems
        self.is_one = self.builder.icmp_signed("==", self.size, WORD(1))
        self.is_full = self.builder.icmp_signed("==", self.size, output.rows)
        self.fits = self.builder.or_(self.is_one, self.is_full)

    def at(self, row: Any) -> Any:
        """Load the number of a row."""
        place = self.builder.select(self.is_one, WORD(0), row)
        return self.builder.load(self.builder.gep(self.data, [place]))


def copy_returned(output: Output, role: Role, kind: types.Type, returned: Any) -> None:
    """Copy what a function of the vector of parameters returned."""
    if role.kind != "residual":
        output.call(jacobian_copier(kind, role.kind == "transpose"), (kind, returned))
    elif isinstance(kind, types.Array) and kind.ndim == 1:
        copy_vector(output, kind, returned, cgutils.false_bit)
    else:
        output.call(residual_copier(kind), (kind, returned))


def copy_of_model(
    output: Output,
    role: Role,
    kind: types.Type,
    returned: Any,
    data: list[tuple[types.Type, Any]],
) -> None:
    """Copy what a model returned, and make residuals or their Jacobian of it.

    data are the types and values of y and the weights. One value is for all rows of y.
    """
    builder, is_residual = output.builder, role.kind == "residual"
    y = Vector(output, *data[0])
    with builder.if_else(y.fits, likely=True) as (then, otherwise):
        with then:
            if not is_residual:
                copy_returned(output, role, kind, returned)
            elif isinstance(kind, types.Array) and kind.ndim == 1 and data[0][0].ndim <= 1:
                copy_vector(output, kind, returned, y.is_full)
            elif isinstance(kind, REAL):
                copy_number(output, kind, returned, y.is_full)
            else:
                output.call(copier_of_any_shape(kind), (kind, returned), data[0])
            is_copied = builder.icmp_signed("==", builder.load(output.answer), INT(0))
            with cgutils.if_likely(builder, is_copied):
                if is_residual:
                    change(output, WORD(1), lambda row, number: builder.fsub(number, y.at(row)))
                if role.weighing is not None:
                    weigh(output, role, *data[1])
        with otherwise:
            output.refuse(y.size)


def copy_vector(output: Output, kind: Any, returned: Any, broadcasts: Any) -> None:
    """Copy a 1-D array; an array of one number to all rows if it broadcasts."""
    refuse_dtype(kind.dtype)
    context, builder = output.context, output.builder
    array = context.make_array(kind)(context, builder, returned)
    size = array.nitems
    is_one = builder.and_(broadcasts, builder.icmp_signed("==", size, WORD(1)))
    fits = builder.or_(is_one, builder.icmp_signed("==", size, output.rows))
    step = builder.select(is_one, WORD(0), WORD(1))

    def load(row: Any, _: Any) -> Any:
        index = [builder.mul(row, step)]
        place = cgutils.get_item_pointer(context, builder, kind, array, index)
        return as_double(output, kind.dtype, arrayobj.load_item(context, builder, kind, place))

    accept(output, fits, size, load)


def copy_number(output: Output, kind: types.Type, returned: Any, broadcasts: Any) -> None:
    """Copy a number to all rows, if it broadcasts."""
    number = as_double(output, kind, returned)
    accept(output, broadcasts, WORD(1), lambda row, _: number)


def accept(output: Output, fits: Any, size: Any, load: Any) -> None:
    """Fill the residuals with load(row, _) if the size fits, otherwise refuse it."""
    with output.builder.if_else(fits, likely=True) as (then, otherwise):
        with then:
            change(output, WORD(1), load)
            output.builder.store(INT(0), output.answer)
        with otherwise:
            output.refuse(size)


def weigh(output: Output, role: Role, kind: types.Type, weights: Any) -> None:
    """Multiply each row by its weight, or solve for the factor of the covariance."""
    columns = WORD(1) if role.kind == "residual" else output.builder.sext(output.n, WORD)
    if role.weighing == SCALE:
        vector = Vector(output, kind, weights)
        change(output, columns, lambda row, number: output.builder.fmul(number, vector.at(row)))
    else:
        output.call(whiten(role.kind == "residual"), (kind, weights))


def change(output: Output, columns: Any, function: Any) -> None:
    """Replace each number by function(row, number)."""
    builder, rows = output.builder, output.rows
    with cgutils.for_range(builder, columns) as column:
        start = builder.gep(output.numbers, [builder.mul(rows, column.index)])
        with cgutils.for_range(builder, rows) as row:
            place = builder.gep(start, [row.index])
            builder.store(function(row.index, builder.load(place)), place)


def as_double(output: Output, kind: types.Type, value: Any) -> Any:
    """Convert a number to double."""
    return output.context.cast(output.builder, value, kind, types.float64)


def refuse_dtype(kind: types.Type) -> None:
    """Refuse values that are not real numbers."""
    if not isinstance(kind, REAL):
        raise NumbaTypeError(f"its return type is not supported: values of {kind}")


def raise_in_python(context: Any, builder: Any, status: Any) -> None:
    """If a call failed, raise its exception in Python, as Numba's own wrappers do."""
    with cgutils.if_unlikely(builder, status.is_error):
        api = context.get_python_api(builder)
        state = api.gil_ensure()
        context.call_conv.raise_error(builder, api, status)
        api.gil_release(state)
