"""The NumPy runner: a few loops over the reference, which say what running a program means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..data.batches import Batches
from ..data.rows import as_dtype
from ..program.operation import Operation, Slot
from ..program.state import State, Weights
from .interrupts import uninterrupted
from .numpy_forward import check_finite
from .reference_loss import count_correct, loss_and_gradients
from .reference_loss import head_loss as head_loss
from .reference_loss import output_from_head as output_from_head
from .reference_loss import reported_loss as reported_loss
from .reference_ops import REFERENCE as REFERENCE
from .reference_ops import forward as forward
from .reference_pass import Pass as Pass
from .reference_update import clip, update_group
from .runner import BatchGradients

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array

# Rows that a prediction is made of at a time: activations stay in the cache.
_BLOCK_ROWS = 1024


def predict(
    weights: State | Weights, ops: tuple[Operation, ...], output: Slot, x: Features
) -> Array:
    """Return the values of a slot for all rows, block by block."""
    blocks = []
    with np.errstate(all="ignore"):
        for start in range(0, len(x), _BLOCK_ROWS):
            run = Pass(weights, training=False)
            run.feed(x[start : start + _BLOCK_ROWS])
            forward(ops, run)
            blocks.append(run.values[output])
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


class NumpyRunner:
    """A runner with the reference kernels.

    Both runners have these methods; nothing outside them knows which one it works with.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def session(
        self, batches: Batches, rates: list[float | Array], stops: bool = True
    ) -> NumpySession:
        """Make ready to train on these rows; `rates` tells what learning rates will look like."""
        return NumpySession(self.state, batches, stops)

    def evaluate_batch(self, x: Features, y: Array, weight: Array | None) -> BatchGradients:
        """Return a batch's loss and flat gradient as in training; nothing is changed."""
        state = self.state.with_own_gradients()
        with np.errstate(all="ignore"):
            found = loss_and_gradients(state, x, y, weight, True, False)
        return BatchGradients(found.loss, found.penalty, state.gradients)

    def gradients(self, x: Features, y: Array, weight: Array | None, training: bool) -> Array:
        """Return the flat gradient of a batch; nothing is changed."""
        state = self.state.with_own_gradients()
        with np.errstate(all="ignore"):
            loss_and_gradients(state, x, y, weight, training, False)
        return state.gradients

    def objective(self, x: Features, y: Array, weight: Array | None) -> NumpyObjective:
        """Make ready to evaluate loss and gradient of these rows, again and again."""
        return NumpyObjective(self, x, y, weight)

    def predict(self, x: Features, head: bool = False, checks_finite: bool = False) -> Array:
        """Return the network's output for all rows; with `head`, the head's input."""
        program = self.state.program
        if checks_finite:
            check_finite(as_dtype(x, program.dtype))
        ops = program.ops if head else program.ops + program.output_ops
        return predict(self.state, ops, program.head.slot if head else program.output, x)


class NumpyObjective:
    """Loss and gradient of the same rows."""

    def __init__(self, runner: NumpyRunner, x: Features, y: Array, weight: Array | None) -> None:
        self._runner, self._rows = runner, (x, y, weight)

    def evaluate(self) -> BatchGradients:
        """Return both as in training."""
        return self._runner.evaluate_batch(*self._rows)

    def close(self) -> None:
        """Release what is held between calls."""


class NumpySession:
    """One fit in progress."""

    def __init__(self, state: State, batches: Batches, stops: bool = True) -> None:
        self._state = state
        self._batches = batches
        self._stops = stops
        self._schedules = list(state.program.schedules)
        self.start_epoch([])

    def start_epoch(self, rates: list[float | Array]) -> None:
        """Begin an epoch with the learning rate of each optimizer."""
        self._rates = rates
        self.loss_sum = self.penalty_sum = self.correct_sum = 0.0
        self.rows_sum = 0

    def run(self, first: int) -> int:
        """Train on one or more batches from `first` on and return the number of the next.

        Raises
        ------
        FloatingPointError
            The loss of the batch is not finite; its number is the first argument.
        """
        state, program = self._state, self._state.program
        x, y, weight = self._batches.take(first, program.dtype)
        if weight is not None and not weight.sum():
            return first + 1
        with np.errstate(all="ignore"), uninterrupted():
            values = dict(zip(self._schedules, self._values_of(first), strict=True))
            for (name, number), value in values.items():
                if name == "rate":
                    state.dropout_rates[number] = value
            found = loss_and_gradients(state, x, y, weight, training=True, update=True)
            if self._stops and not np.isfinite(found.loss):
                raise FloatingPointError(first)
            clip(state)
            for number, group in enumerate(program.groups):
                own = {name: x for (name, k), x in values.items() if k == group.optimizer}
                update_group(state, number, group, own)
            state.step += 1
        self.loss_sum += found.loss * len(x)
        self.penalty_sum += found.penalty * len(x)
        self.correct_sum += count_correct(state, found.head_input, y)
        self.rows_sum += len(x)
        return first + 1

    def _values_of(self, step: int) -> list[float]:
        """Return the value of each schedule in a step of the epoch."""
        return [float(x[step] if isinstance(x, np.ndarray) else x) for x in self._rates]

    def close(self) -> None:
        """Release what the session holds."""


def activations(state: State, x: Features, training: bool) -> dict[str, Array]:
    """Return the recorded slots of a forward pass by name."""
    program = state.program
    run = Pass(state, training, update_statistics=False)
    run.feed(x)
    with np.errstate(all="ignore"):
        forward(program.ops + program.output_ops, run)
    return {name: run.values[slot].copy() for name, slot in program.records}
