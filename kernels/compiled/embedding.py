"""Embeddings on plain arrays."""

from __future__ import annotations

import numpy as np

from ..typing import Array
from .buffers import buffer
from .machine.call import call
from .ops import embedding as ops


def embedding_forward(codes: Array, weight: Array, *, out: Array | None = None) -> Array:
    """Look up vectors; see the reference."""
    n_categories, dim = weight.shape
    rows = len(codes)
    out = buffer(out, (rows, dim), weight.dtype)
    call(
        ops.embedding_forward,
        weight.dtype,
        rows,
        codes=np.ascontiguousarray(codes, weight.dtype),
        ld_codes=1,
        weight=weight,
        n_categories=n_categories,
        out=out,
        ld=dim,
        columns=dim,
    )
    return out


def embedding_backward(
    d_out: Array, codes: Array, n_categories: int, *, d_weight: Array | None = None
) -> Array:
    """Add up gradients by category; see the reference."""
    rows, dim = d_out.shape
    d_weight = buffer(d_weight, (n_categories, dim), d_out.dtype)
    call(
        ops.embedding_backward,
        d_out.dtype,
        rows,
        codes=np.ascontiguousarray(codes, d_out.dtype),
        ld_codes=1,
        d=d_out,
        ld=dim,
        d_weight=d_weight,
        n_categories=n_categories,
        columns=dim,
    )
    return d_weight
