# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Periodic embeddings on plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..reference import periodic as reference
from .buffers import buffer
from .machine.call import call
from .ops import periodic as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.periodic_forward)
def periodic_forward(*, x, bias, weight, out, **unchanged):
    (columns, waves, width), dtype = weight.shape, x.dtype
    out = buffer(out, (len(x), columns * width), dtype)
    call(
        ops.periodic_forward,
        dtype,
        len(x),
        x=x,
        out=out,
        columns=columns,
        waves=waves,
        width=width,
        weight=weight,
        bias=bias,
        scratch=np.empty(ops.scratch_size(width), dtype),
        **unchanged,
    )
    return out


@twin(reference.periodic_backward)
def periodic_backward(*, d_out, x, weight, frequency, d_x, d_weight, d_bias, **others):
    (columns, waves, width), dtype = weight.shape, x.dtype
    phase, d_frequency, d_phase = (others[name] for name in ("phase", "d_frequency", "d_phase"))
    results: dict[str, Any] = {
        "d_x": buffer(d_x, x.shape, dtype),
        "d_frequency": buffer(d_frequency, frequency.shape, dtype),
        "d_phase": buffer(d_phase, frequency.shape, dtype),
        "d_weight": buffer(d_weight, weight.shape, dtype),
        "d_bias": buffer(d_bias, (columns, width), dtype),
    }
    call(
        ops.periodic_backward,
        dtype,
        len(x),
        d=d_out,
        x=x,
        frequency=frequency,
        phase=phase,
        weight=weight,
        columns=columns,
        waves=waves,
        width=width,
        scratch=np.empty(ops.scratch_size(width), dtype),
        accumulate=False,
        **results,
    )
    return tuple(results.values())
