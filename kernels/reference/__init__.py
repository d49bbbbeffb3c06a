"""The kernels in NumPy: the specification of what every backend computes.

Each function is the formula of its docstring, written for reading. Arrays are C-contiguous and of
one dtype, float32 or float64; scalars are Python floats, so that constants are worked out in double
precision and arrays keep their dtype. Inputs are not modified unless the docstring says so. A
trailing argument that carries the name of a result receives that result. Shapes and dtypes are not
checked.
"""

from __future__ import annotations

from . import losses, optimizers
from .activations import activation_backward, activation_forward
from .batchnorm import batchnorm_backward, batchnorm_forward
from .dense import dense_backward, dense_forward
from .dropout import dropout_backward, dropout_forward, dropout_mask, philox4x32
from .embedding import embedding_backward, embedding_forward
from .gradients import add_penalty, clip_by_norm, clip_by_value

# A loss and an optimizer are listed once, in their modules.
from .losses import *  # noqa: F403
from .optimizers import *  # noqa: F403
from .sparse import sparse_backward, sparse_forward

__all__ = [
    "activation_backward",
    "activation_forward",
    "add_penalty",
    "batchnorm_backward",
    "batchnorm_forward",
    "clip_by_norm",
    "clip_by_value",
    "dense_backward",
    "dense_forward",
    "dropout_backward",
    "dropout_forward",
    "dropout_mask",
    "embedding_backward",
    "embedding_forward",
    "philox4x32",
    "sparse_backward",
    "sparse_forward",
]
__all__ += losses.__all__ + optimizers.__all__
