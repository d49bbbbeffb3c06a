"""Folding: scales and shifts multiplied into the weights beside them, in float64.

::

    (x W + b) * s + t = x (W * s) + (b * s + t)                 into the Dense before it
    (x * s + t) W + b = x (s[:, None] * W) + (b + t W)          into each Dense after it

It also goes through operations that pick or join columns. Where there is no Dense on either side,
or a product would leave the range of the network's dtype, the scale and shift stay as an operation
of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..common.products import weighted_sum
from ..program.operation import Operation, Slot, Tensor
from ..program.ops import DenseOp, ScaleOp
from ..program.program import Program

if TYPE_CHECKING:
    from ..kernels.typing import Array


@dataclass(frozen=True)
class Scaling:
    """``x * scale + shift``, column by column, in float64."""

    scale: Array
    shift: Array

    def then(self, after: Scaling) -> Scaling:
        """Return the one scaling that stands for this one and then another."""
        return Scaling(self.scale * after.scale, self.shift * after.scale + after.shift)


class Graph:
    """Operations in their order and the values of their tensors, in float64, while they change."""

    def __init__(
        self,
        program: Program,
        ops: list[Operation],
        output: Slot,
        feature_names: Sequence[str] | None,
    ) -> None:
        self.feature_names = feature_names
        self.ops = ops
        self.output = output
        self.values: dict[str, Array] = {}
        self.input = program.input
        self.dtype = program.dtype
        self._largest = float(np.finfo(program.dtype).max)
        self._next_slot = 1 + max(op.out.index for op in (*program.ops, *program.output_ops))

    def change(self, op: Operation, *others: Operation) -> None:
        """Put other operations in the place of one."""
        place = next(i for i, known in enumerate(self.ops) if known is op)
        self.ops[place : place + 1] = others

    def scale_op(self, path: str, x: Slot, out: Slot, scaling: Scaling) -> ScaleOp:
        """Make an operation whose tensors are named after `path`."""
        shape = (x.width,)
        op = ScaleOp(x, out, Tensor(f"{path}.scale", shape, 0), Tensor(f"{path}.shift", shape, 0))
        self._set(op, scaling)
        return op

    def new_slot(self, name: str, width: int) -> Slot:
        self._next_slot += 1
        return Slot(self._next_slot - 1, name, width)

    def scale_input(self, scaling: Scaling) -> None:
        """Scale the network's input."""
        scaled = self.new_slot("scaled input", self.input.width)
        self.ops = [op.with_inputs({self.input: scaled}) for op in self.ops]
        self.ops.insert(0, self.scale_op("input", self.input, scaled, scaling))

    def scale_output(self, scaling: Scaling) -> None:
        """Scale its output."""
        scaled = self.new_slot("scaled output", self.output.width)
        self.ops.append(self.scale_op("output", self.output, scaled, scaling))
        self.output = scaled

    def readers(self, slot: Slot) -> list[Operation]:
        return [op for op in self.ops if slot in op.inputs]

    def scaling(self, op: ScaleOp) -> Scaling:
        return Scaling(self.values[op.scale.name], self.values[op.shift.name])

    def fold(self) -> None:
        """Multiply each scale and shift into the weights beside it, wherever that is possible."""
        while any(
            self._attempt(way, op)
            for op in list(self.ops)
            if isinstance(op, ScaleOp)
            for way in (self._into_producer, self._into_readers)
        ):
            pass

    def _attempt(self, way: Callable[[ScaleOp], bool], op: ScaleOp) -> bool:
        """Fold in one way; where that cannot be, or a value leaves the dtype, all is as before."""
        before = self.ops.copy(), self.values.copy(), self.output
        with np.errstate(all="ignore"):
            if way(op) and self.is_in_range():
                return True
        self.ops, self.values, self.output = before
        return False

    def is_in_range(self) -> bool:
        """Tell whether all values can be written in the network's dtype."""
        return all(
            bool((np.abs(self.values[tensor.name]) <= self._largest).all())
            for op in self.ops
            for tensor in op.tensors
        )

    def _into_producer(self, op: ScaleOp) -> bool:
        before = next((other for other in self.ops if other.out is op.x), None)
        if not isinstance(before, DenseOp | ScaleOp) or len(self.readers(op.x)) > 1:
            return False
        if op.x is self.output:
            return False
        scaling = self.scaling(op)
        if isinstance(before, ScaleOp):
            self._set(before, self.scaling(before).then(scaling))
        else:
            before = self.with_bias(before)
            bias = self._name(before.bias)
            self.values[before.weight.name] = self.values[before.weight.name] * scaling.scale
            self.values[bias] = self.values[bias] * scaling.scale + scaling.shift
        self.change(before, replace(before, out=op.out))
        self.change(op)
        return True

    def _into_readers(self, op: ScaleOp) -> bool:
        if not self._takes(op.out):
            return False
        self._push(op.out, self.scaling(op))
        self.ops = [other.with_inputs({op.out: op.x}) for other in self.ops if other is not op]
        return True

    def _takes(self, slot: Slot) -> bool:
        """Whether all that read a slot can take over its scale and shift."""
        return slot is not self.output and all(
            isinstance(op, DenseOp | ScaleOp)
            or (op.column_sources is not None and self._takes(op.out))
            for op in self.readers(slot)
        )

    def _push(self, slot: Slot, scaling: Scaling) -> None:
        """Move a slot's scale and shift into all that read it."""
        scale, shift = scaling.scale, scaling.shift
        for op in self.readers(slot):
            if isinstance(op, DenseOp):
                op = self.with_bias(op)
                weight, bias = op.weight.name, self._name(op.bias)
                moved = weighted_sum(shift, self.values[weight])
                self.values[bias] = self.values[bias] + moved
                self.values[weight] = scale[:, np.newaxis] * self.values[weight]
            elif isinstance(op, ScaleOp):
                self._set(op, scaling.then(self.scaling(op)))
            else:
                copied = Scaling(np.ones(op.out.width), np.zeros(op.out.width))
                for column, source in enumerate(op.column_sources or ()):
                    if source is not None and source[0] == slot:
                        copied.scale[column] = scale[source[1]]
                        copied.shift[column] = shift[source[1]]
                self._push(op.out, copied)

    def _set(self, op: ScaleOp, scaling: Scaling) -> None:
        self.values[op.scale.name], self.values[op.shift.name] = scaling.scale, scaling.shift

    def with_bias(self, op: DenseOp) -> DenseOp:
        """Return an operation that has a bias, which stands in the place of one without."""
        if op.bias is not None:
            return op
        name = op.weight.name.replace("weight", "bias")
        biased = replace(op, bias=Tensor(name, (op.out.width,), 0))
        self.values[name] = np.zeros(op.out.width)
        self.change(op, biased)
        return biased

    @staticmethod
    def _name(tensor: Tensor | None) -> str:
        assert tensor is not None
        return tensor.name
