"""How operations are lowered that move columns: sums, choices, rows side by side, embeddings."""

from __future__ import annotations

import numpy as np

from ...kernels.compiled.ops.embedding import embedding_backward, embedding_forward
from ...kernels.compiled.ops.rows import (
    add_columns,
    copy_columns,
    one_hot,
    scale_columns,
    select_columns,
)
from ...program.operation import Write
from ...program.ops import AddOp, ConcatOp, EmbeddingOp, OneHotOp, ScaleOp, SelectOp
from .lowering import Lowering, Memory
from .tasks import Instruction, instruction


def lower_add_forward(op: AddOp, lowering: Lowering) -> None:
    """``out = x + y``, where one of them may have the memory of `out`."""
    x, y, out = lowering.value(op.x), lowering.value(op.y), lowering.value(op.out)
    if out == x:
        lowering.copy(y, out, plus=x)
    else:
        lowering.copy(x, out, plus=y)


def lower_add_backward(op: AddOp, lowering: Lowering) -> None:
    """Each of x and y gets the gradient of the sum, unless it shares its memory."""
    own = lowering.gradient(op.out)
    for slot, write in ((op.y, op.d_y), (op.x, op.d_x)):
        if write is Write.NONE:
            continue
        d = lowering.gradient(slot)
        if write is Write.ADD:
            lowering.copy(own, d, plus=d)
        elif d != own:
            lowering.copy(own, d)


def lower_select_forward(op: SelectOp, lowering: Lowering) -> None:
    """Some columns of x."""
    x, out = lowering.value(op.x), lowering.value(op.out)
    indices = _indices(op, lowering)

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

    lowering.columnwise(op.out.width, make, reads=[], writes=[out.key], reads_whole=[x.key])


def lower_select_backward(op: SelectOp, lowering: Lowering) -> None:
    """The gradient goes to the columns that were chosen, which may be so more than once."""
    if op.d_x is Write.NONE:
        return
    own, d_x = lowering.gradient(op.out), lowering.gradient(op.x)
    lowering.single(
        instruction(
            add_columns,
            x=own.address,
            ld_x=own.ld,
            indices=_indices(op, lowering),
            out=d_x.address,
            ld=d_x.ld,
            columns=op.out.width,
            width=op.x.width,
            accumulate=op.d_x is Write.ADD,
        ),
        reads=[own.key],
        writes=[d_x.key],
    )


def _indices(op: SelectOp, lowering: Lowering) -> int:
    return lowering.keep_alive(np.array(op.columns, dtype=np.int64))


def lower_concat_forward(op: ConcatOp, lowering: Lowering) -> None:
    """The parts' columns side by side."""
    out, start = lowering.value(op.out), 0
    for part in op.parts:
        x = lowering.value(part)
        _copy_columns(lowering, x, 0, out, start, part.width)
        start += part.width


def lower_concat_backward(op: ConcatOp, lowering: Lowering) -> None:
    """Each part gets its columns of the gradient."""
    own, stop = lowering.gradient(op.out), op.out.width
    for part, write in zip(reversed(op.parts), reversed(op.d_parts), strict=True):
        stop -= part.width
        if write is not Write.NONE:
            accumulate = write is Write.ADD
            _copy_columns(lowering, own, stop, lowering.gradient(part), 0, part.width, accumulate)


def _copy_columns(
    lowering: Lowering,
    x: Memory,
    x_start: int,
    out: Memory,
    out_start: int,
    width: int,
    accumulate: bool = False,
) -> None:
    lowering.single(
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


def _copy_chosen(lowering: Lowering, x: Memory, columns: tuple[int, ...], out: Memory) -> None:
    """Copy columns to the first ones of another slot."""
    if columns:
        lowering.single(
            instruction(
                select_columns,
                x=x.address,
                ld_x=x.ld,
                indices=lowering.keep_alive(np.array(columns, dtype=np.int64)),
                out=out.address,
                ld=out.ld,
                columns=len(columns),
            ),
            reads=[x.key],
            writes=[out.key],
        )


def lower_embedding_forward(op: EmbeddingOp, lowering: Lowering) -> None:
    """The columns that pass through, then a vector for each category."""
    x, out, start = lowering.value(op.x), lowering.value(op.out), len(op.passthrough)
    _copy_chosen(lowering, x, op.passthrough, out)
    for column, table in zip(op.columns, op.tables, strict=True):
        n_categories, dim = table.shape
        lowering.single(
            instruction(
                embedding_forward,
                codes=x.at(column),
                ld_codes=x.ld,
                weight=lowering.parameter(table),
                n_categories=n_categories,
                out=out.at(start),
                ld=out.ld,
                columns=dim,
            ),
            reads=[x.key],
            writes=[out.key],
        )
        start += dim


def lower_embedding_backward(op: EmbeddingOp, lowering: Lowering) -> None:
    """Vectors get their gradients; categories have none."""
    x, own, start = lowering.value(op.x), lowering.gradient(op.out), len(op.passthrough)
    for column, table in zip(op.columns, op.tables, strict=True):
        n_categories, dim = table.shape
        lowering.single(
            instruction(
                embedding_backward,
                codes=x.at(column),
                ld_codes=x.ld,
                d=own.at(start),
                ld=own.ld,
                d_weight=lowering.d_parameter(table),
                n_categories=n_categories,
                columns=dim,
            ),
            reads=[x.key, own.key],
            writes=[("d", table.name)],
        )
        start += dim


def lower_one_hot_forward(op: OneHotOp, lowering: Lowering) -> None:
    """The columns that pass through, then 0 and 1 for each level."""
    x, out, start = lowering.value(op.x), lowering.value(op.out), len(op.passthrough)
    _copy_chosen(lowering, x, op.passthrough, out)
    for column, levels in zip(op.columns, op.levels, strict=True):
        lowering.single(
            instruction(
                one_hot,
                x=x.at(column),
                ld_x=x.ld,
                levels=lowering.parameter(levels),
                out=out.at(start),
                ld=out.ld,
                columns=levels.size,
                scalar=lowering.checked if column in op.strict else 0,
            ),
            reads=[x.key],
            writes=[out.key],
        )
        start += levels.size


def lower_scale_forward(op: ScaleOp, lowering: Lowering) -> None:
    """``out = x scale + shift``, column by column."""
    x, out = lowering.value(op.x), lowering.value(op.out)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            scale_columns,
            x=x.at(first),
            scale=lowering.parameter(op.scale, first),
            shift=lowering.parameter(op.shift, first),
            out=out.at(first),
            ld=x.ld,
            columns=count,
        )

    lowering.columnwise(op.out.width, make, reads=[x.key], writes=[out.key])
