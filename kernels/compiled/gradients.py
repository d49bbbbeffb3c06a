"""What happens to gradients between the backward pass and the optimizer, on plain arrays."""

from __future__ import annotations

import math

from ..typing import Array
from .buffers import writable
from .machine.call import call, new_scalars
from .machine.op import N_SCALARS
from .ops import gradients as ops


def add_penalty(weight: Array, d_weight: Array, l1: float, l2: float) -> float:
    """Add the gradient of a weight penalty to `d_weight`, in place; see the reference."""
    writable(d_weight)
    scalars = new_scalars(1)
    call(
        ops.add_penalty,
        weight.dtype,
        scalars=scalars,
        weight=weight,
        d_weight=d_weight,
        count=weight.size,
        penalty=N_SCALARS,
        l1=l1,
        l2=l2,
    )
    return float(scalars[N_SCALARS])


def clip_by_value(gradients: Array, limit: float) -> None:
    """Clip each entry to ``[-limit, limit]``, in place; see the reference."""
    writable(gradients)
    call(ops.clip_by_value, gradients.dtype, gradients=gradients, count=gradients.size, limit=limit)


def clip_by_norm(gradients: Array, limit: float) -> float:
    """Scale the whole vector by ``min(1, limit / norm)``, in place; see the reference."""
    writable(gradients)
    scalars = new_scalars(1)
    call(
        ops.sum_of_squares,
        gradients.dtype,
        scalars=scalars,
        gradients=gradients,
        count=gradients.size,
        total=N_SCALARS,
    )
    call(
        ops.clip_by_norm,
        gradients.dtype,
        scalars=scalars,
        gradients=gradients,
        count=gradients.size,
        totals=N_SCALARS,
        n_totals=1,
        limit=limit,
    )
    return math.sqrt(scalars[N_SCALARS])
