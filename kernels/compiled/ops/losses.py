# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Elementwise losses, compiled: scalar functions and the one op that maps them over rows.

A new loss is one row in `LOSSES`. `value` and `gradient` are those of one element; the op takes
the mean over rows, weighted, and over outputs. A loss of whole rows is an op of its own, in
`ROWWISE`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload

from ... import custom
from ..machine.arguments import SCALARS, Number, Pointer
from ..machine.custom import loss_functions
from ..machine.intrinsics import cast, is_given, like, pointer
from ..machine.math import exp, log, log1p
from ..machine.op import ROWS, WEIGHT_SUM, CompiledOp, op
from ..machine.options import INLINED, device
from ..machine.vectors import constants
from .activations import logistic
from .cross_entropy import softmax_cross_entropy
from .rows import per_unit_of_weight, share_of_rows

_one = constants(1.0, 1)
# Terms that are added up before their sum is: a longer sum loses digits.
_BLOCK = 128


@device
def _squared(prediction, y, parameter):
    error = prediction - y
    return error * error


@device
def _squared_gradient(prediction, y, parameter):
    return like(y, 2.0) * (prediction - y)


@device
def _half_squared(prediction, y, parameter):
    error = prediction - y
    return like(y, 0.5) * error * error


@device
def _half_squared_gradient(prediction, y, parameter):
    return prediction - y


@device
def _absolute(prediction, y, parameter):
    return abs(prediction - y)


@device
def _absolute_gradient(prediction, y, parameter):
    error = prediction - y
    sign = like(y, 1.0) if error > 0 else like(y, -1.0)
    return error if error == 0 or error != error else sign


@device
def _huber(prediction, y, delta):
    size, half = abs(prediction - y), like(y, 0.5)
    return half * size * size if size <= delta else delta * (size - half * delta)


@device
def _huber_gradient(prediction, y, delta):
    # Bounds come second: so NaN passes through min and max.
    return max(min(prediction - y, delta), -delta)


@device
def _quantile(prediction, y, q):
    error = y - prediction
    return max(q * error, (q - like(y, 1.0)) * error)


@device
def _quantile_gradient(prediction, y, q):
    error = y - prediction
    below = like(y, 1.0) - q if error < 0 else like(y, 0.0)
    return -q if error > 0 else below


def _smallest_normal(sample):
    """Stand-in for the smallest normal number of the sample's type."""


def _largest(sample):
    """Stand-in for the largest finite number of the sample's type."""


@overload(_smallest_normal, jit_options=INLINED)
def _choose_smallest_normal(sample):
    value = float(np.finfo(str(sample)).smallest_normal)
    return lambda sample: like(sample, value)


@overload(_largest, jit_options=INLINED)
def _choose_largest(sample):
    value = float(np.finfo(str(sample)).max)
    return lambda sample: like(sample, value)


@device
def _poisson(prediction, y, parameter):
    # exp may round to 0, where log would be infinite.
    return prediction - y * log(max(prediction, _smallest_normal(y)))


@device
def _poisson_gradient(prediction, y, parameter):
    ratio = y / max(prediction, _smallest_normal(y))
    return like(y, 1.0) - min(ratio, _largest(y))


@device
def _poisson_deviance(prediction, y, parameter):
    zero = like(y, 0.0)
    logarithm = log(y if y != zero else like(y, 1.0)) - log(max(prediction, _smallest_normal(y)))
    return y * logarithm - y + prediction


@device
def _sigmoid_cross_entropy(logit, y, smoothing):
    target = (like(y, 1.0) - smoothing) * y + like(y, 0.5) * smoothing
    return max(logit, like(y, 0.0)) - logit * target + log1p(exp(-abs(logit)))


@device
def _sigmoid_cross_entropy_gradient(logit, y, smoothing):
    target = (like(y, 1.0) - smoothing) * y + like(y, 0.5) * smoothing
    return logistic(logit) - target


@device
def _clipped_sigmoid_cross_entropy(logit, y, smoothing, clip):
    one = like(y, 1.0)
    target = (one - smoothing) * y + like(y, 0.5) * smoothing
    # Bounds come second, as above.
    p = min(max(logistic(logit), clip), one - clip)
    return -(target * log(p) + (one - target) * log(one - p))


class ElementwiseLoss(NamedTuple):
    """Scalar functions of an element.

    Attributes
    ----------
    value, gradient : callable
        ``value(prediction, y, parameter)``, and its derivative by the prediction.
    clipped : callable or None
        ``clipped(prediction, y, parameter, clip)``, the value for a clipped probability.
    """

    value: Callable[..., Any]
    gradient: Callable[..., Any]
    clipped: Callable[..., Any] | None = None


LOSSES: dict[str, ElementwiseLoss] = {
    "mean_squared_error": ElementwiseLoss(_squared, _squared_gradient),
    "half_squared_error": ElementwiseLoss(_half_squared, _half_squared_gradient),
    "mean_absolute_error": ElementwiseLoss(_absolute, _absolute_gradient),
    "huber_loss": ElementwiseLoss(_huber, _huber_gradient),
    "quantile_loss": ElementwiseLoss(_quantile, _quantile_gradient),
    "poisson_loss": ElementwiseLoss(_poisson, _poisson_gradient),
    "poisson_deviance": ElementwiseLoss(_poisson_deviance, _poisson_gradient),
    "sigmoid_cross_entropy": ElementwiseLoss(
        _sigmoid_cross_entropy, _sigmoid_cross_entropy_gradient, _clipped_sigmoid_cross_entropy
    ),
}


@functools.cache
def elementwise_loss_of(member: str) -> ElementwiseLoss:
    """A loss of the table, or a registered one by its member."""
    if member in LOSSES:
        return LOSSES[member]
    return ElementwiseLoss(*loss_functions(custom.LOSSES[member]))


def _value(variant, prediction, y, parameter):
    """Stand-in for the loss that the variant names."""


def _clipped_value(variant, prediction, y, parameter, clip):
    """Stand-in for the loss of a clipped probability; the loss itself where it has none."""


def _gradient(variant, prediction, y, parameter):
    """Stand-in for the gradient that the variant names."""


@overload(_value, jit_options=INLINED)
def _choose_value(variant, prediction, y, parameter):
    function = elementwise_loss_of(variant.function).value
    return lambda variant, prediction, y, parameter: function(prediction, y, parameter)


@overload(_clipped_value, jit_options=INLINED)
def _choose_clipped_value(variant, prediction, y, parameter, clip):
    loss = elementwise_loss_of(variant.function)
    value, clipped = loss.value, loss.clipped
    if clipped is None:
        return lambda variant, prediction, y, parameter, clip: value(prediction, y, parameter)
    return lambda variant, prediction, y, parameter, clip: clipped(prediction, y, parameter, clip)


@overload(_gradient, jit_options=INLINED)
def _choose_gradient(variant, prediction, y, parameter):
    function = elementwise_loss_of(variant.function).gradient
    return lambda variant, prediction, y, parameter: function(prediction, y, parameter)


@op(reduction=True, members=LOSSES)
def elementwise_loss(
    variant,
    *,
    rows=ROWS,
    scalars=SCALARS,
    d: Pointer,
    columns: int,
    targets: Pointer,
    weights: Pointer,
    loss: int,
    correct: int,
    shard: int,
    shards: int,
    parameter: Number,
    threshold: Number,
    factor: float = 1.0,
    clip: Number = 0.0,
):
    """Loss of each element; d holds the predictions (or logits) and becomes their gradient.

    `targets` and `weights` (0: none) are the batch's own. Predictions at or above `threshold`
    count as 1 for the accuracy. The sum of the rows' weighted mean losses and the number of right
    predictions go to the scalars of those numbers. Loss and gradient are multiplied by `factor`;
    with `clip` the loss takes probabilities within ``[clip, 1 - clip]``.
    """
    first, last = share_of_rows(rows, shard, shards)
    per_element = factor * per_unit_of_weight(scalars[WEIGHT_SUM]) / columns
    half, clips = cast(variant, 0.5), clip > 0
    # Elements of equal weight need not be summed row by row: few columns do not fill a vector.
    step, factors, row, next_row = _BLOCK, pointer(variant, _one(variant)), 0, 0
    if is_given(weights):
        step, factors, row, next_row = columns, weights, first, 1
    total, right, end = 0.0, 0, last * columns
    for begin in range(first * columns, end, step):
        stop, weight = min(begin + step, end), factors[row]
        row += next_row
        scale = cast(variant, weight * per_element)
        block_total = 0.0
        # The sum has a loop without stores: the order of its terms, and so its last bit, does not
        # depend on where d and the targets lie in memory.
        for j in range(begin, stop):
            prediction, y = d[j], targets[j]
            if not clips:
                block_total += _value(variant, prediction, y, parameter)
            if (prediction >= threshold) == (y >= half):
                right += 1
        if clips:
            for j in range(begin, stop):
                block_total += _clipped_value(variant, d[j], targets[j], parameter, clip)
        for j in range(begin, stop):
            d[j] = scale * _gradient(variant, d[j], targets[j], parameter)
        total += weight * block_total
    scalars[loss + shard] = factor * total / columns
    scalars[correct + shard] = right / columns


ROWWISE: dict[str, CompiledOp[...]] = {"softmax_cross_entropy": softmax_cross_entropy}
"""The ops of losses that need whole rows."""


def loss_op(member: str) -> tuple[CompiledOp[...], str]:
    """The op of a loss, and which member of a family it is."""
    return (ROWWISE[member], "") if member in ROWWISE else (elementwise_loss, member)
