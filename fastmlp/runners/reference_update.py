"""From gradients to new parameters, with NumPy: clipping, then each group's optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels import reference as kernels
from ..program.program import Group
from ..program.state import State


def clip(state: State) -> None:
    """Clip gradients by value, then by the norm over all parameters, group by group."""
    program = state.program
    for group in program.groups:
        limit = program.optimizers[group.optimizer].clip_value
        if limit is not None:
            kernels.clip_by_value(state.gradients[group.start : group.stop], limit)
    norm = float(np.sqrt(np.sum(np.square(state.gradients, dtype=np.float64))))
    for group in program.groups:
        limit = program.optimizers[group.optimizer].clip_norm
        if limit is not None and norm > limit:
            state.gradients[group.start : group.stop] *= limit / norm


def update_group(state: State, number: int, group: Group, rate: float) -> None:
    """Move a group's parameters by its optimizer."""
    optimizer = state.program.optimizers[group.optimizer]
    part = slice(group.start, group.stop)
    kept: list[Any] = [state.moments[i, part] for i in range(len(optimizer.slots))]
    p, g, step, constants = (
        state.parameters[part],
        state.gradients[part],
        state.step + 1,
        optimizer.constants,
    )
    if optimizer.kernel == "sgd_update":
        velocity = kept[0] if kept else None
        kernels.sgd_update(p, g, velocity, rate, constants[0], bool(constants[1]))
    elif optimizer.kernel == "nadam_update":
        product = state.products[number : number + 1]
        m, v = kept
        kernels.nadam_update(p, g, m, v, step, product, rate, *constants)
    elif optimizer.kernel in ("adam_update", "adamw_update"):
        getattr(kernels, optimizer.kernel)(p, g, *kept, step, rate, *constants)
    else:
        getattr(kernels, optimizer.kernel)(p, g, *kept, rate, *constants)
