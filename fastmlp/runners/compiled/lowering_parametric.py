"""How operations are lowered whose parameters each belong to one column."""

from __future__ import annotations

import numpy as np

from ...kernels.compiled.ops.activations import activation_ops
from ...kernels.compiled.ops.clip import clip_columns
from ...kernels.compiled.ops.parametric import parametric_backward, parametric_forward
from ...kernels.compiled.ops.scale import scale_backward, scale_forward
from ...program.operation import Write
from ...program.ops import ClipOp, ParametricOp, TrainedScaleOp
from .lowering import Lowering
from .tasks import Instruction, instruction


def lower_parametric_forward(op: ParametricOp, lowering: Lowering) -> None:
    """``out = x + weight (f(x) - x)``."""
    z, out = lowering.value(op.x), lowering.value(op.out)
    member = activation_ops(op.activation.member).member

    def make(first: int, count: int) -> Instruction:
        return instruction(
            parametric_forward,
            member,
            z=z.at(first),
            out=out.at(first),
            ld=z.ld,
            columns=count,
            weight=lowering.parameter(op.weight, first),
            parameter=op.activation.parameter or 0.0,
        )

    lowering.columnwise(op.out.width, make, reads=[z.key], writes=[out.key])


def lower_parametric_backward(op: ParametricOp, lowering: Lowering) -> None:
    """The gradient of x takes the place of that of the output, or is added to another."""
    z, d = lowering.value(op.x), lowering.gradient(op.out)
    member = activation_ops(op.activation.member).member

    def make(first: int, count: int) -> Instruction:
        return instruction(
            parametric_backward,
            member,
            z=z.at(first),
            d=d.at(first),
            ld=z.ld,
            columns=count,
            weight=lowering.parameter(op.weight, first),
            d_weight=lowering.d_parameter(op.weight, first),
            parameter=op.activation.parameter or 0.0,
        )

    written = [d.key, ("d", op.weight.name)]
    lowering.columnwise(op.out.width, make, reads=[z.key], writes=written)
    if op.d_x is Write.ADD:
        d_x = lowering.gradient(op.x)
        lowering.copy(d, d_x, plus=d_x)


def lower_trained_scale_forward(op: TrainedScaleOp, lowering: Lowering) -> None:
    """``out = x scale``."""
    x, out = lowering.value(op.x), lowering.value(op.out)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            scale_forward,
            x=x.at(first),
            out=out.at(first),
            ld=x.ld,
            columns=count,
            scale=lowering.parameter(op.scale, first),
        )

    lowering.columnwise(op.out.width, make, reads=[x.key], writes=[out.key])


def lower_trained_scale_backward(op: TrainedScaleOp, lowering: Lowering) -> None:
    """The gradients of the scale and, where it is wanted, of x."""
    x, d = lowering.value(op.x), lowering.gradient(op.out)
    d_x = None if op.d_x is Write.NONE else lowering.gradient(op.x)

    def make(first: int, count: int) -> Instruction:
        return instruction(
            scale_backward,
            d=d.at(first),
            x=x.at(first),
            d_x=0 if d_x is None else d_x.at(first),
            ld=d.ld,
            columns=count,
            scale=lowering.parameter(op.scale, first),
            d_scale=lowering.d_parameter(op.scale, first),
            accumulate=op.d_x is Write.ADD,
        )

    written = [("d", op.scale.name), *([] if d_x is None else [d_x.key])]
    lowering.columnwise(op.out.width, make, reads=[x.key, d.key], writes=written)


def lower_clip_forward(op: ClipOp, lowering: Lowering) -> None:
    """``out = min(max(x, low), high)``."""
    x, out = lowering.value(op.x), lowering.value(op.out)
    low, high = (
        lowering.keep_alive(np.array(bounds, lowering.program.dtype))
        for bounds in (op.low, op.high)
    )

    def make(first: int, count: int) -> Instruction:
        return instruction(
            clip_columns,
            x=x.at(first),
            out=out.at(first),
            ld=x.ld,
            columns=count,
            low=low + first * lowering.itemsize,
            high=high + first * lowering.itemsize,
        )

    lowering.columnwise(op.out.width, make, reads=[x.key], writes=[out.key])
