# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Batch normalization over a range of columns, compiled. Statistics are sums over rows."""

from __future__ import annotations

import math

from ..machine.arguments import Number, Pointer
from ..machine.intrinsics import cast, is_same
from ..machine.op import ROWS, op
from .rows import copied


@op()
def batchnorm_forward(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    out: Pointer,
    ld: int,
    columns: int,
    gamma: Pointer,
    beta: Pointer,
    running_mean: Pointer,
    running_var: Pointer,
    mean: Pointer,
    inv_std: Pointer,
    momentum: float,
    epsilon: Number,
):
    """Normalize with the batch's statistics; x becomes x_hat in place."""
    rate, keep = cast(variant, momentum), cast(variant, 1.0 - momentum)
    zero, one = cast(variant, 0.0), cast(variant, 1.0)
    share = cast(variant, 1.0 / rows)
    for j in range(columns):
        mean[j] = zero
        inv_std[j] = zero
    # Summed as distances from the first row, so that a constant column is exactly its own mean.
    for i in range(1, rows):
        for j in range(columns):
            mean[j] += x[i * ld + j] - x[j]
    for j in range(columns):
        mean[j] = x[j] + share * mean[j]
    for i in range(rows):
        for j in range(columns):
            centred = x[i * ld + j] - mean[j]
            x[i * ld + j] = centred
            inv_std[j] += centred * centred
    if rows > 1:
        unbiased = cast(variant, 1.0 / (rows - 1))
        for j in range(columns):
            running_mean[j] = keep * running_mean[j] + rate * mean[j]
            running_var[j] = keep * running_var[j] + rate * (inv_std[j] * unbiased)
    for j in range(columns):
        inv_std[j] = one / cast(variant, math.sqrt(inv_std[j] * share + epsilon))
    for i in range(rows):
        for j in range(columns):
            normalized = x[i * ld + j] * inv_std[j]
            x[i * ld + j] = normalized
            out[i * ld + j] = gamma[j] * normalized + beta[j]


@op()
def batchnorm_inference(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    out: Pointer,
    ld: int,
    columns: int,
    gamma: Pointer,
    beta: Pointer,
    running_mean: Pointer,
    running_var: Pointer,
    scale: Pointer,
    epsilon: Number,
):
    """Normalize with the running statistics; in place where x and out are one."""
    for j in range(columns):
        scale[j] = gamma[j] / cast(variant, math.sqrt(running_var[j] + epsilon))
    if not is_same(x, out):
        copied(0, rows, columns, ld, x, out)
    for i in range(rows):
        for j in range(columns):
            out[i * ld + j] = (out[i * ld + j] - running_mean[j]) * scale[j] + beta[j]


@op()
def batchnorm_backward(
    variant,
    *,
    rows=ROWS,
    d: Pointer,
    x_hat: Pointer,
    ld: int,
    columns: int,
    gamma: Pointer,
    inv_std: Pointer,
    d_gamma: Pointer,
    d_beta: Pointer,
):
    """``d_x = gamma * inv_std * (d - mean(d) - x_hat * mean(d * x_hat))``, in place of d."""
    zero, share = cast(variant, 0.0), cast(variant, 1.0 / rows)
    for j in range(columns):
        d_gamma[j] = zero
        d_beta[j] = zero
    for i in range(rows):
        for j in range(columns):
            d_beta[j] += d[i * ld + j]
            d_gamma[j] += d[i * ld + j] * x_hat[i * ld + j]
    for i in range(rows):
        for j in range(columns):
            centred = d[i * ld + j] - share * (d_beta[j] + x_hat[i * ld + j] * d_gamma[j])
            d[i * ld + j] = gamma[j] * inv_std[j] * centred
