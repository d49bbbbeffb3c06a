# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Piecewise linear encodings over a range of columns, compiled."""

from __future__ import annotations

import math

from ..machine.arguments import Pointer
from ..machine.intrinsics import cast
from ..machine.op import ROWS, op
from ..machine.options import device


@device
def _scale(low, high, one, zero):
    return one / (high - low) if high > low else zero


@op()
def piecewise_linear_forward(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    ld_x: int,
    out: Pointer,
    ld_out: int,
    columns: int,
    bins: int,
    edges: Pointer,
):
    """How far x has come through each bin of its column; see the reference."""
    one, zero, infinity = cast(variant, 1.0), cast(variant, 0.0), cast(variant, math.inf)
    for c in range(columns):
        for b in range(bins):
            low, high = edges[c * (bins + 1) + b], edges[c * (bins + 1) + b + 1]
            scale, place = _scale(low, high, one, zero), c * bins + b
            least = -infinity if b == 0 else zero
            most = infinity if b == bins - 1 else one
            for i in range(rows):
                value = x[i * ld_x + c]
                share = (value - low) * scale
                if scale == zero:
                    share = one if value >= low else zero
                share = least if share < least else share
                out[i * ld_out + place] = most if share > most else share


@op(reduction=True)
def piecewise_linear_backward(
    variant,
    *,
    rows=ROWS,
    d: Pointer,
    ld_d: int,
    x: Pointer,
    ld_x: int,
    d_x: Pointer,
    columns: int,
    bins: int,
    edges: Pointer,
    accumulate: bool,
):
    """The gradient of x, as long in a row as x; `accumulate` adds to it."""
    one, zero = cast(variant, 1.0), cast(variant, 0.0)
    for i in range(rows):
        for c in range(columns):
            value, total = x[i * ld_x + c], zero
            for b in range(bins):
                low, high = edges[c * (bins + 1) + b], edges[c * (bins + 1) + b + 1]
                above, below = b == 0 or value >= low, b == bins - 1 or value < high
                if above and below:
                    total += d[i * ld_d + c * bins + b] * _scale(low, high, one, zero)
            place = i * ld_x + c
            d_x[place] = d_x[place] + total if accumulate else total
