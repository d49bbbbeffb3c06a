"""How operations are lowered that turn each column into several, cut by the columns of x."""

from __future__ import annotations

from ...kernels.compiled.ops.periodic import periodic_backward, periodic_forward, scratch_size
from ...kernels.compiled.ops.piecewise_linear import (
    piecewise_linear_backward,
    piecewise_linear_forward,
)
from ...program.column_ops import PeriodicOp, PiecewiseLinearOp
from ...program.operation import Write
from .lowering import Lowering
from .tasks import Instruction, instruction


def lower_periodic_forward(op: PeriodicOp, lowering: Lowering) -> None:
    """``out = cos(2 pi f x + p) W + b``, some columns of x in each shard."""
    x, out = lowering.value(op.x), lowering.value(op.out)
    columns, waves, width = op.sizes

    def make(first: int, count: int) -> Instruction:
        return instruction(
            periodic_forward,
            x=x.at(first),
            ld_x=x.ld,
            out=out.at(first * width),
            ld_out=out.ld,
            columns=count,
            waves=waves,
            width=width,
            frequency=lowering.parameter(op.frequency, first * waves),
            phase=lowering.parameter(op.phase, first * waves),
            weight=lowering.parameter(op.weight, first * waves * width),
            bias=lowering.parameter(op.bias, first * width),
            scratch=lowering.new((scratch_size(width),)),
        )

    lowering.groupwise(columns, waves, make, writes=[out.key], reads_whole=[x.key])


def lower_periodic_backward(op: PeriodicOp, lowering: Lowering) -> None:
    """The gradients of its tensors and, if it is needed, of x."""
    x, d = lowering.value(op.x), lowering.gradient(op.out)
    d_x = None if op.d_x is Write.NONE else lowering.gradient(op.x)
    columns, waves, width = op.sizes

    def make(first: int, count: int) -> Instruction:
        wave, product = first * waves, first * waves * width
        return instruction(
            periodic_backward,
            d=d.at(first * width),
            ld_d=d.ld,
            x=x.at(first),
            ld_x=x.ld,
            d_x=0 if d_x is None else d_x.at(first),
            columns=count,
            waves=waves,
            width=width,
            frequency=lowering.parameter(op.frequency, wave),
            phase=lowering.parameter(op.phase, wave),
            weight=lowering.parameter(op.weight, product),
            d_frequency=lowering.d_parameter(op.frequency, wave),
            d_phase=lowering.d_parameter(op.phase, wave),
            d_weight=lowering.d_parameter(op.weight, product),
            d_bias=lowering.d_parameter(op.bias, first * width),
            scratch=lowering.new((scratch_size(width),)),
            accumulate=op.d_x is Write.ADD,
        )

    written = [("d", tensor.name) for tensor in op.tensors]
    places = [] if d_x is None else [d_x.key]
    lowering.groupwise(columns, waves, make, writes=[*written, *places], reads_whole=[x.key, d.key])


def lower_piecewise_forward(op: PiecewiseLinearOp, lowering: Lowering) -> None:
    """How far x has come through each bin, some columns of x in each shard."""
    x, out, (columns, bins) = lowering.value(op.x), lowering.value(op.out), op.sizes

    def make(first: int, count: int) -> Instruction:
        return instruction(
            piecewise_linear_forward,
            x=x.at(first),
            ld_x=x.ld,
            out=out.at(first * bins),
            ld_out=out.ld,
            columns=count,
            bins=bins,
            edges=lowering.fixed(op.edges, first * (bins + 1)),
        )

    lowering.groupwise(columns, bins, make, writes=[out.key], reads_whole=[x.key])


def lower_piecewise_backward(op: PiecewiseLinearOp, lowering: Lowering) -> None:
    """The gradient of x; edges have none."""
    if op.d_x is Write.NONE:
        return
    x, d, d_x = lowering.value(op.x), lowering.gradient(op.out), lowering.gradient(op.x)
    columns, bins = op.sizes

    def make(first: int, count: int) -> Instruction:
        return instruction(
            piecewise_linear_backward,
            d=d.at(first * bins),
            ld_d=d.ld,
            x=x.at(first),
            ld_x=x.ld,
            d_x=d_x.at(first),
            columns=count,
            bins=bins,
            edges=lowering.fixed(op.edges, first * (bins + 1)),
            accumulate=op.d_x is Write.ADD,
        )

    lowering.groupwise(columns, bins, make, writes=[d_x.key], reads_whole=[x.key, d.key])
