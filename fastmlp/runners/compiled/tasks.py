"""A step in compiled form: instructions on shards, and barriers where shards need each other.

Tasks that work on each row alone may be carried out by blocks of rows, one after the other on each
block: what the first one leaves is still in the innermost cache when the next one reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from ...data.rows import FeaturePair, SparseRows
from ...kernels.compiled.machine.op import CompiledOp
from ...kernels.compiled.machine.runner import (
    BARRIER,
    FIRST_ARGUMENT,
    INSTRUCTION_SIZE,
    MOST_ROWS,
    N_ATTRIBUTES,
    ROW,
    SHARD,
    SHARDS,
)
from .shards import Shards

if TYPE_CHECKING:
    from ...data.rows import Features
    from ...kernels.typing import Array

P = ParamSpec("P")

WHOLE = Shards("columns", (0, 1))

# Of a shard of columns so many rows fit into the innermost cache; more blocks make tables long.
_BLOCK_ROWS, _MOST_BLOCKS = 64, 16


class Symbol(IntEnum):
    """Stands for an address that is only known when a table is put to use."""

    X = -1
    ORDER = -2
    Y = -3
    WEIGHTS = -4
    OUT = -5
    WIDE = -6  # X_wide: its rows, or the stored values where it, or a single X, is sparse
    INDICES = -7
    INDPTR = -8
    RATES = -9  # values of the program's first schedule; those of schedule k are RATES - k


def bound_rows(x: Features) -> dict[int, Array]:
    """The arrays behind rows, by symbol."""
    if isinstance(x, SparseRows):
        return {Symbol.WIDE: x.data, Symbol.INDICES: x.indices, Symbol.INDPTR: x.indptr}
    if not isinstance(x, FeaturePair):
        return {Symbol.X: x}
    if not isinstance(x.wide, SparseRows):
        return {Symbol.X: x.deep, Symbol.WIDE: x.wide}
    return {Symbol.X: x.deep, **bound_rows(x.wide)}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One call of an op: its arguments in their order."""

    op: CompiledOp[...]
    member: str
    args: list[int]
    attributes: list[float]


def instruction(
    op: CompiledOp[P], member: str = "", /, *args: P.args, **kwargs: P.kwargs
) -> Instruction:
    """An `Instruction` of an op, or of a member of its family, from arguments by name.

    Raises
    ------
    TypeError
        One is missing, or there is none of its name.
    """
    given: dict[str, Any] = {**op.defaults, **kwargs}
    op.check(given.keys())
    integers = [int(given[name]) for name in op.args]
    return Instruction(op, member, integers, [float(given[name]) for name in op.attributes])


Make = Callable[[int, int], Instruction]
"""Gives the instruction of a shard, with the addresses of a row."""


@dataclass
class _Chain:
    """Tasks that follow each other and work on each row alone, on the same shards."""

    shards: Shards
    start: int
    makes: list[Make] = field(default_factory=list)


class Tasks:
    """A list of instructions that grows task by task; barriers go in where they are needed.

    A task is the same operation on each of the shards of a range. It says which resources (buffers,
    tensors) each of its shards reads or writes: its own part, or the whole. Two tasks may follow
    each other without a barrier unless one writes what the other uses; tasks that are cut alike
    may share resources by parts, for the same worker carries out the same shard of both.
    """

    def __init__(self, dtype: str, n_rows: int) -> None:
        self.dtype = dtype
        self.most_shards = 1
        self._n_rows = n_rows
        self._rows: list[tuple[int, int, Instruction | int, int, int]] = []
        self._chain: _Chain | None = None
        self._used: dict[Hashable, set[tuple[Shards | None, bool]]] = {}

    def add(
        self,
        shards: Shards,
        make: Callable[[int], Instruction],
        *,
        reads: Iterable[Hashable] = (),
        writes: Iterable[Hashable] = (),
        reads_whole: Iterable[Hashable] = (),
    ) -> None:
        """Append a task; `make` gives the instruction of a shard.

        `reads` and `writes` are resources of which each shard uses its own part.
        """
        self._begin(shards, reads, writes, reads_whole)
        self._chain = None
        for shard in range(shards.count):
            self._rows.append((shard, shards.count, make(shard), 0, 0))

    def add_by_rows(
        self,
        shards: Shards,
        make: Make,
        *,
        reads: Iterable[Hashable] = (),
        writes: Iterable[Hashable] = (),
        reads_whole: Iterable[Hashable] = (),
    ) -> None:
        """Append a task that works on each row alone; see the module's documentation."""
        if self._begin(shards, reads, writes, reads_whole):
            self._chain = None
        chain = self._chain
        if chain is None or chain.shards != shards:
            chain = self._chain = _Chain(shards, len(self._rows))
        chain.makes.append(make)
        del self._rows[chain.start :]
        rows = [0]
        if len(chain.makes) > 1 and _BLOCK_ROWS < self._n_rows <= _BLOCK_ROWS * _MOST_BLOCKS:
            rows = list(range(0, self._n_rows, _BLOCK_ROWS))
        most = _BLOCK_ROWS if len(rows) > 1 else 0
        for shard in range(shards.count):
            for row in rows:
                for each in chain.makes:
                    self._rows.append((shard, shards.count, each(shard, row), row, most))

    def _begin(
        self,
        shards: Shards,
        reads: Iterable[Hashable],
        writes: Iterable[Hashable],
        reads_whole: Iterable[Hashable],
    ) -> bool:
        """Put a barrier before a task where it is needed, and tell whether it was."""
        # A single shard is always the first worker's, whatever it is a shard of.
        own = WHOLE if shards.count == 1 else shards
        whole = WHOLE if shards.count == 1 else None
        uses: list[tuple[Hashable, Shards | None, bool]]
        uses = [(resource, own, False) for resource in reads]
        uses += [(resource, own, True) for resource in writes]
        uses += [(resource, whole, False) for resource in reads_whole]
        self.most_shards = max(self.most_shards, shards.count)
        return self._separate(uses)

    def mark(self, mark: int, *, reads: Iterable[Hashable]) -> None:
        """Append a mark that every worker looks at; it reads the whole of these resources."""
        self._separate([(resource, None, False) for resource in reads])
        self._rows.append((0, 1, mark, 0, 0))
        self._chain = None

    def _separate(self, uses: list[tuple[Hashable, Shards | None, bool]]) -> bool:
        conflict = any(
            (writes or wrote) and (shards is None or shards != other)
            for resource, shards, writes in uses
            for other, wrote in self._used.get(resource, ())
        )
        if conflict:
            self._rows.append((0, 1, BARRIER, 0, 0))
            self._used.clear()
        for resource, shards, writes in uses:
            self._used.setdefault(resource, set()).add((shards, writes))
        return conflict

    def table(self) -> tuple[Array, Array]:
        """The table of instructions and the table of their attributes.

        This is where ops are compiled or loaded.
        """
        table = np.zeros((len(self._rows), INSTRUCTION_SIZE), dtype=np.int64)
        attributes = np.zeros((len(self._rows), N_ATTRIBUTES))
        for row, (shard, shards, entry, first, most) in enumerate(self._rows):
            table[row, [SHARD, SHARDS, ROW, MOST_ROWS]] = shard, shards, first, most
            if isinstance(entry, Instruction):
                table[row, 0] = entry.op.address(self.dtype, entry.member)
                table[row, FIRST_ARGUMENT : FIRST_ARGUMENT + len(entry.args)] = entry.args
                attributes[row, : len(entry.attributes)] = entry.attributes
            else:
                table[row, 0] = entry
        return table, attributes
