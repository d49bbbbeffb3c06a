"""Compiled predictions: of a few rows by the shortest way, of many in blocks on all threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.rows import Layout
from ...kernels.compiled.machine.op import N_SCALARS
from ...program.program import InferenceOp, InferenceProgram, Slot
from ...program.state import State, Weights
from .buffer_plan import for_inference
from .executable import Executable
from .executable_cache import KeptTables
from .lowering import Encoder
from .lowering_ops import encode_forward
from .tasks import Symbol, bound_rows
from .workers import prediction_threads, work_of_row

if TYPE_CHECKING:
    from ...data.rows import Features
    from ...kernels.typing import Array

# Up to this many rows are copied sooner than they are bound.
SMALL_ROWS = 8
# Rows that predictions are made of at a time, so that activations stay in a core's cache; of wide
# rows fewer, which then are still there when they are read a second time.
_BLOCK_ROWS, _WIDE_BLOCK_ROWS = 256, 64
_WIDE_BYTES = 2048
# The scalar that becomes NaN where rows are not finite: the first of a table's own.
_CHECKED = N_SCALARS
# Multiply-adds between two looks at signals, some 20 ms.
_CHUNK_WORK = 1e9


class CompiledForward:
    """Values of one slot for rows of features.

    Calls of several threads at once do not disturb each other: each has tables of its own.

    Parameters
    ----------
    weights : State or Weights
    ops : tuple of InferenceOp
        Those that lead to `output`.
    output : Slot
    n_threads : int or "auto"
    """

    def __init__(
        self,
        weights: State | Weights,
        ops: tuple[InferenceOp, ...],
        output: Slot,
        n_threads: int | str,
    ) -> None:
        self._weights = weights
        self._ops = ops
        self._output = output
        self._n_threads = n_threads
        self._kept = KeptTables()
        self._small: dict[Any, SmallPrediction] = {}
        self._rows: list[RowPrediction] = []
        row_bytes = weights.program.input.width * np.dtype(weights.program.dtype).itemsize
        self._block_rows = _BLOCK_ROWS if row_bytes <= _WIDE_BYTES else _WIDE_BLOCK_ROWS

    def __call__(self, x: Features, out: Array | None = None) -> Array:
        """The values for all rows; written into `out`, C-contiguous, where it is given."""
        if len(x) <= SMALL_ROWS and isinstance(x, np.ndarray):
            # Taken out while it is at work, so that threads do not share it.
            small = self._small.pop(x.dtype, None) or self._small_prediction(x)
            result = small(x)
            self._small[x.dtype] = small
            if out is None:
                return result
            out[...] = result
            return out
        if out is None:
            out = np.empty((len(x), self._output.width), dtype=self._weights.program.dtype)
        elif any(np.may_share_memory(part, out) for part in bound_rows(x).values()):
            # A block would be written over rows that are still to be read.
            out[...] = self(x)
            return out
        self._blocks(x, out, checked=False)
        return out

    def rows(self, x: Array) -> Array | None:
        """The values for rows that nobody has looked at yet; None if not all are finite.

        To look at each block while it is in the cache saves a pass over memory.
        """
        out = np.empty((len(x), self._output.width), dtype=self._weights.program.dtype)
        return out if self._blocks(x, out, checked=True) else None

    def _blocks(self, x: Features, out: Array, checked: bool) -> bool:
        """Fill `out`; False where rows were to be checked and are not finite."""
        layout, work = Layout.of(x), work_of_row(self._weights.program, x)
        workers = prediction_threads(self._n_threads, work, len(x))
        kinds = [(layout, checked, worker) for worker in range(workers)]
        executables = [
            self._kept.take(kind, lambda: self._encode(layout, self._block_rows, checked))
            for kind in kinds
        ]
        for executable in executables:
            executable.scalars[_CHECKED] = 0.0
        predict_blocks(executables, x, out, self._block_rows, work)
        finite = all(executable.scalars[_CHECKED] == 0.0 for executable in executables)
        for kind, executable in zip(kinds, executables, strict=True):
            self._kept.give_back(kind, executable)
        return finite

    def row(self, x: Array, out: Array | None) -> Array | None:
        """The values for one row ``(n_features,)`` of the network's dtype; None if not finite."""
        try:
            # Taken out while it is at work; a list's pop and append are one step for all threads.
            row = self._rows.pop()
        except IndexError:
            row = self._one_row()
        row.x[:] = x
        row.run()
        finite = row.checked[0] == 0.0
        if not finite:
            row.checked[0] = 0.0
        elif out is None:
            out = row.out.copy()
        else:
            out[:] = row.out
        self._rows.append(row)
        return out if finite else None

    def _one_row(self) -> RowPrediction:
        program = self._weights.program
        executable = self._encode(Layout(program.dtype), 1, checked=True)
        x = np.zeros(program.input.width, program.dtype)
        return RowPrediction(executable, x, np.zeros(self._output.width, program.dtype))

    def _small_prediction(self, x: Array) -> SmallPrediction:
        executable = self._encode(Layout.of(x), SMALL_ROWS)
        return SmallPrediction(executable, self._weights.program, x.dtype, self._output.width)

    def _encode(self, layout: Layout, rows: int, checked: bool = False) -> Executable:
        program = self._weights.program
        storage = for_inference(program, self._ops, layout.is_sparse)
        encoder = Encoder(self._weights, storage, self._ops, rows, training=False)
        scalar = encoder.scalars(1)
        assert scalar == _CHECKED
        encoder.read_rows(layout, False)
        if checked:
            x = encoder.value(program.input)
            encoder.single("check_finite", x=x.address, columns=x.ld, scalar=scalar, reads=[x.key])
        encode_forward(self._ops, encoder)
        encoder.store(self._output)
        return Executable(encoder)


class SmallPrediction:
    """A forward pass of a few rows, bound for good to arrays of its own: the shortest way."""

    def __init__(
        self, executable: Executable, program: InferenceProgram, x_dtype: Any, width: int
    ) -> None:
        self._x = np.zeros((SMALL_ROWS, program.input.width), dtype=x_dtype)
        self._out = np.zeros((SMALL_ROWS, width), dtype=program.dtype)
        executable.bind({Symbol.X: self._x, Symbol.OUT: self._out})
        self._executable = executable

    def __call__(self, x: Array) -> Array:
        """The values for at most `SMALL_ROWS` rows."""
        n = len(x)
        self._x[:n] = x
        self._executable.run_as(0, 0, 1, SMALL_ROWS, n)
        values: Array = self._out[:n].copy()
        return values


class RowPrediction:
    """A forward pass of one row at a time, from one array of its own to another.

    Attributes
    ----------
    x, out : ndarray
        What `run` reads, and where it leaves the values; both one-dimensional.
    run : callable
    checked : memoryview
        One number: 0 where all of x was finite, else NaN.
    """

    __slots__ = ("_executable", "checked", "out", "run", "x")

    def __init__(self, executable: Executable, x: Array, out: Array) -> None:
        self.x = x
        self.out = out
        executable.bind({Symbol.X: self.x, Symbol.OUT: self.out})
        self.run = executable.as_one_call(1)
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
        Alike, encoded for `block_rows` rows.
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
