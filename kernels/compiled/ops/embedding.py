# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Embeddings, compiled: rows of a table by their numbers, and the sum of gradients for each."""

from __future__ import annotations

import math

from ..machine.arguments import Pointer
from ..machine.intrinsics import cast
from ..machine.op import ROWS, op
from ..machine.options import device


@device
def _code(value, n_categories):
    """A code as an integer, or -1: X is the caller's, who may change it after the check."""
    return int(value) if 0 <= value < n_categories else -1


@op()
def embedding_forward(
    variant,
    *,
    rows=ROWS,
    codes: Pointer,
    ld_codes: int,
    weight: Pointer,
    n_categories: int,
    out: Pointer,
    ld: int,
    columns: int,
):
    """``out[i] = weight[codes[i]]``; NaN for a code that is none."""
    for i in range(rows):
        code = _code(codes[i * ld_codes], n_categories)
        if code < 0:
            for j in range(columns):
                out[i * ld + j] = cast(variant, math.nan)
        else:
            for j in range(columns):
                out[i * ld + j] = weight[code * columns + j]


@op()
def embedding_backward(
    variant,
    *,
    rows=ROWS,
    codes: Pointer,
    ld_codes: int,
    d: Pointer,
    ld: int,
    d_weight: Pointer,
    n_categories: int,
    columns: int,
):
    """``d_weight[codes[i]] += d[i]`` over all rows, onto zeros."""
    for k in range(n_categories * columns):
        d_weight[k] = cast(variant, 0.0)
    for i in range(rows):
        code = _code(codes[i * ld_codes], n_categories)
        if code >= 0:
            for j in range(columns):
                d_weight[code * columns + j] += d[i * ld + j]
