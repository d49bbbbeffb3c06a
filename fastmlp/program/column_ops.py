"""Operations that turn each column by itself into several: embeddings of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

from .operation import PLANNED, Operation, Slot, Tensor, Write, check_shape


@dataclass(frozen=True, slots=True)
class PeriodicOp(Operation):
    """``out``: ``cos(2 pi f x + p) W + b`` for each column of x, with f, p, W and b of its own."""

    x: Slot
    out: Slot
    frequency: Tensor
    phase: Tensor
    weight: Tensor
    bias: Tensor
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    backward_reads_output = False
    formula = "cos(2 pi {frequency} {x} + {phase}) @ {weight} + {bias}, for each column of {x}"
    input_gradient = (
        "sum(2 pi {frequency} * e), e = -sin(2 pi {frequency} {x} + {phase}) * ({d} @ {weight}.T)"
    )
    tensor_gradients = MappingProxyType(
        {
            "frequency": (
                "2 pi {x} * e, e = -sin(2 pi {frequency} {x} + {phase}) * ({d} @ {weight}.T)"
            ),
            "phase": "-sin(2 pi {frequency} {x} + {phase}) * ({d} @ {weight}.T)",
            "weight": "cos(2 pi {frequency} {x} + {phase}) * {d}",
            "bias": "{d}",
        }
    )

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Columns of x, waves of each, and numbers that each becomes."""
        columns, waves, width = self.weight.shape
        return columns, waves, width

    @property
    def description(self) -> str:
        columns, waves, width = self.sizes
        return f"periodic embedding {columns} -> {columns} x {width}, {waves} waves each"

    @property
    def multiply_adds(self) -> int:
        return self.weight.size

    def check(self) -> None:
        if len(self.weight.shape) != 3:
            raise ValueError(f"the tensor {self.weight.name} has the shape {self.weight.shape}")
        columns, waves, width = self.sizes
        check_shape(self.weight, self.x.width, max(waves, 1), max(width, 1))
        check_shape(self.frequency, columns, waves)
        check_shape(self.phase, columns, waves)
        check_shape(self.bias, columns, width)
        if self.out.width != columns * width:
            raise ValueError("a periodic embedding of another width")


@dataclass(frozen=True, slots=True)
class PiecewiseLinearOp(Operation):
    """``out``: for each bin between two edges of a column of x, how far x has come through it.

    `is_fitted`: the edges, a buffer in training, come from the rows of the first fit.
    """

    x: Slot
    out: Slot
    edges: Tensor
    is_fitted: bool = field(default=False, metadata=PLANNED)
    d_x: Write = field(default=Write.SET, metadata=PLANNED)

    backward_reads_output = False
    formula = (
        "(x - low) / (high - low) within 0 and 1, for each bin low to high between {edges} of each "
        "column x of {x}; below 0 in the first bin and above 1 in the last one"
    )
    input_gradient = "sum({d} / (high - low)) over the bins that x is in, x = {x}"

    @property
    def sizes(self) -> tuple[int, int]:
        """Columns of x, and bins of each."""
        columns, n_edges = self.edges.shape
        return columns, n_edges - 1

    @property
    def description(self) -> str:
        columns, bins = self.sizes
        return f"piecewise linear encoding {columns} -> {columns} x {bins}"

    def check(self) -> None:
        columns, n_edges = (*self.edges.shape, 0, 0)[:2]
        check_shape(self.edges, self.x.width, max(n_edges, 2))
        if self.out.width != columns * (n_edges - 1):
            raise ValueError("a piecewise linear encoding of another width")
