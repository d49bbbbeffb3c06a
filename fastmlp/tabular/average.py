"""Several networks as one: by the mean of their outputs, or of what their outputs are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.sequential import Sequential
from ..network.layers import Activation, Branch, Dense
from .temperature import scale_logits

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["averaged", "mean_output", "merged"]


def merged(members: Sequence[Sequential], factor: float = 1.0) -> Sequential:
    """Return a network whose logits, or numbers, are the mean of those of others; it can learn on.

    Parameters
    ----------
    members : sequence of Sequential
        Of the same layers, the last of which is Dense, built for the same columns. One alone is
        returned itself.
    factor : float
        Of the logits.
    """
    first = members[0]
    scale = factor / len(members)
    for member in members:
        if scale != 1.0:
            scale_logits(member, scale)
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
        for name, values in member.parameters.items():
            whole.parameters[f"0.{number}.{name}"][...] = values
    whole.training_state.awaits_rows = False
    whole.training_state.targets = first.training_state.targets
    return whole


def averaged(members: Sequence[Sequential]) -> Sequential:
    """Return a network that adds the outputs of others and divides by their number.

    It ends in a linear layer, whatever they end in: of probabilities the mean is the output itself.

    Parameters
    ----------
    members : sequence of Sequential
        Of the same layers, built for the same columns.
    """
    first = members[0]
    program = first.training_state.program
    whole = Sequential(
        [Branch(*(member.layers for member in members), merge="add"), Dense(program.output.width)],
        loss="mse",
        dtype=first.dtype,
        backend="numpy",
    ).build(program.input.width)
    for number, member in enumerate(members):
        for own, others in (
            (whole.parameters, member.parameters),
            (whole.buffers, member.buffers),
        ):
            for name, values in others.items():
                own[f"0.{number}.{name}"][...] = values
    whole.parameters["1.weight"][...] = np.eye(program.output.width) / len(members)
    whole.parameters["1.bias"][...] = 0.0
    return whole


def mean_output(members: Sequence[Sequential], X: Array) -> Array:
    """The mean of what networks say of rows, ``(n, units)``; of one network just that."""
    outputs = members[0].predict(X)
    if len(members) == 1:
        return outputs
    total = outputs.astype(np.float64)
    for member in members[1:]:
        total += member.predict(X)
    total /= len(members)
    return total
