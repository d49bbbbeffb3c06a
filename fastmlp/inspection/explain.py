"""One example on its way through a network, and what the network learns from it, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_array
from ..data.rows import FeaturePair, SparseRows
from ..model.copying import copy_of
from ..program.state import view
from ..training.examples import read_rows
from .explain_ops import Traced, backward_steps, forward_step
from .explain_training import loss_steps, penalty_steps
from .explain_update import clipping_steps, update_steps
from .explanation import Explanation, Step

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array
    from ..model.sequential import Sequential


def explain_example(model: Sequential, x: Any, y: Any = None) -> Explanation:
    """Explain one example; see `Sequential.explain`."""
    x = tuple(map(_as_row, x)) if isinstance(x, tuple) and len(x) == 2 else _as_row(x)
    training = model.training_state
    features = read_rows(training, x, "x").x
    if len(features) != 1:
        raise ValueError(f"explain takes one example, got {len(features)} rows; pass X[i]")
    target = None
    if y is not None:
        y = _as_target(y)
        target = training.encoder().encode(y, 1, fit=False)

    program = training.program
    run = Traced(training.state.with_own_gradients(), training=target is not None)
    run.feed(_dense(features))
    with np.errstate(all="ignore"):
        inputs = [slot for slot in (program.wide, program.input) if slot is not None]
        steps = [
            Step("forward", run.name(slot), run.name(slot), {run.name(slot): run.values[slot]})
            for slot in inputs
        ]
        steps += [forward_step(op, run) for op in program.ops + program.output_ops]
        if target is not None:
            steps += loss_steps(run, target)
            for op in reversed(program.ops):
                if op.out in run.gradients:
                    steps += backward_steps(op, run)
            steps += penalty_steps(run)
            steps += _update(model, x, y)
    kind = "A prediction" if target is None else "A training step"
    details = [program.dtype, f"{model.backend} backend"]
    if target is not None:
        details.insert(0, program.head.loss.name)
    return Explanation(f"{kind} on one example ({', '.join(details)})", tuple(steps))


def _as_row(x: Any) -> Any:
    # Of a table, the names of its columns are looked at later.
    array = x if hasattr(x, "tocsr") or hasattr(x, "columns") else check_array("x", x)
    return array.reshape(1, -1) if array.ndim == 1 else array


def _as_target(y: Any) -> Any:
    array = np.asarray(y)
    if array.ndim == 0:
        return array.reshape(1)
    return array.reshape(1, -1) if array.ndim == 1 and array.size > 1 else array


def _dense(features: Features) -> Features:
    """Return the features with a sparse part made dense: it is one row."""
    if isinstance(features, FeaturePair) and isinstance(features.wide, SparseRows):
        rows = features.wide
        wide = np.zeros(rows.shape, rows.data.dtype)
        np.add.at(wide[0], rows.indices, rows.data)
        return FeaturePair(wide, features.deep)
    return features


def _update(model: Sequential, x: Any, y: Any) -> list[Step]:
    """Do to a copy of the model what `train_step` does with its gradients, and tell it."""
    training = model.training_state
    clipped = training.state.with_own_gradients()
    _fill(clipped.gradients, training.program.parameters, model.gradients(x, y))
    steps = list(clipping_steps(clipped))
    values = (float(np.ravel(rate)[0]) for rate in training.rates(1))
    rates = dict(zip(training.program.schedules, values, strict=True))
    other = copy_of(model)
    # Within a fit, schedules of its progress look at it.
    other.training_state.unfinished = training.unfinished
    other.train_step(x, y)
    after = other.training_state.state
    return steps + list(update_steps(training.state, after, clipped.gradients, rates))


def _fill(vector: Array, tensors: Any, named: dict[str, Array]) -> None:
    for tensor in tensors:
        view(vector, tensor)[...] = named[tensor.name]
