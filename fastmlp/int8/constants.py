"""The arrays of numbers that an int8 network consists of, as C holds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..kernels.typing import Array
from .fixed_point import POWERS
from .program import (
    CurveToCodes,
    CurveToFloat,
    DenseSource,
    Finish,
    IntegerProgram,
    Join,
    SoftmaxToCodes,
    SoftmaxToFloat,
    Source,
    Step,
    ToCodes,
)

_BYTES = {"int8_t": 1, "uint16_t": 2, "int32_t": 4, "uint32_t": 4, "float": 4}


@dataclass(frozen=True, eq=False)
class Constant:
    """An array; `place` is the number of its step, or None where it belongs to none."""

    kind: str
    place: int | None
    c_type: str
    values: Array

    @property
    def name(self) -> str:
        """Its name in C, without the prefix."""
        return self.kind if self.place is None else f"{self.kind}_{self.place}"

    @property
    def n_bytes(self) -> int:
        """Its size."""
        return _BYTES[self.c_type] * self.values.size


def is_uniform(values: Array) -> bool:
    """Tell whether all numbers are one, which then stands in the code."""
    return bool((values == values.flat[0]).all())


def constants(program: IntegerProgram) -> list[Constant]:
    """All arrays of a network; what is one number for a whole slot is none of them."""
    found = [
        Constant("inverse", None, "float", program.encode.inverse),
        Constant("zero_point", None, "int32_t", program.encode.out.zero_point),
    ]
    for place, step in enumerate(program.steps):
        if isinstance(step, Join):
            if step.columns is not None:
                columns = np.array(step.columns, np.int64)
                found.append(Constant("columns", place, "int32_t", columns))
        else:
            found += _of_source(step.source, place) + _of_finish(step.finish, place)
    if any(uses_softmax(step) for step in program.steps):
        found.append(Constant("powers", None, "uint32_t", POWERS))
    keep = ("weight", "table", "columns", "powers")
    return [array for array in found if array.kind in keep or not is_uniform(array.values)]


def uses_softmax(step: Step | Join) -> bool:
    """Tell whether a step needs `POWERS`."""
    return isinstance(step, Step) and isinstance(step.finish, SoftmaxToCodes | SoftmaxToFloat)


def _of_source(source: Source, place: int) -> list[Constant]:
    bias = Constant("bias", place, "int32_t", source.bias)
    if isinstance(source, DenseSource):
        return [Constant("weight", place, "int8_t", source.weight), bias]
    factors = [
        Constant(f"factor{number}", place, "int32_t", factor)
        for number, factor in enumerate(source.factors)
    ]
    return [*factors, bias]


def _of_finish(finish: Finish, place: int) -> list[Constant]:
    if isinstance(finish, ToCodes | CurveToCodes | CurveToFloat):
        found = [Constant("multiplier", place, "int32_t", finish.multiplier)]
        if isinstance(finish, CurveToCodes):
            found.append(Constant("table", place, "uint16_t", finish.table))
        elif isinstance(finish, CurveToFloat):
            found.append(Constant("table", place, "int32_t", finish.table))
        return found
    return [Constant("scale", place, "float", finish.scale)]
