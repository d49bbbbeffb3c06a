"""A network as data: a tuple of operations over named slots, a loss head, optimizer groups.

`build.py` makes programs from layers; the runners execute them, and whatever else wants to know
what a network does (summary, saving, freezing) reads them. Everything that must be decided about a
network, such as who writes a gradient first, is decided once and stands here as a field.

Slots are batches, ``(rows, width)``. Tensors are parts of one flat vector of parameters, or of one
of buffers (running statistics).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any

from ..declarations.activations import Activation
from ..declarations.losses import Loss
from ..declarations.optimizers import Optimizer

# Tensors start at multiples of this many elements: a cache line of float32.
ALIGNMENT = 16


class Write(Enum):
    """How an operation's backward pass treats the gradient of an input."""

    NONE = "none"  # nobody needs it
    SET = "set"  # the first to write it
    ADD = "add"  # others wrote before


@dataclass(frozen=True, slots=True)
class Slot:
    """A batch of values, ``(rows, width)``."""

    index: int
    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named part of a flat vector: elements ``start`` to ``stop``, in C order."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def stop(self) -> int:
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class DenseOp:
    """``out = x @ weight + bias``. `zero_bias_gradient`: only a BatchNorm reads out."""

    x: Slot
    out: Slot
    weight: Tensor
    bias: Tensor | None
    zero_bias_gradient: bool = False
    d_x: Write = Write.SET


@dataclass(frozen=True, slots=True)
class ActivationOp:
    """``out = activation(x)``."""

    x: Slot
    out: Slot
    activation: Activation
    d_x: Write = Write.SET


@dataclass(frozen=True, slots=True)
class BatchNormOp:
    """``out = gamma * (x - mean) / sqrt(var + epsilon) + beta``."""

    x: Slot
    out: Slot
    gamma: Tensor
    beta: Tensor
    running_mean: Tensor
    running_var: Tensor
    momentum: float
    epsilon: float
    d_x: Write = Write.SET


@dataclass(frozen=True, slots=True)
class DropoutOp:
    """``out = x * mask / (1 - rate)`` in training; `number` tells the network's dropouts apart."""

    x: Slot
    out: Slot
    rate: float
    number: int
    d_x: Write = Write.SET


@dataclass(frozen=True, slots=True)
class AddOp:
    """``out = x + y``."""

    x: Slot
    y: Slot
    out: Slot
    d_x: Write = Write.SET
    d_y: Write = Write.SET


@dataclass(frozen=True, slots=True)
class SelectOp:
    """``out = x[:, columns]``."""

    x: Slot
    out: Slot
    columns: tuple[int, ...]
    d_x: Write = Write.SET


@dataclass(frozen=True, slots=True)
class ConcatOp:
    """``out``: the columns of all parts side by side."""

    parts: tuple[Slot, ...]
    out: Slot
    d_parts: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class EmbeddingOp:
    """``out``: the columns `kept` of x, then ``table[x[:, column]]`` for each column and table.

    It stands where no parameter comes before it: x needs no gradient.
    """

    x: Slot
    out: Slot
    kept: tuple[int, ...]
    columns: tuple[int, ...]
    tables: tuple[Tensor, ...]


Op = DenseOp | ActivationOp | BatchNormOp | DropoutOp | AddOp | SelectOp | ConcatOp | EmbeddingOp


@dataclass(frozen=True, slots=True)
class ScaleOp:
    """``out = x * scale + shift``, column by column: in prediction alone."""

    x: Slot
    out: Slot
    scale: Tensor
    shift: Tensor


InferenceOp = Op | ScaleOp


@dataclass(frozen=True, slots=True)
class Head:
    """The loss and the slot that it reads: logits or predictions.

    `threshold` is the prediction from which an output counts as 1, None where the output is no
    class.
    """

    loss: Loss
    slot: Slot
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Penalty:
    """``l1 * sum|w| + l2 / 2 * sum w^2`` of one weight."""

    weight: Tensor
    l1: float
    l2: float


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters ``start`` to ``stop``, updated by optimizer number `optimizer` of the program.

    `weight` is set where they are one weight that sparse rows may be multiplied with, and it is
    exact to update only those of its rows that a batch touches.
    """

    start: int
    stop: int
    optimizer: int
    weight: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceProgram:
    """What a network computes, and from which parameters: all that a prediction needs.

    Attributes
    ----------
    ops : tuple of Op
        In their order; all that lead from `input` to `output`.
    n_parameters : int
        Length of the flat vector; tensors are padded to whole cache lines.
    wide : Slot or None
        Where there are two inputs, ``X_wide``; then `input` is ``X_deep``. Its rows may be sparse:
        only a `DenseOp` without a bias reads it.
    """

    dtype: str
    input: Slot
    ops: tuple[InferenceOp, ...]
    output: Slot
    parameters: tuple[Tensor, ...]
    n_parameters: int
    wide: Slot | None = None

    @property
    def n_features(self) -> int | tuple[int, int]:
        """Columns of X, or of X_wide and X_deep."""
        return self.input.width if self.wide is None else (self.wide.width, self.input.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program(InferenceProgram):
    """A network: what it computes, from which parameters, and how they are trained.

    Attributes
    ----------
    ops : tuple of Op
        From `input` to the slot that the head reads.
    output_ops : tuple of Op
        From there to `output`: an activation that the loss already contains. Only predictions
        need them.
    records : tuple of (str, Slot)
        Slots that users may ask for by name, such as ``"0.preactivation"``.
    n_buffers : int
        Length of the flat vector of buffers.
    """

    ops: tuple[Op, ...]
    output_ops: tuple[Op, ...]
    head: Head
    records: tuple[tuple[str, Slot], ...]
    buffers: tuple[Tensor, ...]
    n_buffers: int
    penalties: tuple[Penalty, ...]
    optimizers: tuple[Optimizer, ...]
    groups: tuple[Group, ...]


def inputs_of(op: InferenceOp) -> tuple[Slot, ...]:
    """The slots that an operation reads."""
    if isinstance(op, ConcatOp):
        return op.parts
    return (op.x, op.y) if isinstance(op, AddOp) else (op.x,)


def tensors_of(op: InferenceOp) -> tuple[Tensor, ...]:
    """The tensors that an operation has."""
    values = [getattr(op, field.name) for field in fields(op)]
    parts = [part for value in values for part in (value if isinstance(value, tuple) else [value])]
    return tuple(part for part in parts if isinstance(part, Tensor))


def with_inputs(op: InferenceOp, same: Mapping[Slot, Slot]) -> InferenceOp:
    """The operation with the slots that it reads replaced by those that stand for them."""
    if isinstance(op, ConcatOp):
        return replace(op, parts=tuple(same.get(part, part) for part in op.parts))
    if isinstance(op, AddOp):
        return replace(op, x=same.get(op.x, op.x), y=same.get(op.y, op.y))
    return replace(op, x=same.get(op.x, op.x))


def with_tensors(op: InferenceOp, tensors: Mapping[str, Tensor]) -> InferenceOp:
    """The operation with its tensors replaced by others of the same names."""

    def other(value: Any) -> Any:
        if isinstance(value, Tensor):
            return tensors[value.name]
        return tuple(map(other, value)) if isinstance(value, tuple) else value

    changed: Any = {field.name: other(getattr(op, field.name)) for field in fields(op)}
    return replace(op, **changed)


def without_training(op: InferenceOp) -> InferenceOp:
    """The operation without the plan of its backward pass."""
    plan: Any = {
        field.name: field.default
        for field in fields(op)
        if field.name in ("d_x", "d_y", "d_parts", "zero_bias_gradient")
    }
    return replace(op, **plan)


def inference_ops(program: Program, head: bool = False) -> tuple[tuple[InferenceOp, ...], Slot]:
    """The operations of a prediction, dropout gone, and the slot of the output.

    With `head`, those that lead to what the loss reads.
    """
    last = program.head.slot if head else program.output
    same: dict[Slot, Slot] = {}
    ops: list[InferenceOp] = []
    for op in program.ops if head else program.ops + program.output_ops:
        if isinstance(op, DropoutOp):
            same[op.out] = same.get(op.x, op.x)
        else:
            ops.append(with_inputs(op, same))
    return tuple(ops), same.get(last, last)


def categories(program: InferenceProgram) -> dict[int, int]:
    """How many categories there are in each column of the input that is embedded."""
    producers = {op.out: op for op in program.ops}
    found: dict[int, int] = {}
    for op in program.ops:
        if isinstance(op, EmbeddingOp):
            source = producers.get(op.x)
            for column, table in zip(op.columns, op.tables, strict=True):
                if isinstance(source, SelectOp):
                    column = source.columns[column]
                found[column] = min(table.shape[0], found.get(column, table.shape[0]))
    return found


def padded(length: int) -> int:
    """`length` rounded up to whole cache lines."""
    return -(-length // ALIGNMENT) * ALIGNMENT
