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
    from ..runners.numpy_runner import Pass
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
            _draw_dense(op, run, waiting, rng)
        else:
            forward((op,), run)


def _draw_dense(
    op: DenseOp, run: Pass, waiting: Mapping[str, str], rng: np.random.Generator
) -> None:
    """Draw weight and bias of a layer, and leave what it makes of the rows; by one product."""
    # As above.
    from ..runners.numpy_runner import forward

    weight = run.weights.parameter(op.weight)
    is_drawn = waiting.get(op.weight.name) == "std"
    if is_drawn:
        weight[...] = rng.standard_normal(weight.shape)
    forward((replace(op, bias=None),), run)
    z = run.values[op.out]
    if is_drawn:
        deviation = z.std(axis=0)
        deviation = np.where(deviation > 0, deviation, 1.0).astype(z.dtype)
        weight /= deviation
        z /= deviation
    if op.bias is not None:
        bias = run.weights.parameter(op.bias)
        if waiting.get(op.bias.name) == "he+5":
            bias[...] = -_random_means(z, rng)
        z += bias


def _random_means(z: Array, rng: np.random.Generator) -> Array:
    """Of each column, a mean of some rows, its weights uniform on the simplex."""
    rows, units = z.shape
    chosen = rng.integers(0, rows, (units, _SIMPLEX))
    share = rng.standard_exponential((units, _SIMPLEX))
    share /= share.sum(axis=1, keepdims=True)
    means: Array = (z[chosen, np.arange(units)[:, np.newaxis]] * share).sum(axis=1)
    return means
