# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Softmax over rows, compiled: as a hidden layer or an output, and fused with cross-entropy.

These ops need whole rows, so they are cut by rows: share `shard` of `shards`.
"""

from __future__ import annotations

import math

from .intrinsics import cast, integers, pointer
from .losses import per_unit_of_weight
from .math import exp
from .op import ROWS, START, WEIGHT_SUM, op
from .options import device_reduction
from .rows import share_of_rows


@device_reduction
def _row_maximum(z, start, columns):
    largest = z[start]
    for j in range(start + 1, start + columns):
        largest = max(largest, z[j])
    return largest


@device_reduction
def _exponentials(variant, z, start, columns):
    """Put ``exp(z - largest)`` in the place of z and return the sum.

    In place, because for two arrays there would be two compiled loops, of which their distance in
    memory chooses one: the order of the sum, and so its last bit, would depend on that.
    """
    largest = _row_maximum(z, start, columns)
    total = cast(variant, 0.0)
    for j in range(start, start + columns):
        value = exp(z[j] - largest)
        z[j] = value
        total += value
    return total


@op("z", "out", "ld", "columns", "shard", "shards")
def softmax_forward(variant, args, attributes, counters, scalars):
    """``out = exp(z) / exp(z).sum(1)``; z and out may be one."""
    z, out, ld, columns = pointer(variant, args[0]), pointer(variant, args[1]), args[2], args[3]
    first, last = share_of_rows(counters[ROWS], args[4], args[5])
    for i in range(first, last):
        if args[0] != args[1]:
            for j in range(i * ld, i * ld + columns):
                out[j] = z[j]
        total = _exponentials(variant, out, i * ld, columns)
        scale = cast(variant, 1.0) / total
        for j in range(i * ld, i * ld + columns):
            out[j] *= scale


@op("out", "d", "ld", "columns", "shard", "shards", reduction=True)
def softmax_backward(variant, args, attributes, counters, scalars):
    """``d = out * (d - (d * out).sum(1))``, in place: the gradient of out becomes that of z."""
    out, d, ld, columns = pointer(variant, args[0]), pointer(variant, args[1]), args[2], args[3]
    first, last = share_of_rows(counters[ROWS], args[4], args[5])
    for i in range(first, last):
        total = cast(variant, 0.0)
        for j in range(i * ld, i * ld + columns):
            total += d[j] * out[j]
        for j in range(i * ld, i * ld + columns):
            d[j] = out[j] * (d[j] - total)


@op(
    *("d", "ld", "columns", "labels", "targets", "order", "weights", "loss", "correct"),
    *("shard", "shards"),
    attributes=("label_smoothing",),
)
def softmax_cross_entropy(variant, args, attributes, counters, scalars):
    """Cross-entropy of logits; d holds the logits and becomes their gradient.

    Labels are int64 codes at `labels`, or rows of probabilities at `targets` where `labels` is 0.
    `order` (0: none) gives the row of X of each row of the epoch, `weights` (0: none) their
    weights. The sum of the rows' weighted losses and the number of right predictions go to the
    scalars of those numbers.
    """
    d, ld, columns = pointer(variant, args[0]), args[1], args[2]
    labels, targets = integers(args[3]), pointer(variant, args[4])
    order, weights = integers(args[5]), pointer(variant, args[6])
    first, last = share_of_rows(counters[ROWS], args[9], args[10])
    start = counters[START]
    smoothing = attributes[0]
    off, on = cast(variant, smoothing / columns), cast(variant, 1.0 - smoothing)
    per_weight = per_unit_of_weight(scalars[WEIGHT_SUM])
    loss, correct = 0.0, 0
    for i in range(first, last):
        source = start + i
        if args[5] != 0:
            source = order[source]
        weight = cast(variant, 1.0)
        if args[6] != 0:
            weight = weights[source]
        label = 0
        if args[3] != 0:
            label = labels[source]
        else:
            for j in range(1, columns):
                if targets[source * columns + j] > targets[source * columns + label]:
                    label = j
        row = i * ld
        predicted = 0
        for j in range(1, columns):
            if d[row + j] > d[row + predicted]:
                predicted = j
        if predicted == label:
            correct += 1
        row_loss, mass = 0.0, cast(variant, 1.0)
        largest = _row_maximum(d, row, columns)
        if args[3] != 0 and smoothing == 0.0:
            row_loss += largest - d[row + label]
        elif args[3] != 0:
            for j in range(columns):
                row_loss += off * (largest - d[row + j])
            row_loss += on * (largest - d[row + label])
        else:
            mass = cast(variant, 0.0)
            for j in range(columns):
                share = on * targets[source * columns + j] + off
                mass += share
                row_loss += share * (largest - d[row + j])
        total = _exponentials(variant, d, row, columns)
        row_loss += mass * math.log(total)
        loss += row_loss * weight
        scale = cast(variant, weight * per_weight)
        inverse = mass / total
        if args[3] != 0:
            of_label = d[row + label] * inverse
            for j in range(columns):
                d[row + j] = scale * (d[row + j] * inverse - off)
            d[row + label] = scale * (of_label - (on + off))
        else:
            for j in range(columns):
                share = on * targets[source * columns + j] + off
                d[row + j] = scale * (d[row + j] * inverse - share)
    scalars[args[7] + args[9]] = loss
    scalars[args[8] + args[9]] = float(correct)
