"""The kernels compiled by Numba: the same functions as the reference, and the ops behind them."""

from __future__ import annotations

from . import (
    activations,
    batchnorm,
    dense,
    dropout,
    gradients,
    losses,
    optimizers,
    rows,
    softmax,
)

# Importing a module declares its ops.
_MODULES = (activations, batchnorm, dense, dropout, gradients, losses, optimizers, rows, softmax)
