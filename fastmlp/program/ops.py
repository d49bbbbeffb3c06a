"""Operations: what a network computes, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..declarations.activations import Activation
from .operation import PLANNED, Operation, Saved, Slot, Tensor, Write


@dataclass(frozen=True, slots=True)
class DenseOp(Operation):
    """``out = x @ weight + bias``. `zero_bias_gradient`: all that read out ignore a shift."""

    x: Slot
    out: Slot
    weight: Tensor
    bias: Tensor | None
    zero_bias_gradient: bool = field(default=False, metadata=PLANNED)
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    backward_reads_output = False

    @property
    def multiply_adds(self) -> int:
        return self.weight.size

    @property
    def reads_sparse(self) -> bool:
        return self.bias is None


@dataclass(frozen=True, slots=True)
class ActivationOp(Operation):
    """``out = activation(x)``."""

    x: Slot
    out: Slot
    activation: Activation
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    in_place = True
    gradient_in_place = True


@dataclass(frozen=True, slots=True)
class BatchNormOp(Operation):
    """``out = gamma * (x - mean) / sqrt(var + epsilon) + beta``."""

    x: Slot
    out: Slot
    gamma: Tensor
    beta: Tensor
    running_mean: Tensor
    running_var: Tensor
    momentum: float
    epsilon: float
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    in_place = True
    gradient_in_place = True
    backward_reads_input = False
    backward_reads_output = False
    ignores_shift = True

    @property
    def saved_for_backward(self) -> tuple[Saved, ...]:
        return (Saved("x_hat", self.x.width, self.x),)


@dataclass(frozen=True, slots=True)
class DropoutOp(Operation):
    """``out = x * mask / (1 - rate)`` in training; `number` tells the network's dropouts apart."""

    x: Slot
    out: Slot
    rate: float
    number: int
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    in_place = True
    gradient_in_place = True
    backward_reads_input = False
    backward_reads_output = False
    training_only = True

    @property
    def saved_for_backward(self) -> tuple[Saved, ...]:
        return (Saved("mask", self.x.width),)


@dataclass(frozen=True, slots=True)
class AddOp(Operation):
    """``out = x + y``."""

    x: Slot
    y: Slot
    out: Slot
    d_x: Write = field(default=Write.SET, metadata=PLANNED)
    d_y: Write = field(default=Write.SET, metadata=PLANNED)

    in_place = True
    gradient_in_place = True
    backward_reads_input = False
    backward_reads_output = False
    formula = "{x} + {y}"
    input_gradient = "{d}"


@dataclass(frozen=True, slots=True)
class SelectOp(Operation):
    """``out = x[:, columns]``."""

    x: Slot
    out: Slot
    columns: tuple[int, ...]
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    backward_reads_input = False
    backward_reads_output = False
    formula = "columns {columns} of {x}"
    input_gradient = "{d} in the columns that were taken, else 0"

    @property
    def column_sources(self) -> tuple[tuple[Slot, int], ...]:
        return tuple((self.x, column) for column in self.columns)


@dataclass(frozen=True, slots=True)
class ConcatOp(Operation):
    """``out``: the columns of all parts side by side."""

    parts: tuple[Slot, ...]
    out: Slot
    d_parts: tuple[Write, ...] = field(default=(), metadata=PLANNED)

    backward_reads_input = False
    backward_reads_output = False
    formula = "{parts}, side by side"
    input_gradient = "its columns of {d}"

    @property
    def column_sources(self) -> tuple[tuple[Slot, int], ...]:
        return tuple((part, column) for part in self.parts for column in range(part.width))


@dataclass(frozen=True, slots=True)
class EmbeddingOp(Operation):
    """``out``: the columns `kept` of x, then ``table[x[:, column]]`` for each column and table.

    It stands where no parameter comes before it: x needs no gradient.
    """

    x: Slot
    out: Slot
    kept: tuple[int, ...]
    columns: tuple[int, ...]
    tables: tuple[Tensor, ...]

    backward_reads_output = False

    @property
    def codes(self) -> tuple[tuple[Slot, int, Tensor], ...]:
        pairs = zip(self.columns, self.tables, strict=True)
        return tuple((self.x, column, table) for column, table in pairs)

    @property
    def column_sources(self) -> tuple[tuple[Slot, int] | None, ...]:
        embedded = self.out.width - len(self.kept)
        return (*((self.x, column) for column in self.kept), *(None for _ in range(embedded)))


@dataclass(frozen=True, slots=True)
class ScaleOp(Operation):
    """``out = x * scale + shift``, column by column: in prediction alone."""

    x: Slot
    out: Slot
    scale: Tensor
    shift: Tensor

    in_place = True


OPERATIONS: tuple[type[Operation], ...] = tuple(
    kind
    for kind in globals().values()
    if isinstance(kind, type) and issubclass(kind, Operation) and kind is not Operation
)
"""All kinds there are."""
