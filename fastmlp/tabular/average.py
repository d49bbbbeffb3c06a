"""Several networks as one, by the mean of their logits, or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.sequential import Sequential
from ..network.layers import Activation, Branch
from ..training.examples import read_rows

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["mean_output", "merged"]


def merged(members: Sequence[Sequential]) -> Sequential:
    """Return a network whose logits, or numbers, are the mean of those of others; it can learn on.

    Parameters
    ----------
    members : sequence of Sequential
        Of the same layers, the last of which is Dense, built for the same columns. One alone is
        returned itself.
    """
    first = members[0]
    if len(members) == 1:
        return first
    last: Any = first.layers[-1]
    path = [*first.layers[:-1], replace(last, activation="linear")]
    whole = Sequential(
        [Branch(*[path] * len(members), merge="add"), Activation(last.activation)],
        loss=first.loss,
        optimizer=first.optimizer,
        dtype=first.dtype,
        backend=first.backend,
        random_state=first.random_state,
        n_threads=first.n_threads,
    ).build(first.training_state.program.input.width)
    for number, member in enumerate(members):
        names = list(member.parameters)
        for name, values in member.parameters.items():
            # Weights and biases of the last layer.
            share = 1 / len(members) if name in names[-2:] else 1.0
            whole.parameters[f"0.{number}.{name}"][...] = share * values
    whole.training_state.awaits_rows = False
    whole.training_state.targets = first.training_state.targets
    return whole


def mean_output(members: Sequence[Sequential], X: Array) -> Array:
    """What `merged` networks say of rows, ``(n, units)``, from each of them; of one just that."""
    first = members[0]
    if len(members) == 1:
        return first.predict(X)
    # Those who have one network need no NumPy runner, which takes 1 ms to import.
    from ..runners.numpy_runner import output_from_head

    rows = read_rows(first.training_state, X).x
    total = np.zeros((len(rows), first.training_state.program.head.slot.width))
    for member in members:
        total += member.runner.predict(rows, head=True)
    total /= len(members)
    return output_from_head(first.training_state.program, total)
