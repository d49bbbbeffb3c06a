"""How each kind of operation is lowered: which ops, on which memory, forward and backward.

The compiled twin of the table in `reference_ops.py`: a new kind of operation is one row here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ...common.dispatch import DispatchTable
from ...declarations.learning_rate import Schedule
from ...kernels.compiled.machine.op import CompiledOp
from ...kernels.compiled.ops.activations import ActivationOps, activation_ops
from ...kernels.compiled.ops.batchnorm import (
    batchnorm_backward,
    batchnorm_forward,
    batchnorm_inference,
)
from ...kernels.compiled.ops.dropout import apply_mask, dropout_mask
from ...program.operation import Operation, Write
from ...program.ops import (
    ActivationOp,
    AddOp,
    BatchNormOp,
    ClipOp,
    ConcatOp,
    DenseOp,
    DropoutOp,
    EmbeddingOp,
    OneHotOp,
    ParametricOp,
    PeriodicOp,
    PiecewiseLinearOp,
    ScaleOp,
    SelectOp,
    TrainedScaleOp,
)
from .lowering import Lowering, Memory
from .lowering_columns import (
    lower_periodic_backward,
    lower_periodic_forward,
    lower_piecewise_backward,
    lower_piecewise_forward,
)
from .lowering_parametric import (
    lower_clip_forward,
    lower_parametric_backward,
    lower_parametric_forward,
    lower_trained_scale_backward,
    lower_trained_scale_forward,
)
from .lowering_products import lower_dense_backward, lower_dense_forward
from .lowering_wiring import (
    lower_add_backward,
    lower_add_forward,
    lower_concat_backward,
    lower_concat_forward,
    lower_embedding_backward,
    lower_embedding_forward,
    lower_one_hot_forward,
    lower_scale_forward,
    lower_select_backward,
    lower_select_forward,
)
from .tasks import Instruction, instruction


def _activation_forward(op: ActivationOp, lowering: Lowering) -> None:
    ops, z, out = activation_ops(op.activation.member), lowering.value(op.x), lowering.value(op.out)
    _activation(op, ops, ops.forward, {"z": z, "out": out}, "out", lowering)


def _activation_backward(op: ActivationOp, lowering: Lowering) -> None:
    if op.d_x is Write.NONE:
        return
    ops, z, out = activation_ops(op.activation.member), lowering.value(op.x), lowering.value(op.out)
    memory = {"z": z, "out": out, "d": lowering.gradient(op.out)}
    _activation(op, ops, ops.backward, memory, "d", lowering)
    _pass_on(op, lowering)


def _activation(
    op: ActivationOp,
    ops: ActivationOps,
    called: CompiledOp[...],
    memory: dict[str, Memory],
    written: str,
    lowering: Lowering,
) -> None:
    """Call an op of an activation on shards of rows or of columns, as it takes them."""
    width = op.out.width
    fixed = {"ld": memory[written].ld, "parameter": op.activation.parameter or 0.0}

    def make(first: int, count: int, row: int = 0, **share: int) -> Instruction:
        places = {name: each.at(first, row) for name, each in memory.items()}
        available = {**places, **fixed, **share, "columns": count}
        return instruction(called, ops.member, **called.select(available))

    reads = [memory[name].key for name in memory if name in called.names and name != written]
    writes = [memory[written].key]
    if ops.is_rowwise:
        lowering.rowwise(
            width,
            lambda shard, shards: make(0, width, shard=shard, shards=shards),
            reads=reads,
            writes=writes,
        )
    else:
        lowering.by_rows(width, make, reads=reads, writes=writes)


def _batchnorm_forward(op: BatchNormOp, lowering: Lowering) -> None:
    x, out, width = lowering.value(op.x), lowering.value(op.out), op.out.width
    if not lowering.training:
        scale = lowering.new((width,))

        def infer(first: int, count: int) -> Instruction:
            return instruction(
                batchnorm_inference,
                x=x.at(first),
                out=out.at(first),
                ld=x.ld,
                columns=count,
                gamma=lowering.parameter(op.gamma, first),
                beta=lowering.parameter(op.beta, first),
                running_mean=lowering.buffer(op.running_mean, first),
                running_var=lowering.buffer(op.running_var, first),
                scale=scale + first * lowering.itemsize,
                epsilon=op.epsilon,
            )

        lowering.columnwise(width, infer, reads=[x.key], writes=[out.key])
        return
    x_hat = lowering.saved_for_backward(op, "x_hat")
    if x_hat != x:
        lowering.copy(x, x_hat)
    mean, inv_std = lowering.new((width,)), lowering.inv_std(op)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            batchnorm_forward,
            x=x_hat.at(first),
            out=out.at(first),
            ld=x_hat.ld,
            columns=count,
            gamma=lowering.parameter(op.gamma, first),
            beta=lowering.parameter(op.beta, first),
            running_mean=lowering.buffer(op.running_mean, first),
            running_var=lowering.buffer(op.running_var, first),
            mean=mean + first * lowering.itemsize,
            inv_std=inv_std + first * lowering.itemsize,
            momentum=op.momentum if lowering.updates else 0.0,
            epsilon=op.epsilon,
        )

    lowering.columnwise(width, make, reads=[], writes=[x_hat.key, out.key])


def _batchnorm_backward(op: BatchNormOp, lowering: Lowering) -> None:
    d, x_hat = lowering.gradient(op.out), lowering.saved_for_backward(op, "x_hat")
    inv_std = lowering.inv_std(op)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            batchnorm_backward,
            d=d.at(first),
            x_hat=x_hat.at(first),
            ld=d.ld,
            columns=count,
            gamma=lowering.parameter(op.gamma, first),
            inv_std=inv_std + first * lowering.itemsize,
            d_gamma=lowering.d_parameter(op.gamma, first),
            d_beta=lowering.d_parameter(op.beta, first),
        )

    written = [d.key, ("d", op.gamma.name), ("d", op.beta.name)]
    lowering.columnwise(op.out.width, make, reads=[x_hat.key], writes=written)
    _pass_on(op, lowering)


def _dropout_forward(op: DropoutOp, lowering: Lowering) -> None:
    mask = lowering.saved_for_backward(op, "mask")
    seed, rate, rates, rate_stride = lowering.state.seed, op.rate, 0, 0
    if isinstance(rate, Schedule):
        (rates, rate_stride), rate = lowering.scheduled("rate", op.number), 0.0

    def draw(first: int, count: int) -> Instruction:
        return instruction(
            dropout_mask,
            mask=mask.at(first),
            ld=mask.ld,
            columns=count,
            first_column=first,
            threshold=int(rate * 2**32),
            seed_low=seed & 0xFFFFFFFF,
            seed_high=seed >> 32,
            layer=op.number,
            keep=1.0 - rate,
            rates=rates,
            rate_stride=rate_stride,
        )

    lowering.columnwise(op.out.width, draw, reads=[], writes=[mask.key])
    _mask(lowering, lowering.value(op.x), mask, lowering.value(op.out))


def _dropout_backward(op: DropoutOp, lowering: Lowering) -> None:
    if op.d_x is Write.NONE:
        return
    d, mask = lowering.gradient(op.out), lowering.saved_for_backward(op, "mask")
    _mask(lowering, d, mask, d)
    _pass_on(op, lowering)


def _mask(lowering: Lowering, x: Memory, mask: Memory, out: Memory) -> None:
    def make(first: int, count: int) -> Instruction:
        return instruction(
            apply_mask,
            x=x.at(first),
            mask=mask.at(first),
            out=out.at(first),
            ld=x.ld,
            columns=count,
        )

    lowering.columnwise(x.width, make, reads=[x.key, mask.key], writes=[out.key])


def _pass_on(op: ActivationOp | BatchNormOp | DropoutOp, lowering: Lowering) -> None:
    """Hand the gradient, worked on in place, to the operation's input."""
    own = lowering.gradient(op.out)
    if op.d_x is Write.ADD:
        d_x = lowering.gradient(op.x)
        lowering.copy(own, d_x, plus=d_x)


def _no_backward(op: ScaleOp | ClipOp | OneHotOp, lowering: Lowering) -> None:
    raise TypeError(f"{type(op).__name__} stands in programs for prediction alone")


Lower: TypeAlias = Callable[[Any, Lowering], None]

LOWERINGS: DispatchTable[tuple[Lower, Lower]] = DispatchTable(
    "LOWERINGS",
    __name__,
    {
        DenseOp: (lower_dense_forward, lower_dense_backward),
        ActivationOp: (_activation_forward, _activation_backward),
        ParametricOp: (lower_parametric_forward, lower_parametric_backward),
        TrainedScaleOp: (lower_trained_scale_forward, lower_trained_scale_backward),
        BatchNormOp: (_batchnorm_forward, _batchnorm_backward),
        DropoutOp: (_dropout_forward, _dropout_backward),
        AddOp: (lower_add_forward, lower_add_backward),
        SelectOp: (lower_select_forward, lower_select_backward),
        ConcatOp: (lower_concat_forward, lower_concat_backward),
        EmbeddingOp: (lower_embedding_forward, lower_embedding_backward),
        PeriodicOp: (lower_periodic_forward, lower_periodic_backward),
        PiecewiseLinearOp: (lower_piecewise_forward, lower_piecewise_backward),
        ScaleOp: (lower_scale_forward, _no_backward),
        ClipOp: (lower_clip_forward, _no_backward),
        OneHotOp: (lower_one_hot_forward, _no_backward),
    },
)


def lower_forward(ops: tuple[Operation, ...], lowering: Lowering) -> None:
    """Add the tasks of operations in their order."""
    for op in ops:
        LOWERINGS[type(op)][0](op, lowering)


def lower_backward(ops: tuple[Operation, ...], lowering: Lowering) -> None:
    """Add the tasks of their gradients in the opposite order."""
    for op in reversed(ops):
        if op.out in lowering.plan.gradients:
            LOWERINGS[type(op)][1](op, lowering)
