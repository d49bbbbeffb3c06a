# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Products of a sparse matrix, compiled; its rows are read where they lie.

The variant's function names the dtype of the stored values: ``float32``, ``float64`` or ``uint8``.
Each sum has its terms in the order in which they are stored, whatever part of the columns an op
works on.
"""

from __future__ import annotations

import math

from ..machine.intrinsics import (
    cast,
    integers,
    pointer,
    prefetch,
    short_integers,
    source_itemsize,
    source_pointer,
)
from ..machine.op import ROWS, START, op
from ..machine.options import device
from ..machine.vectors import itemsize
from .rows import DTYPES

_SOURCE = ("data", "indices", "index_bytes", "indptr", "order")
_LINE_BYTES = 64
_AHEAD_ROWS = 16
_LISTED_AHEAD = 2


@device
def _column(indices, short, inputs, entry):
    """An entry's column, or -1: x is the caller's, who may change it after the check."""
    column = int(short_integers(indices)[entry]) if short else integers(indices)[entry]
    return column if 0 <= column < inputs else -1


@device
def _ask_for_bounds(args, row, stop):
    """Prefetch where a row begins that comes later in the epoch's order."""
    if row < stop:
        prefetch(args[3] + 8 * integers(args[4])[row])


@device
def _ask_for_entries(variant, args, row, stop):
    """Prefetch the entries of a row that comes later, once its bounds have come."""
    if row < stop:
        source, bounds = integers(args[4])[row], integers(args[3])
        first, last, size = bounds[source], bounds[source + 1], source_itemsize(variant)
        for line in range(args[0] + size * first, args[0] + size * last, _LINE_BYTES):
            prefetch(line)
        for line in range(args[1] + args[2] * first, args[1] + args[2] * last, _LINE_BYTES):
            prefetch(line)


@op(*_SOURCE, *("weight", "ld_weight", "out", "ld", "inputs", "columns"), members=DTYPES)
def sparse_forward(variant, args, attributes, counters, scalars):
    """``out = x @ weight`` for the batch's rows; NaN for a column that is none."""
    data, indices, index_bytes, indptr, order = args[0], args[1], args[2], args[3], args[4]
    weight, ld_weight, out, ld = (
        pointer(variant, args[5]),
        args[6],
        pointer(variant, args[7]),
        args[8],
    )
    inputs, columns, start, rows = args[9], args[10], counters[START], counters[ROWS]
    values, bounds, short = source_pointer(variant, data), integers(indptr), index_bytes == 4
    zero, nan = cast(variant, 0.0), cast(variant, math.nan)
    if order != 0:
        for row in range(start, start + 2 * _AHEAD_ROWS):
            _ask_for_bounds(args, row, start + rows)
        for row in range(start, start + _AHEAD_ROWS):
            _ask_for_entries(variant, args, row, start + rows)
    for i in range(rows):
        row = start + i
        if order != 0:
            _ask_for_bounds(args, row + 2 * _AHEAD_ROWS, start + rows)
            _ask_for_entries(variant, args, row + _AHEAD_ROWS, start + rows)
            row = integers(order)[row]
        first, last = bounds[row], bounds[row + 1]
        if columns == 1:
            # The sum stays in a register.
            total = zero
            for entry in range(first, last):
                column = _column(indices, short, inputs, entry)
                factor = weight[column * ld_weight] if column >= 0 else nan
                total += cast(variant, values[entry]) * factor
            out[i * ld] = total
            continue
        for j in range(i * ld, i * ld + columns):
            out[j] = zero
        for entry in range(first, last):
            value, column = cast(variant, values[entry]), _column(indices, short, inputs, entry)
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
def _ask_for_touched(args, row, size):
    """Prefetch a row of d_weight and whether it is listed: rows are touched in no order."""
    prefetch(args[7] + size * args[8] * row)
    prefetch(args[11] + 4 * (1 + args[9] + row))


@device
def _forget_touched(variant, args, touched, flags):
    d_weight, ld_weight, columns = pointer(variant, args[7]), args[8], args[10]
    zero = cast(variant, 0.0)
    for k in range(1, touched[0] + 1):
        row = int(touched[k])
        _ask_for_touched(args, int(touched[min(k + _AHEAD_ROWS, touched[0])]), itemsize(variant))
        flags[row] = 0
        for j in range(row * ld_weight, row * ld_weight + columns):
            d_weight[j] = zero
    touched[0] = 0


@device
def _list_touched(args, inputs, first, last, count):
    """List the columns of a row that are not listed yet; how many are listed then."""
    touched, flags = short_integers(args[11]), short_integers(args[11] + 4 * (1 + inputs))
    short = args[2] == 4
    for entry in range(first, last):
        column = _column(args[1], short, inputs, entry)
        if column >= 0 and flags[column] == 0:
            flags[column] = 1
            count += 1
            touched[count] = column
    return count


@op(
    *_SOURCE,
    *("d_out", "ld", "d_weight", "ld_weight", "inputs", "columns", "touched"),
    members=DTYPES,
)
def sparse_backward(variant, args, attributes, counters, scalars):
    """``d_weight = x.T @ d_out``.

    With an address of touched rows, d_weight is zero but for those that are listed there, and those
    of this batch take their place. There lie, as int32, how many they are, room for all of their
    numbers, and for each row whether it is listed.
    """
    data, indices, index_bytes, indptr, order = args[0], args[1], args[2], args[3], args[4]
    d_out, ld = pointer(variant, args[5]), args[6]
    d_weight, ld_weight = pointer(variant, args[7]), args[8]
    inputs, columns, start, rows = args[9], args[10], counters[START], counters[ROWS]
    values, bounds, short = source_pointer(variant, data), integers(indptr), index_bytes == 4
    listed, touched = args[11] != 0, short_integers(args[11])
    if listed:
        flags = short_integers(args[11] + 4 * (1 + inputs))
        _forget_touched(variant, args, touched, flags)
    else:
        _set_zero(variant, d_weight, ld_weight, inputs, columns)
    count = 0
    for i in range(rows):
        row = start + i
        if order != 0:
            row = integers(order)[row]
        first, last = bounds[row], bounds[row + 1]
        if listed:
            later = min(start + i + _LISTED_AHEAD, start + rows - 1)
            if order != 0:
                later = integers(order)[later]
            for entry in range(bounds[later], bounds[later + 1]):
                column = max(0, _column(indices, short, inputs, entry))
                _ask_for_touched(args, column, itemsize(variant))
            count = _list_touched(args, inputs, first, last, count)
        d = d_out[i * ld]
        for entry in range(first, last):
            value, column = cast(variant, values[entry]), _column(indices, short, inputs, entry)
            if column >= 0 and columns == 1:
                d_weight[column * ld_weight] += value * d
            elif column >= 0:
                for j in range(columns):
                    d_weight[column * ld_weight + j] += value * d_out[i * ld + j]
    if listed:
        touched[0] = count
