"""The product of a sparse matrix and a weight on plain arrays."""

from __future__ import annotations

from typing import Any

from ..typing import Array
from .buffers import buffer
from .machine.call import call
from .ops import sparse as ops


def _rows(data: Array, indices: Array, indptr: Array) -> dict[str, Any]:
    """The arguments that say where sparse rows lie."""
    return {
        "data": data,
        "indices": indices,
        "index_bytes": indices.itemsize,
        "indptr": indptr,
        "order": None,
    }


def sparse_forward(
    data: Array, indices: Array, indptr: Array, weight: Array, *, out: Array | None = None
) -> Array:
    """Compute ``out = x W`` for a sparse x; see the reference."""
    rows, columns = len(indptr) - 1, weight.shape[1]
    out = buffer(out, (rows, columns), weight.dtype)
    call(
        ops.sparse_forward,
        weight.dtype,
        rows,
        member=data.dtype.name,
        **_rows(data, indices, indptr),
        weight=weight,
        ld_weight=columns,
        out=out,
        ld=columns,
        inputs=len(weight),
        columns=columns,
    )
    return out


def sparse_backward(
    d_out: Array,
    data: Array,
    indices: Array,
    indptr: Array,
    n_in: int,
    *,
    d_weight: Array | None = None,
) -> Array:
    """Compute the gradient of the weight, ``d_W = x^T d_out``; see the reference."""
    rows, columns = d_out.shape
    d_weight = buffer(d_weight, (n_in, columns), d_out.dtype)
    call(
        ops.sparse_backward,
        d_out.dtype,
        rows,
        member=data.dtype.name,
        **_rows(data, indices, indptr),
        d_out=d_out,
        ld=columns,
        d_weight=d_weight,
        ld_weight=columns,
        inputs=n_in,
        columns=columns,
        touched=None,
    )
    return d_weight
