# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""A factor for each column of a range, compiled."""

from __future__ import annotations

from ..machine.arguments import Pointer
from ..machine.intrinsics import cast, is_given
from ..machine.op import ROWS, op


@op()
def scale_forward(
    variant, *, rows=ROWS, x: Pointer, out: Pointer, ld: int, columns: int, scale: Pointer
):
    """``out = x * scale``."""
    for i in range(rows):
        for j in range(columns):
            out[i * ld + j] = x[i * ld + j] * scale[j]


@op()
def scale_backward(
    variant,
    *,
    rows=ROWS,
    d: Pointer,
    x: Pointer,
    d_x: Pointer,
    ld: int,
    columns: int,
    scale: Pointer,
    d_scale: Pointer,
    accumulate: bool,
):
    """The gradients of scale and, if its place is given, of x; `accumulate` adds to that."""
    for j in range(columns):
        d_scale[j] = cast(variant, 0.0)
    for i in range(rows):
        for j in range(columns):
            d_scale[j] += d[i * ld + j] * x[i * ld + j]
        if is_given(d_x):
            for j in range(columns):
                gradient = d[i * ld + j] * scale[j]
                d_x[i * ld + j] = d_x[i * ld + j] + gradient if accumulate else gradient
