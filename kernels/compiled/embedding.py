# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Embeddings on plain arrays."""

from __future__ import annotations

import numpy as np

from ..reference import embedding as reference
from .buffers import buffer
from .machine.call import call
from .ops import embedding as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.embedding_forward)
def embedding_forward(*, codes, weight, out):
    rows, (n_categories, dim) = len(codes), weight.shape
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
        columns=dim,
    )
    return out


@twin(reference.embedding_backward)
def embedding_backward(*, d_out, codes, n_categories, d_weight):
    rows, dim = d_out.shape
    d_weight = buffer(d_weight, (n_categories, dim), d_out.dtype)
    call(
        ops.embedding_backward,
        d_out.dtype,
        rows,
        codes=np.ascontiguousarray(codes, d_out.dtype),
        ld_codes=1,
        d=d_out,
        d_weight=d_weight,
        n_categories=n_categories,
        columns=dim,
    )
    return d_weight
