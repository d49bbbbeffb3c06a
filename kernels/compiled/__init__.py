"""The kernels compiled by Numba: the same functions as the reference, and the ops behind them.

The functions take what those of the reference take and give the same results, by one call of the
op that a program would use on the whole range. An array that receives a result may be the input
whose place it takes, such as ``d_z`` that of ``d_out``, but may not overlap another.
"""

from __future__ import annotations

from .activations import activation_backward, activation_forward
from .batchnorm import batchnorm_backward, batchnorm_forward
from .dense import dense_backward, dense_forward
from .dropout import dropout_backward, dropout_forward, dropout_mask, philox4x32
from .embedding import embedding_backward, embedding_forward
from .gradients import add_penalty, clip_by_norm, clip_by_value
from .losses import (
    custom_loss,
    huber_loss,
    mean_absolute_error,
    mean_squared_error,
    poisson_loss,
    quantile_loss,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
)
from .ops import (
    activations,
    batchnorm,
    cross_entropy,
    dense,
    dropout,
    embedding,
    gradients,
    losses,
    optimizers,
    rows,
    softmax,
    sparse,
)
from .optimizers import (
    adagrad_update,
    adam_update,
    adamw_update,
    ftrl_update,
    nadam_update,
    rmsprop_update,
    sgd_update,
)
from .sparse import sparse_backward, sparse_forward

__all__ = [
    "activation_backward",
    "activation_forward",
    "adagrad_update",
    "adam_update",
    "adamw_update",
    "add_penalty",
    "batchnorm_backward",
    "batchnorm_forward",
    "clip_by_norm",
    "clip_by_value",
    "custom_loss",
    "dense_backward",
    "dense_forward",
    "dropout_backward",
    "dropout_forward",
    "dropout_mask",
    "embedding_backward",
    "embedding_forward",
    "ftrl_update",
    "huber_loss",
    "mean_absolute_error",
    "mean_squared_error",
    "nadam_update",
    "philox4x32",
    "poisson_loss",
    "quantile_loss",
    "rmsprop_update",
    "sgd_update",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_backward",
    "sparse_forward",
]

# Importing a module declares its ops.
_MODULES = (
    *(activations, batchnorm, cross_entropy, dense, dropout, embedding, gradients),
    *(losses, optimizers, rows, softmax, sparse),
)
