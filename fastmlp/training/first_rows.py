"""First weights and biases that look at rows: they are drawn where the first fit begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..program.ops import DenseOp
from ..program.program import inference_ops
from ..program.state import State

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array
    from .state import TrainingState

# Enough for deviations that are right to a percent.
_MOST_ROWS = 4096
# What is drawn here is of a stream of its own below the seed.
_STREAM = 6
# Rows of which a bias is minus a mean.
_SIMPLEX = 5

Sample = Callable[[int, np.random.Generator], "Features"]
"""Draws at most so many rows of X."""


def draw_from_rows(training: TrainingState, sample: Sample) -> None:
    """Draw what waits for rows; where nothing does, nothing is done."""
    if not training.awaits_rows or training.blueprint is None:
        return
    rng = np.random.default_rng([training.seed, _STREAM])
    waiting = {
        first.tensor.name: first.from_rows
        for first in training.blueprint.parameters
        if first.from_rows
    }
    with np.errstate(all="ignore"):
        _draw(training.state, waiting, sample(_MOST_ROWS, rng), rng)
    training.awaits_rows = False


def _draw(state: State, waiting: Mapping[str, str], x: Features, rng: np.random.Generator) -> None:
    """Go through the network, layer by layer, each drawn before its output is used."""
    # Compiled fits need no NumPy runner, which takes 1 ms to import.
    from ..runners.numpy_runner import Pass, forward

    run = Pass(state, training=True, update_statistics=False)
    run.feed(x)
    ops, _ = inference_ops(state.program, head=True)
    for op in ops:
        if isinstance(op, DenseOp):
            if waiting.get(op.weight.name) == "std":
                weight = state.parameter(op.weight)
                weight[...] = rng.standard_normal(weight.shape)
                forward((replace(op, bias=None),), run)
                deviation = run.values[op.out].std(axis=0)
                weight /= np.where(deviation > 0, deviation, 1.0)
            if op.bias is not None and waiting.get(op.bias.name) == "he+5":
                forward((replace(op, bias=None),), run)
                state.parameter(op.bias)[...] = -_random_means(run.values[op.out], rng)
        forward((op,), run)


def _random_means(z: Array, rng: np.random.Generator) -> Array:
    """Of each column, a mean of some rows, its weights uniform on the simplex."""
    rows, units = z.shape
    chosen = rng.integers(0, rows, (units, _SIMPLEX))
    share = rng.standard_exponential((units, _SIMPLEX))
    share /= share.sum(axis=1, keepdims=True)
    means: Array = (z[chosen, np.arange(units)[:, np.newaxis]] * share).sum(axis=1)
    return means
