"""Batch normalisation on plain arrays."""

from __future__ import annotations

import numpy as np

from ..typing import Array
from .buffers import buffer, copied, writable
from .machine.call import call
from .ops import batchnorm as ops


def batchnorm_forward(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    momentum: float,
    epsilon: float,
    training: bool,
    *,
    out: Array | None = None,
    x_hat: Array | None = None,
    inv_std: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Normalise each column, then scale and shift it; see the reference."""
    rows, columns = x.shape
    out = buffer(out, x.shape, x.dtype)
    x_hat = copied(x, x_hat)
    inv_std = buffer(inv_std, columns, x.dtype)
    if training:
        writable(running_mean, running_var)
        call(
            ops.batchnorm_forward,
            x.dtype,
            rows,
            x=x_hat,
            out=out,
            ld=columns,
            columns=columns,
            gamma=gamma,
            beta=beta,
            running_mean=running_mean,
            running_var=running_var,
            mean=np.empty_like(gamma),
            inv_std=inv_std,
            momentum=momentum,
            epsilon=epsilon,
        )
        return out, x_hat, inv_std
    # With gamma = 1 and beta = 0 the result is x_hat and the scale is inv_std.
    plain = (x_hat, np.ones_like(gamma), np.zeros_like(beta), inv_std)
    scaled = (out, gamma, beta, np.empty_like(gamma))
    for result, factor, shift, scale in (plain, scaled):
        call(
            ops.batchnorm_inference,
            x.dtype,
            rows,
            x=x,
            out=result,
            ld=columns,
            columns=columns,
            gamma=factor,
            beta=shift,
            running_mean=running_mean,
            running_var=running_var,
            scale=scale,
            epsilon=epsilon,
        )
    return out, x_hat, inv_std


def batchnorm_backward(
    d_out: Array,
    x_hat: Array,
    inv_std: Array,
    gamma: Array,
    *,
    d_x: Array | None = None,
    d_gamma: Array | None = None,
    d_beta: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Compute the gradients of batch normalisation in training; see the reference."""
    rows, columns = d_out.shape
    d_x = copied(d_out, d_x)
    d_gamma = buffer(d_gamma, columns, d_out.dtype)
    d_beta = buffer(d_beta, columns, d_out.dtype)
    call(
        ops.batchnorm_backward,
        d_out.dtype,
        rows,
        d=d_x,
        x_hat=x_hat,
        ld=columns,
        columns=columns,
        gamma=gamma,
        inv_std=inv_std,
        d_gamma=d_gamma,
        d_beta=d_beta,
    )
    return d_x, d_gamma, d_beta
