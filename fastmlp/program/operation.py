"""Operations in general: what they are made of, and the questions that each kind answers.

An operation is a small frozen dataclass whose fields are all that there is to know of one: slots
that it reads, its output, tensors, constants, and the plan of its backward pass. What kinds of
operations differ in is declared by attributes of their classes, with defaults that are safe for
any: who plans gradients and memory, folds, writes or explains a network asks for these and needs no
line for a new kind.

Slots are batches, ``(rows, width)``. Tensors are parts of one flat vector of parameters, or of one
of buffers (running statistics).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, cast

# Tensors start at multiples of this many elements: a cache line of float32.
ALIGNMENT = 16

# Marks fields that `build` decides, of which predictions know nothing.
PLANNED = {"planned": True}

_Op = TypeVar("_Op", bound="Operation")


class Write(Enum):
    """The way in which a backward pass writes the gradient of an input."""

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
class Saved:
    """An array ``(rows, width)`` that a forward pass leaves for the backward pass.

    `replaces`: the input in whose memory it may lie, where nobody else reads that.
    """

    name: str
    width: int
    replaces: Slot | None = None


class Operation:
    """A step of a network's calculation; the subclasses are frozen dataclasses.

    A field that is a `Slot`, or a tuple of them, is an input, but for `out`. An input ``x`` whose
    gradient the backward pass writes has a field ``d_x`` beside it, marked as `PLANNED`, which says
    how; inputs are then written from the last to the first.

    Attributes
    ----------
    out : Slot
        The slot that it writes.
    in_place : bool
        Whether it can write its output over an input.
    gradient_in_place : bool
        Whether the backward pass can write an input's gradient over that of the output.
    backward_reads_input, backward_reads_output : bool
        Whether the backward pass reads these values, which then must not be written over.
    training_only : bool
        Whether it passes its only input on in predictions.
    ignores_shift : bool
        Whether its output in training stays the same when a number is added to a column of x.
    couples_rows : bool
        Whether a row's output in training depends on the others of its batch, or its place there.
    formula : str
        Of the output, where `explain` needs no code of its own to tell it: ``{x}`` is the name or
        value of the field ``x``.
    input_gradient : str
        Of what the backward pass gives to each input: ``{d}`` is the name of the output's gradient.
    tensor_gradients : mapping of str to str
        Of the gradient of each tensor, by the name of its field.
    """

    __slots__ = ()

    out: Slot

    in_place: ClassVar[bool] = False
    gradient_in_place: ClassVar[bool] = False
    backward_reads_input: ClassVar[bool] = True
    backward_reads_output: ClassVar[bool] = True
    training_only: ClassVar[bool] = False
    ignores_shift: ClassVar[bool] = False
    couples_rows: ClassVar[bool] = False
    formula: ClassVar[str] = ""
    input_gradient: ClassVar[str] = ""
    tensor_gradients: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @property
    def inputs(self) -> tuple[Slot, ...]:
        """The slots that it reads."""
        return tuple(slot for name, value in self._inputs() for slot in _as_tuple(value))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors that it has."""
        return tuple(tensor for _, tensor in self.named_tensors)

    @property
    def named_tensors(self) -> tuple[tuple[str, Tensor], ...]:
        """The tensors, each with the name of its field."""
        parts = ((name, part) for name, value in self.values() for part in _as_tuple(value))
        return tuple((name, part) for name, part in parts if isinstance(part, Tensor))

    @property
    def saved_for_backward(self) -> tuple[Saved, ...]:
        """The arrays that its forward pass leaves for the backward pass."""
        return ()

    @property
    def writes(self) -> tuple[tuple[Slot, Write], ...]:
        """The inputs, from the last to the first, and how the backward pass treats their gradients.

        Those whose gradient it never writes are left out.
        """
        planned = dict(self.values())
        return tuple(
            pair
            for name, value in reversed(list(self._inputs()))
            if f"d_{name}" in planned
            for pair in reversed(
                list(zip(_as_tuple(value), _as_tuple(planned[f"d_{name}"]), strict=True))
            )
        )

    @property
    def description(self) -> str:
        """Its kind and widths in words."""
        return f"{type(self).__name__.removesuffix('Op').lower()} of {self.out.width}"

    def check(self) -> None:
        """Check that widths and shapes fit together, as those from a file may not.

        Kinds without a check of their own cannot be part of predictors' files.

        Raises
        ------
        ValueError
            They do not.
        """
        raise NotImplementedError

    @property
    def codes(self) -> tuple[tuple[Slot, int, Tensor], ...]:
        """The columns of inputs that hold codes, each with the tensor of which a code is a row."""
        return ()

    @property
    def can_fail(self) -> bool:
        """Whether there are values of its inputs that it does not take."""
        return bool(self.codes)

    @property
    def column_sources(self) -> tuple[tuple[Slot, int] | None, ...] | None:
        """The column of an input that each column of the output is a copy of, None for others.

        None of an operation that works on what it does not copy.
        """
        return None

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the products of a row."""
        return 0

    @property
    def reads_sparse(self) -> bool:
        """Whether the rows of x may be sparse."""
        return False

    def values(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the names and values of the fields."""
        for each in fields(cast(Any, self)):
            yield each.name, getattr(self, each.name)

    def _inputs(self) -> Iterator[tuple[str, Any]]:
        for name, value in self.values():
            if name != "out" and any(isinstance(part, Slot) for part in _as_tuple(value)):
                yield name, value

    def with_inputs(self: _Op, same: Mapping[Slot, Slot]) -> _Op:
        """Return a copy that reads other slots, each in the place of one."""
        return _replace(self, {name: _mapped(value, same.get) for name, value in self._inputs()})

    def with_tensors(self: _Op, tensors: Mapping[str, Tensor]) -> _Op:
        """Return a copy with other tensors, found by their names."""

        def other(value: Any, default: Any) -> Any:
            return tensors[value.name] if isinstance(value, Tensor) else default

        return _replace(self, {name: _mapped(value, other) for name, value in self.values()})

    def with_plan(self: _Op, claim: Callable[[Slot], Write]) -> _Op:
        """Return a copy with a plan of its gradients; `claim` decides on one after the other."""
        known = {name for name, _ in self.values()}
        plan = {}
        for name, value in reversed(list(self._inputs())):
            if f"d_{name}" in known:
                writes = tuple(claim(slot) for slot in reversed(_as_tuple(value)))
                plan[f"d_{name}"] = writes[::-1] if isinstance(value, tuple) else writes[0]
        return _replace(self, plan)

    def without_plan(self: _Op) -> _Op:
        """Return a copy without that plan, as predictions know it."""
        plan = {
            each.name: each.default
            for each in fields(cast(Any, self))
            if "planned" in each.metadata
        }
        return _replace(self, plan)


def check_shape(tensor: Tensor, *shape: int) -> None:
    """Refuse a tensor of another shape."""
    if tensor.shape != shape:
        raise ValueError(f"the tensor {tensor.name} has the shape {tensor.shape}, expected {shape}")


def check_columns(columns: tuple[int, ...], width: int) -> None:
    """Refuse numbers that are those of no column."""
    if not all(type(column) is int and 0 <= column < width for column in columns):
        raise ValueError(f"columns {list(columns)} of {width}")


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _mapped(value: Any, other: Callable[[Any, Any], Any]) -> Any:
    """Return ``other(value, value)``, or a tuple of them for a tuple."""
    if isinstance(value, tuple):
        return tuple(other(part, part) for part in value)
    return other(value, value)


def _replace(op: _Op, changes: Mapping[str, Any]) -> _Op:
    changed: _Op = replace(cast(Any, op), **changes)
    return changed


def padded(length: int) -> int:
    """Return `length` rounded up to whole cache lines."""
    return -(-length // ALIGNMENT) * ALIGNMENT
