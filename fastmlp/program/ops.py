"""Operations: what a network computes, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

from ..declarations.activations import Activation
from ..declarations.learning_rate import Schedule
from .column_ops import PeriodicOp as PeriodicOp
from .column_ops import PiecewiseLinearOp as PiecewiseLinearOp
from .operation import (
    PLANNED,
    Operation,
    Saved,
    Slot,
    Tensor,
    Write,
    check_columns,
    check_shape,
)


@dataclass(frozen=True, slots=True)
class DenseOp(Operation):
    """``out = factor * (x @ weight) + bias``.

    `zero_bias_gradient`: all that read out ignore a shift. Of a frozen network the factor is in the
    weights.
    """

    x: Slot
    out: Slot
    weight: Tensor
    bias: Tensor | None
    factor: float = field(default=1.0, metadata=PLANNED)
    zero_bias_gradient: bool = field(default=False, metadata=PLANNED)
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    backward_reads_output = False

    @property
    def description(self) -> str:
        return f"dense {self.x.width} -> {self.out.width}" + ("" if self.bias else " without bias")

    def check(self) -> None:
        check_shape(self.weight, self.x.width, self.out.width)
        if self.bias is not None:
            check_shape(self.bias, self.out.width)

    @property
    def multiply_adds(self) -> int:
        return self.weight.size

    @property
    def reads_sparse(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class ActivationOp(Operation):
    """``out = activation(x)``."""

    x: Slot
    out: Slot
    activation: Activation
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    in_place = True
    gradient_in_place = True

    @property
    def description(self) -> str:
        return f"{self.activation.title} of {self.out.width}"

    def check(self) -> None:
        if self.out.width != self.x.width:
            raise ValueError("an activation that changes the width")


@dataclass(frozen=True, slots=True)
class ParametricOp(Operation):
    """``out = x + weight * (activation(x) - x)``."""

    x: Slot
    out: Slot
    weight: Tensor
    activation: Activation
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    in_place = True
    gradient_in_place = True
    backward_reads_output = False

    @property
    def description(self) -> str:
        return f"{self.activation.title} of {self.out.width}, mixed with the identity"

    def check(self) -> None:
        check_shape(self.weight, self.x.width)
        if self.out.width != self.x.width:
            raise ValueError("an activation that changes the width")
        if self.activation.is_rowwise:
            raise ValueError("an activation of whole rows, mixed with the identity")


@dataclass(frozen=True, slots=True)
class TrainedScaleOp(Operation):
    """``out = x * scale``. Of a frozen network it is a `ScaleOp`, or part of weights."""

    x: Slot
    out: Slot
    scale: Tensor
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    backward_reads_output = False
    formula = "{x} * {scale}"
    input_gradient = "{d} * {scale}"
    tensor_gradients = MappingProxyType({"scale": "{d} * {x}"})


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
    couples_rows = True

    @property
    def saved_for_backward(self) -> tuple[Saved, ...]:
        return (Saved("x_hat", self.x.width, self.x),)


@dataclass(frozen=True, slots=True)
class DropoutOp(Operation):
    """``out = x * mask / (1 - rate)`` in training; `number` tells the network's dropouts apart."""

    x: Slot
    out: Slot
    rate: float | Schedule
    number: int
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    in_place = True
    gradient_in_place = True
    backward_reads_input = False
    backward_reads_output = False
    training_only = True
    couples_rows = True

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

    @property
    def description(self) -> str:
        return f"sum of {self.x.width} and {self.y.width}"

    def check(self) -> None:
        if {self.x.width, self.y.width} != {self.out.width}:
            raise ValueError("a sum of other widths")


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
    def description(self) -> str:
        return f"{self.out.width} of {self.x.width} columns"

    def check(self) -> None:
        check_columns(self.columns, self.x.width)
        if len(self.columns) != self.out.width:
            raise ValueError("a choice of columns of another width")

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
    def description(self) -> str:
        return f"{' + '.join(str(part.width) for part in self.parts)} side by side"

    def check(self) -> None:
        if sum(part.width for part in self.parts) != self.out.width:
            raise ValueError("parts of another width")

    @property
    def column_sources(self) -> tuple[tuple[Slot, int], ...]:
        return tuple((part, column) for part in self.parts for column in range(part.width))


@dataclass(frozen=True, slots=True)
class EmbeddingOp(Operation):
    """``out``: columns of x as they are, then ``table[x[:, column]]`` for each column and table.

    It stands where no parameter comes before it: x needs no gradient.
    """

    x: Slot
    out: Slot
    passthrough: tuple[int, ...] = field(metadata={"key": "kept"})
    columns: tuple[int, ...]
    tables: tuple[Tensor, ...]

    backward_reads_output = False

    @property
    def description(self) -> str:
        tables = ", ".join(f"{table.shape[0]} -> {table.shape[1]}" for table in self.tables)
        return f"embedding {tables}, beside {len(self.passthrough)} columns as they are"

    def check(self) -> None:
        check_columns(self.passthrough, self.x.width)
        check_columns(self.columns, self.x.width)
        width = len(self.passthrough)
        for table in self.tables:
            n_categories, dim = (*table.shape, 0, 0)[:2]
            check_shape(table, max(n_categories, 1), dim)
            width += dim
        if len(self.tables) != len(self.columns) or width != self.out.width:
            raise ValueError("embeddings of another width")

    @property
    def codes(self) -> tuple[tuple[Slot, int, Tensor], ...]:
        pairs = zip(self.columns, self.tables, strict=True)
        return tuple((self.x, column, table) for column, table in pairs)

    @property
    def column_sources(self) -> tuple[tuple[Slot, int] | None, ...]:
        embedded = self.out.width - len(self.passthrough)
        copied = ((self.x, column) for column in self.passthrough)
        return (*copied, *(None for _ in range(embedded)))


@dataclass(frozen=True, slots=True)
class ScaleOp(Operation):
    """``out = x * scale + shift``, column by column: in prediction alone."""

    x: Slot
    out: Slot
    scale: Tensor
    shift: Tensor

    in_place = True

    @property
    def description(self) -> str:
        return f"scale and shift of {self.out.width}"

    def check(self) -> None:
        if self.out.width != self.x.width:
            raise ValueError("a scale that changes the width")
        check_shape(self.scale, self.out.width)
        check_shape(self.shift, self.out.width)


@dataclass(frozen=True, slots=True)
class ClipOp(Operation):
    """``out = min(max(x, low), high)``, column by column: in prediction alone."""

    x: Slot
    out: Slot
    low: tuple[float, ...]
    high: tuple[float, ...]

    in_place = True
    formula = "min(max({x}, {low}), {high})"

    @property
    def description(self) -> str:
        return f"bounds of {self.out.width}"

    def check(self) -> None:
        if {self.out.width, self.x.width, len(self.low), len(self.high)} != {self.out.width}:
            raise ValueError("bounds of another width")
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("a lower bound above the upper one")


@dataclass(frozen=True, slots=True)
class OneHotOp(Operation):
    """``out``: columns of x as they are, then ``x[:, column] == levels`` for each pair of these.

    What is equal becomes 1, else 0. Columns that are `strict` hold nothing but their levels. In
    prediction alone.
    """

    x: Slot
    out: Slot
    passthrough: tuple[int, ...]
    columns: tuple[int, ...]
    levels: tuple[Tensor, ...]
    strict: tuple[int, ...]

    @property
    def description(self) -> str:
        n_levels = ", ".join(str(levels.size) for levels in self.levels)
        return f"one-hot of {n_levels} levels, beside {len(self.passthrough)} columns as they are"

    def check(self) -> None:
        check_columns(self.passthrough, self.x.width)
        check_columns(self.columns, self.x.width)
        for levels in self.levels:
            check_shape(levels, max(levels.size, 1))
        width = len(self.passthrough) + sum(levels.size for levels in self.levels)
        if len(self.levels) != len(self.columns) or width != self.out.width:
            raise ValueError("levels of another shape or width")
        if not set(self.strict) <= set(self.columns):
            raise ValueError("a strict column without levels")

    @property
    def can_fail(self) -> bool:
        return bool(self.strict)

    @property
    def column_sources(self) -> tuple[tuple[Slot, int] | None, ...]:
        copied = ((self.x, column) for column in self.passthrough)
        return (*copied, *(None for _ in range(self.out.width - len(self.passthrough))))


OPERATIONS: tuple[type[Operation], ...] = tuple(
    kind
    for kind in globals().values()
    if isinstance(kind, type) and issubclass(kind, Operation) and kind is not Operation
)
"""All kinds there are."""
