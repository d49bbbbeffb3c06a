"""From a program to tasks: which op works on which memory, forward, backward and update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ...common.arrays import aligned_zeros
from ...data.rows import Layout
from ...declarations.activations import Activation
from ...kernels.compiled.machine.op import N_SCALARS
from ...kernels.compiled.machine.sums import SAME_SET
from ...kernels.compiled.ops import rows
from ...kernels.compiled.ops.activations import activation_ops
from ...program.operation import Operation, Slot, Tensor
from ...program.ops import BatchNormOp
from ...program.state import State, Weights
from .buffer_plan import BufferPlan
from .shards import SINGLE, Shards, column_shards, group_shards, one_shard, row_shards
from .tasks import Instruction, Symbol, Tasks, instruction

if TYPE_CHECKING:
    from ...kernels.typing import Array


def reads_z(activation: Activation) -> bool:
    """Whether an activation's derivative needs the preactivation beside the output."""
    # With a negative slope the output no longer has the sign of z.
    ops, parameter = activation_ops(activation.member), activation.parameter
    turns_sign = not ops.is_rowwise and parameter is not None and parameter < 0
    return ops.reads_z or turns_sign


def address(array: Array) -> int:
    """Address of an array's first element."""
    return int(array.ctypes.data)


# Rows that begin at lines of the cache are read and written faster, if not much longer.
_LINE_BYTES, _LONGER = 64, 9 / 8


@dataclass(frozen=True, slots=True)
class Memory:
    """A buffer of rows of one width; parts of its columns have addresses.

    `ld` is the distance between rows, that of all buffers of this width. What lies between the end
    of a row and the next one is 0.
    """

    address: int
    width: int
    ld: int
    itemsize: int
    key: tuple[str, int]

    def at(self, column: int, row: int = 0) -> int:
        return self.address + (row * self.ld + column) * self.itemsize


class SparseSource(NamedTuple):
    """Sparse rows: the dtype of their values, and the arguments of the ops that read them."""

    dtype: str
    arguments: dict[str, int]


class Lowering:
    """Writes the tasks of one program over one set of buffers.

    Parameters
    ----------
    weights : State or Weights
        Of `Weights` there are only predictions.
    plan : BufferPlan
    ops : tuple of Operation
    rows : int
        Rows of the largest batch: the size of the buffers, and what shards are cut by.
    training : bool
        Whether batch statistics and dropout are used. Predictions are not cut into shards: they
        are shared out by blocks of rows.
    updates : bool
        Whether a step ends with an update; without one, running statistics stay as they are too.
    per_step : tuple of bool
        Of each schedule of the program, in a table with updates: whether it has a value for each
        step, not one for all.
    """

    def __init__(
        self,
        weights: State | Weights,
        plan: BufferPlan,
        ops: tuple[Operation, ...],
        rows: int,
        training: bool,
        updates: bool = True,
        per_step: tuple[bool, ...] = (),
    ) -> None:
        self.training = training
        self.updates = updates
        self._per_step = per_step
        self.weights = weights
        self.program = weights.program
        self.ops = ops
        self.rows = rows
        self.plan = plan
        self.tasks = Tasks(self.program.dtype, rows)
        self.itemsize = np.dtype(self.program.dtype).itemsize
        self.arrays: list[Array] = []
        self.n_scalars = N_SCALARS
        # The number of the scalar that tells of X what cannot be predicted; 0 where there is none.
        self.checked = 0
        self._inv_stds: dict[Slot, int] = {}
        self._sparse: dict[Slot, SparseSource] = {}
        self._touched: dict[Tensor, int] = {}
        self._touches_few = False
        self._buffers = [
            self.memory(width, ("buffer", number)) for number, width in enumerate(plan.widths)
        ]

    @property
    def state(self) -> State:
        """What training reads and changes."""
        return cast(State, self.weights)

    # Memory

    def new(self, shape: tuple[int, ...], dtype: Any = None) -> int:
        """Address of new zeros that live as long as the tables."""
        array = aligned_zeros(shape, dtype or self.program.dtype)
        self.arrays.append(array)
        return address(array)

    def keep_alive(self, array: Array) -> int:
        """Address of an array that lives as long as the tables."""
        self.arrays.append(array)
        return address(array)

    def memory(self, width: int, key: tuple[str, int]) -> Memory:
        """New memory of so many columns."""
        ld = self._distance(width)
        return Memory(self.new((self.rows, ld)), width, ld, self.itemsize, key)

    def _distance(self, width: int) -> int:
        """Numbers from one row of this width to the next."""
        if isinstance(self.weights, State) and width == self.weights.program.head.slot.width:
            # The losses take all rows for one.
            return width
        line = _LINE_BYTES // self.itemsize
        ld = -(-width // line) * line
        return ld if ld <= width * _LONGER and ld * self.itemsize % SAME_SET else width

    def value(self, slot: Slot) -> Memory:
        return self._buffers[self.plan.values[slot]]

    def gradient(self, slot: Slot) -> Memory:
        return self._buffers[self.plan.gradients[slot]]

    def parameter(self, tensor: Tensor, element: int = 0) -> int:
        return address(self.weights.parameters) + (tensor.start + element) * self.itemsize

    def d_parameter(self, tensor: Tensor, element: int = 0) -> int:
        return address(self.state.gradients) + (tensor.start + element) * self.itemsize

    def buffer(self, tensor: Tensor, element: int = 0) -> int:
        return address(self.state.buffers) + (tensor.start + element) * self.itemsize

    def fixed(self, tensor: Tensor, element: int = 0) -> int:
        """Address of what no optimizer moves: a buffer, which is a parameter once frozen."""
        is_state = isinstance(self.weights, State)
        return self.buffer(tensor, element) if is_state else self.parameter(tensor, element)

    def scalars(self, count: int) -> int:
        """Numbers of `count` scalars in a row."""
        self.n_scalars += count
        return self.n_scalars - count

    def saved_for_backward(self, op: Operation, name: str) -> Memory:
        """Where the forward pass of an operation leaves what it declares by this name."""
        return self._buffers[self.plan.saved_for_backward[op.out, name]]

    def scheduled(self, name: str, number: int) -> tuple[int, int]:
        """Address of a schedule's values, and what lies between those of two steps."""
        if not self.updates:
            assert name == "rate"
            return address(self.state.dropout_rates) + 8 * number, 0
        place = self.state.program.schedule_place(name, number)
        return Symbol.RATES - place, int(self._per_step[place])

    def inv_std(self, op: BatchNormOp) -> int:
        """Where a BatchNorm leaves 1 / std."""
        if op.out not in self._inv_stds:
            self._inv_stds[op.out] = self.new((op.out.width,))
        return self._inv_stds[op.out]

    # Shards

    def column_shards(self, width: int) -> Shards:
        """How a slot of this width is cut by columns."""
        return column_shards(width, self.rows) if self.training else one_shard(width)

    def row_shards(self, width: int) -> Shards:
        """How it is cut by rows."""
        return row_shards(width, self.rows) if self.training else one_shard(width)

    # Rows in and out

    def gather(self, source: Symbol, dtype: str, ordered: bool, out: Memory) -> None:
        """Copy the batch's rows of an array of this dtype, as long as those of `out`."""

        def make(shard: int, shards: int) -> Instruction:
            return instruction(
                rows.gather_rows,
                dtype,
                source=source,
                ld_source=out.width,
                order=Symbol.ORDER if ordered else 0,
                out=out.address,
                ld=out.ld,
                columns=out.width,
                shard=shard,
                shards=shards,
            )

        self.rowwise(out.width, make, reads=[], writes=[out.key])

    def read_rows(self, layout: Layout, ordered: bool) -> None:
        """Copy the batch's rows into the inputs' slots; sparse ones are read where they lie."""
        wide, source = self.program.wide, self.program.sparse_input
        if wide is not None or not layout.is_sparse:
            self.gather(Symbol.X, layout.dtype, ordered, self.value(self.program.input))
        self._touches_few = layout.touches_few
        if layout.is_sparse:
            arguments = {
                "data": Symbol.WIDE,
                "indices": Symbol.INDICES,
                "index_bytes": layout.index_bytes,
                "indptr": Symbol.INDPTR,
                "order": Symbol.ORDER if ordered else 0,
            }
            self._sparse[source] = SparseSource(layout.wide or layout.dtype, arguments)
        elif wide is not None:
            self.gather(Symbol.WIDE, layout.wide, ordered, self.value(wide))

    def sparse(self, slot: Slot) -> SparseSource | None:
        """Where the rows of an input lie, if they are sparse."""
        return self._sparse.get(slot)

    def touched(self, weight: Tensor) -> int:
        """Address of the list of a weight's rows that a batch touches; 0 where none is kept."""
        if not (self.training and self.updates and self._touches_few):
            return 0
        if all(group.weight != weight for group in self.state.program.groups):
            return 0
        if weight not in self._touched:
            self._touched[weight] = self.new((1 + 2 * weight.shape[0],), np.int32)
        return self._touched[weight]

    def store(self, slot: Slot) -> None:
        """Write a slot's rows to their places in an array of all rows."""
        x = self.value(slot)
        write = instruction(
            rows.store_rows, x=x.address, ld_x=x.ld, out=Symbol.OUT, columns=slot.width
        )
        self.single(write, reads=[x.key])

    def single(self, instruction: Instruction, *, reads: Any = (), writes: Any = ()) -> None:
        """A task of one shard."""
        self.tasks.add(SINGLE, lambda shard: instruction, reads=reads, writes=writes)

    def columnwise(
        self,
        width: int,
        make: Callable[[int, int], Instruction],
        *,
        reads: list[Any],
        writes: list[Any],
        reads_whole: Any = (),
    ) -> None:
        """A task cut by columns; `make` is told the first column and how many there are."""
        shards = self.column_shards(width)
        self.tasks.add(
            shards,
            lambda shard: make(*shards.part(shard)),
            reads=reads,
            writes=writes,
            reads_whole=reads_whole,
        )

    def by_rows(
        self,
        width: int,
        make: Callable[[int, int, int], Instruction],
        *,
        reads: list[Any],
        writes: list[Any],
        reads_whole: Any = (),
    ) -> None:
        """The same of a task that works on each row alone; `make` is told the first row, too."""
        shards = self.column_shards(width)
        self.tasks.add_by_rows(
            shards,
            lambda shard, row: make(*shards.part(shard), row),
            reads=reads,
            writes=writes,
            reads_whole=reads_whole,
        )

    def groupwise(
        self,
        groups: int,
        size: int,
        make: Callable[[int, int], Instruction],
        *,
        writes: list[Any],
        reads_whole: Any = (),
    ) -> None:
        """A task cut by groups of columns; `make` is told the first group and how many there are.

        `size` is what is worked on in a row, for each group.
        """
        shards = group_shards(groups, size, self.rows) if self.training else one_shard(groups)
        self.tasks.add(
            shards,
            lambda shard: make(*shards.part(shard)),
            writes=writes,
            reads_whole=reads_whole,
        )

    def rowwise(
        self,
        width: int,
        make: Callable[[int, int], Instruction],
        *,
        reads: list[Any],
        writes: list[Any],
        reads_whole: Any = (),
    ) -> None:
        """A task cut by rows; `make` is told the number of the shard and how many there are."""
        shards = self.row_shards(width)
        self.tasks.add(
            shards,
            lambda shard: make(shard, shards.count),
            reads=reads,
            writes=writes,
            reads_whole=reads_whole,
        )

    def copy(self, x: Memory, out: Memory, plus: Memory | None = None) -> None:
        """``out = x``, or ``out = x + plus``."""

        def make(first: int, count: int) -> Instruction:
            return instruction(
                rows.copy_rows,
                x=x.at(first),
                y=0 if plus is None else plus.at(first),
                out=out.at(first),
                ld=out.ld,
                columns=count,
            )

        read = [memory.key for memory in (x, plus) if memory is not None]
        self.columnwise(out.width, make, reads=read, writes=[out.key])
