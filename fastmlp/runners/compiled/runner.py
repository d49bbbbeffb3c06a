"""The compiled runner: lowers a program to tables and runs it without Python in an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.batches import Batches
from ...data.rows import Layout
from ...kernels.compiled.machine.op import (
    CORRECT_SUM,
    LAST_LOSS,
    LAST_PENALTY,
    LOSS_SUM,
    PENALTY_SUM,
    ROWS_SUM,
    STEP,
)
from ...program.program import inference_ops
from ...program.state import State
from ..cores import available_cores
from ..interrupts import uninterrupted
from ..runner import BatchGradients
from .buffer_plan import for_training
from .executable import Executable
from .executable_cache import ExecutableCache
from .lowering import Lowering, reads_z
from .lowering_training import lower_gradients, lower_update
from .objective import CompiledObjective
from .prediction import CompiledForward
from .tasks import Symbol, bound_rows
from .workers import Team, training_threads

if TYPE_CHECKING:
    from ...data.rows import Features
    from ...kernels.typing import Array

# How long compiled code may run before Python looks at signals and progress.
_CHUNK_SECONDS = 0.03
_FIRST_CHUNK_FLOPS = 2e7


@dataclass(frozen=True, slots=True)
class _Kind:
    """What tables depend on beside the program: two fits of one kind share them."""

    layout: Layout
    rows: int
    class_indices: bool
    ordered: bool
    weighted: bool
    per_step: tuple[bool, ...] | None
    stops: bool

    @classmethod
    def of(cls, batches: Batches, rates: list[float | Array] | None, stops: bool = False) -> _Kind:
        rows = min(batches.size, batches.n_rows)
        return cls(
            Layout.of(batches.x, rows),
            rows,
            batches.y.ndim == 1,
            batches.order is not None,
            batches.weight is not None,
            None if rates is None else tuple(bool(np.ndim(rate)) for rate in rates),
            stops,
        )


def _arrays(batches: Batches) -> dict[int, Array]:
    arrays = {**bound_rows(batches.x), Symbol.Y: batches.y}
    if batches.order is not None:
        arrays[Symbol.ORDER] = batches.order
    if batches.weight is not None:
        arrays[Symbol.WEIGHTS] = batches.weight
    return arrays


class CompiledRunner:
    """Runs a program by compiled kernels; the methods are those of `NumpyRunner`."""

    def __init__(self, state: State, n_threads: int | str = "auto") -> None:
        self.state = state
        self._n_threads = n_threads
        self._executables = ExecutableCache()
        self._forward: dict[tuple[bool, bool], CompiledForward] = {}

    def session(
        self, batches: Batches, rates: list[float | Array], stops: bool = True
    ) -> CompiledSession:
        """Make ready to train on these rows; `stops`: at a loss that is not finite."""
        kind = _Kind.of(batches, rates, stops)
        # Tables are made for as many workers as there are cores.
        key = kind, available_cores()
        executable = self._executables.take(key, lambda: self._training(kind))
        return CompiledSession(
            self.state,
            batches,
            rates,
            executable,
            self._n_threads == "auto",
            lambda: self._executables.give_back(key, executable),
        )

    def gradients(self, x: Features, y: Array, weight: Array | None, training: bool) -> Array:
        """The flat gradient of a batch; nothing is changed."""
        state = self.state
        if not training:
            # The NumPy runner takes 1 ms to import, and is needed here alone.
            from ..numpy_runner import NumpyRunner

            return NumpyRunner(state).gradients(x, y, weight, training)
        return self.evaluate_batch(x, y, weight).gradients

    def evaluate_batch(self, x: Features, y: Array, weight: Array | None) -> BatchGradients:
        """A batch's loss and flat gradient as in training; nothing is changed."""
        state = self.state
        batches = Batches(x, y, weight, len(x))
        kind = _Kind.of(batches, None)
        executable = self._executables.take(kind, lambda: self._training(kind))
        executable.bind(_arrays(batches))
        executable.counters[0, STEP] = state.step
        executable.run_as(0, 0, 1, len(x), len(x))
        assert executable.gradients is not None
        loss, penalty = executable.scalars[[LAST_LOSS, LAST_PENALTY]].tolist()
        found = BatchGradients(loss, penalty, executable.gradients.copy())
        self._executables.give_back(kind, executable)
        return found

    def objective(self, x: Features, y: Array, weight: Array | None) -> CompiledObjective:
        """Make ready to evaluate loss and gradient of these rows, again and again."""
        return CompiledObjective(self.state, Batches(x, y, weight, len(x)), self._n_threads)

    def predict(self, x: Features, head: bool = False, checks_finite: bool = False) -> Array:
        """The network's output for all rows; with `head`, what the loss reads."""
        forward = self._forward.get((head, checks_finite))
        if forward is None:
            ops, output = inference_ops(self.state.program, head)
            forward = CompiledForward(self.state, ops, output, self._n_threads, checks_finite)
            self._forward[head, checks_finite] = forward
        return forward(x)

    def _training(self, kind: _Kind) -> Executable:
        program, updates = self.state.program, kind.per_step is not None
        plan = for_training(program, reads_z, kind.layout.is_sparse)
        state = self.state if updates else self.state.with_own_gradients()
        per_step = kind.per_step or ()
        lowering = Lowering(state, plan, program.ops, kind.rows, True, updates, per_step)
        lower_gradients(lowering, kind.layout, kind.class_indices, kind.ordered, kind.weighted)
        workers = 1
        if updates:
            lower_update(lowering, kind.stops)
            shards = lowering.tasks.most_shards
            workers = training_threads(self._n_threads, program, kind.rows, shards)
        return Executable(lowering, workers, state.gradients)


class CompiledSession:
    """One fit in progress: the bound tables and the threads."""

    def __init__(
        self,
        state: State,
        batches: Batches,
        rates: list[float | Array],
        executable: Executable,
        gives_way: bool,
        give_back: Callable[[], None],
    ) -> None:
        self._give_back = give_back
        self._state = state
        self._batches = batches
        self._executable = executable
        self._rates = [np.zeros(batches.count if np.ndim(rate) else 1) for rate in rates]
        rates_by_symbol = {Symbol.RATES - k: rate for k, rate in enumerate(self._rates)}
        executable.bind(_arrays(batches) | rates_by_symbol)
        # Of weights whose touched rows are listed, the others' gradients must be zero.
        listed = [group for group in state.program.groups if group.weight is not None]
        few = Layout.of(batches.x, min(batches.size, batches.n_rows)).touches_few
        self._zeros = [state.gradients[g.start : g.stop] for g in listed] if few else []
        self._team = Team(executable, executable.workers, gives_way)
        flops = 6 * state.program.n_parameters * min(batches.size, batches.n_rows)
        self._chunk = max(1, int(_FIRST_CHUNK_FLOPS / flops))

    def start_epoch(self, rates: list[float | Array]) -> None:
        """Begin an epoch with the learning rate of each optimizer."""
        for bound, rate in zip(self._rates, rates, strict=True):
            bound[:] = rate
        self._executable.scalars[LOSS_SUM] = 0.0
        self._executable.scalars[PENALTY_SUM] = 0.0
        self._executable.scalars[ROWS_SUM] = 0.0
        self._executable.scalars[CORRECT_SUM] = 0.0

    @property
    def loss_sum(self) -> float:
        """Sum over the epoch's batches of rows times loss."""
        return float(self._executable.scalars[LOSS_SUM])

    @property
    def penalty_sum(self) -> float:
        """The part of penalties in `loss_sum`."""
        return float(self._executable.scalars[PENALTY_SUM])

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
            The loss of a batch is not finite, and the session stops at such; its number is the
            first argument.
        """
        batches, state = self._batches, self._state
        last = min(first + self._chunk, batches.count)
        counters = self._executable.counters
        counters[:, STEP] = state.step
        start = time.perf_counter()
        for gradients in self._zeros:
            # Others may have written there since, such as a callback's own step.
            gradients[:] = 0.0
        # Steps and their count are one thing. In compiled code no signal is heard anyway.
        with uninterrupted():
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
        """Let the threads go, and the tables for the next fit."""
        self._team.close()
        self._give_back()
