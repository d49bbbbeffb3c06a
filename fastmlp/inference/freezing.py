"""Freezing: from the program of a network that is trained to the shortest one that predicts.

Dropout does nothing in a prediction, and a BatchNorm is ``out = x * scale + shift`` with numbers
that no longer change; so is a linear scaler of X. Each is multiplied into the weights beside it::

    (x W + b) * s + t = x (W * s) + (b * s + t)                 into the Dense before it
    (x * s + t) W + b = x (s[:, None] * W) + (b + t W)          into each Dense after it

in float64, and only then rounded to the network's dtype. It also goes through what picks or joins
columns. Where there is no Dense on either side, or a product would leave the range of the dtype,
the scale and shift stay as an operation of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.arrays import aligned_zeros
from ..common.dispatch import DispatchTable
from ..common.warn import warn
from ..program.operation import Operation, Slot, Tensor, padded
from ..program.ops import BatchNormOp, DenseOp, ScaleOp
from ..program.program import InferenceProgram, Program, inference_ops
from ..program.state import State, Weights

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["Scaling", "freeze_program", "lay_out", "warn_of_lost_digits"]

# What rounding may change of a scaled column, whose width is about 1, before there is a warning.
_LARGEST_ERROR = 1e-3


@dataclass(frozen=True)
class Scaling:
    """``x * scale + shift``, column by column, in float64."""

    scale: Array
    shift: Array

    def then(self, after: Scaling) -> Scaling:
        """One scaling that does what this one and then another do."""
        return Scaling(self.scale * after.scale, self.shift * after.scale + after.shift)


def freeze_program(
    state: State,
    before: Scaling | None = None,
    after: Scaling | None = None,
    feature_names: Sequence[str] | None = None,
) -> Weights:
    """The program and the weights of predictions, read-only.

    Parameters
    ----------
    state : State
        Of the network; it is only read.
    before, after : Scaling, optional
        Of X (of two inputs X_deep), and of the output.
    feature_names : sequence of str, optional
        Those of the columns of X, for warnings.
    """
    program = state.program
    ops, output = inference_ops(program)
    graph = _Graph(program, list(ops), output, feature_names)
    for op in ops:
        if any(tensor in program.buffers for tensor in op.tensors):
            FROZEN[type(op)](graph, op, state)
        else:
            for tensor in op.tensors:
                graph.values[tensor.name] = state.parameter(tensor).astype(np.float64)
    if before is not None:
        graph.scale_input(before)
    if after is not None:
        graph.scale_output(after)
    graph.fold()
    return lay_out(program, tuple(graph.ops), graph.output, graph.values)


def lay_out(
    program: InferenceProgram,
    ops: tuple[Operation, ...],
    output: Slot,
    values: Mapping[str, Array],
) -> Weights:
    """The weights of operations, whose tensors have only names and shapes so far, in one vector."""
    tensors: dict[str, Tensor] = {}
    stop = 0
    for op in ops:
        for tensor in op.tensors:
            if tensor.name not in tensors:
                tensors[tensor.name] = replace(tensor, start=stop)
                stop += padded(tensor.size)

    parameters = aligned_zeros((stop,), program.dtype)
    for tensor in tensors.values():
        parameters[tensor.start : tensor.stop] = values[tensor.name].ravel()
    frozen = InferenceProgram(
        dtype=program.dtype,
        input=program.input,
        ops=tuple(op.with_tensors(tensors).without_plan() for op in ops),
        output=output,
        parameters=tuple(tensors.values()),
        n_parameters=stop,
        wide=program.wide,
    )
    return Weights(frozen, parameters)


def warn_of_lost_digits(
    program: InferenceProgram,
    shift: Array,
    feature_names: Sequence[str] | None = None,
    layer: str = "",
) -> None:
    """Warn of columns whose distance from 0, in what is one when scaled, leaves them few digits.

    Parameters
    ----------
    program : InferenceProgram
    shift : (width,) array
        The distance of each column.
    feature_names : sequence of str, optional
        Of X, where it is X that is scaled.
    layer : str
        The layer whose inputs are scaled; empty for the columns of X.
    """
    epsilon = float(np.finfo(program.dtype).eps)
    distances = np.abs(np.asarray(shift, np.float64))
    n_far, number = int((distances * epsilon > _LARGEST_ERROR).sum()), int(distances.argmax())
    if not n_far:
        return
    whole, example, remedy = "columns of X", f"column {number}", "take a constant off such columns"
    if layer:
        whole, example = f"inputs of layer {layer}", f"input {number}"
        remedy = "standardize X"
    elif feature_names is not None and len(feature_names) == len(shift):
        example = f"column {number}, {feature_names[number]!r},"
    if program.wide is not None:
        whole = whole.replace("X", "X_deep")
    distance = distances[number]
    warn(
        f"{n_far} of the {len(shift)} {whole} lie too far from 0, beside the scale that they are "
        f"divided by, for {program.dtype}: {example} is {distance:.3g} times its scale away from "
        "0. A predictor takes it as it is, for that division is part of its weights, and may be "
        f"wrong as if it were moved by {distance * epsilon:.2g} of its scale. Give the model "
        f"dtype='float64', or {remedy} before the training"
    )


class _Graph:
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
        self._input = program.input
        self._largest = float(np.finfo(program.dtype).max)
        self._next_slot = 1 + max(op.out.index for op in (*program.ops, *program.output_ops))

    def change(self, op: Operation, *others: Operation) -> None:
        """Put other operations in the place of one."""
        place = next(i for i, known in enumerate(self.ops) if known is op)
        self.ops[place : place + 1] = others

    def scale_op(self, path: str, x: Slot, out: Slot, scaling: Scaling) -> ScaleOp:
        """An operation whose tensors are named after `path`."""
        shape = (x.width,)
        op = ScaleOp(x, out, Tensor(f"{path}.scale", shape, 0), Tensor(f"{path}.shift", shape, 0))
        self._set(op, scaling)
        return op

    def new_slot(self, name: str, width: int) -> Slot:
        self._next_slot += 1
        return Slot(self._next_slot - 1, name, width)

    def scale_input(self, scaling: Scaling) -> None:
        """Scale what the network reads."""
        scaled = self.new_slot("scaled input", self._input.width)
        self.ops = [op.with_inputs({self._input: scaled}) for op in self.ops]
        self.ops.insert(0, self.scale_op("input", self._input, scaled, scaling))

    def scale_output(self, scaling: Scaling) -> None:
        """Scale what it says."""
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
        kept = self.ops.copy(), self.values.copy(), self.output
        with np.errstate(all="ignore"):
            if way(op) and all(
                bool((np.abs(self.values[tensor.name]) <= self._largest).all())
                for changed in self.ops
                for tensor in changed.tensors
            ):
                return True
        self.ops, self.values, self.output = kept
        return False

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
            before = self._with_bias(before)
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
        """Let all that read a slot do what has been done to it so far."""
        scale, shift = scaling.scale, scaling.shift
        for op in self.readers(slot):
            if isinstance(op, DenseOp):
                op = self._with_bias(op)
                weight, bias = op.weight.name, self._name(op.bias)
                self.values[bias] = self.values[bias] + shift @ self.values[weight]
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

    def _with_bias(self, op: DenseOp) -> DenseOp:
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


def _freeze_batchnorm(graph: _Graph, op: BatchNormOp, state: State) -> None:
    gamma, beta = state.parameter(op.gamma), state.parameter(op.beta)
    mean, var = state.buffer(op.running_mean), state.buffer(op.running_var)
    deviation = np.sqrt(var.astype(np.float64) + op.epsilon)
    scale = gamma.astype(np.float64) / deviation
    scaling = Scaling(scale, beta.astype(np.float64) - mean * scale)
    path = op.gamma.name.removesuffix(".gamma")
    if op.x == state.program.input:
        warn_of_lost_digits(state.program, mean / deviation, graph.feature_names)
    else:
        warn_of_lost_digits(state.program, mean / deviation, layer=f"{path} (BatchNorm)")
    graph.change(op, graph.scale_op(path, op.x, op.out, scaling))


FROZEN: DispatchTable[Callable[[_Graph, Any, State], None]] = DispatchTable(
    "FROZEN", __name__, {BatchNormOp: _freeze_batchnorm}
)
"""What becomes of an operation with buffers, which predictions do not have."""
