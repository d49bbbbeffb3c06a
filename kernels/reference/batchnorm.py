"""Batch normalization (Ioffe & Szegedy 2015)."""

from __future__ import annotations

import numpy as np

from ..typing import Array
from .buffers import store

__all__ = ["batchnorm_backward", "batchnorm_forward"]


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
    """Normalize each column, then scale and shift it.

    ``inv_std = 1 / sqrt(var + epsilon)``, ``x_hat = (x - mean) inv_std``,
    ``out = gamma x_hat + beta``.

    In training, mean and biased variance are those of the batch, and the running statistics are
    updated in place: ``running = (1 - momentum) running + momentum batch``, with the unbiased
    variance. One row has no unbiased variance: ``out`` is ``beta`` and the running statistics stay.
    In inference, mean and variance are the running ones.

    Parameters
    ----------
    x : (n, k) array
    gamma, beta : (k,) arrays
    running_mean, running_var : (k,) arrays
        Modified in training.
    momentum, epsilon : float
    training : bool
    out, x_hat : (n, k) arrays, optional
    inv_std : (k,) array, optional
        Receive the results.

    Returns
    -------
    out, x_hat : (n, k) arrays
    inv_std : (k,) array

    References
    ----------
    Ioffe & Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift", ICML 2015, algorithms 1 and 2.
    """
    n = len(x)
    if training:
        # Measured from the first row, so that a constant column of any size has variance 0.
        mean = x[0] + (x - x[0]).mean(axis=0)
        var = np.square(x - mean).mean(axis=0)
        if n > 1:
            running_mean[:] = (1.0 - momentum) * running_mean + momentum * mean
            running_var[:] = (1.0 - momentum) * running_var + momentum * (n / (n - 1)) * var
    else:
        mean, var = running_mean, running_var
    inv_std = store(1.0 / np.sqrt(var + epsilon), inv_std)
    x_hat = store((x - mean) * inv_std, x_hat)
    return store(gamma * x_hat + beta, out), x_hat, inv_std


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
    """Compute the gradients of batch normalization in training.

    ``d_beta = sum d_out``, ``d_gamma = sum d_out x_hat`` over the n rows, and, since ``x_hat``
    depends on every row through the mean and the variance,
    ``d_x = gamma inv_std (d_out - d_beta / n - x_hat d_gamma / n)``.

    Parameters
    ----------
    d_out : (n, k) array
        Gradient of the loss with respect to ``out``.
    x_hat, inv_std : (n, k) and (k,) arrays
        Results of `batchnorm_forward` with ``training=True``.
    gamma : (k,) array
    d_x, d_gamma, d_beta : arrays, optional
        Receive the results.

    Returns
    -------
    d_x : (n, k) array
    d_gamma, d_beta : (k,) arrays

    References
    ----------
    Ioffe & Szegedy 2015, section 3; their chain of partial derivatives collapses to this form.
    """
    n = len(d_out)
    d_beta = store(d_out.sum(axis=0), d_beta)
    d_gamma = store((d_out * x_hat).sum(axis=0), d_gamma)
    d_x = store(gamma * inv_std * (d_out - d_beta / n - x_hat * (d_gamma / n)), d_x)
    return d_x, d_gamma, d_beta
