# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Softmax over rows, compiled: as a hidden layer or an output.

Its ops need whole rows, so they are cut by rows: share `shard` of `shards`.
"""

from __future__ import annotations

from ..machine.arguments import Pointer
from ..machine.intrinsics import cast, is_same
from ..machine.math import exp
from ..machine.op import ROWS, op
from ..machine.options import device_reduction
from .rows import copied, share_of_rows


@device_reduction
def _row_maximum(z, start, columns):
    largest = z[start]
    for j in range(start + 1, start + columns):
        value = z[j]
        largest = value if value > largest else largest
    return largest


@device_reduction
def _exponentials(variant, z, start, columns, largest):
    """Put ``exp(z - largest)`` in the place of z and return the sum.

    In place, because for two arrays there would be two compiled loops, of which their distance in
    memory chooses one: the order of the sum, and so its last bit, would depend on that.
    """
    total = cast(variant, 0.0)
    for j in range(start, start + columns):
        value = exp(z[j] - largest)
        z[j] = value
        total += value
    return total


@op()
def softmax_forward(
    variant,
    *,
    rows=ROWS,
    z: Pointer,
    out: Pointer,
    ld: int,
    columns: int,
    shard: int,
    shards: int,
):
    """``out = exp(z) / exp(z).sum(1)``; z and out may be one."""
    first, last = share_of_rows(rows, shard, shards)
    if not is_same(z, out):
        copied(first, last, columns, ld, z, out)
    for i in range(first, last):
        largest = _row_maximum(out, i * ld, columns)
        total = _exponentials(variant, out, i * ld, columns, largest)
        scale = cast(variant, 1.0) / total
        for j in range(i * ld, i * ld + columns):
            out[j] *= scale


@op(reduction=True)
def softmax_backward(
    variant,
    *,
    rows=ROWS,
    out: Pointer,
    d: Pointer,
    ld: int,
    columns: int,
    shard: int,
    shards: int,
):
    """``d = out * (d - (d * out).sum(1))``, in place: the gradient of out becomes that of z."""
    first, last = share_of_rows(rows, shard, shards)
    for i in range(first, last):
        total = cast(variant, 0.0)
        for j in range(i * ld, i * ld + columns):
            total += d[j] * out[j]
        for j in range(i * ld, i * ld + columns):
            d[j] = out[j] * (d[j] - total)
