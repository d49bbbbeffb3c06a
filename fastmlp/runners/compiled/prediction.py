"""Compiled predictions: of a few rows by the shortest way, of many in blocks on all threads."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.rows import FeaturePair, Layout, SparseRows, row_size
from ...kernels.compiled.machine.op import N_SCALARS
from ...kernels.compiled.ops.rows import check_finite
from ...program.operation import Operation, Slot
from ...program.state import State, Weights
from ..cores import begin_work, end_work
from ..forward import FEW_ROWS
from .buffer_plan import for_inference
from .executable import Executable
from .executable_cache import ExecutableCache
from .lowering import Lowering
from .lowering_ops import lower_forward
from .tasks import Symbol, bound_rows, instruction
from .workers import prediction_threads

if TYPE_CHECKING:
    from ...data.rows import Features
    from ...kernels.typing import Array

# Rows that predictions are made of at a time, so that activations stay in a core's cache; of wide
# rows fewer, which then are still there when they are read a second time.
_BLOCK_ROWS, _WIDE_BLOCK_ROWS = 256, 64
_WIDE_BYTES = 2048
# The scalar that becomes NaN where rows are not finite: the first of a table's own.
_CHECKED = N_SCALARS
# Multiply-adds between two looks at signals, some 20 ms.
_CHUNK_WORK = 1e9
_NOT_FINITE = "X is not finite"


class CompiledForward:
    """A `Forward` by compiled kernels.

    Calls of several threads at once do not disturb each other: each has tables of its own.

    Parameters
    ----------
    weights : State or Weights
    ops : tuple of Operation
        Those that lead to `output`.
    output : Slot
    n_threads : int or "auto"
    checks_finite : bool
        Whether to tell where an array is not finite. Each block is looked at while it is in the
        cache, which saves a pass over memory.
    """

    def __init__(
        self,
        weights: State | Weights,
        ops: tuple[Operation, ...],
        output: Slot,
        n_threads: int | str,
        checks_finite: bool,
    ) -> None:
        program = weights.program
        self._weights = weights
        self._ops = ops
        self._output = output
        self._n_threads = n_threads
        self._checks_finite = checks_finite
        self._executables = ExecutableCache()
        self._few: defaultdict[Any, list[FewRows]] = defaultdict(list)
        self._few_numbers = FEW_ROWS * program.input.width
        row_bytes = program.input.width * np.dtype(program.dtype).itemsize
        self._block_rows = _BLOCK_ROWS if row_bytes <= _WIDE_BYTES else _WIDE_BLOCK_ROWS
        wide = [op for op in ops if program.wide in op.inputs]
        self._work = sum(op.multiply_adds for op in ops if op not in wide)
        self._work_of_wide = sum(op.out.width for op in wide)

    def __call__(self, x: Features, out: Array | None = None) -> Array:
        """Compute the values for one row or for many, see `Forward`."""
        kind: Any
        if isinstance(x, SparseRows):
            return self._many_rows(x, out)
        if isinstance(x, FeaturePair):
            wide, deep = x.wide, x.deep
            if isinstance(wide, SparseRows):
                return self._many_rows(x, out)
            kind = deep.dtype, wide.dtype
        else:
            wide, deep, kind = None, x, x.dtype
        if deep.size > self._few_numbers:
            return self._many_rows(x, out)
        spare = self._few[kind]
        try:
            # Taken out while it is at work; a list's pop and append are one step for all threads.
            few = spare.pop()
        except IndexError:
            few = self._new_few_rows(x)
        source, source_wide, run, values = few.calls[deep.shape]
        source[...] = deep
        if wide is not None:
            source_wide[...] = wide
        run()
        if few.checked[0] != 0.0:
            few.checked[0] = 0.0
            spare.append(few)
            raise FloatingPointError(_NOT_FINITE)
        if out is None:
            out = values.copy()
        else:
            out[...] = values
        spare.append(few)
        return out

    def _many_rows(self, x: Features, out: Array | None) -> Array:
        if out is None:
            out = np.empty((len(x), self._output.width), dtype=self._weights.program.dtype)
        elif any(np.may_share_memory(part, out) for part in bound_rows(x).values()):
            # A block would be written over rows that are still to be read.
            out[...] = self._many_rows(x, None)
            return out
        at_work = begin_work()
        try:
            return self._blocks(x, out)
        finally:
            end_work(at_work)

    def _blocks(self, x: Features, out: Array) -> Array:
        layout, work = Layout.of(x), self._work_of_row(x)
        workers = prediction_threads(self._n_threads, work, len(x))
        kinds = [(layout, worker) for worker in range(workers)]
        executables = [
            self._executables.take(kind, lambda: self._lower(layout, self._block_rows))
            for kind in kinds
        ]
        for executable in executables:
            executable.scalars[_CHECKED] = 0.0
        predict_blocks(executables, x, out, self._block_rows, work)
        finite = all(executable.scalars[_CHECKED] == 0.0 for executable in executables)
        for kind, executable in zip(kinds, executables, strict=True):
            self._executables.give_back(kind, executable)
        if not finite:
            raise FloatingPointError(_NOT_FINITE)
        return out

    def _work_of_row(self, x: Features) -> float:
        """Multiply-adds of a row: of a sparse X_wide on average."""
        return self._work + (
            self._work_of_wide * row_size(x.wide) if isinstance(x, FeaturePair) else 0
        )

    def _new_few_rows(self, x: Features) -> FewRows:
        dtype, layout = self._weights.program.dtype, Layout.of(x)
        arrays = {
            symbol: np.zeros((FEW_ROWS, part.shape[-1]), part.dtype)
            for symbol, part in bound_rows(x).items()
        }
        arrays[Symbol.OUT] = np.zeros((FEW_ROWS, self._output.width), dtype)
        return FewRows(self._lower(layout, FEW_ROWS), arrays)

    def _lower(self, layout: Layout, rows: int) -> Executable:
        program = self._weights.program
        plan = for_inference(program, self._ops, layout.is_sparse)
        lowering = Lowering(self._weights, plan, self._ops, rows, training=False)
        scalar = lowering.scalars(1)
        assert scalar == _CHECKED
        lowering.checked = scalar
        lowering.read_rows(layout, False)
        if self._checks_finite:
            for slot in (program.input, program.wide):
                # A sparse part has no slot, and its reader has looked at it.
                if slot is not None and lowering.sparse(slot) is None:
                    x = lowering.value(slot)
                    check = instruction(check_finite, x=x.address, columns=x.ld, scalar=scalar)
                    lowering.single(check, reads=[x.key])
        lower_forward(self._ops, lowering)
        lowering.store(self._output)
        return Executable(lowering)


class FewRows:
    """A forward pass of up to `FEW_ROWS` rows, bound for good to arrays of its own.

    Attributes
    ----------
    calls : dict
        For each shape of X, or of X_deep, one row or rows: the array that takes it, that which
        takes X_wide, if any, the function to call then, and the array in which it leaves the
        values.
    checked : memoryview
        One number: 0 where all of X was finite or nobody looked, else NaN.
    """

    __slots__ = ("_executable", "calls", "checked")

    def __init__(self, executable: Executable, arrays: dict[int, Array]) -> None:
        executable.bind(arrays)
        x, wide, values = arrays[Symbol.X], arrays.get(Symbol.WIDE), arrays[Symbol.OUT]
        self.calls: dict[tuple[int, ...], Any] = {}
        # One row, ``(n_features,)``, and up to all of them.
        rows: Any
        for n, rows in enumerate((0, *map(slice, range(1, len(x) + 1)))):
            run = executable.as_one_call(max(n, 1))
            part = None if wide is None else wide[rows]
            self.calls[x[rows].shape] = x[rows], part, run, values[rows]
        self.checked: Any = memoryview(executable.scalars.data)[_CHECKED : _CHECKED + 1]
        # It holds the memory that the tables point into.
        self._executable = executable


def predict_blocks(
    executables: Sequence[Executable], x: Features, out: Array, block_rows: int, work: float
) -> None:
    """Write the network's output for rows x into out.

    Each executable has its own memory and makes a consecutive share of the blocks; all but the
    first run on threads of their own.

    Parameters
    ----------
    executables : sequence of Executable
        Alike, lowered for `block_rows` rows.
    x : ndarray or FeaturePair
    out : ndarray
    block_rows : int
    work : float
        Multiply-adds of a row.
    """
    n, count, shares = len(x), -(-len(x) // block_rows), len(executables)
    chunk = max(1, int(_CHUNK_WORK / (work * block_rows)))
    stopped = threading.Event()

    def make(share: int) -> None:
        stop = count * (share + 1) // shares
        for first in range(count * share // shares, stop, chunk):
            if stopped.is_set():
                return
            executables[share].run_as(0, first, min(first + chunk, stop), block_rows, n)

    for executable in executables:
        executable.bind({**bound_rows(x), Symbol.OUT: out})
    threads: list[threading.Thread] = []
    try:
        for share in range(1, shares):
            thread = threading.Thread(target=make, args=(share,), name="fastmlp-predict")
            try:
                thread.start()
            except RuntimeError:
                make(share)
            else:
                threads.append(thread)
        make(0)
        for thread in threads:
            thread.join()
    except BaseException:
        # Ctrl-C: the others end with the blocks that they are at.
        stopped.set()
        for thread in threads:
            thread.join()
        raise
