"""Losses with their gradients on plain arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..reference.losses import registered_loss
from ..typing import Array
from .buffers import copied
from .machine.call import call, new_scalars
from .machine.op import N_SCALARS, WEIGHT_SUM, CompiledOp
from .ops import cross_entropy
from .ops import losses as ops
from .ops import rows as rows_ops

# The scalars of the loss and of the number of right predictions.
_LOSS, _CORRECT = N_SCALARS, N_SCALARS + 1


def _mean(
    op: CompiledOp[...], member: str, d: Array, sample_weight: Array | None, **arguments: Any
) -> tuple[float, Array]:
    """Call the op of a loss on `d`, which holds what it reads and becomes its gradient."""
    rows, columns = d.shape
    weights = None
    if sample_weight is not None:
        weights = np.ascontiguousarray(sample_weight, d.dtype)
    scalars = new_scalars(2)
    call(rows_ops.sum_weights, d.dtype, rows, scalars=scalars, weights=weights)
    call(
        op,
        d.dtype,
        rows,
        member=member,
        scalars=scalars,
        d=d,
        columns=columns,
        weights=weights,
        loss=_LOSS,
        correct=_CORRECT,
        shard=0,
        shards=1,
        **arguments,
    )
    total, weight_sum = float(scalars[_LOSS]), float(scalars[WEIGHT_SUM])
    return total / weight_sum if weight_sum != 0.0 else 0.0 * total, d


def _elementwise(
    name: str,
    prediction: Array,
    y: Array,
    sample_weight: Array | None,
    parameter: float,
    d_prediction: Array | None,
) -> tuple[float, Array]:
    return _mean(
        ops.elementwise_loss,
        name,
        copied(prediction, d_prediction),
        sample_weight,
        targets=np.ascontiguousarray(y, prediction.dtype),
        parameter=parameter,
        threshold=math.inf,
    )


def softmax_cross_entropy(
    logits: Array,
    y: Array,
    sample_weight: Array | None = None,
    label_smoothing: float = 0.0,
    *,
    d_logits: Array | None = None,
) -> tuple[float, Array]:
    """Categorical cross-entropy of ``softmax(logits)``; see the reference."""
    coded = y.ndim == 1
    y = np.ascontiguousarray(y, np.int64 if coded else logits.dtype)
    return _mean(
        cross_entropy.softmax_cross_entropy,
        "",
        copied(logits, d_logits),
        sample_weight,
        labels=y if coded else None,
        order=None,
        targets=None if coded else y,
        label_smoothing=label_smoothing,
    )


def sigmoid_cross_entropy(
    logits: Array,
    y: Array,
    sample_weight: Array | None = None,
    label_smoothing: float = 0.0,
    *,
    d_logits: Array | None = None,
) -> tuple[float, Array]:
    """Binary cross-entropy of ``sigmoid(logits)``; see the reference."""
    return _elementwise(
        "sigmoid_cross_entropy", logits, y, sample_weight, label_smoothing, d_logits
    )


def mean_squared_error(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of squared errors; see the reference."""
    return _elementwise("mean_squared_error", prediction, y, sample_weight, 0.0, d_prediction)


def mean_absolute_error(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of absolute errors; see the reference."""
    return _elementwise("mean_absolute_error", prediction, y, sample_weight, 0.0, d_prediction)


def huber_loss(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    delta: float = 1.0,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of the Huber loss; see the reference."""
    return _elementwise("huber_loss", prediction, y, sample_weight, delta, d_prediction)


def quantile_loss(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    q: float = 0.5,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of the pinball loss; see the reference."""
    return _elementwise("quantile_loss", prediction, y, sample_weight, q, d_prediction)


def custom_loss(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    function: str = "",
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of a registered loss; see the reference."""
    member = registered_loss(function).member
    return _elementwise(member, prediction, y, sample_weight, 0.0, d_prediction)


def poisson_loss(
    prediction: Array,
    y: Array,
    sample_weight: Array | None = None,
    *,
    d_prediction: Array | None = None,
) -> tuple[float, Array]:
    """Mean of ``mu - y log mu``; see the reference."""
    return _elementwise("poisson_loss", prediction, y, sample_weight, 0.0, d_prediction)
