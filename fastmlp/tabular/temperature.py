"""Probabilities that are as sure of themselves as rows which were not learned from say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential

# The factor of logits lies between 1 / _MOST and _MOST. More rows would hardly change it.
_MOST, _STEPS, _CLOSE, _MOST_ROWS = 4.0, 20, 1e-3, 4096

__all__ = ["best_factor", "scale_logits", "scaled"]


def best_factor(outputs: Array, y: Array, weight: Array | None = None, first: float = 1.0) -> float:
    """The factor of logits with the lowest log loss, one over what is called the temperature.

    The loss is convex in it, with the derivatives ``mean(sum_k p_k z_k - z_y)`` and ``mean(sum_k
    p_k z_k^2 - (sum_k p_k z_k)^2)``; it is found by Newton's steps (Guo et al. 2017, "On
    Calibration of Modern Neural Networks").

    Parameters
    ----------
    outputs : ndarray, shape (n, n_classes) or (n, 1)
        Probabilities; of one unit those of the second class.
    y : ndarray of int, shape (n,)
    weight : ndarray, shape (n,), optional
    first : float
        Where the search begins.
    """
    if len(y) > _MOST_ROWS:
        rows = np.linspace(0, len(y) - 1, _MOST_ROWS).astype(np.int64)
        outputs, y, weight = outputs[rows], y[rows], None if weight is None else weight[rows]
    logs = _logs(outputs)
    of_right = logs[np.arange(len(y)), y]
    factor = first
    for _ in range(_STEPS):
        shares = _softmax(factor * logs)
        means = (shares * logs).sum(axis=1)
        spreads = (shares * logs**2).sum(axis=1) - means**2
        slope = float(np.average(means - of_right, weights=weight))
        bend = float(np.average(spreads, weights=weight))
        # No more than twice or half of it at a time, where the loss is far from a parabola.
        step = slope / max(bend, 1e-12)
        found = float(np.clip(factor - step, factor / 2, 2 * factor))
        found = min(max(found, 1 / _MOST), _MOST)
        done, factor = abs(found - factor) <= _CLOSE * factor, found
        if done:
            break
    return factor


def scaled(outputs: Array, factor: float) -> Array:
    """The probabilities that outputs become where the logits are multiplied by a factor."""
    found = _softmax(factor * _logs(outputs))
    return (
        found[:, 1:].astype(outputs.dtype) if outputs.shape[1] == 1 else found.astype(outputs.dtype)
    )


def scale_logits(model: Sequential, factor: float) -> None:
    """Multiply those of a network, by weights and bias of its last layer."""
    for values in list(model.parameters.values())[-2:]:
        values *= factor


def _logs(outputs: Array) -> Array:
    found = outputs.astype(np.float64)
    if found.shape[1] == 1:
        found = np.hstack([1 - found, found])
    # Closer to 0 single precision has no probability beside 1.
    return np.log(np.maximum(found, 1e-8))


def _softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares
