"""From a frozen network and its values on some rows to an int8 network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.dispatch import DispatchTable
from ..kernels.reference.activations import activation_forward
from ..program.operation import Operation, Slot
from ..program.ops import (
    ActivationOp,
    AddOp,
    ConcatOp,
    DenseOp,
    ParametricOp,
    ScaleOp,
    SelectOp,
)
from ..program.program import InferenceProgram
from .activations import to_codes, to_float
from .calibration import MIN_SCALE, Ranges, input_scales
from .fixed_point import (
    CODE_MAX,
    CODE_MIN,
    INPUT_BITS,
    encode,
)
from .kernels import accumulate, finish, join
from .program import (
    Codes,
    ColumnSource,
    DenseSource,
    Encode,
    IntegerProgram,
    Join,
    Source,
    Step,
)

if TYPE_CHECKING:
    from ..kernels.typing import Array

# Scales are chosen such that the sum of |product|s and the bias each stay below this; with rounding
# and the correction of the bias below twice as much, so that accumulators of up to 2**23 products
# fit int32.
_ROOM = 2.0**29
_MAX_BIAS = 2**30 - 1


def build(
    program: InferenceProgram,
    weights: Mapping[str, Array],
    values: dict[Slot, Array],
    ranges: Ranges,
) -> IntegerProgram:
    """The int8 network.

    Parameters
    ----------
    program, weights
        The frozen network.
    values : dict of Slot to (n, width) float64 arrays
        All slots on the calibration rows.
    ranges : Ranges

    Raises
    ------
    ValueError
        A scale of the output is beyond the range of float32.
    """
    return _Builder(program, weights, values, ranges).build()


class _Builder:
    """Makes one step after the other and runs each on the calibration rows.

    `codes` has the int8 slot of each slot of the network, `rows` the codes in it.
    """

    def __init__(
        self,
        program: InferenceProgram,
        weights: Mapping[str, Array],
        values: dict[Slot, Array],
        ranges: Ranges,
    ) -> None:
        self.program = program
        self.weights = weights
        self.values = values
        self.ranges = ranges
        self.codes: dict[Slot, Codes] = {}
        self.rows: dict[Codes, Array] = {}
        self.steps: list[Step | Join] = []
        self.readers: dict[Slot, list[Operation]] = {}
        for op in program.ops:
            for slot in op.inputs:
                self.readers.setdefault(slot, []).append(op)

    def build(self) -> IntegerProgram:
        """All steps in their order."""
        program = self.program
        entry = self._encode()
        merged: list[ActivationOp] = []
        written = False
        for op in program.ops:
            if isinstance(op, MOVED):
                self._join(op)
            elif op not in merged:
                activation = self._only_activation(op)
                if activation is not None:
                    merged.append(activation)
                written = self._step(op, activation or op) or written
        if not written:
            self._copy_output()
        return IntegerProgram(entry, tuple(self.steps), program.output.width)

    def _encode(self) -> Encode:
        slot = self.program.input
        scale, zero_point = input_scales(self.values[slot], self.ranges)
        inverse = ((1 << INPUT_BITS) / scale).astype(np.float32)
        # The scale that C will see.
        codes = Codes("x", (1 << INPUT_BITS) / inverse.astype(np.float64), zero_point)
        x = self.values[slot].astype(np.float32)
        self._keep(slot, codes, encode(x, inverse, zero_point))
        return Encode(inverse, codes)

    def _keep(self, slot: Slot, codes: Codes, rows: Array) -> None:
        self.codes[slot] = codes
        self.rows[codes] = rows

    def _join(self, op: SelectOp | ConcatOp) -> None:
        columns = op.columns if isinstance(op, SelectOp) else None
        inputs = tuple(self.codes[slot] for slot in op.inputs)
        scale = np.concatenate([codes.scale for codes in inputs])
        zero_point = np.concatenate([codes.zero_point for codes in inputs])
        if columns is not None:
            scale, zero_point = scale[list(columns)], zero_point[list(columns)]
        step = Join(inputs, columns, Codes(op.out.name, scale, zero_point))
        self.steps.append(step)
        self._keep(op.out, step.out, join(step, self.rows))

    def _only_activation(self, op: Operation) -> ActivationOp | None:
        """The activation that is all that reads what an operation makes."""
        readers = self.readers.get(op.out, [])
        if len(readers) != 1 or op.out == self.program.output or isinstance(op, ActivationOp):
            return None
        return readers[0] if isinstance(readers[0], ActivationOp) else None

    def _step(self, op: Operation, last: Operation) -> bool:
        """Add the step of an operation and of the activation in it; tell if it is the output."""
        source, out = SOURCES[type(op)](self, op), last.out
        activation = last.activation if isinstance(last, ActivationOp) else None
        z = self.values[last.x if isinstance(last, ActivationOp) else out]
        if out == self.program.output and out not in self.readers:
            self.steps.append(Step(source, to_float(source, z, activation), None))
            return True
        rule, scale, zero_point = to_codes(source, z, activation, self.values[out], self.ranges)
        codes = Codes(out.name, np.full(out.width, scale), np.full(out.width, zero_point))
        self.steps.append(Step(source, rule, codes))
        self._keep(out, codes, finish(rule, accumulate(source, self.rows)))
        return False

    def _copy_output(self) -> None:
        """The output from its codes, which other operations read too."""
        slot = self.program.output
        source = self._columns([self.codes[slot]], [np.ones(slot.width)], 0.0)
        self.steps.append(Step(source, to_float(source, self.values[slot], None), None))

    def _sum(self, op: Operation) -> ColumnSource:
        """The sum of the inputs: of an activation, its input as it is."""
        inputs = [self.codes[slot] for slot in op.inputs]
        return self._columns(inputs, [np.ones(codes.width) for codes in inputs], 0.0)

    def _mix(self, op: ParametricOp) -> ColumnSource:
        """The sum of shares of x and of its activation, which is a step of its own before."""
        f = Slot(-1 - op.out.index, f"{op.out.name} activation", op.out.width)
        self.values[f] = activation_forward(self.values[op.x], op.activation.kernel)
        inner = ActivationOp(op.x, f, op.activation)
        self._step(inner, inner)
        weight = self.weights[op.weight.name].astype(np.float64)
        return self._columns([self.codes[op.x], self.codes[f]], [1.0 - weight, weight], 0.0)

    def _scale(self, op: ScaleOp) -> ColumnSource:
        scale = self.weights[op.scale.name].astype(np.float64)
        shift = self.weights[op.shift.name].astype(np.float64)
        return self._columns([self.codes[op.x]], [scale], shift)

    def _dense(self, op: DenseOp) -> DenseSource:
        """Weights of the codes of x, whose scales are multiplied into them."""
        x = self.codes[op.x]
        weight = self.weights[op.weight.name].astype(np.float64).T * x.scale
        constant = -(weight @ x.zero_point)
        if op.bias is not None:
            constant += self.weights[op.bias.name]
        size = np.abs(weight)
        needed = (
            size.max(axis=1) / CODE_MAX,
            -CODE_MIN * size.sum(axis=1) / _ROOM,
            np.abs(constant) / _ROOM,
        )
        scale = np.maximum(np.max(needed, axis=0), MIN_SCALE)
        rounded = np.rint(weight / scale[:, None]).astype(np.int8)
        unbiased = DenseSource(x, rounded, np.zeros(len(scale), np.int64), scale)
        # What rounding and clipping change on average goes into the bias.
        missing = self.values[op.out] / scale - accumulate(unbiased, self.rows)
        bias = np.clip(np.rint(missing.mean(axis=0)), -_MAX_BIAS, _MAX_BIAS).astype(np.int64)
        return DenseSource(x, rounded, bias, scale)

    def _columns(
        self, inputs: list[Codes], coefficients: list[Array], shift: Array | float
    ) -> ColumnSource:
        """``sum of coefficients * inputs + shift`` in integers."""
        parts = [a * codes.scale for a, codes in zip(coefficients, inputs, strict=True)]
        constant = np.zeros(inputs[0].width) + shift
        size = np.zeros(inputs[0].width)
        for part, codes in zip(parts, inputs, strict=True):
            constant -= part * codes.zero_point
            size += -CODE_MIN * np.abs(part)
        scale = np.maximum(np.maximum(size, np.abs(constant)) / _ROOM, MIN_SCALE)
        factors = tuple(np.rint(part / scale).astype(np.int64) for part in parts)
        bias = np.rint(constant / scale).astype(np.int64)
        return ColumnSource(tuple(inputs), factors, bias, scale)


SOURCES: DispatchTable[Callable[[_Builder, Any], Source]] = DispatchTable(
    "SOURCES",
    __name__,
    {
        DenseOp: _Builder._dense,
        ScaleOp: _Builder._scale,
        AddOp: _Builder._sum,
        ActivationOp: _Builder._sum,
        ParametricOp: _Builder._mix,
    },
)
"""What each operation is in integers before its activation."""

MOVED = (SelectOp, ConcatOp)
"""Operations that only move columns."""
