# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""What happens to gradients between the backward pass and the update, compiled."""

from __future__ import annotations

import math

import numpy as np

from ..machine.arguments import SCALARS, Doubles, Number, Pointer
from ..machine.intrinsics import cast
from ..machine.op import (
    BATCH,
    CORRECT_SUM,
    LAST_LOSS,
    LAST_PENALTY,
    LOSS_SUM,
    PENALTY_SUM,
    ROWS,
    ROWS_SUM,
    WEIGHT_SUM,
    op,
)
from .rows import per_unit_of_weight

_BLOCK = 1024


@op(reduction=True)
def add_penalty(
    variant,
    *,
    scalars=SCALARS,
    weight: Pointer,
    d_weight: Pointer,
    count: int,
    penalty: int,
    l1: float,
    l2: float,
    mean: bool = False,
):
    """``d_weight += l1 * sign(w) + l2 * w``; ``l1 sum|w| + l2/2 sum w^2`` goes to a scalar.

    With `mean` both are divided by the sum of the batch's weights.
    """
    if mean:
        share = per_unit_of_weight(scalars[WEIGHT_SUM])
        l1 *= share
        l2 *= share
    by_sign, by_weight, zero = cast(variant, l1), cast(variant, l2), cast(variant, 0.0)
    absolute, squares = 0.0, 0.0
    # The sums have loops without stores: the order of their terms does not depend on where the
    # arrays lie. A block stays in the nearest cache for the second loop.
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        for i in range(first, last):
            absolute += abs(weight[i])
            squares += np.float64(weight[i]) * np.float64(weight[i])
        for i in range(first, last):
            w = weight[i]
            sign = by_sign if w > zero else -by_sign
            d_weight[i] += (zero if w == zero else sign) + by_weight * w
    scalars[penalty] = l1 * absolute + 0.5 * l2 * squares


@op()
def clip_by_value(variant, *, gradients: Pointer, count: int, limit: Number):
    """``g = min(max(g, -limit), limit)``."""
    for i in range(count):
        value = gradients[i]
        value = limit if value > limit else value
        gradients[i] = -limit if value < -limit else value


@op(reduction=True)
def sum_of_squares(variant, *, scalars=SCALARS, gradients: Pointer, count: int, total: int):
    """``sum g^2`` of a range, to the scalar of that number."""
    squares = 0.0
    for i in range(count):
        squares += np.float64(gradients[i]) * np.float64(gradients[i])
    scalars[total] = squares


@op()
def clip_by_norm(
    variant,
    *,
    scalars=SCALARS,
    gradients: Pointer,
    count: int,
    totals: int,
    n_totals: int,
    limit: float,
):
    """``g *= min(1, limit / norm)``, the norm from the partial sums of squares."""
    squares = 0.0
    for k in range(totals, totals + n_totals):
        squares += scalars[k]
    norm = math.sqrt(squares)
    if norm > limit:
        scale = cast(variant, limit / norm)
        for i in range(count):
            gradients[i] *= scale


@op()
def report_loss(
    variant,
    *,
    rows=ROWS,
    scalars=SCALARS,
    loss: int,
    correct: int,
    shards: int,
    penalty: int,
    n_penalties: int,
):
    """Add up the partial sums of a batch, in their order, and add the batch to the epoch's."""
    value, right, n = 0.0, 0.0, float(rows)
    for k in range(shards):
        value += scalars[loss + k]
        right += scalars[correct + k]
    value /= scalars[WEIGHT_SUM]
    penalties = 0.0
    for k in range(n_penalties):
        value += scalars[penalty + k]
        penalties += scalars[penalty + k]
    scalars[LAST_LOSS] = value
    scalars[LAST_PENALTY] = penalties
    scalars[LOSS_SUM] += n * value
    scalars[PENALTY_SUM] += n * penalties
    scalars[ROWS_SUM] += n
    scalars[CORRECT_SUM] += right


@op()
def add_block(
    variant,
    *,
    batch=BATCH,
    scalars=SCALARS,
    gradients: Pointer,
    count: int,
    loss: int,
    shards: int,
    blocks: int,
    gradient_sums: Pointer,
    loss_sums: Doubles,
):
    """Add a block's gradients and partial losses to the sums of its group.

    A group is so many `blocks` of rows, one batch after the other; its first one sets the sums.
    """
    group = batch // blocks
    first, place = group * blocks == batch, group * count
    if first:
        for i in range(count):
            gradient_sums[place + i] = gradients[i]
    else:
        for i in range(count):
            gradient_sums[place + i] += gradients[i]
    value = 0.0 if first else loss_sums[group]
    for k in range(shards):
        value += scalars[loss + k]
    loss_sums[group] = value
