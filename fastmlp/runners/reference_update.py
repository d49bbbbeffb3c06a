"""From gradients to new parameters, with NumPy: clipping, then each group's optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..kernels.reference import optimizers
from ..kernels.reference.gradients import clip_by_value
from ..program.program import Group
from ..program.state import State


def clip(state: State) -> None:
    """Clip gradients by value, then by the norm over all parameters, group by group."""
    program = state.program
    for group in program.groups:
        limit = program.optimizers[group.optimizer].clip_value
        if limit is not None:
            clip_by_value(state.gradients[group.start : group.stop], limit)
    norm = float(np.sqrt(np.sum(np.square(state.gradients, dtype=np.float64))))
    for group in program.groups:
        limit = program.optimizers[group.optimizer].clip_norm
        if limit is not None and norm > limit:
            state.gradients[group.start : group.stop] *= limit / norm


def update_group(state: State, number: int, group: Group, scheduled: Mapping[str, float]) -> None:
    """Move a group's parameters by its optimizer.

    `scheduled` are the numbers of this step, by name: the learning rate, and others that follow a
    schedule.
    """
    optimizer = state.program.optimizers[group.optimizer]
    part = slice(group.start, group.stop)
    arguments: dict[str, Any] = dict.fromkeys(optimizer.slot_names)
    arguments |= group.constants(optimizer)
    names = ("learning_rate", *optimizer.scheduled)
    arguments |= {name: scheduled[name] * group.factor(name) for name in names}
    for row, name in enumerate(optimizer.slots):
        arguments[name] = state.moments[row, part]
    if optimizer.counts_steps:
        arguments["step"] = state.step + 1
    if optimizer.running_product:
        arguments[optimizer.running_product] = state.products[number : number + 1]
    getattr(optimizers, optimizer.kernel)(
        parameters=state.parameters[part],
        gradients=state.gradients[part],
        **arguments,
    )
