"""The compiled runner: encodes a program for itself and runs it without Python in an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import numpy_runner
from .data import Batches
from .encode_ops import encode_forward
from .encode_training import encode_gradients, encode_update
from .encoder import Encoder, address, reads_z
from .kernels.compiled.blas import single_threaded
from .kernels.compiled.op import (
    CORRECT_SUM,
    LAST_LOSS,
    LOSS_SUM,
    N_COUNTERS,
    ROWS_SUM,
    STEP,
)
from .kernels.compiled.runner import (
    ATTRIBUTES,
    BATCH_SIZE,
    COUNTERS,
    FIRST,
    FIRST_ARGUMENT,
    JOB_SIZE,
    LAST,
    N_INSTRUCTIONS,
    N_ROWS,
    N_SYNC,
    SCALARS,
    SYNC,
    TABLE,
    WORKER,
    WORKERS,
    runner,
)
from .program import Program, inference_ops
from .state import State
from .storage import for_inference, for_training
from .tasks import Symbol
from .threads import Team, choose_threads

if TYPE_CHECKING:
    from .kernels.typing import Array

# How long compiled code may run before Python looks at signals and progress.
_CHUNK_SECONDS = 0.03
_FIRST_CHUNK_FLOPS = 2e7
# Rows that predictions are made of at a time: activations stay in a core's cache.
_PREDICTION_ROWS = 256
# Up to this many, BLAS starts no threads and rows are copied sooner than they are bound.
_SMALL_ROWS = 8
# Tables that are kept for the next fit, and the memory that they may hold on to.
_KEPT = 8
_KEPT_BYTES = 16 * 2**20


class Executable:
    """The tables of an `Encoder`, ready to run once their symbols are bound to addresses."""

    def __init__(self, encoder: Encoder, workers: int = 1) -> None:
        self.n_bytes = sum(array.nbytes for array in encoder.keep)
        self._memory = encoder.keep
        self.table, self.attributes = encoder.tasks.table()
        self.scalars = np.zeros(encoder.n_scalars)
        # A cache line for each worker's counters.
        self.counters = np.zeros((workers, 8 * -(-N_COUNTERS // 8)), dtype=np.int64)
        self.sync = np.zeros(N_SYNC, dtype=np.int64)
        self.workers = workers
        self._bound: dict[int, Array] = {}
        arguments = self.table[:, FIRST_ARGUMENT:]
        self._places = {
            int(symbol): np.nonzero(arguments == symbol)
            for symbol in np.unique(arguments[arguments < 0])
        }
        self._run = runner()
        self._jobs = np.zeros((workers, JOB_SIZE), dtype=np.int64)
        self._jobs[:, TABLE] = address(self.table)
        self._jobs[:, N_INSTRUCTIONS] = len(self.table)
        self._jobs[:, ATTRIBUTES] = address(self.attributes)
        self._jobs[:, COUNTERS] = [address(counters) for counters in self.counters]
        self._jobs[:, SCALARS] = address(self.scalars)
        self._jobs[:, SYNC] = address(self.sync)
        self._jobs[:, WORKER] = range(workers)
        self._jobs[:, WORKERS] = workers
        self._job_rows = [(job, address(job)) for job in self._jobs]

    def bind(self, arrays: dict[int, Array]) -> None:
        """Put the addresses of these arrays, by symbol, into the table."""
        self._bound = arrays
        arguments = self.table[:, FIRST_ARGUMENT:]
        for symbol, places in self._places.items():
            arguments[places] = address(arrays[symbol])

    def release(self) -> None:
        """Forget the arrays; the tables must be bound again before they run."""
        self._bound = {}

    def run_as(self, worker: int, first: int, last: int, batch_size: int, n_rows: int) -> int:
        """Run batches as one of the workers."""
        job, place = self._job_rows[worker]
        job[FIRST] = first
        job[LAST] = last
        job[BATCH_SIZE] = batch_size
        job[N_ROWS] = n_rows
        return self._run(place)


class SmallPrediction:
    """A forward pass of a few rows, bound for good to arrays of its own: the shortest way."""

    def __init__(self, executable: Executable, x_dtype: Any, program: Program, width: int) -> None:
        self._x = np.zeros((_SMALL_ROWS, program.input.width), dtype=x_dtype)
        self._out = np.zeros((_SMALL_ROWS, width), dtype=program.dtype)
        executable.bind({Symbol.X: self._x, Symbol.OUT: self._out})
        self._executable = executable

    def __call__(self, x: Array) -> Array:
        """The network's output for at most `_SMALL_ROWS` rows."""
        n = len(x)
        self._x[:n] = x
        self._executable.run_as(0, 0, 1, _SMALL_ROWS, n)
        return self._out[:n].copy()


@dataclass(frozen=True, slots=True)
class _Kind:
    """What tables depend on beside the program: two fits of one kind share them."""

    x_dtype: str
    rows: int
    coded: bool
    ordered: bool
    weighted: bool
    per_step: tuple[bool, ...] | None

    @classmethod
    def of(cls, batches: Batches, rates: list[float | Array] | None) -> _Kind:
        return cls(
            batches.x.dtype.name,
            min(batches.size, batches.n_rows),
            batches.y.ndim == 1,
            batches.shuffled,
            batches.weight is not None,
            None if rates is None else tuple(bool(np.ndim(rate)) for rate in rates),
        )


def _arrays(batches: Batches, order: Array | None) -> dict[int, Array]:
    arrays: dict[int, Array] = {Symbol.X: batches.x, Symbol.Y: batches.y}
    if order is not None:
        arrays[Symbol.ORDER] = order
    if batches.weight is not None:
        arrays[Symbol.WEIGHTS] = batches.weight
    return arrays


class CompiledRunner:
    """Runs a program by compiled kernels; the methods are those of `NumpyRunner`."""

    def __init__(self, state: State, n_threads: int | str = "auto") -> None:
        self.state = state
        self._n_threads = n_threads
        self._kept: dict[Any, Executable] = {}
        self._small: dict[Any, SmallPrediction] = {}

    def session(self, batches: Batches, rates: list[float | Array]) -> CompiledSession:
        """Make ready to train on these rows."""
        kind = _Kind.of(batches, rates)
        executable = self._take(kind, lambda: self._training(kind))
        return CompiledSession(
            self.state, batches, rates, executable, lambda: self._give_back(kind, executable)
        )

    def gradients(self, x: Array, y: Array, weight: Array | None, training: bool) -> float:
        """Leave the batch's gradients in the state and return its loss; change nothing else."""
        state = self.state
        if not training:
            return numpy_runner.loss_and_gradients(state, x, y, weight, False, False)[0]
        batches = Batches(x, y, weight, len(x))
        kind = _Kind.of(batches, None)
        executable = self._take(kind, lambda: self._training(kind))
        executable.bind(_arrays(batches, None))
        executable.counters[0, STEP] = state.step
        with single_threaded():
            executable.run_as(0, 0, 1, len(x), len(x))
        self._give_back(kind, executable)
        return float(executable.scalars[LAST_LOSS])

    def predict(self, x: Array, head: bool = False) -> Array:
        """The network's output for all rows; with `head`, what the loss reads."""
        program = self.state.program
        width = (program.head.slot if head else program.output).width
        n = len(x)
        if n <= _SMALL_ROWS:
            small = (x.dtype, head)
            # Taken out while it is at work, so that threads do not share it.
            predict = self._small.pop(small, None)
            if predict is None:
                executable = self._inference(x.dtype.name, head, _SMALL_ROWS)
                predict = SmallPrediction(executable, x.dtype, program, width)
            result = predict(x)
            self._small[small] = predict
            return result
        out = np.empty((n, width), dtype=program.dtype)
        kind = (x.dtype, head)
        executable = self._take(kind, lambda: self._inference(x.dtype.name, head, _PREDICTION_ROWS))
        executable.bind({Symbol.X: x, Symbol.OUT: out})
        with single_threaded():
            executable.run_as(0, 0, -(-n // _PREDICTION_ROWS), _PREDICTION_ROWS, n)
        self._give_back(kind, executable)
        return out

    def _take(self, kind: Any, make: Callable[[], Executable]) -> Executable:
        """Tables of this kind, from the last ones used or newly made; nobody else has them."""
        return self._kept.pop(kind, None) or make()

    def _give_back(self, kind: Any, executable: Executable) -> None:
        """Keep tables for the next use, but not the arrays that they were bound to."""
        executable.release()
        if executable.n_bytes <= _KEPT_BYTES:
            self._kept[kind] = executable
            if len(self._kept) > _KEPT:
                self._kept.pop(next(iter(self._kept)), None)

    def _training(self, kind: _Kind) -> Executable:
        program, updates = self.state.program, kind.per_step is not None
        storage = for_training(program, reads_z)
        encoder = Encoder(self.state, storage, program.ops, kind.rows, True, updates)
        encode_gradients(encoder, kind.x_dtype, kind.coded, kind.ordered, kind.weighted)
        workers = 1
        if kind.per_step is not None:
            encode_update(encoder, kind.per_step)
            shards = encoder.tasks.most_shards
            workers = choose_threads(self._n_threads, program, kind.rows, shards)
        return Executable(encoder, workers)

    def _inference(self, x_dtype: str, head: bool, rows: int) -> Executable:
        program = self.state.program
        ops, output = inference_ops(program, head)
        storage = for_inference(program.input, ops)
        encoder = Encoder(self.state, storage, ops, rows, training=False)
        encoder.gather(x_dtype, ordered=False)
        encode_forward(ops, encoder)
        encoder.store(output)
        return Executable(encoder)


class CompiledSession:
    """One fit in progress: the bound tables, the order of rows, and the threads."""

    def __init__(
        self,
        state: State,
        batches: Batches,
        rates: list[float | Array],
        executable: Executable,
        give_back: Callable[[], None],
    ) -> None:
        self._give_back = give_back
        self._state = state
        self._batches = batches
        self._executable = executable
        self._rates = [np.zeros(batches.count if np.ndim(rate) else 1) for rate in rates]
        self._order = np.arange(batches.n_rows) if batches.shuffled else None
        arrays = _arrays(batches, self._order)
        executable.bind({**arrays, **{Symbol.RATES - k: r for k, r in enumerate(self._rates)}})
        self._blas = single_threaded()
        self._blas.__enter__()
        self._team = Team(executable, executable.workers)
        flops = 6 * state.program.n_parameters * min(batches.size, batches.n_rows)
        self._chunk = max(1, int(_FIRST_CHUNK_FLOPS / flops))

    def start_epoch(self, order: Array | None, rates: list[float | Array]) -> None:
        """Begin an epoch: the order of rows, and the learning rate of each optimizer."""
        if self._order is not None and order is not None:
            self._order[:] = order
        for kept, rate in zip(self._rates, rates, strict=True):
            kept[:] = rate
        self._executable.scalars[LOSS_SUM] = 0.0
        self._executable.scalars[ROWS_SUM] = 0.0
        self._executable.scalars[CORRECT_SUM] = 0.0

    @property
    def loss_sum(self) -> float:
        """Sum over the epoch's batches of rows times loss."""
        return float(self._executable.scalars[LOSS_SUM])

    @property
    def correct_sum(self) -> float:
        """Right predictions of the epoch."""
        return float(self._executable.scalars[CORRECT_SUM])

    @property
    def rows_sum(self) -> int:
        """Rows of the epoch that were trained on."""
        return int(self._executable.scalars[ROWS_SUM])

    def run(self, first: int) -> int:
        """Train on one or more batches from `first` on and return the number of the next.

        Raises
        ------
        FloatingPointError
            The loss of a batch is not finite; its number is the first argument.
        """
        batches, state = self._batches, self._state
        last = min(first + self._chunk, batches.count)
        counters = self._executable.counters
        counters[:, STEP] = state.step
        start = time.perf_counter()
        try:
            reached = self._team.run(first, last, batches.size, batches.n_rows)
        finally:
            state.step = int(counters[0, STEP])
        seconds = time.perf_counter() - start
        if reached < 0:
            raise FloatingPointError(-1 - reached)
        possible = (last - first) * _CHUNK_SECONDS / max(seconds, 1e-6)
        self._chunk = max(1, int(min(possible, 4.0 * self._chunk, batches.count)))
        return reached

    def close(self) -> None:
        """Let the threads go and give BLAS its own back."""
        self._team.close()
        self._blas.__exit__(None, None, None)
        self._give_back()
