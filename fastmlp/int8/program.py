"""An int8 network as data: steps over slots of codes, read by the simulator and the C exporter.

A step computes int32 accumulators from codes (its source) and turns them into codes or into the
network's output (its finish).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from ..common.arrays import OwnsArrays
from ..kernels.typing import Array


@dataclass(frozen=True, eq=False)
class _Constants(OwnsArrays):
    """Base of parts whose arrays nobody changes, in copies and unpickled ones too."""

    def __post_init__(self) -> None:
        for value in vars(self).values():
            for array in value if isinstance(value, tuple) else (value,):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False

    def __getstate__(self) -> dict[str, Any]:
        # Without what is computed from the fields when it is first needed.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        self.__post_init__()


@dataclass(frozen=True, eq=False)
class Codes(_Constants):
    """A slot of int8 codes: column j stands for ``scale[j] * (code - zero_point[j])``."""

    name: str
    scale: Array
    zero_point: Array

    @property
    def width(self) -> int:
        """Columns, which is bytes of a row."""
        return len(self.scale)


@dataclass(frozen=True, eq=False)
class DenseSource(_Constants):
    """``acc = weight @ codes + bias``, which stands for ``scale * acc``.

    `weight` is int8, ``(n_out, n_in)``; `bias` holds what the zero points of `x` add.
    """

    x: Codes
    weight: Array
    bias: Array
    scale: Array

    @property
    def inputs(self) -> tuple[Codes, ...]:
        """The slots that are read."""
        return (self.x,)

    @cached_property
    def matrix(self) -> Array:
        """The weights for BLAS, float64 ``(n_in, n_out)``: sums below 2**53 are exact there."""
        return self.weight.T.astype(np.float64)


@dataclass(frozen=True, eq=False)
class ColumnSource(_Constants):
    """``acc = factors[0] * codes[0] (+ factors[1] * codes[1]) + bias``, column by column."""

    inputs: tuple[Codes, ...]
    factors: tuple[Array, ...]
    bias: Array
    scale: Array


@dataclass(frozen=True, eq=False)
class ToCodes(_Constants):
    """``code = clip(rescale(acc) + zero_point)``; where that is -128, negatives become 0: relu."""

    multiplier: Array
    shift: int
    zero_point: int


@dataclass(frozen=True, eq=False)
class CurveToCodes(_Constants):
    """A function, by `fixed_point.interpolate` at ``rescale(acc) + offset``, as codes."""

    multiplier: Array
    shift: int
    offset: int
    table: Array


@dataclass(frozen=True, eq=False)
class SoftmaxToCodes(_Constants):
    """Probabilities in steps of 1/255; ``scale * acc`` is what `softmax_powers` takes."""

    scale: Array


@dataclass(frozen=True, eq=False)
class ToFloat(_Constants):
    """``y = scale * acc``, one float32 product; with `relu`, ``acc`` is at least 0."""

    scale: Array
    relu: bool


@dataclass(frozen=True, eq=False)
class CurveToFloat(_Constants):
    """As `CurveToCodes`, then ``y = scale * value``; `scale` is a power of two."""

    multiplier: Array
    shift: int
    offset: int
    table: Array
    scale: float


@dataclass(frozen=True, eq=False)
class SoftmaxToFloat(_Constants):
    """Probabilities; ``scale * acc`` is what `softmax_powers` takes."""

    scale: Array


Source = DenseSource | ColumnSource
Finish = ToCodes | CurveToCodes | SoftmaxToCodes | ToFloat | CurveToFloat | SoftmaxToFloat


@dataclass(frozen=True, eq=False)
class Step:
    """Accumulators and what becomes of them; without `out`, the network's output."""

    source: Source
    finish: Finish
    out: Codes | None

    @property
    def inputs(self) -> tuple[Codes, ...]:
        """The slots that are read."""
        return self.source.inputs


@dataclass(frozen=True, eq=False)
class Join:
    """The columns of all inputs side by side, or of one input those that are listed."""

    inputs: tuple[Codes, ...]
    columns: tuple[int, ...] | None
    out: Codes


@dataclass(frozen=True, eq=False)
class Encode(_Constants):
    """The codes of the network's input; `inverse` is float32."""

    inverse: Array
    out: Codes


@dataclass(frozen=True, eq=False)
class IntegerProgram:
    """A whole network; one of the steps makes the output."""

    encode: Encode
    steps: tuple[Step | Join, ...]
    n_outputs: int


def offsets(program: IntegerProgram) -> tuple[dict[Codes, int], int]:
    """Return the place of each slot's row in one block of bytes, and the length of the block.

    Two slots share bytes only where one's last reader has run before the other is written.
    """
    last = {codes: place for place, step in enumerate(program.steps) for codes in step.inputs}
    taken: list[tuple[int, int, int]] = []
    places: dict[Codes, int] = {}

    def place_slot(codes: Codes, first: int) -> None:
        start = 0
        for until, begin, end in sorted(taken, key=lambda block: block[1]):
            if until >= first and start + codes.width > begin:
                start = max(start, end)
        places[codes] = start
        taken.append((last.get(codes, first), start, start + codes.width))

    place_slot(program.encode.out, 0)
    for place, step in enumerate(program.steps):
        if step.out is not None:
            place_slot(step.out, place)
    return places, max(end for _, _, end in taken)
