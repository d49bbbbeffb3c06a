# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Batch normalization on plain arrays."""

from __future__ import annotations

import numpy as np

from ..reference import batchnorm as reference
from .buffers import buffer, copied, writable
from .machine.call import call
from .ops import batchnorm as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.batchnorm_forward)
def batchnorm_forward(*, x, gamma, beta, momentum, training, out, x_hat, inv_std, **running):
    (rows, columns), out, x_hat = x.shape, buffer(out, x.shape, x.dtype), copied(x, x_hat)
    inv_std = buffer(inv_std, columns, x.dtype)
    if training:
        writable(running["running_mean"], running["running_var"])
        call(
            ops.batchnorm_forward,
            x.dtype,
            rows,
            x=x_hat,
            out=out,
            columns=columns,
            gamma=gamma,
            beta=beta,
            mean=np.empty_like(gamma),
            inv_std=inv_std,
            momentum=momentum,
            **running,
        )
        return out, x_hat, inv_std
    # With gamma = 1 and beta = 0 the result is x_hat and the scale is inv_std.
    plain = {"gamma": np.ones_like(gamma), "beta": np.zeros_like(beta), "scale": inv_std}
    scaled = {"gamma": gamma, "beta": beta, "scale": np.empty_like(gamma)}
    for result, factors in ((x_hat, plain), (out, scaled)):
        call(
            ops.batchnorm_inference,
            x.dtype,
            rows,
            x=x,
            out=result,
            columns=columns,
            **factors,
            **running,
        )
    return out, x_hat, inv_std


@twin(reference.batchnorm_backward)
def batchnorm_backward(*, d_out, d_x, d_gamma, d_beta, **unchanged):
    (rows, columns), d_x = d_out.shape, copied(d_out, d_x)
    d_gamma, d_beta = (buffer(d, columns, d_out.dtype) for d in (d_gamma, d_beta))
    call(
        ops.batchnorm_backward,
        d_out.dtype,
        rows,
        d=d_x,
        columns=columns,
        d_gamma=d_gamma,
        d_beta=d_beta,
        **unchanged,
    )
    return d_x, d_gamma, d_beta
