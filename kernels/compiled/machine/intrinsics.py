"""The few instructions that Numba lacks: typed pointers, calls by address, atomics.

A kernel sees memory as an address and a `Variant`, the compile-time description of what it is
compiled for. Pointers have no shape, no reference count and no wrap-around of negative indices:
they cost nothing to make, compile fast, and leave loops that vectorize.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

_INT = ir.IntType(64)


class Variant(types.Type):  # type: ignore[misc]
    """What a kernel is compiled for: a dtype and, for a family of kernels, one member's name.

    Being a type, it is part of the compiled signature and so of the key in the on-disk cache:
    ``Variant("float32", "relu")`` and ``Variant("float32", "tanh")`` are two entries.
    """

    def __init__(self, dtype: str, function: str = "") -> None:
        self.dtype = types.float32 if dtype == "float32" else types.float64
        self.function = function
        super().__init__(name=f"Variant({dtype}, {function})")


@register_model(Variant)
class _VariantModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _INT)


def _pointer_codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.inttoptr(args[-1], context.get_value_type(signature.return_type))


@intrinsic
def pointer(typing_context: Any, variant: Any, address: Any) -> Any:
    """Pointer to elements of the variant's dtype at an integer address."""
    return types.CPointer(variant.dtype)(variant, types.int64), _pointer_codegen


@intrinsic
def source_pointer(typing_context: Any, variant: Any, address: Any) -> Any:
    """Pointer to elements of the dtype that the variant's function names, such as ``"uint8"``."""
    element = getattr(types, variant.function)
    return types.CPointer(element)(variant, types.int64), _pointer_codegen


@intrinsic
def source_itemsize(typing_context: Any, variant: Any) -> Any:
    """Bytes of a number of the dtype that the variant's function names."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _INT(getattr(types, variant.function).bitwidth // 8)

    return types.int64(variant), codegen


@intrinsic
def integers(typing_context: Any, address: Any) -> Any:
    """Pointer to int64 at an integer address."""
    return types.CPointer(types.int64)(types.int64), _pointer_codegen


@intrinsic
def short_integers(typing_context: Any, address: Any) -> Any:
    """Pointer to int32 at an integer address."""
    return types.CPointer(types.int32)(types.int64), _pointer_codegen


@intrinsic
def doubles(typing_context: Any, address: Any) -> Any:
    """Pointer to float64 at an integer address."""
    return types.CPointer(types.float64)(types.int64), _pointer_codegen


@intrinsic
def address_of(typing_context: Any, pointer: Any) -> Any:
    """The address that a pointer leads to."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ptrtoint(args[0], _INT)

    return types.int64(pointer), codegen


@intrinsic
def is_given(typing_context: Any, pointer: Any) -> Any:
    """Whether a pointer leads to an array: an address of 0 stands for none."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.icmp_unsigned("!=", builder.ptrtoint(args[0], _INT), _INT(0))

    return types.boolean(pointer), codegen


@intrinsic
def is_same(typing_context: Any, left: Any, right: Any) -> Any:
    """Whether two pointers lead to the same place."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.icmp_unsigned("==", *[builder.ptrtoint(arg, _INT) for arg in args])

    return types.boolean(left, right), codegen


@intrinsic
def cast(typing_context: Any, variant: Any, value: Any) -> Any:
    """`value` in the variant's dtype; without it a float64 constant would widen the arithmetic."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[1], signature.args[1], signature.return_type)

    return variant.dtype(variant, value), codegen


@intrinsic
def like(typing_context: Any, sample: Any, value: Any) -> Any:
    """`value` in the type of `sample`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[1], signature.args[1], signature.return_type)

    return sample(sample, value), codegen


@intrinsic
def smallest_normal(typing_context: Any, variant: Any) -> Any:
    """The smallest normal number of the variant's dtype."""
    value = float(np.finfo(str(variant.dtype)).smallest_normal)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.get_constant(signature.return_type, value)

    return variant.dtype(variant), codegen


@intrinsic
def call_op(
    typing_context: Any, address: Any, args: Any, attributes: Any, counters: Any, scalars: Any
) -> Any:
    """Call the op at `address`; see `op.py` for the common signature."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointers = [context.get_value_type(argument) for argument in signature.args[1:]]
        op_type = ir.FunctionType(ir.VoidType(), [_INT, *pointers])
        op = builder.inttoptr(values[0], op_type.as_pointer())
        builder.call(op, [ir.Constant(_INT, 0), *values[1:]])
        return context.get_dummy_value()

    return types.void(types.int64, args, attributes, counters, scalars), codegen


def emit_prefetch(builder: Any, pointer: Any) -> None:
    """Ask for the cache line at a pointer, which is about to be used."""
    pointer_type, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [pointer_type, number, number, number])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    to_read, for_long, data = number(0), number(3), number(1)
    place = builder.bitcast(pointer, pointer_type)
    builder.call(function, [place, to_read, for_long, data])


@intrinsic
def prefetch(typing_context: Any, address: Any) -> Any:
    """Ask for the cache line at `address`, which is about to be read."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit_prefetch(builder, builder.inttoptr(args[0], ir.IntType(8).as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def atomic_add(typing_context: Any, address: Any, value: Any) -> Any:
    """Add to the int64 at `address`, sequentially consistent; the sum is returned."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = builder.inttoptr(args[0], _INT.as_pointer())
        return builder.add(builder.atomic_rmw("add", target, args[1], "seq_cst"), args[1])

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def atomic_load(typing_context: Any, address: Any) -> Any:
    """Read the int64 at `address`, sequentially consistent."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = builder.inttoptr(args[0], _INT.as_pointer())
        return builder.load_atomic(target, "seq_cst", 8)

    return types.int64(types.int64), codegen
