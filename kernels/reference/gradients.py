"""What happens to gradients between the backward pass and the optimizer."""

from __future__ import annotations

import math

import numpy as np

from ..typing import Array

__all__ = ["add_penalty", "clip_by_norm", "clip_by_value"]


def add_penalty(weight: Array, d_weight: Array, l1: float, l2: float) -> float:
    """Add the gradient of a weight penalty to `d_weight`, in place.

    The penalty is ``l1 sum |W| + l2 / 2 sum W^2``; its gradient is ``l1 sign(W) + l2 W``, with
    ``sign(0) = 0``.

    Parameters
    ----------
    weight : array
    d_weight : array of the same shape
        Modified.
    l1, l2 : float

    Returns
    -------
    penalty : float
        Summed in double precision.
    """
    d_weight += l1 * np.sign(weight) + l2 * weight
    absolute = np.abs(weight).sum(dtype=np.float64)
    squared = np.square(weight, dtype=np.float64).sum()
    return float(l1 * absolute + 0.5 * l2 * squared)


def clip_by_value(gradients: Array, limit: float) -> None:
    """Clip each entry to ``[-limit, limit]``, in place."""
    np.clip(gradients, -limit, limit, out=gradients)


def clip_by_norm(gradients: Array, limit: float) -> float:
    """Scale the whole vector by ``min(1, limit / norm)``, in place.

    Parameters
    ----------
    gradients : array
        Modified.
    limit : float

    Returns
    -------
    norm : float
        The Euclidean norm before scaling, summed in double precision.

    References
    ----------
    Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", ICML 2013,
    algorithm 1.
    """
    norm = math.sqrt(np.square(gradients, dtype=np.float64).sum())
    if norm > limit:
        gradients *= limit / norm
    return norm
