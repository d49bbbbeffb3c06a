# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Embeddings, compiled: rows of a table by their numbers, and the sum of gradients for each."""

from __future__ import annotations

import math

from ..machine.intrinsics import cast, pointer
from ..machine.op import ROWS, op
from ..machine.options import device


@device
def _code(value, n_categories):
    """A code as an integer, or -1: X is the caller's, who may change it after the check."""
    return int(value) if 0 <= value < n_categories else -1


@op("codes", "ld_codes", "weight", "n_categories", "out", "ld", "columns")
def embedding_forward(variant, args, attributes, counters, scalars):
    """``out[i] = weight[codes[i]]``; NaN for a code that is none."""
    codes, weight, out = (
        pointer(variant, args[0]),
        pointer(variant, args[2]),
        pointer(variant, args[4]),
    )
    ld_codes, n_categories, ld, columns = args[1], args[3], args[5], args[6]
    for i in range(counters[ROWS]):
        code = _code(codes[i * ld_codes], n_categories)
        if code < 0:
            for j in range(columns):
                out[i * ld + j] = cast(variant, math.nan)
        else:
            for j in range(columns):
                out[i * ld + j] = weight[code * columns + j]


@op("codes", "ld_codes", "d", "ld", "d_weight", "n_categories", "columns")
def embedding_backward(variant, args, attributes, counters, scalars):
    """``d_weight[codes[i]] += d[i]`` over all rows, onto zeros."""
    codes, d, d_weight = (
        pointer(variant, args[0]),
        pointer(variant, args[2]),
        pointer(variant, args[4]),
    )
    ld_codes, ld, n_categories, columns = args[1], args[3], args[5], args[6]
    for k in range(n_categories * columns):
        d_weight[k] = cast(variant, 0.0)
    for i in range(counters[ROWS]):
        code = _code(codes[i * ld_codes], n_categories)
        if code >= 0:
            for j in range(columns):
                d_weight[code * columns + j] += d[i * ld + j]
