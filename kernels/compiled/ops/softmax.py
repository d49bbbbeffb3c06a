# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Softmax over rows, compiled: as a hidden layer or an output, and fused with cross-entropy.

These ops need whole rows, so they are cut by rows: share `shard` of `shards`.
"""

from __future__ import annotations

import math

import numpy as np

from ..machine.intrinsics import cast, integers, pointer
from ..machine.math import exp, log
from ..machine.op import ROWS, START, WEIGHT_SUM, op
from ..machine.options import device, device_reduction
from .losses import per_unit_of_weight
from .rows import share_of_rows


@device_reduction
def _row_maximum(z, start, columns):
    largest = z[start]
    for j in range(start + 1, start + columns):
        value = z[j]
        largest = value if value > largest else largest
    return largest


@device_reduction
def _exponentials(variant, z, start, columns, largest):
    """Put ``exp(z - largest)`` in the place of z and return the sum.

    In place, because for two arrays there would be two compiled loops, of which their distance in
    memory chooses one: the order of the sum, and so its last bit, would depend on that.
    """
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
        largest = _row_maximum(out, i * ld, columns)
        total = _exponentials(variant, out, i * ld, columns, largest)
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
def _label(labels, order, ordered, place, columns):
    """The label of the row at a place of the epoch, or -1: y is the caller's, who may change it."""
    label = labels[order[place] if ordered else place]
    return label if 0 <= label < columns else -1


@op(
    *("d", "columns", "labels", "order", "targets", "weights", "loss", "correct"),
    *("shard", "shards"),
    attributes=("label_smoothing",),
)
def softmax_cross_entropy(variant, args, attributes, counters, scalars):
    """Cross-entropy of logits; d holds the logits and becomes their gradient.

    Labels are int64 codes of all rows at `labels`, in the order of the epoch by `order` (0: none),
    or the batch's rows of probabilities at `targets` where `labels` is 0; a label that names no
    column makes the loss NaN. `weights` (0: none) are the batch's own. The sum of the rows'
    weighted losses and the number of right predictions go to the scalars of those numbers.
    """
    d, columns = pointer(variant, args[0]), args[1]
    labels, order = integers(args[2]), integers(args[3])
    targets, weights = pointer(variant, args[4]), pointer(variant, args[5])
    first, last = share_of_rows(counters[ROWS], args[8], args[9])
    start, smoothing = counters[START], attributes[0]
    off, on = cast(variant, smoothing / columns), cast(variant, 1.0 - smoothing)
    one, per_weight = cast(variant, 1.0), per_unit_of_weight(scalars[WEIGHT_SUM])
    # Apart, so that many distances do not swallow the digits of the logarithms.
    distances, logarithms, correct = 0.0, 0.0, 0
    for i in range(first, last):
        row, row_loss = i * columns, 0.0
        predicted = _first_largest(d, row, columns)
        largest = d[row + predicted]
        if args[2] != 0:
            label = _label(labels, order, args[3] != 0, start + i, columns)
            row_loss += on * (largest - d[row + label]) if label >= 0 else math.nan
            if smoothing != 0.0:
                for j in range(columns):
                    row_loss += off * (largest - d[row + j])
        else:
            label = _first_largest(targets, row, columns)
            for j in range(columns):
                row_loss += (on * targets[row + j] + off) * (largest - d[row + j])
        correct += 1 if predicted == label else 0
        distances += row_loss * (weights[i] if args[5] != 0 else one)
        for j in range(columns):
            d[row + j] -= largest
    # All rows together: one of few columns does not fill a vector.
    for j in range(first * columns, last * columns):
        d[j] = exp(d[j])
    for i in range(first, last):
        row, mass = i * columns, one
        weight = weights[i] if args[5] != 0 else one
        if args[2] == 0:
            mass = on * _sum(variant, targets, row, columns) + off * cast(variant, columns)
        total = _sum(variant, d, row, columns)
        logarithms += mass * log(np.float64(total)) * weight
        inverse, scale = mass / total, cast(variant, weight * per_weight)
        if args[2] != 0:
            label = max(_label(labels, order, args[3] != 0, start + i, columns), 0)
            of_label = d[row + label] * inverse
            for j in range(columns):
                d[row + j] = scale * (d[row + j] * inverse - off)
            d[row + label] = scale * (of_label - (on + off))
        else:
            for j in range(columns):
                d[row + j] = scale * (d[row + j] * inverse - (on * targets[row + j] + off))
    scalars[args[6] + args[8]] = distances + logarithms
    scalars[args[7] + args[8]] = float(correct)
