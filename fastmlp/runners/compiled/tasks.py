"""A step in compiled form: instructions on shards, and barriers where shards need each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from ...data.rows import FeaturePair, SparseRows
from ...kernels.compiled.machine.op import CompiledOp
from ...kernels.compiled.machine.runner import (
    BARRIER,
    FIRST_ARGUMENT,
    INSTRUCTION_SIZE,
    N_ATTRIBUTES,
)
from .shards import Shards

if TYPE_CHECKING:
    from ...data.rows import Features
    from ...kernels.typing import Array

P = ParamSpec("P")

WHOLE = Shards("columns", (0, 1))


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


class Tasks:
    """A list of instructions that grows task by task; barriers go in where they are needed.

    A task is the same operation on each of the shards of a range. It says which resources (buffers,
    tensors) each of its shards reads or writes: its own part, or the whole. Two tasks may follow
    each other without a barrier unless one writes what the other uses; tasks that are cut alike
    may share resources by parts, for the same worker carries out the same shard of both.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.most_shards = 1
        self._rows: list[tuple[int, int, Instruction | int]] = []
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
        # A single shard is always the first worker's, whatever it is a shard of.
        own = WHOLE if shards.count == 1 else shards
        whole = WHOLE if shards.count == 1 else None
        uses: list[tuple[Hashable, Shards | None, bool]]
        uses = [(resource, own, False) for resource in reads]
        uses += [(resource, own, True) for resource in writes]
        uses += [(resource, whole, False) for resource in reads_whole]
        self._separate(uses)
        for shard in range(shards.count):
            self._rows.append((shard, shards.count, make(shard)))
        self.most_shards = max(self.most_shards, shards.count)

    def mark(self, mark: int, *, reads: Iterable[Hashable]) -> None:
        """Append a mark that every worker looks at; it reads the whole of these resources."""
        self._separate([(resource, None, False) for resource in reads])
        self._rows.append((0, 1, mark))

    def _separate(self, uses: list[tuple[Hashable, Shards | None, bool]]) -> None:
        conflict = any(
            (writes or wrote) and (shards is None or shards != other)
            for resource, shards, writes in uses
            for other, wrote in self._used.get(resource, ())
        )
        if conflict:
            self._rows.append((0, 1, BARRIER))
            self._used.clear()
        for resource, shards, writes in uses:
            self._used.setdefault(resource, set()).add((shards, writes))

    def table(self) -> tuple[Array, Array]:
        """The table of instructions and the table of their attributes.

        This is where ops are compiled or loaded.
        """
        table = np.zeros((len(self._rows), INSTRUCTION_SIZE), dtype=np.int64)
        attributes = np.zeros((len(self._rows), N_ATTRIBUTES))
        for row, (shard, shards, entry) in enumerate(self._rows):
            table[row, 1], table[row, 2] = shard, shards
            if isinstance(entry, Instruction):
                table[row, 0] = entry.op.address(self.dtype, entry.member)
                table[row, FIRST_ARGUMENT : FIRST_ARGUMENT + len(entry.args)] = entry.args
                attributes[row, : len(entry.attributes)] = entry.attributes
            else:
                table[row, 0] = entry
        return table, attributes
