# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""What happens to gradients between the backward pass and the optimizer, on plain arrays."""

from __future__ import annotations

import math

from ..reference import gradients as reference
from .buffers import writable
from .machine.call import call, new_scalars
from .machine.op import N_SCALARS
from .ops import gradients as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.add_penalty)
def add_penalty(*, weight, d_weight, **unchanged):
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
        **unchanged,
    )
    return float(scalars[N_SCALARS])


@twin(reference.clip_by_value)
def clip_by_value(*, gradients, **unchanged):
    writable(gradients)
    count = gradients.size
    call(ops.clip_by_value, gradients.dtype, gradients=gradients, count=count, **unchanged)


@twin(reference.clip_by_norm)
def clip_by_norm(*, gradients, limit):
    writable(gradients)
    scalars = new_scalars(1)
    vector = {"scalars": scalars, "gradients": gradients, "count": gradients.size}
    call(ops.sum_of_squares, gradients.dtype, total=N_SCALARS, **vector)
    call(ops.clip_by_norm, gradients.dtype, totals=N_SCALARS, n_totals=1, limit=limit, **vector)
    return math.sqrt(scalars[N_SCALARS])
