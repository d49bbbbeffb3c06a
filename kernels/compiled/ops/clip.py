# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Bounds for each column of a range, compiled."""

from __future__ import annotations

from ..machine.arguments import Pointer
from ..machine.op import ROWS, op


@op()
def clip_columns(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    out: Pointer,
    ld: int,
    columns: int,
    low: Pointer,
    high: Pointer,
):
    """``out = min(max(x, low), high)``; out may be x, and NaN stays NaN."""
    for i in range(rows):
        for j in range(columns):
            value = x[i * ld + j]
            value = low[j] if value < low[j] else value
            out[i * ld + j] = high[j] if value > high[j] else value
