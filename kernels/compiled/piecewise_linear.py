# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Piecewise linear encodings on plain arrays."""

from __future__ import annotations

from ..reference import piecewise_linear as reference
from .buffers import buffer
from .machine.call import call
from .ops import piecewise_linear as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.piecewise_linear_forward)
def piecewise_linear_forward(*, x, edges, out):
    (columns, n_edges), dtype = edges.shape, x.dtype
    sizes = {"columns": columns, "bins": n_edges - 1}
    out = buffer(out, (len(x), columns * (n_edges - 1)), dtype)
    call(ops.piecewise_linear_forward, dtype, len(x), x=x, out=out, edges=edges, **sizes)
    return out


@twin(reference.piecewise_linear_backward)
def piecewise_linear_backward(*, d_out, x, edges, d_x):
    (columns, n_edges), dtype = edges.shape, x.dtype
    sizes = {"columns": columns, "bins": n_edges - 1, "accumulate": False}
    d_x = buffer(d_x, x.shape, dtype)
    call(
        ops.piecewise_linear_backward,
        dtype,
        len(x),
        d=d_out,
        x=x,
        d_x=d_x,
        edges=edges,
        **sizes,
    )
    return d_x
