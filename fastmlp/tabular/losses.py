"""The loss of each row, and whether one mean of such is surely lower than another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array

LOSSES = {"squared_error": "mse", "absolute_error": "mae"}
"""Losses of a regression, from scikit-learn's names to ours."""

# In nats, or shares of the target's variance: less is not worth a network.
_LEAST = 1e-4

__all__ = ["LOSSES", "is_surely_lower", "mean", "row_losses"]


def row_losses(outputs: Array, y: Array, n_classes: int, loss: str = "squared_error") -> Array:
    """The loss of each row, as the network's own without penalties, float64 ``(n,)``.

    Parameters
    ----------
    outputs : ndarray, shape (n, units)
    y : ndarray, shape (n,)
        The number of each row's class, or a number.
    n_classes : int
        0 for a regression.
    loss : str
        One of `LOSSES`, for a regression.
    """
    found = outputs.astype(np.float64)
    if not n_classes:
        errors = found[:, 0] - y
        return np.asarray(np.abs(errors) if loss == "absolute_error" else errors**2)
    if found.shape[1] == 1:
        found = np.hstack([1 - found, found])
    of_right = found[np.arange(len(y)), y]
    smallest = np.finfo(np.float32).eps
    losses: Array = -np.log(np.clip(of_right, smallest, 1.0))
    return losses


def mean(losses: Array, weight: Array | None) -> float:
    """The weighted mean."""
    return float(losses.mean() if weight is None else np.average(losses, weights=weight))


def is_surely_lower(
    losses: Array, others: Array, errors: float, weight: Array | None = None
) -> bool:
    """Whether a mean of paired losses is lower by more than some standard errors, and at all."""
    gain = others - losses
    if weight is None:
        return bool(gain.mean() > errors * gain.std() / np.sqrt(len(gain)) + _LEAST)
    middle = np.average(gain, weights=weight)
    # Of n rows of one weight this is the same; of a few heavy rows among many it is more.
    deviation = np.sqrt((weight**2 * (gain - middle) ** 2).sum()) / weight.sum()
    return bool(middle > errors * deviation + _LEAST)
