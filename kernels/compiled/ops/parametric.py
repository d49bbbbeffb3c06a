# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Activations mixed with the identity, over a range of columns, compiled.

The backward pass works the activation out once more: one exp takes less time than to write and read
its values.
"""

from __future__ import annotations

from ..machine.arguments import Number, Pointer
from ..machine.intrinsics import cast, is_same
from ..machine.op import ROWS, op
from .activations import ELEMENTWISE, backward_of, forward_of


@op(members=ELEMENTWISE)
def parametric_forward(
    variant,
    *,
    rows=ROWS,
    z: Pointer,
    out: Pointer,
    ld: int,
    columns: int,
    weight: Pointer,
    parameter: Number,
):
    """``out = z + weight * (f(z) - z)``; in place where z and out are one."""
    for i in range(rows):
        first = i * ld
        if not is_same(z, out):
            for j in range(columns):
                out[first + j] = z[first + j]
        for j in range(columns):
            value = out[first + j]
            bend = forward_of(variant, value, parameter) - value
            out[first + j] = value + weight[j] * bend


@op(members=ELEMENTWISE)
def parametric_backward(
    variant,
    *,
    rows=ROWS,
    z: Pointer,
    d: Pointer,
    ld: int,
    columns: int,
    weight: Pointer,
    d_weight: Pointer,
    parameter: Number,
):
    """The gradients of weight and, in place of that of out, of z."""
    for j in range(columns):
        d_weight[j] = cast(variant, 0.0)
    for i in range(rows):
        for j in range(columns):
            value, gradient = z[i * ld + j], d[i * ld + j]
            f, share = forward_of(variant, value, parameter), weight[j] * gradient
            d_weight[j] += gradient * (f - value)
            d[i * ld + j] = (gradient - share) + backward_of(variant, share, value, f, parameter)
