# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Softmax fused with cross-entropy, compiled.

The op needs whole rows, so it is cut by rows: share `shard` of `shards`.
"""

from __future__ import annotations

import math

import numpy as np

from ..machine.arguments import SCALARS, Integers, Pointer
from ..machine.intrinsics import cast, is_given, like
from ..machine.math import exp, log
from ..machine.op import ROWS, START, WEIGHT_SUM, op
from ..machine.options import device, device_reduction
from .rows import per_unit_of_weight, share_of_rows


@device_reduction
def _sum(variant, values, row, columns):
    total = cast(variant, 0.0)
    for j in range(row, row + columns):
        total += values[j]
    return total


@device
def _first_largest(values, row, columns):
    """The first column of a row that holds its largest value."""
    largest, place = values[row], 0
    for j in range(1, columns):
        larger = values[row + j] > largest
        largest = values[row + j] if larger else largest
        place = j if larger else place
    return place


@device
def _label(labels, order, place, columns):
    """The label of the row at a place of the epoch, or -1: y is the caller's, who may change it."""
    label = labels[order[place] if is_given(order) else place]
    return label if 0 <= label < columns else -1


@device
def _clipped_log(p, clip):
    # Bounds come second: so NaN passes through min and max.
    return log(min(max(p, clip), 1.0 - clip))


@device
def _clipped_loss(d, targets, row, columns, total, label, by_target, on, off, clip):
    """A row's loss with its probabilities within bounds."""
    loss = 0.0 if by_target or label >= 0 else math.nan
    first, last = 0, columns
    if not by_target and off == like(on, 0.0):
        # All other targets are 0.
        first, last = max(label, 0), label + 1
    for j in range(first, last):
        share = targets[row + j] if by_target else like(on, 1.0 if j == label else 0.0)
        target = on * share + off
        if target != like(on, 0.0):
            loss -= target * _clipped_log(np.float64(d[row + j]) / total, clip)
    return loss


@op()
def softmax_cross_entropy(
    variant,
    *,
    rows=ROWS,
    start=START,
    scalars=SCALARS,
    d: Pointer,
    columns: int,
    labels: Integers,
    order: Integers,
    targets: Pointer,
    weights: Pointer,
    loss: int,
    correct: int,
    shard: int,
    shards: int,
    label_smoothing: float,
    clip: float = 0.0,
):
    """Cross-entropy of logits; d holds the logits and becomes their gradient.

    Labels are int64 codes of all rows at `labels`, in the order of the epoch by `order` (0: none),
    or the batch's rows of probabilities at `targets` where `labels` is 0; a label that names no
    column makes the loss NaN. `weights` (0: none) are the batch's own. The sum of the rows'
    weighted losses and the number of right predictions go to the scalars of those numbers. With
    `clip` the loss takes probabilities within ``[clip, 1 - clip]``.
    """
    first, last = share_of_rows(rows, shard, shards)
    coded, weighted = is_given(labels), is_given(weights)
    off, on = cast(variant, label_smoothing / columns), cast(variant, 1.0 - label_smoothing)
    one, per_weight = cast(variant, 1.0), per_unit_of_weight(scalars[WEIGHT_SUM])
    # Apart, so that many distances do not swallow the digits of the logarithms.
    distances, logarithms, right = 0.0, 0.0, 0
    for i in range(first, last):
        row, row_loss = i * columns, 0.0
        predicted = _first_largest(d, row, columns)
        largest = d[row + predicted]
        if coded:
            label = _label(labels, order, start + i, columns)
            row_loss += on * (largest - d[row + label]) if label >= 0 else math.nan
            if label_smoothing != 0.0:
                for j in range(columns):
                    row_loss += off * (largest - d[row + j])
        else:
            label = _first_largest(targets, row, columns)
            for j in range(columns):
                row_loss += (on * targets[row + j] + off) * (largest - d[row + j])
        right += 1 if predicted == label else 0
        distances += row_loss * (weights[i] if weighted else one)
        for j in range(columns):
            d[row + j] -= largest
    # All rows together: one of few columns does not fill a vector.
    for j in range(first * columns, last * columns):
        d[j] = exp(d[j])
    for i in range(first, last):
        row, mass = i * columns, one
        weight = weights[i] if weighted else one
        if not coded:
            mass = on * _sum(variant, targets, row, columns) + off * cast(variant, columns)
        total = _sum(variant, d, row, columns)
        inverse, scale = mass / total, cast(variant, weight * per_weight)
        if clip == 0.0:
            logarithms += mass * log(np.float64(total)) * weight
        else:
            label = _label(labels, order, start + i, columns) if coded else -1
            row_loss = _clipped_loss(
                d, targets, row, columns, total, label, not coded, on, off, clip
            )
            logarithms += row_loss * weight
        if coded:
            label = max(_label(labels, order, start + i, columns), 0)
            of_label = d[row + label] * inverse
            for j in range(columns):
                d[row + j] = scale * (d[row + j] * inverse - off)
            d[row + label] = scale * (of_label - (on + off))
        else:
            for j in range(columns):
                d[row + j] = scale * (d[row + j] * inverse - (on * targets[row + j] + off))
    scalars[loss + shard] = logarithms if clip > 0.0 else distances + logarithms
    scalars[correct + shard] = float(right)
