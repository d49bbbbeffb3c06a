# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The product of a sparse matrix and a weight on plain arrays."""

from __future__ import annotations

from ..reference import sparse as reference
from .buffers import buffer
from .machine.call import call
from .ops import sparse as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.sparse_forward)
def sparse_forward(*, data, indices, indptr, weight, factor, out):
    rows, (inputs, columns) = len(indptr) - 1, weight.shape
    out = buffer(out, (rows, columns), weight.dtype)
    call(
        ops.sparse_forward,
        weight.dtype,
        rows,
        member=data.dtype.name,
        data=data,
        indices=indices,
        index_bytes=indices.itemsize,
        indptr=indptr,
        order=None,
        weight=weight,
        out=out,
        inputs=inputs,
        columns=columns,
        factor=factor,
    )
    return out


@twin(reference.sparse_backward)
def sparse_backward(*, d_out, data, indices, n_in, d_weight, **unchanged):
    rows, columns = d_out.shape
    d_weight = buffer(d_weight, (n_in, columns), d_out.dtype)
    call(
        ops.sparse_backward,
        d_out.dtype,
        rows,
        member=data.dtype.name,
        data=data,
        indices=indices,
        index_bytes=indices.itemsize,
        order=None,
        d_out=d_out,
        d_weight=d_weight,
        inputs=n_in,
        columns=columns,
        touched=None,
        **unchanged,
    )
    return d_weight
