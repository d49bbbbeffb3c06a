"""The forward pass of a frozen program as lines of Python, as a person would write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...common.dispatch import DispatchTable
from ...program.column_ops import PeriodicOp, PiecewiseLinearOp
from ...program.ops import (
    ActivationOp,
    AddOp,
    ClipOp,
    ConcatOp,
    DenseOp,
    EmbeddingOp,
    OneHotOp,
    ParametricOp,
    ScaleOp,
    SelectOp,
)
from ...program.program import origin
from .activations import ACTIVATIONS
from .text import call_of_list

if TYPE_CHECKING:
    from ...program.operation import Operation, Slot
    from ...program.program import InferenceProgram

_INDENT = " " * 8
_LONGEST_SELECTION = 24

# What is written into the line that uses it, where nothing else does: each reader with what it
# may hold.
_INLINE = {
    ActivationOp: (DenseOp, ScaleOp, AddOp),
    AddOp: (DenseOp,),
    DenseOp: (SelectOp,),
}


class Forward:
    """The lines of a forward pass, and the lists of columns that they name.

    Parameters
    ----------
    program : InferenceProgram
        Frozen.
    names : mapping of str to str
        The name in the file of each tensor.

    Attributes
    ----------
    lines : list of str
        Indented by 8 spaces; they read ``x`` (and ``x_wide``) and end in a ``return``.
    columns : dict of str to tuple of int
        Lists of columns too long for a line, by the name under which the lines use them.
    checks_codes : bool
        Whether the lines call ``codes(values, n_categories, column)``.
    has_levels : bool
        Whether they call ``one_hot(values, levels)``.
    has_waves, has_bins : bool
        Whether they call ``as_waves(x, frequency, ...)``, ``through_bins(x, edges)``.
    """

    def __init__(self, program: InferenceProgram, names: Mapping[str, str]) -> None:
        self._program = program
        self._names = names
        self._ops, self._output = _needed(program)
        self._producers = {op.out: op for op in self._ops}
        self._readers = _readers(self._ops)
        self._variables: dict[Slot, str] = {program.input: "x"}
        if program.wide is not None:
            self._variables[program.wide] = "x_wide"
        self.columns: dict[str, tuple[int, ...]] = {}
        self.checks_codes = any(op.codes for op in self._ops)
        self.has_levels = any(isinstance(op, OneHotOp) for op in self._ops)
        self.has_waves = any(isinstance(op, PeriodicOp) for op in self._ops)
        self.has_bins = any(isinstance(op, PiecewiseLinearOp) for op in self._ops)
        self.lines: list[str] = []
        self._write()

    def _write(self) -> None:
        statements = [op for op in self._ops if not self._is_inlined(op)]
        uses = [set(self._leaves(op)) for op in statements]
        for place, op in enumerate(statements):
            if op.out == self._output and not self._readers.get(op.out):
                self.lines += self._statement(op, "return ")
                return
            later = set().union(*uses[place + 1 :], {self._output})
            # The right side is written with the names from before.
            variable = self._free_variable(later)
            self.lines += self._statement(op, f"{variable} = ")
            self._variables[op.out] = variable
        copied = ".copy()" if self._output not in self._producers else ""
        self.lines.append(f"{_INDENT}return {self._variables[self._output]}{copied}")

    def _free_variable(self, later: Iterable[Slot]) -> str:
        taken = {self._variables[slot] for slot in later if slot in self._variables}
        number = 1
        while (name := f"h{number}" if number > 1 else "h") in taken:
            number += 1
        return name

    def _is_inlined(self, op: Operation) -> bool:
        readers = self._readers.get(op.out, [])
        if op.out == self._output or len(readers) != 1:
            return False
        return isinstance(op, _INLINE.get(type(readers[0]), ()))

    def _leaves(self, op: Operation) -> Iterable[Slot]:
        """The variables that the statement of an operation reads."""
        for slot in op.inputs:
            producer = self._producers.get(slot)
            if producer is not None and self._is_inlined(producer):
                yield from self._leaves(producer)
            else:
                yield slot

    def _statement(self, op: Operation, left: str) -> list[str]:
        parts = EXPRESSIONS[type(op)](self, op)
        if len(parts) > 1:
            return call_of_list(f"{left}np.concatenate", parts, "axis=-1", _INDENT)
        # A slice is a view, which must not be of what the caller gave.
        copied = ".copy()" if isinstance(op, SelectOp) and left == "return " else ""
        return [f"{_INDENT}{left}{parts[0]}{copied}"]

    def _value(self, slot: Slot) -> str:
        producer = self._producers.get(slot)
        if producer is not None and self._is_inlined(producer):
            (expression,) = EXPRESSIONS[type(producer)](self, producer)
            return expression
        return self._variables[slot]

    def _dense(self, op: DenseOp) -> list[str]:
        bias = "" if op.bias is None else f" + {self._names[op.bias.name]}"
        return [f"{self._value(op.x)} @ {self._names[op.weight.name]}{bias}"]

    def _scale(self, op: ScaleOp) -> list[str]:
        scale, shift = self._names[op.scale.name], self._names[op.shift.name]
        return [f"{self._value(op.x)} * {scale} + {shift}"]

    def _activation(self, op: ActivationOp) -> list[str]:
        parameter = op.activation.parameter
        more = "" if parameter is None else f", {parameter!r}"
        return [f"{ACTIVATIONS.row(op.activation).call}({self._value(op.x)}{more})"]

    def _clip(self, op: ClipOp) -> list[str]:
        x, bounds = self._value(op.x), []
        for listed in (op.low, op.high):
            # A plain number takes the dtype of what it is compared with.
            same = len(set(listed)) == 1
            bounds.append(
                repr(listed[0]) if same else f"np.array({list(listed)}, np.{self._program.dtype})"
            )
        return [f"np.clip({x}, {', '.join(bounds)})"]

    def _parametric(self, op: ParametricOp) -> list[str]:
        x, weight, parameter = self._value(op.x), self._names[op.weight.name], ""
        if op.activation.traits.is_identity:
            return [x]
        if op.activation.parameter is not None:
            parameter = f", {op.activation.parameter!r}"
        name = ACTIVATIONS.row(op.activation).call
        return [f"{x} + {weight} * ({name}({x}{parameter}) - {x})"]

    def _add(self, op: AddOp) -> list[str]:
        second = self._value(op.y)
        return [f"{self._value(op.x)} + {f'({second})' if ' + ' in second else second}"]

    def _select(self, op: SelectOp) -> list[str]:
        return [self._selected(op.x, op.columns)]

    def _concat(self, op: ConcatOp) -> list[str]:
        return [self._value(part) for part in op.parts]

    def _selected(self, x: Slot, columns: tuple[int, ...]) -> str:
        first, count = columns[0], len(columns)
        if columns == tuple(range(first, first + count)):
            if count == x.width:
                return self._variables[x]
            text = f"{first}:{first + count}"
        else:
            text = str(list(columns))
            if len(text) > _LONGEST_SELECTION:
                text = self._columns_named(columns)
        return f"{self._variables[x]}[..., {text}]"

    def _columns_named(self, columns: tuple[int, ...]) -> str:
        for name, known in self.columns.items():
            if known == columns:
                return name
        name = f"columns{len(self.columns) + 1}"
        self.columns[name] = columns
        return name

    def _embedding(self, op: EmbeddingOp) -> list[str]:
        parts = [self._selected(op.x, op.passthrough)] if op.passthrough else []
        for column, table in zip(op.columns, op.tables, strict=True):
            name = self._names[table.name]
            values = f"{self._variables[op.x]}[..., {column}]"
            _, source = origin(self._ops, op.x, column)
            parts.append(f"{name}[codes({values}, {table.shape[0]}, {source})]")
        return parts

    def _periodic(self, op: PeriodicOp) -> list[str]:
        tensors = ", ".join(self._names[tensor.name] for tensor in op.tensors)
        return [f"as_waves({self._variables[op.x]}, {tensors})"]

    def _piecewise(self, op: PiecewiseLinearOp) -> list[str]:
        return [f"through_bins({self._variables[op.x]}, {self._names[op.edges.name]})"]

    def _one_hot(self, op: OneHotOp) -> list[str]:
        parts = [self._selected(op.x, op.passthrough)] if op.passthrough else []
        for column, levels in zip(op.columns, op.levels, strict=True):
            values = f"{self._variables[op.x]}[..., {column}]"
            strict = f", column={column}" if column in op.strict else ""
            parts.append(f"one_hot({values}, {self._names[levels.name]}{strict})")
        return parts


EXPRESSIONS: DispatchTable[Callable[[Forward, Any], list[str]]] = DispatchTable(
    "EXPRESSIONS",
    __name__,
    {
        DenseOp: Forward._dense,
        ActivationOp: Forward._activation,
        ParametricOp: Forward._parametric,
        ScaleOp: Forward._scale,
        ClipOp: Forward._clip,
        AddOp: Forward._add,
        SelectOp: Forward._select,
        ConcatOp: Forward._concat,
        EmbeddingOp: Forward._embedding,
        PeriodicOp: Forward._periodic,
        OneHotOp: Forward._one_hot,
        PiecewiseLinearOp: Forward._piecewise,
    },
)
"""What writes each operation of a frozen program: expressions whose columns stand side by side."""


def _needed(program: InferenceProgram) -> tuple[tuple[Operation, ...], Slot]:
    """The operations that lead to the output, without those that change nothing."""
    same: dict[Slot, Slot] = {}
    ops: list[Operation] = []
    for op in program.ops:
        is_linear = isinstance(op, ActivationOp) and op.activation.traits.is_identity
        if is_linear or (isinstance(op, ConcatOp) and len(op.parts) == 1):
            only = op.inputs[0]
            same[op.out] = same.get(only, only)
        else:
            ops.append(op.with_inputs(same))
    output = same.get(program.output, program.output)
    wanted, found = {output}, []
    for op in reversed(ops):
        if op.out in wanted:
            wanted.update(op.inputs)
            found.append(op)
    return tuple(reversed(found)), output


def _readers(ops: tuple[Operation, ...]) -> dict[Slot, list[Operation]]:
    """The operations that read a slot, one that reads it twice twice."""
    readers: dict[Slot, list[Operation]] = {}
    for op in ops:
        for slot in op.inputs:
            readers.setdefault(slot, []).append(op)
    return readers
