"""How each kind of operation is encoded: which ops, on which memory, forward and backward.

The compiled twin of the table in `reference_ops.py`: a new kind of operation is one row here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ...common.dispatch import DispatchTable
from ...kernels.compiled.machine.op import CompiledOp
from ...kernels.compiled.ops.activations import ActivationOps, activation_ops
from ...kernels.compiled.ops.batchnorm import (
    batchnorm_backward,
    batchnorm_forward,
    batchnorm_inference,
)
from ...kernels.compiled.ops.dense import (
    dense_backward_input,
    dense_backward_weight,
    dense_forward,
)
from ...kernels.compiled.ops.dropout import apply_mask, dropout_mask
from ...kernels.compiled.ops.embedding import embedding_backward, embedding_forward
from ...kernels.compiled.ops.rows import (
    add_columns,
    copy_columns,
    scale_columns,
    select_columns,
)
from ...kernels.compiled.ops.sparse import sparse_backward, sparse_forward
from ...program.operation import Operation, Write
from ...program.ops import (
    ActivationOp,
    AddOp,
    BatchNormOp,
    ConcatOp,
    DenseOp,
    DropoutOp,
    EmbeddingOp,
    ScaleOp,
    SelectOp,
)
from .lowering import Encoder, Memory, SparseSource
from .tasks import Instruction, instruction, instruction_from


def _dense_forward(op: DenseOp, encoder: Encoder) -> None:
    sparse = encoder.sparse(op.x)
    if sparse is not None:
        _sparse_forward(op, sparse, encoder)
        return
    x, z = encoder.value(op.x), encoder.value(op.out)
    inputs, width = op.weight.shape

    def make(first: int, count: int) -> Instruction:
        return instruction(
            dense_forward,
            x=x.address,
            ld_x=x.ld,
            weight=encoder.parameter(op.weight, first),
            ld_weight=width,
            bias=0 if op.bias is None else encoder.parameter(op.bias, first),
            z=z.at(first),
            ld_z=z.ld,
            inputs=inputs,
            columns=count,
            accumulate=False,
        )

    encoder.columnwise(width, make, reads=[], writes=[z.key], reads_whole=[x.key])


def _sparse_forward(op: DenseOp, sparse: SparseSource, encoder: Encoder) -> None:
    z, width = encoder.value(op.out), op.out.width

    def make(first: int, count: int) -> Instruction:
        return instruction(
            sparse_forward,
            sparse.dtype,
            **sparse.arguments,
            weight=encoder.parameter(op.weight, first),
            ld_weight=width,
            out=z.at(first),
            ld=z.ld,
            inputs=op.x.width,
            columns=count,
        )

    encoder.columnwise(width, make, reads=[], writes=[z.key])


def _activation_forward(op: ActivationOp, encoder: Encoder) -> None:
    ops, z, out = activation_ops(op.activation.member), encoder.value(op.x), encoder.value(op.out)
    _activation(op, ops, ops.forward, {"z": z, "out": out}, "out", encoder)


def _activation(
    op: ActivationOp,
    ops: ActivationOps,
    called: CompiledOp[...],
    memory: dict[str, Memory],
    written: str,
    encoder: Encoder,
) -> None:
    """Call an op of an activation on shards of rows or of columns, as it takes them."""
    width = op.out.width
    fixed = {"ld": width, "parameter": op.activation.parameter or 0.0}

    def make(first: int, count: int, shard: int = 0, shards: int = 1) -> Instruction:
        places = {name: each.at(first) for name, each in memory.items()}
        shares = {"columns": count, "shard": shard, "shards": shards}
        return instruction_from(called, {**places, **fixed, **shares}, ops.member)

    reads = [memory[name].key for name in memory if name in called.names and name != written]
    writes = [memory[written].key]
    if ops.is_rowwise:
        cut = encoder.rows_cut(width)
        encoder.tasks.add(
            cut, lambda shard: make(0, width, shard, cut.shards), reads=reads, writes=writes
        )
    else:
        encoder.columnwise(width, make, reads=reads, writes=writes)


def _batchnorm_forward(op: BatchNormOp, encoder: Encoder) -> None:
    x, out, width = encoder.value(op.x), encoder.value(op.out), op.out.width
    if not encoder.training:
        scale = encoder.new((width,))

        def infer(first: int, count: int) -> Instruction:
            return instruction(
                batchnorm_inference,
                x=x.at(first),
                out=out.at(first),
                ld=x.ld,
                columns=count,
                gamma=encoder.parameter(op.gamma, first),
                beta=encoder.parameter(op.beta, first),
                running_mean=encoder.buffer(op.running_mean, first),
                running_var=encoder.buffer(op.running_var, first),
                scale=scale + first * encoder.itemsize,
                epsilon=op.epsilon,
            )

        encoder.columnwise(width, infer, reads=[x.key], writes=[out.key])
        return
    x_hat = encoder.saved_for_backward(op, "x_hat")
    if x_hat != x:
        encoder.copy(x, x_hat)
    mean, inv_std = encoder.new((width,)), encoder.inv_std(op)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            batchnorm_forward,
            x=x_hat.at(first),
            out=out.at(first),
            ld=x_hat.ld,
            columns=count,
            gamma=encoder.parameter(op.gamma, first),
            beta=encoder.parameter(op.beta, first),
            running_mean=encoder.buffer(op.running_mean, first),
            running_var=encoder.buffer(op.running_var, first),
            mean=mean + first * encoder.itemsize,
            inv_std=inv_std + first * encoder.itemsize,
            momentum=op.momentum if encoder.updates else 0.0,
            epsilon=op.epsilon,
        )

    encoder.columnwise(width, make, reads=[], writes=[x_hat.key, out.key])


def _dropout_forward(op: DropoutOp, encoder: Encoder) -> None:
    mask = encoder.saved_for_backward(op, "mask")
    seed = encoder.state.seed

    def draw(first: int, count: int) -> Instruction:
        return instruction(
            dropout_mask,
            mask=mask.at(first),
            ld=mask.ld,
            columns=count,
            first_column=first,
            threshold=int(op.rate * 2**32),
            seed_low=seed & 0xFFFFFFFF,
            seed_high=seed >> 32,
            layer=op.number,
            keep=1.0 - op.rate,
        )

    encoder.columnwise(op.out.width, draw, reads=[], writes=[mask.key])
    _mask(encoder, encoder.value(op.x), mask, encoder.value(op.out))


def _mask(encoder: Encoder, x: Memory, mask: Memory, out: Memory) -> None:
    def make(first: int, count: int) -> Instruction:
        return instruction(
            apply_mask,
            x=x.at(first),
            mask=mask.at(first),
            out=out.at(first),
            ld=x.ld,
            columns=count,
        )

    encoder.columnwise(x.ld, make, reads=[x.key, mask.key], writes=[out.key])


def _add_forward(op: AddOp, encoder: Encoder) -> None:
    x, y, out = encoder.value(op.x), encoder.value(op.y), encoder.value(op.out)
    if out == x:
        encoder.copy(y, out, plus=x)
    else:
        encoder.copy(x, out, plus=y)


def _select_forward(op: SelectOp, encoder: Encoder) -> None:
    x, out = encoder.value(op.x), encoder.value(op.out)
    indices = _indices(op, encoder)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            select_columns,
            x=x.address,
            ld_x=x.ld,
            indices=indices + 8 * first,
            out=out.at(first),
            ld=out.ld,
            columns=count,
        )

    encoder.columnwise(op.out.width, make, reads=[], writes=[out.key], reads_whole=[x.key])


def _indices(op: SelectOp, encoder: Encoder) -> int:
    return encoder.hold(np.array(op.columns, dtype=np.int64))


def _concat_forward(op: ConcatOp, encoder: Encoder) -> None:
    out, start = encoder.value(op.out), 0
    for part in op.parts:
        x = encoder.value(part)
        _copy_columns(encoder, x, 0, out, start, part.width)
        start += part.width


def _copy_columns(
    encoder: Encoder,
    x: Memory,
    x_start: int,
    out: Memory,
    out_start: int,
    width: int,
    accumulate: bool = False,
) -> None:
    encoder.single(
        instruction(
            copy_columns,
            x=x.at(x_start),
            ld_x=x.ld,
            out=out.at(out_start),
            ld=out.ld,
            columns=width,
            accumulate=accumulate,
        ),
        reads=[x.key],
        writes=[out.key],
    )


def _embedding_forward(op: EmbeddingOp, encoder: Encoder) -> None:
    x, out, start = encoder.value(op.x), encoder.value(op.out), len(op.passthrough)
    if op.passthrough:
        encoder.single(
            instruction(
                select_columns,
                x=x.address,
                ld_x=x.ld,
                indices=encoder.hold(np.array(op.passthrough, dtype=np.int64)),
                out=out.address,
                ld=out.ld,
                columns=start,
            ),
            reads=[x.key],
            writes=[out.key],
        )
    for column, table in zip(op.columns, op.tables, strict=True):
        n_categories, dim = table.shape
        encoder.single(
            instruction(
                embedding_forward,
                codes=x.at(column),
                ld_codes=x.ld,
                weight=encoder.parameter(table),
                n_categories=n_categories,
                out=out.at(start),
                ld=out.ld,
                columns=dim,
            ),
            reads=[x.key],
            writes=[out.key],
        )
        start += dim


def _dense_backward(op: DenseOp, encoder: Encoder) -> None:
    sparse = encoder.sparse(op.x)
    if sparse is not None:
        _sparse_backward(op, sparse, encoder)
        return
    x, d_z = encoder.value(op.x), encoder.gradient(op.out)
    inputs, width = op.weight.shape
    has_bias = op.bias is not None and not op.zero_bias_gradient

    def weight(first: int, count: int) -> Instruction:
        return instruction(
            dense_backward_weight,
            x=x.address,
            ld_x=x.ld,
            d_z=d_z.at(first),
            ld_z=d_z.ld,
            d_weight=encoder.d_parameter(op.weight, first),
            ld_weight=width,
            d_bias=encoder.d_parameter(op.bias, first) if op.bias and has_bias else 0,
            inputs=inputs,
            columns=count,
        )

    written = [("d", op.weight.name)]
    if op.bias is not None:
        written.append(("d", op.bias.name))
    encoder.columnwise(width, weight, reads=[d_z.key], writes=written, reads_whole=[x.key])
    if op.d_x is Write.NONE:
        return
    d_x = encoder.gradient(op.x)

    def source(first: int, count: int) -> Instruction:
        return instruction(
            dense_backward_input,
            d_z=d_z.address,
            ld_z=d_z.ld,
            weight=encoder.parameter(op.weight, first * width),
            ld_weight=width,
            d_x=d_x.at(first),
            ld_x=d_x.ld,
            inputs=count,
            columns=width,
            accumulate=op.d_x is Write.ADD,
        )

    encoder.columnwise(inputs, source, reads=[], writes=[d_x.key], reads_whole=[d_z.key])


def _sparse_backward(op: DenseOp, sparse: SparseSource, encoder: Encoder) -> None:
    d_z, touched = encoder.gradient(op.out), encoder.touched(op.weight)
    inputs, width = op.weight.shape

    def make(first: int, count: int) -> Instruction:
        return instruction(
            sparse_backward,
            sparse.dtype,
            **sparse.arguments,
            d_out=d_z.at(first),
            ld=d_z.ld,
            d_weight=encoder.d_parameter(op.weight, first),
            ld_weight=width,
            inputs=inputs,
            columns=count,
            touched=touched,
        )

    written = [("d", op.weight.name)]
    if touched:
        # Of one shard, as there is one list.
        encoder.single(make(0, width), reads=[d_z.key], writes=written)
    else:
        encoder.columnwise(width, make, reads=[d_z.key], writes=written)


def _pass_on(op: ActivationOp | BatchNormOp | DropoutOp, encoder: Encoder) -> None:
    """Hand the gradient, worked on in place, to the operation's input."""
    own = encoder.gradient(op.out)
    if op.d_x is Write.ADD:
        d_x = encoder.gradient(op.x)
        encoder.copy(own, d_x, plus=d_x)


def _activation_backward(op: ActivationOp, encoder: Encoder) -> None:
    if op.d_x is Write.NONE:
        return
    ops, z, out = activation_ops(op.activation.member), encoder.value(op.x), encoder.value(op.out)
    memory = {"z": z, "out": out, "d": encoder.gradient(op.out)}
    _activation(op, ops, ops.backward, memory, "d", encoder)
    _pass_on(op, encoder)


def _batchnorm_backward(op: BatchNormOp, encoder: Encoder) -> None:
    d, x_hat = encoder.gradient(op.out), encoder.saved_for_backward(op, "x_hat")
    inv_std = encoder.inv_std(op)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            batchnorm_backward,
            d=d.at(first),
            x_hat=x_hat.at(first),
            ld=d.ld,
            columns=count,
            gamma=encoder.parameter(op.gamma, first),
            inv_std=inv_std + first * encoder.itemsize,
            d_gamma=encoder.d_parameter(op.gamma, first),
            d_beta=encoder.d_parameter(op.beta, first),
        )

    written = [d.key, ("d", op.gamma.name), ("d", op.beta.name)]
    encoder.columnwise(op.out.width, make, reads=[x_hat.key], writes=written)
    _pass_on(op, encoder)


def _dropout_backward(op: DropoutOp, encoder: Encoder) -> None:
    if op.d_x is Write.NONE:
        return
    d, mask = encoder.gradient(op.out), encoder.saved_for_backward(op, "mask")
    _mask(encoder, d, mask, d)
    _pass_on(op, encoder)


def _add_backward(op: AddOp, encoder: Encoder) -> None:
    own = encoder.gradient(op.out)
    for slot, write in ((op.y, op.d_y), (op.x, op.d_x)):
        if write is Write.NONE:
            continue
        d = encoder.gradient(slot)
        if write is Write.ADD:
            encoder.copy(own, d, plus=d)
        elif d != own:
            encoder.copy(own, d)


def _select_backward(op: SelectOp, encoder: Encoder) -> None:
    if op.d_x is Write.NONE:
        return
    own, d_x = encoder.gradient(op.out), encoder.gradient(op.x)
    encoder.single(
        instruction(
            add_columns,
            x=own.address,
            ld_x=own.ld,
            indices=_indices(op, encoder),
            out=d_x.address,
            ld=d_x.ld,
            columns=op.out.width,
            width=op.x.width,
            accumulate=op.d_x is Write.ADD,
        ),
        reads=[own.key],
        writes=[d_x.key],
    )


def _concat_backward(op: ConcatOp, encoder: Encoder) -> None:
    own, stop = encoder.gradient(op.out), op.out.width
    for part, write in zip(reversed(op.parts), reversed(op.d_parts), strict=True):
        stop -= part.width
        if write is not Write.NONE:
            accumulate = write is Write.ADD
            _copy_columns(encoder, own, stop, encoder.gradient(part), 0, part.width, accumulate)


def _embedding_backward(op: EmbeddingOp, encoder: Encoder) -> None:
    x, own, start = encoder.value(op.x), encoder.gradient(op.out), len(op.passthrough)
    for column, table in zip(op.columns, op.tables, strict=True):
        n_categories, dim = table.shape
        encoder.single(
            instruction(
                embedding_backward,
                codes=x.at(column),
                ld_codes=x.ld,
                d=own.at(start),
                ld=own.ld,
                d_weight=encoder.d_parameter(table),
                n_categories=n_categories,
                columns=dim,
            ),
            reads=[x.key, own.key],
            writes=[("d", table.name)],
        )
        start += dim


def _scale_forward(op: ScaleOp, encoder: Encoder) -> None:
    x, out = encoder.value(op.x), encoder.value(op.out)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            scale_columns,
            x=x.at(first),
            scale=encoder.parameter(op.scale, first),
            shift=encoder.parameter(op.shift, first),
            out=out.at(first),
            ld=x.ld,
            columns=count,
        )

    encoder.columnwise(op.out.width, make, reads=[x.key], writes=[out.key])


def _no_backward(op: ScaleOp, encoder: Encoder) -> None:
    raise TypeError(f"{type(op).__name__} stands in programs for prediction alone")


Encoding: TypeAlias = Callable[[Any, Encoder], None]

ENCODINGS: DispatchTable[tuple[Encoding, Encoding]] = DispatchTable(
    "ENCODINGS",
    __name__,
    {
        DenseOp: (_dense_forward, _dense_backward),
        ActivationOp: (_activation_forward, _activation_backward),
        BatchNormOp: (_batchnorm_forward, _batchnorm_backward),
        DropoutOp: (_dropout_forward, _dropout_backward),
        AddOp: (_add_forward, _add_backward),
        SelectOp: (_select_forward, _select_backward),
        ConcatOp: (_concat_forward, _concat_backward),
        EmbeddingOp: (_embedding_forward, _embedding_backward),
        ScaleOp: (_scale_forward, _no_backward),
    },
)


def encode_forward(ops: tuple[Operation, ...], encoder: Encoder) -> None:
    """Add the tasks of operations in their order."""
    for op in ops:
        ENCODINGS[type(op)][0](op, encoder)


def encode_backward(ops: tuple[Operation, ...], encoder: Encoder) -> None:
    """Add the tasks of their gradients in the opposite order."""
    for op in reversed(ops):
        if op.out in encoder.plan.gradients:
            ENCODINGS[type(op)][1](op, encoder)
