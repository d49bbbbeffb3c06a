# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Batch normalisation over a range of columns, compiled. Statistics are sums over rows."""

from __future__ import annotations

import math

from ..machine.intrinsics import cast, pointer
from ..machine.op import ROWS, op


@op(
    *("x", "out", "ld", "columns", "gamma", "beta", "running_mean", "running_var", "mean"),
    *("inv_std",),
    attributes=("momentum", "epsilon"),
)
def batchnorm_forward(variant, args, attributes, counters, scalars):
    """Normalise with the batch's statistics; x becomes x_hat in place."""
    x, out = pointer(variant, args[0]), pointer(variant, args[1])
    gamma, beta = pointer(variant, args[4]), pointer(variant, args[5])
    running_mean, running_var = pointer(variant, args[6]), pointer(variant, args[7])
    mean, inv_std = pointer(variant, args[8]), pointer(variant, args[9])
    ld, columns, rows = args[2], args[3], counters[ROWS]
    momentum, epsilon = cast(variant, attributes[0]), cast(variant, attributes[1])
    keep = cast(variant, 1.0 - attributes[0])
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
            running_mean[j] = keep * running_mean[j] + momentum * mean[j]
            running_var[j] = keep * running_var[j] + momentum * (inv_std[j] * unbiased)
    for j in range(columns):
        inv_std[j] = one / cast(variant, math.sqrt(inv_std[j] * share + epsilon))
    for i in range(rows):
        for j in range(columns):
            normalised = x[i * ld + j] * inv_std[j]
            x[i * ld + j] = normalised
            out[i * ld + j] = gamma[j] * normalised + beta[j]


@op(
    *("x", "out", "ld", "columns", "gamma", "beta", "running_mean", "running_var", "scale"),
    attributes=("epsilon",),
)
def batchnorm_inference(variant, args, attributes, counters, scalars):
    """Normalise with the running statistics; in place where x and out are one."""
    x, out = pointer(variant, args[0]), pointer(variant, args[1])
    gamma, beta = pointer(variant, args[4]), pointer(variant, args[5])
    running_mean, running_var = pointer(variant, args[6]), pointer(variant, args[7])
    scale = pointer(variant, args[8])
    ld, columns, rows = args[2], args[3], counters[ROWS]
    epsilon = cast(variant, attributes[0])
    for j in range(columns):
        scale[j] = gamma[j] / cast(variant, math.sqrt(running_var[j] + epsilon))
    for i in range(rows):
        if args[0] != args[1]:
            for j in range(columns):
                out[i * ld + j] = x[i * ld + j]
        for j in range(columns):
            out[i * ld + j] = (out[i * ld + j] - running_mean[j]) * scale[j] + beta[j]


@op("d", "x_hat", "ld", "columns", "gamma", "inv_std", "d_gamma", "d_beta")
def batchnorm_backward(variant, args, attributes, counters, scalars):
    """``d_x = gamma * inv_std * (d - mean(d) - x_hat * mean(d * x_hat))``, in place of d."""
    d, x_hat = pointer(variant, args[0]), pointer(variant, args[1])
    gamma, inv_std = pointer(variant, args[4]), pointer(variant, args[5])
    d_gamma, d_beta = pointer(variant, args[6]), pointer(variant, args[7])
    ld, columns, rows = args[2], args[3], counters[ROWS]
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
