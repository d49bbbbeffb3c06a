"""The error of a fit whose loss is not finite: which layer it began in, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import DivergenceError
from ..program.state import State

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array


def divergence_error(
    state: State, x: Features, y: Array, weight: Array | None, epoch: int, batch: int
) -> DivergenceError:
    """Find the first layer with values that are not finite, with the weights as they are."""
    layer = _broken_parameter(state) or _broken_slot(state, x)
    where = f"layer {layer}" if layer else "the loss itself"
    return DivergenceError(
        f"training is not finite in epoch {epoch}, batch {batch}: the first values that are NaN "
        f"or infinite are those of {where}. The weights of the last finite epoch are kept. Try a "
        "smaller learning rate, clip_norm=1.0 in the optimizer, or standardized features and "
        "targets."
    )


def _broken_parameter(state: State) -> str | None:
    parameters = ((tensor, state.parameter(tensor)) for tensor in state.program.parameters)
    buffers = ((tensor, state.buffer(tensor)) for tensor in state.program.buffers)
    for tensor, values in (*parameters, *buffers):
        if not np.isfinite(values).all():
            layer, _, name = tensor.name.rpartition(".")
            return f"{layer} (its {name})"
    return None


def _broken_slot(state: State, x: Features) -> str | None:
    # Needed where a fit has failed; to import the NumPy runner takes 1 ms.
    from ..runners.reference_ops import forward
    from ..runners.reference_pass import Pass

    program = state.program
    names = {slot: name.rpartition(".") for name, slot in program.records}
    run = Pass(state, training=True, update_statistics=False)
    run.feed(x)
    last = ""
    with np.errstate(all="ignore"):
        for op in program.ops:
            forward((op,), run)
            layer, _, name = names.get(op.out, (last, "", "value"))
            last = layer
            if op.training_only:
                continue
            if not np.isfinite(run.values[op.out]).all():
                return f"{layer} (its {name})"
    return None
