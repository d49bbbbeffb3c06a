"""Losses with their gradients.

Every loss is a mean over rows; those that work element by element are a mean over outputs too. With
sample weights the mean over rows is ``sum w_i loss_i / sum w_i``; where the weights sum to 0, loss
and gradient are 0. The value is summed in double precision.
"""

from __future__ import annotations

import numpy as np

from .. import custom
from ..typing import Array
from .activations import sigmoid, softplus
from .buffers import store

__all__ = [
    "custom_loss",
    "half_squared_error",
    "huber_loss",
    "mean_absolute_error",
    "mean_squared_error",
    "poisson_deviance",
    "poisson_loss",
    "quantile_loss",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
]


def row_shares(n: int, sample_weight: Array | None) -> Array:
    """Return each row's factor in the mean, float64: ``w_i / sum w``, or ``1 / n``."""
    if sample_weight is None:
        return np.full(n, 1.0 / n)
    weight = sample_weight.astype(np.float64)
    total = weight.sum()
    return weight / total if total != 0.0 else np.zeros(n)


def mean_over_elements(
    element_loss: Array, slope: Array, sample_weight: Array | None, out: Array | None
) -> tuple[float, Array]:
    """Return the weighted mean of an (n, k) loss, and its gradient from the elements' slopes."""
    n, k = element_loss.shape
    share = row_shares(n, sample_weight) / k
    # Not by a product: BLAS adds in another order on another machine, and by its settings.
    loss = float((share * element_loss.sum(axis=1, dtype=np.float64)).sum())
    return loss, store(slope * share.astype(slope.dtype)[:, np.newaxis], out)


def softmax_cross_entropy(
    logits: Array,
    y: Array,
    sample_weight: Array | None = None,
    label_smoothing: float = 0.0,
    clip: float = 0.0,
    *,
    d_logits: Array | None = None,
) -> tuple[float, Array]:
    """Categorical cross-entropy of ``p = softmax(logits)``.

    ``loss_i = -sum_j t_ij log p_ij`` with ``t = (1 - e) y + e / k`` for a label smoothing ``e``
    (Szegedy et al. 2016, section 7); ``d loss_i / d logits_ij = p_ij sum_j t_ij - t_ij``, where the
    sum is 1 for rows of `y` that sum to 1. ``log p`` is worked out from the logits, so that it is
    finite for any finite logits.

    Parameters
    ----------
    logits : (n, k) array
    y : (n,) int64 array of classes or (n, k) array of probabilities
    sample_weight : (n,) array, optional
    label_smoothing : float
        In [0, 1].
    clip : float
        The loss, not its gradient, takes each ``p`` within ``[clip, 1 - clip]``.
    d_logits : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_logits : (n, k) array
    """
    n, k = logits.shape
    if y.ndim == 1:
        labels, y = y, np.zeros_like(logits)
        y[np.arange(n), labels] = 1.0
    target = (1.0 - label_smoothing) * y + label_smoothing / k
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    share, p = row_shares(n, sample_weight), np.exp(log_p)
    if clip > 0.0:
        log_p = np.log(np.clip(p, clip, 1.0 - clip))
    loss = -float((share * (target * log_p).sum(axis=1, dtype=np.float64)).sum())
    d_row = p * target.sum(axis=1, keepdims=True) - target
    return loss, store(d_row * share.astype(logits.dtype)[:, np.newaxis], d_logits)


def sigmoid_cross_entropy(
    logits: Array,
    y: Array,
    sample_weight: Array | None = None,
    label_smoothing: float = 0.0,
    clip: float = 0.0,
    *,
    d_logits: Array | None = None,
) -> tuple[float, Array]:
    """Binary cross-entropy of ``p = sigmoid(logits)``, a mean over rows and outputs.

    ``-t log p - (1 - t) log(1 - p) = softplus(logits) - t logits`` with ``t = (1 - e) y + e / 2``
    for a label smoothing ``e``; the slope is ``p - t``.

    Parameters
    ----------
    logits : (n, k) array
    y : (n, k) array
        In [0, 1].
    sample_weight : (n,) array, optional
    label_smoothing : float
        In [0, 1].
    clip : float
        The loss, not its gradient, takes ``p`` within ``[clip, 1 - clip]``, and the logarithms
        of ``p`` and ``1 - p`` as they are rounded.
    d_logits : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_logits : (n, k) array
    """
    target = (1.0 - label_smoothing) * y + 0.5 * label_smoothing
    element_loss, p = softplus(logits) - target * logits, sigmoid(logits)
    if clip > 0.0:
        within = np.clip(p, clip, 1.0 - clip)
        element_loss = -(target * np.log(within) + (1.0 - target) * np.log(1.0 - within))
    return mean_over_elements(element_loss, p - target, sample_weight, d_logits)


def mean_squared_error(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of ``r^2``, ``r = prediction - y``, over rows and outputs; the slope is ``2 r``.

    Parameters
    ----------
    prediction, y : (n, k) arrays
    sample_weight : (n,) array, optional
    d_prediction : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_prediction : (n, k) array
    """
    residual = prediction - y
    return mean_over_elements(residual * residual, 2.0 * residual, sample_weight, d_prediction)


def half_squared_error(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of ``r^2 / 2``, ``r = prediction - y``, over rows and outputs; the slope is ``r``.

    Parameters
    ----------
    prediction, y : (n, k) arrays
    sample_weight : (n,) array, optional
    d_prediction : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_prediction : (n, k) array
    """
    residual = prediction - y
    return mean_over_elements(0.5 * residual * residual, residual, sample_weight, d_prediction)


def mean_absolute_error(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of ``|r|``, ``r = prediction - y``, over rows and outputs; the slope is ``sign(r)``.

    Parameters
    ----------
    prediction, y : (n, k) arrays
    sample_weight : (n,) array, optional
    d_prediction : (n, k) array, optional
        Receives the gradient, 0 where ``r = 0``.

    Returns
    -------
    loss : float
    d_prediction : (n, k) array
    """
    residual = prediction - y
    return mean_over_elements(np.abs(residual), np.sign(residual), sample_weight, d_prediction)


def huber_loss(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    delta: float = 1.0,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of the Huber loss over rows and outputs (Huber 1964).

    With ``r = prediction - y``: ``r^2 / 2`` where ``|r| <= delta``, else
    ``delta (|r| - delta / 2)``; with ``c = min(|r|, delta)`` both are ``c (|r| - c / 2)``. The
    slope is ``r`` clipped to ``[-delta, delta]``.

    Parameters
    ----------
    prediction, y : (n, k) arrays
    sample_weight : (n,) array, optional
    delta : float
        Positive.
    d_prediction : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_prediction : (n, k) array
    """
    residual = prediction - y
    absolute = np.abs(residual)
    clipped = np.minimum(absolute, delta)
    element_loss = clipped * (absolute - 0.5 * clipped)
    slope = np.clip(residual, -delta, delta)
    return mean_over_elements(element_loss, slope, sample_weight, d_prediction)


def quantile_loss(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    q: float = 0.5,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of the pinball loss over rows and outputs (Koenker & Bassett 1978).

    With ``e = y - prediction``: ``max(q e, (q - 1) e)``; the slope with respect to the prediction
    is ``-q`` where ``e > 0``, ``1 - q`` where ``e < 0``, and 0 where ``e = 0``.

    Parameters
    ----------
    prediction, y : (n, k) arrays
    sample_weight : (n,) array, optional
    q : float
        The quantile to estimate, in (0, 1).
    d_prediction : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_prediction : (n, k) array
    """
    error = y - prediction
    slope = np.where(error > 0.0, -q, np.where(error < 0.0, 1.0 - q, 0.0)).astype(error.dtype)
    return mean_over_elements(-slope * error, slope, sample_weight, d_prediction)


def registered_loss(name: str) -> custom.Custom:
    """Return the loss that users registered under a name, or by its member.

    Raises
    ------
    ValueError
        There is none.
    """
    if name not in custom.LOSSES:
        raise ValueError(f"no loss is registered as {name!r}")
    return custom.LOSSES[name]


def custom_loss(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    function: str = "",
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of a registered loss over rows and outputs, one call of it for each element.

    Parameters
    ----------
    prediction, y : (n, k) arrays
    sample_weight : (n,) array, optional
    function : str
        The name under which it was registered.
    d_prediction : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_prediction : (n, k) array

    Raises
    ------
    ValueError
        No loss is registered under this name.
    """
    found = registered_loss(function)
    element_loss = custom.each(found.forward, prediction, y)
    slope = custom.each(custom.derivative_of(found), prediction, y)
    return mean_over_elements(element_loss, slope, sample_weight, d_prediction)


def poisson_loss(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of ``mu - y log mu``, ``mu = prediction``, over rows and outputs.

    This is the negative Poisson log-likelihood without its constant ``log y!``; the slope is
    ``1 - y / mu``. Logarithm and quotient take the dtype's smallest normal number in place of a
    smaller ``mu``, and the quotient is held at the largest finite number.

    Parameters
    ----------
    prediction : (n, k) array
        Non-negative.
    y : (n, k) array
        Non-negative.
    sample_weight : (n,) array, optional
    d_prediction : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_prediction : (n, k) array
    """
    limits = np.finfo(prediction.dtype)
    mu = np.maximum(prediction, limits.smallest_normal)
    with np.errstate(over="ignore"):
        ratio = np.minimum(y / mu, limits.max)
    element_loss = prediction - y * np.log(mu)
    return mean_over_elements(element_loss, 1.0 - ratio, sample_weight, d_prediction)


def poisson_deviance(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of ``y log(y / mu) - y + mu``, ``mu = prediction``, over rows and outputs.

    This is half the Poisson deviance, `poisson_loss` and a constant that makes it 0 where
    ``mu = y``; its first term is 0 where y is. The slope is ``1 - y / mu``. For small ``mu`` both
    are held at finite numbers as there.

    Parameters
    ----------
    prediction : (n, k) array
        Non-negative.
    y : (n, k) array
        Non-negative; below 0 the loss is NaN.
    sample_weight : (n,) array, optional
    d_prediction : (n, k) array, optional
        Receives the gradient.

    Returns
    -------
    loss : float
    d_prediction : (n, k) array
    """
    limits = np.finfo(prediction.dtype)
    mu = np.maximum(prediction, limits.smallest_normal)
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.minimum(y / mu, limits.max)
        logarithm = np.log(np.where(y == 0.0, 1.0, y)) - np.log(mu)
    element_loss = y * logarithm - y + prediction
    return mean_over_elements(element_loss, 1.0 - ratio, sample_weight, d_prediction)
