# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Products of a sparse matrix, compiled; its rows are read where they lie.

The variant's function names the dtype of the stored values: ``float32``, ``float64`` or ``uint8``.
Each sum has its terms in the order in which they are stored, whatever part of the columns an op
works on.
"""

from __future__ import annotations

import math

from ..machine.arguments import Address, Integers, Number, Pointer, ShortIntegers
from ..machine.intrinsics import (
    address_of,
    cast,
    integers,
    is_given,
    prefetch,
    short_integers,
    source_itemsize,
    source_pointer,
)
from ..machine.op import ROWS, START, op
from ..machine.options import device
from ..machine.vectors import itemsize
from .rows import DTYPES

_LINE_BYTES = 64
_AHEAD_ROWS = 16
_LISTED_AHEAD = 2


@device
def _column(indices, short, inputs, entry):
    """An entry's column, or -1: x is the caller's, who may change it after the check."""
    column = int(short_integers(indices)[entry]) if short else integers(indices)[entry]
    return column if 0 <= column < inputs else -1


@device
def _ask_for_bounds(indptr, order, row, stop):
    """Prefetch where a row begins that comes later in the epoch's order."""
    if row < stop:
        prefetch(address_of(indptr) + 8 * order[row])


@device
def _ask_for_entries(variant, data, indices, index_bytes, indptr, order, row, stop):
    """Prefetch the entries of a row that comes later, once its bounds have come."""
    if row < stop:
        first, last = indptr[order[row]], indptr[order[row] + 1]
        size = source_itemsize(variant)
        for line in range(data + size * first, data + size * last, _LINE_BYTES):
            prefetch(line)
        for line in range(indices + index_bytes * first, indices + index_bytes * last, _LINE_BYTES):
            prefetch(line)


@op(members=DTYPES)
def sparse_forward(
    variant,
    *,
    rows=ROWS,
    start=START,
    data: Address,
    indices: Address,
    index_bytes: int,
    indptr: Integers,
    order: Integers,
    weight: Pointer,
    ld_weight: int,
    out: Pointer,
    ld: int,
    inputs: int,
    columns: int,
    bias: Pointer = 0,
    factor: Number = 1.0,
):
    """``out = factor (x @ weight) + bias`` for the batch's rows; NaN for a column that is none."""
    values, short, stop = source_pointer(variant, data), index_bytes == 4, start + rows
    zero, nan = cast(variant, 0.0), cast(variant, math.nan)
    if is_given(order):
        for row in range(start, start + 2 * _AHEAD_ROWS):
            _ask_for_bounds(indptr, order, row, stop)
        for row in range(start, start + _AHEAD_ROWS):
            _ask_for_entries(variant, data, indices, index_bytes, indptr, order, row, stop)
    for i in range(rows):
        row = start + i
        if is_given(order):
            _ask_for_bounds(indptr, order, row + 2 * _AHEAD_ROWS, stop)
            later = row + _AHEAD_ROWS
            _ask_for_entries(variant, data, indices, index_bytes, indptr, order, later, stop)
            row = order[row]
        first, last = indptr[row], indptr[row + 1]
        if columns == 1:
            # The sum stays in a register.
            total = bias[0] if is_given(bias) else zero
            for entry in range(first, last):
                column = _column(indices, short, inputs, entry)
                other = weight[column * ld_weight] if column >= 0 else nan
                total += factor * cast(variant, values[entry]) * other
            out[i * ld] = total
            continue
        for j in range(columns):
            out[i * ld + j] = bias[j] if is_given(bias) else zero
        for entry in range(first, last):
            value = factor * cast(variant, values[entry])
            column = _column(indices, short, inputs, entry)
            if column < 0:
                value, column = nan, 0
            for j in range(columns):
                out[i * ld + j] += value * weight[column * ld_weight + j]


@device
def _set_zero(variant, d_weight, ld_weight, inputs, columns):
    zero = cast(variant, 0.0)
    if columns == ld_weight:
        columns, inputs = columns * inputs, 1
    for i in range(inputs):
        for j in range(i * ld_weight, i * ld_weight + columns):
            d_weight[j] = zero


@device
def _ask_for_touched(variant, d_weight, ld_weight, flags, row):
    """Prefetch a row of d_weight and whether it is listed: rows are touched in no order."""
    prefetch(address_of(d_weight) + itemsize(variant) * ld_weight * row)
    prefetch(address_of(flags) + 4 * row)


@device
def _forget_touched(variant, d_weight, ld_weight, columns, touched, flags):
    zero = cast(variant, 0.0)
    for k in range(1, touched[0] + 1):
        row, later = int(touched[k]), int(touched[min(k + _AHEAD_ROWS, touched[0])])
        _ask_for_touched(variant, d_weight, ld_weight, flags, later)
        flags[row] = 0
        for j in range(row * ld_weight, row * ld_weight + columns):
            d_weight[j] = zero
    touched[0] = 0


@device
def _list_touched(indices, short, inputs, touched, flags, first, last, count):
    """List the columns of a row that are not listed yet; how many are listed then."""
    for entry in range(first, last):
        column = _column(indices, short, inputs, entry)
        if column >= 0 and flags[column] == 0:
            flags[column] = 1
            count += 1
            touched[count] = column
    return count


@op(members=DTYPES)
def sparse_backward(
    variant,
    *,
    rows=ROWS,
    start=START,
    data: Address,
    indices: Address,
    index_bytes: int,
    indptr: Integers,
    order: Integers,
    d_out: Pointer,
    ld: int,
    d_weight: Pointer,
    ld_weight: int,
    inputs: int,
    columns: int,
    touched: ShortIntegers,
    d_bias: Pointer = 0,
    factor: Number = 1.0,
):
    """``d_weight = factor (x.T @ d_out)``, and ``d_bias``, if it is given, the sum of its rows.

    With an address of touched rows, d_weight is zero but for those that are listed there, and those
    of this batch take their place. There lie, as int32, how many they are, room for all of their
    numbers, and for each row whether it is listed.
    """
    values, short = source_pointer(variant, data), index_bytes == 4
    listed, flags = is_given(touched), short_integers(address_of(touched) + 4 * (1 + inputs))
    if listed:
        _forget_touched(variant, d_weight, ld_weight, columns, touched, flags)
    else:
        _set_zero(variant, d_weight, ld_weight, inputs, columns)
    if is_given(d_bias):
        for j in range(columns):
            d_bias[j] = cast(variant, 0.0)
        for i in range(rows):
            for j in range(columns):
                d_bias[j] += d_out[i * ld + j]
    count = 0
    for i in range(rows):
        row = start + i
        if is_given(order):
            row = order[row]
        first, last = indptr[row], indptr[row + 1]
        if listed:
            later = min(start + i + _LISTED_AHEAD, start + rows - 1)
            if is_given(order):
                later = order[later]
            for entry in range(indptr[later], indptr[later + 1]):
                column = max(0, _column(indices, short, inputs, entry))
                _ask_for_touched(variant, d_weight, ld_weight, flags, column)
            count = _list_touched(indices, short, inputs, touched, flags, first, last, count)
        d = d_out[i * ld]
        for entry in range(first, last):
            value = factor * cast(variant, values[entry])
            column = _column(indices, short, inputs, entry)
            if column >= 0 and columns == 1:
                d_weight[column * ld_weight] += value * d
            elif column >= 0:
                for j in range(columns):
                    d_weight[column * ld_weight + j] += value * d_out[i * ld + j]
    if listed:
        touched[0] = count
