# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""What happens to gradients between the backward pass and the update, compiled."""

from __future__ import annotations

import math

import numpy as np

from ..machine.intrinsics import cast, pointer
from ..machine.op import CORRECT_SUM, LAST_LOSS, LOSS_SUM, ROWS, ROWS_SUM, WEIGHT_SUM, op

_BLOCK = 1024


@op("weight", "d_weight", "count", "penalty", attributes=("l1", "l2"), reduction=True)
def add_penalty(variant, args, attributes, counters, scalars):
    """``d_weight += l1 * sign(w) + l2 * w``; ``l1 sum|w| + l2/2 sum w^2`` goes to a scalar."""
    weight, d_weight = pointer(variant, args[0]), pointer(variant, args[1])
    l1, l2 = cast(variant, attributes[0]), cast(variant, attributes[1])
    zero = cast(variant, 0.0)
    absolute, squares = 0.0, 0.0
    # The sums have loops without stores: the order of their terms does not depend on where the
    # arrays lie. A block stays in the nearest cache for the second loop.
    for first in range(0, args[2], _BLOCK):
        last = min(first + _BLOCK, args[2])
        for i in range(first, last):
            absolute += abs(weight[i])
            squares += np.float64(weight[i]) * np.float64(weight[i])
        for i in range(first, last):
            w = weight[i]
            sign = l1 if w > zero else -l1
            d_weight[i] += (zero if w == zero else sign) + l2 * w
    scalars[args[3]] = attributes[0] * absolute + 0.5 * attributes[1] * squares


@op("gradients", "count", attributes=("limit",))
def clip_by_value(variant, args, attributes, counters, scalars):
    """``g = min(max(g, -limit), limit)``."""
    g, limit = pointer(variant, args[0]), cast(variant, attributes[0])
    for i in range(args[1]):
        value = g[i]
        value = limit if value > limit else value
        g[i] = -limit if value < -limit else value


@op("gradients", "count", "total", reduction=True)
def sum_of_squares(variant, args, attributes, counters, scalars):
    """``sum g^2`` of a range, to the scalar of that number."""
    g, total = pointer(variant, args[0]), 0.0
    for i in range(args[1]):
        total += np.float64(g[i]) * np.float64(g[i])
    scalars[args[2]] = total


@op("gradients", "count", "totals", "n_totals", attributes=("limit",))
def clip_by_norm(variant, args, attributes, counters, scalars):
    """``g *= min(1, limit / norm)``, the norm from the partial sums of squares."""
    g, total = pointer(variant, args[0]), 0.0
    for k in range(args[3]):
        total += scalars[args[2] + k]
    norm = math.sqrt(total)
    if norm > attributes[0]:
        scale = cast(variant, attributes[0] / norm)
        for i in range(args[1]):
            g[i] *= scale


@op("loss", "correct", "shards", "penalty", "n_penalties")
def report_loss(variant, args, attributes, counters, scalars):
    """Add up the partial sums of a batch, in their order, and add the batch to the epoch's."""
    loss, correct, rows = 0.0, 0.0, float(counters[ROWS])
    for k in range(args[2]):
        loss += scalars[args[0] + k]
        correct += scalars[args[1] + k]
    loss /= scalars[WEIGHT_SUM]
    for k in range(args[4]):
        loss += scalars[args[3] + k]
    scalars[LAST_LOSS] = loss
    scalars[LOSS_SUM] += rows * loss
    scalars[ROWS_SUM] += rows
    scalars[CORRECT_SUM] += correct
