"""Several networks as one, whose output is the mean of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..model.sequential import Sequential
from ..network.layers import Branch, Dense

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["averaged", "mean_output"]


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
