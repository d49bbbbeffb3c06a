"""What rows go through before a network, as arithmetic that becomes part of its predictor.

Each column that the network reads is a sum over sources, ``sum factor * source + shift``. A source
is a column of X, or 1 where a column of X is at one of its levels, else 0. Levels that are numbers
are compared by the predictor itself; of a column of texts it takes the 0 and 1 as its inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.products import weighted_sum
from ..program.operation import Slot, Tensor
from ..program.ops import DenseOp, OneHotOp, SelectOp
from .folding import Graph, Scaling

if TYPE_CHECKING:
    from ..kernels.typing import Array


class Level(Enum):
    """What a source is where it is no category."""

    NUMBER = "the number itself"
    MISSING = "a gap"


Source = tuple[int, Any]
"""A column of X, and the category that it is compared with, or a `Level`."""


@dataclass(frozen=True)
class Column:
    """``sum factor * source + shift``."""

    terms: Mapping[Source, float] = field(default_factory=dict)
    shift: float = 0.0

    def scaled(self, scale: float, shift: float = 0.0) -> Column:
        """Return the column times a number, plus another."""
        terms = {source: factor * scale for source, factor in self.terms.items()}
        return Column(terms, self.shift * scale + shift)

    @property
    def number(self) -> tuple[int, float, float] | None:
        """The column of X that it scales, scale and shift; None where it is something else."""
        if len(self.terms) != 1:
            return None
        (((column, level), factor),) = self.terms.items()
        return (column, factor, self.shift) if level is Level.NUMBER else None


@dataclass(frozen=True)
class Preparation:
    """What rows of X go through before a network.

    Attributes
    ----------
    inputs : tuple of Source
        The predictor's, in their order.
    columns : tuple of Column
        Those that the network reads.
    strict : mapping of int to tuple of float
        All levels of the columns of X that hold nothing else.
    names : tuple of str or None
        Of the inputs.
    notes : tuple of str
        What users should know.
    """

    inputs: tuple[Source, ...]
    columns: tuple[Column, ...]
    strict: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def scaling(self) -> Scaling | None:
        """Return the scaling that is all there is to it; None where there is more."""
        numbers = [column.number for column in self.columns]
        expected = [(column, Level.NUMBER) for column in range(len(self.columns))]
        if list(self.inputs) != expected or any(
            number is None or number[0] != place for place, number in enumerate(numbers)
        ):
            return None
        scale, shift = np.array([number[1:] for number in numbers if number is not None]).T
        return Scaling(scale, shift)

    def distances(self) -> Array:
        """Return how far from 0 each input lies, beside the scale that it is divided by."""
        place = {source: number for number, source in enumerate(self.inputs)}
        found = np.zeros(len(self.inputs))
        for column in self.columns:
            if column.number is not None:
                number = place[column.number[0], Level.NUMBER]
                found[number] = max(found[number], abs(column.shift))
        return found

    def name_of(self, column: int) -> str:
        """Return what a column of X is called in messages."""
        place = next((i for i, source in enumerate(self.inputs) if source[0] == column), None)
        if self.names is None or place is None:
            return f"column {column}"
        return f"column {column} ({self.names[place]!r})"


def prepare(graph: Graph, preparation: Preparation) -> Slot:
    """Let a network read rows as they are before a preparation; return the slot of these.

    Dense layers that read X take it over; else operations of its own stand before them.

    Raises
    ------
    ValueError
        An Embedding reads what is made of several categories; two categories are one number in the
        network's dtype.
    """
    entry = graph.new_slot("", len(preparation.inputs))
    sources, slot = _encode(graph, preparation, entry)
    place = {source: number for number, source in enumerate(sources)}
    mix = _Mix.of(preparation.columns, place)
    if not _into_dense(graph, mix, slot):
        _as_operations(graph, mix, slot)
    return entry


@dataclass(frozen=True)
class _Mix:
    """A sparse matrix ``(n_sources, width)`` by its entries, and a shift."""

    sources: Array
    columns: Array
    factors: Array
    shift: Array
    n_sources: int

    @classmethod
    def of(cls, columns: Iterable[Column], place: Mapping[Source, int]) -> _Mix:
        listed = list(columns)
        entries = [
            (place[source], number, factor)
            for number, column in enumerate(listed)
            for source, factor in column.terms.items()
        ]
        parts = [[entry[part] for entry in entries] for part in range(3)]
        return cls(
            np.array(parts[0], np.int64),
            np.array(parts[1], np.int64),
            np.array(parts[2], np.float64),
            np.array([column.shift for column in listed]),
            len(place),
        )

    def times(self, weight: Array) -> Array:
        """Return its product with a matrix."""
        product = np.zeros((self.n_sources, weight.shape[1]))
        np.add.at(product, self.sources, self.factors[:, np.newaxis] * weight[self.columns])
        return product


def _encode(graph: Graph, preparation: Preparation, entry: Slot) -> tuple[tuple[Source, ...], Slot]:
    """Compare inputs with their levels, where there are any; return all sources and their slot."""
    inputs, used = preparation.inputs, dict[Source, None]()
    for column in preparation.columns:
        used.update(dict.fromkeys(column.terms))
    found = {place: set(known) for place, known in preparation.strict.items()}
    for place, level in used.keys() - set(inputs):
        found.setdefault(place, set()).add(level)
    levels = {place: sorted(found[place]) for place in sorted(found)}
    if not levels:
        return inputs, entry
    numbers = {source: number for number, source in enumerate(inputs)}
    passthrough = tuple(number for number, source in enumerate(inputs) if source in used)
    tensors = []
    for place, values in levels.items():
        _check_distinct(values, graph.dtype, preparation.name_of(place))
        tensors.append(Tensor(f"input.levels{place}", (len(values),), 0))
        graph.values[tensors[-1].name] = np.array(values, np.float64)
    width = len(passthrough) + sum(tensor.size for tensor in tensors)
    op = OneHotOp(
        entry,
        graph.new_slot("one-hot input", width),
        passthrough,
        tuple(numbers[place, Level.NUMBER] for place in levels),
        tuple(tensors),
        tuple(sorted(numbers[place, Level.NUMBER] for place in preparation.strict)),
    )
    graph.ops.insert(0, op)
    compared = [(place, value) for place, values in levels.items() for value in values]
    return (*(inputs[number] for number in passthrough), *compared), op.out


def _check_distinct(values: list[float], dtype: str, name: str) -> None:
    exact = np.array(values, np.float64)
    with np.errstate(over="ignore"):
        rounded = exact.astype(dtype)
    if len(np.unique(rounded)) < len(values) or not np.isfinite(rounded).all():
        raise ValueError(
            f"categories of {name} cannot be told apart in {dtype}, in which the network computes; "
            "train it with dtype='float64'"
        )


def _into_dense(graph: Graph, mix: _Mix, slot: Slot) -> bool:
    """Multiply the mix into all that read X; tell whether that could be done."""
    readers = graph.readers(graph.input)
    if not all(isinstance(op, DenseOp) for op in readers):
        return False
    before = graph.ops.copy(), graph.values.copy()
    for op in readers:
        assert isinstance(op, DenseOp)
        weight = graph.values[op.weight.name]
        if mix.shift.any():
            op = graph.with_bias(op)
            assert op.bias is not None
            bias = op.bias.name
            graph.values[bias] = graph.values[bias] + weighted_sum(mix.shift, weight)
        graph.values[op.weight.name] = mix.times(weight)
        tensor = Tensor(op.weight.name, (mix.n_sources, op.out.width), 0)
        graph.change(op, replace(op, x=slot, weight=tensor))
    if graph.is_in_range():
        return True
    graph.ops, graph.values = before
    return False


def _as_operations(graph: Graph, mix: _Mix, slot: Slot) -> None:
    """Choose and scale columns where that is all; else a Dense layer of its own mixes them."""
    width = len(mix.shift)
    out = graph.new_slot("prepared input", width)
    counts = np.bincount(mix.columns, minlength=width)
    if (counts <= 1).all():
        # A constant column is any one times 0.
        chosen, scale = np.zeros(width, np.int64), np.zeros(width)
        chosen[mix.columns], scale[mix.columns] = mix.sources, mix.factors
        selected = graph.new_slot("", width)
        ops = [
            SelectOp(slot, selected, tuple(chosen.tolist())),
            graph.scale_op("input", selected, out, Scaling(scale, mix.shift)),
        ]
    else:
        weight = Tensor("input.weight", (mix.n_sources, width), 0)
        bias = Tensor("input.bias", (width,), 0)
        graph.values[weight.name] = mix.times(np.eye(width))
        graph.values[bias.name] = mix.shift
        ops = [DenseOp(slot, out, weight, bias)]
    first = sum(isinstance(op, OneHotOp) for op in graph.ops)
    rest = [op.with_inputs({graph.input: out}) for op in graph.ops[first:]]
    graph.ops = [*graph.ops[:first], *ops, *rest]
