# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""A factor for each column, on plain arrays."""

from __future__ import annotations

from ..reference import scale as reference
from .buffers import buffer
from .machine.call import call
from .ops import scale as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.scale_forward)
def scale_forward(*, x, out, **unchanged):
    (rows, columns), out = x.shape, buffer(out, x.shape, x.dtype)
    call(ops.scale_forward, x.dtype, rows, x=x, out=out, columns=columns, **unchanged)
    return out


@twin(reference.scale_backward)
def scale_backward(*, d_out, d_x, d_scale, **unchanged):
    (rows, columns), dtype = d_out.shape, d_out.dtype
    d_x, d_scale = buffer(d_x, d_out.shape, dtype), buffer(d_scale, columns, dtype)
    call(
        ops.scale_backward,
        dtype,
        rows,
        d=d_out,
        d_x=d_x,
        columns=columns,
        d_scale=d_scale,
        accumulate=False,
        **unchanged,
    )
    return d_x, d_scale
