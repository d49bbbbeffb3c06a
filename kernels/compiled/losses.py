# mypy: disable-error-code="no-untyped-def,no-untyped-call,no-redef"
"""Losses with their gradients on plain arrays.

A loss that works element by element is a row in the ops' table, of which its function is made.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..reference import losses as reference
from ..typing import Array
from .buffers import copied
from .machine.call import call, new_scalars
from .machine.op import N_SCALARS, WEIGHT_SUM, CompiledOp
from .ops import cross_entropy
from .ops.losses import LOSSES, elementwise_loss
from .ops.rows import sum_weights
from .twins import parameters, twin

if TYPE_CHECKING:
    # What is made of the table has the types of the reference.
    from ..reference.losses import *  # noqa: F403

__all__ = reference.__all__

# The scalars of the loss and of the number of right predictions.
_LOSS, _CORRECT = N_SCALARS, N_SCALARS + 1


def _mean(
    op: CompiledOp[...], d: Array, sample_weight: Array | None, **arguments: Any
) -> tuple[float, Array]:
    """Call the op of a loss on `d`, which holds what it reads and becomes its gradient."""
    (rows, columns), weights, scalars = d.shape, None, new_scalars(2)
    if sample_weight is not None:
        weights = np.ascontiguousarray(sample_weight, d.dtype)
    call(sum_weights, d.dtype, rows, scalars=scalars, weights=weights)
    call(
        op,
        d.dtype,
        rows,
        scalars=scalars,
        d=d,
        columns=columns,
        weights=weights,
        loss=_LOSS,
        correct=_CORRECT,
        **arguments,
    )
    total, weight_sum = float(scalars[_LOSS]), float(scalars[WEIGHT_SUM])
    return total / weight_sum if weight_sum != 0.0 else 0.0 * total, d


def _elementwise(member, prediction, y, sample_weight, d, parameter=0.0, clip=0.0):
    return _mean(
        elementwise_loss,
        copied(prediction, d),
        sample_weight,
        member=member,
        targets=np.ascontiguousarray(y, prediction.dtype),
        parameter=parameter,
        threshold=math.inf,
        clip=clip,
    )


def _loss(name: str) -> Any:
    """The function of an elementwise loss: whatever its parameter and gradient are called."""
    function = getattr(reference, name)
    (prediction, _, _, *numbers), (d,) = parameters(function)
    renamed = {prediction: "prediction", d: "d", **dict.fromkeys(numbers[:1], "parameter")}

    @twin(function, renamed)
    def loss(*, prediction, y, sample_weight, d, parameter=0.0, clip=0.0):
        return _elementwise(name, prediction, y, sample_weight, d, parameter, clip)

    return loss


globals().update({name: _loss(name) for name in LOSSES})


@twin(reference.softmax_cross_entropy)
def softmax_cross_entropy(*, logits, y, sample_weight, d_logits, **unchanged):
    coded = y.ndim == 1
    y = np.ascontiguousarray(y, np.int64 if coded else logits.dtype)
    return _mean(
        cross_entropy.softmax_cross_entropy,
        copied(logits, d_logits),
        sample_weight,
        labels=y if coded else None,
        order=None,
        targets=None if coded else y,
        **unchanged,
    )


@twin(reference.custom_loss)
def custom_loss(*, prediction, y, sample_weight, function, d_prediction):
    member = reference.registered_loss(function).member
    return _elementwise(member, prediction, y, sample_weight, d_prediction)
