"""The compiled runner: encodes a program for itself and runs it without Python in an epoch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import numpy_runner
from .data import Batches
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
from .kernels.compiled.runner import N_SYNC, runner
from .program import inference_ops
from .state import State
from .storage import for_inference, for_training
from .threads import Team, choose_threads

if TYPE_CHECKING:
    from .kernels.typing import Array

# How long compiled code may run before Python looks at signals and progress.
_CHUNK_SECONDS = 0.03
_FIRST_CHUNK_FLOPS = 2e7
# Rows that predictions are made of at a time: activations stay in a core's cache.
_PREDICTION_ROWS = 256


class Executable:
    """The tables of an `Encoder`, ready to run."""

    def __init__(self, encoder: Encoder, workers: int = 1) -> None:
        self._encoder = encoder
        self.table, self.attributes = encoder.tasks.table()
        self.scalars = np.zeros(encoder.n_scalars)
        self.counters = np.zeros((workers, 64 // 8 * -(-N_COUNTERS // 8)), dtype=np.int64)
        self.sync = np.zeros(N_SYNC, dtype=np.int64)
        self.workers = workers
        self._run = runner()
        self._fixed = (
            address(self.table),
            len(self.table),
            address(self.attributes),
        )

    def run_as(self, worker: int, first: int, last: int, batch_size: int, n_rows: int) -> int:
        """Run batches as one of the workers."""
        return self._run(
            *self._fixed,
            address(self.counters[worker]),
            address(self.scalars),
            first,
            last,
            batch_size,
            n_rows,
            worker,
            self.workers,
            address(self.sync),
        )


class CompiledRunner:
    """Runs a program by compiled kernels; the methods are those of `NumpyRunner`."""

    def __init__(self, state: State, n_threads: int | str = "auto") -> None:
        self.state = state
        self._n_threads = n_threads
        self._prediction: dict[tuple[str, bool], _Prediction] = {}

    def session(self, batches: Batches, rates: list[float | Array]) -> CompiledSession:
        """Make ready to train on these rows."""
        return CompiledSession(self.state, batches, rates, self._n_threads)

    def gradients(self, x: Array, y: Array, weight: Array | None, training: bool) -> float:
        """Leave the batch's gradients in the state and return its loss; change nothing else."""
        state = self.state
        if not training:
            return numpy_runner.loss_and_gradients(state, x, y, weight, False, False)[0]
        program = state.program
        batches = Batches(x, y, weight, len(x))
        encoder = Encoder(state, for_training(program, reads_z), program.ops, len(x))
        _encode_gradients(encoder, batches, order=0, momentum=False)
        executable = Executable(encoder)
        executable.counters[0, STEP] = state.step
        with single_threaded():
            executable.run_as(0, 0, 1, len(x), len(x))
        return float(executable.scalars[LAST_LOSS])

    def predict(self, x: Array, head: bool = False) -> Array:
        """The network's output for all rows; with `head`, what the loss reads."""
        key = (x.dtype.name, head)
        prediction = self._prediction.get(key)
        if prediction is None:
            prediction = self._prediction[key] = _Prediction.of(self.state, *key)
        return prediction.run(x)


def _encode_gradients(encoder: Encoder, batches: Batches, order: int, momentum: bool) -> None:
    weights = 0 if batches.weight is None else address(batches.weight)
    encoder.gather(batches.x.dtype.name, encoder.hold(batches.x), order)
    encoder.weights(order, weights)
    encoder.forward(training=True, momentum=momentum)
    encoder.loss(batches, order)
    encoder.backward()
    encoder.report()


class CompiledSession:
    """One fit in progress: the tables, the order of rows, and the threads."""

    def __init__(
        self,
        state: State,
        batches: Batches,
        rates: list[float | Array],
        n_threads: int | str,
    ) -> None:
        self._state = state
        self._batches = batches
        program = state.program
        rows = min(batches.size, batches.n_rows)
        self._rates = [np.zeros(batches.count if np.ndim(rate) else 1) for rate in rates]
        self._order = np.arange(batches.n_rows) if batches.shuffled else None
        order = 0 if self._order is None else address(self._order)
        encoder = Encoder(state, for_training(program, reads_z), program.ops, rows)
        _encode_gradients(encoder, batches, order, momentum=True)
        encoder.update(self._rates)
        workers = choose_threads(n_threads, program, rows, encoder.tasks.most_shards)
        self._executable = Executable(encoder, workers)
        self._blas = single_threaded()
        self._blas.__enter__()
        self._team = Team(self._executable, workers)
        flops = 6 * program.n_parameters * rows
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


@dataclass
class _Prediction:
    """A forward pass over blocks of rows of one dtype, made once and used again."""

    executable: Executable
    source: list[int]
    target: list[int]
    width: int
    dtype: str

    @classmethod
    def of(cls, state: State, x_dtype: str, head: bool) -> _Prediction:
        program = state.program
        ops, output = inference_ops(program, head)
        storage = for_inference(program.input, ops)
        encoder = Encoder(state, storage, ops, _PREDICTION_ROWS)
        encoder.gather(x_dtype, 0, 0)
        encoder.forward(training=False)
        encoder.store(output, 0)
        source, target = encoder.tasks.rows_of("gather_rows"), encoder.tasks.rows_of("store_rows")
        return cls(Executable(encoder), source, target, output.width, program.dtype)

    def run(self, x: Array) -> Array:
        out = np.empty((len(x), self.width), dtype=self.dtype)
        table = self.executable.table
        table[self.source, 3] = address(x)
        table[self.target, 5] = address(out)
        count = -(-len(x) // _PREDICTION_ROWS)
        if len(x) < _PREDICTION_ROWS:
            self.executable.run_as(0, 0, count, _PREDICTION_ROWS, len(x))
        else:
            with single_threaded():
                self.executable.run_as(0, 0, count, _PREDICTION_ROWS, len(x))
        return out
