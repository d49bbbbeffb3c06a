"""How the products of dense layers are lowered, of rows that are gathered and of sparse ones."""

from __future__ import annotations

from ...kernels.compiled.ops.dense import (
    dense_backward_input,
    dense_backward_weight,
    dense_forward,
)
from ...kernels.compiled.ops.sparse import sparse_backward, sparse_forward
from ...program.operation import Write
from ...program.ops import DenseOp
from .lowering import Lowering, SparseSource
from .tasks import Instruction, instruction

# Of sums of so few terms a product takes hardly longer than an activation does to read and write
# what it leaves. Of more, what each block of rows makes ready anew takes what the blocks gain.
_FEW_TERMS = 16


def lower_dense_forward(op: DenseOp, lowering: Lowering) -> None:
    """``out = x W + b``, each shard some columns of W."""
    sparse = lowering.sparse(op.x)
    if sparse is not None:
        _sparse_forward(op, sparse, lowering)
        return
    x, z = lowering.value(op.x), lowering.value(op.out)
    inputs, width = op.weight.shape

    def make(first: int, count: int, row: int = 0) -> Instruction:
        return instruction(
            dense_forward,
            x=x.at(0, row),
            ld_x=x.ld,
            weight=lowering.parameter(op.weight, first),
            ld_weight=width,
            bias=0 if op.bias is None else lowering.parameter(op.bias, first),
            z=z.at(first, row),
            ld_z=z.ld,
            inputs=inputs,
            columns=count,
            accumulate=False,
            factor=op.factor,
        )

    add = lowering.by_rows if inputs <= _FEW_TERMS else lowering.columnwise
    add(width, make, reads=[], writes=[z.key], reads_whole=[x.key])


def _sparse_forward(op: DenseOp, sparse: SparseSource, lowering: Lowering) -> None:
    z, width = lowering.value(op.out), op.out.width

    def make(first: int, count: int) -> Instruction:
        return instruction(
            sparse_forward,
            sparse.dtype,
            **sparse.arguments,
            weight=lowering.parameter(op.weight, first),
            ld_weight=width,
            out=z.at(first),
            ld=z.ld,
            inputs=op.x.width,
            columns=count,
            bias=0 if op.bias is None else lowering.parameter(op.bias, first),
            factor=op.factor,
        )

    lowering.columnwise(width, make, reads=[], writes=[z.key])


def lower_dense_backward(op: DenseOp, lowering: Lowering) -> None:
    """The gradients of W and b by columns of W, that of x by its own."""
    sparse = lowering.sparse(op.x)
    if sparse is not None:
        _sparse_backward(op, sparse, lowering)
        return
    x, d_z = lowering.value(op.x), lowering.gradient(op.out)
    inputs, width = op.weight.shape
    has_bias = op.bias is not None and not op.zero_bias_gradient

    def weight(first: int, count: int) -> Instruction:
        return instruction(
            dense_backward_weight,
            x=x.address,
            ld_x=x.ld,
            d_z=d_z.at(first),
            ld_z=d_z.ld,
            d_weight=lowering.d_parameter(op.weight, first),
            ld_weight=width,
            d_bias=lowering.d_parameter(op.bias, first) if op.bias and has_bias else 0,
            inputs=inputs,
            columns=count,
            factor=op.factor,
        )

    written = [("d", op.weight.name)]
    if op.bias is not None:
        written.append(("d", op.bias.name))
    lowering.columnwise(width, weight, reads=[d_z.key], writes=written, reads_whole=[x.key])
    if op.d_x is Write.NONE:
        return
    d_x = lowering.gradient(op.x)

    def source(first: int, count: int, row: int = 0) -> Instruction:
        return instruction(
            dense_backward_input,
            d_z=d_z.at(0, row),
            ld_z=d_z.ld,
            weight=lowering.parameter(op.weight, first * width),
            ld_weight=width,
            d_x=d_x.at(first, row),
            ld_x=d_x.ld,
            inputs=count,
            columns=width,
            accumulate=op.d_x is Write.ADD,
            factor=op.factor,
        )

    add = lowering.by_rows if width <= _FEW_TERMS else lowering.columnwise
    add(inputs, source, reads=[], writes=[d_x.key], reads_whole=[d_z.key])


def _sparse_backward(op: DenseOp, sparse: SparseSource, lowering: Lowering) -> None:
    d_z, touched = lowering.gradient(op.out), lowering.touched(op.weight)
    inputs, width = op.weight.shape
    has_bias = op.bias is not None and not op.zero_bias_gradient

    def make(first: int, count: int) -> Instruction:
        return instruction(
            sparse_backward,
            sparse.dtype,
            **sparse.arguments,
            d_out=d_z.at(first),
            ld=d_z.ld,
            d_weight=lowering.d_parameter(op.weight, first),
            ld_weight=width,
            inputs=inputs,
            columns=count,
            touched=touched,
            d_bias=lowering.d_parameter(op.bias, first) if op.bias and has_bias else 0,
            factor=op.factor,
        )

    written = [("d", op.weight.name)]
    if op.bias is not None:
        written.append(("d", op.bias.name))
    if touched:
        # Of one shard, as there is one list.
        lowering.single(make(0, width), reads=[d_z.key], writes=written)
    else:
        lowering.columnwise(width, make, reads=[d_z.key], writes=written)
