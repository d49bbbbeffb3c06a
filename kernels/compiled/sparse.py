# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Products of a sparse matrix, compiled; its rows are read where they lie.

The variant's function names the dtype of the stored values: ``float32``, ``float64`` or ``uint8``.
Each sum has its terms in the order in which they are stored, whatever part of the columns an op
works on.
"""

from __future__ import annotations

import math

from .intrinsics import cast, integers, pointer, short_integers, source_pointer
from .op import ROWS, START, op
from .options import device
from .rows import DTYPES

_SOURCE = ("data", "indices", "index_bytes", "indptr", "order")


@device
def _entries(args, counters, i):
    """First entry of the batch's row i, and the first of the next row."""
    row = counters[START] + i
    if args[4] != 0:
        row = integers(args[4])[row]
    bounds = integers(args[3])
    return bounds[row], bounds[row + 1]


@device
def _column(args, inputs, entry):
    """An entry's column, or -1: x is the caller's, who may change it after the check."""
    column = int(short_integers(args[1])[entry]) if args[2] == 4 else integers(args[1])[entry]
    return column if 0 <= column < inputs else -1


@op(*_SOURCE, *("weight", "ld_weight", "out", "ld", "inputs", "columns"), members=DTYPES)
def sparse_forward(variant, args, attributes, counters, scalars):
    """``out = x @ weight`` for the batch's rows; NaN for a column that is none."""
    values, weight, out = (
        source_pointer(variant, args[0]),
        pointer(variant, args[5]),
        pointer(variant, args[7]),
    )
    ld_weight, ld, inputs, columns = args[6], args[8], args[9], args[10]
    zero, nan = cast(variant, 0.0), cast(variant, math.nan)
    for i in range(counters[ROWS]):
        first, last = _entries(args, counters, i)
        if columns == 1:
            # The sum stays in a register.
            total = zero
            for entry in range(first, last):
                column = _column(args, inputs, entry)
                factor = weight[column * ld_weight] if column >= 0 else nan
                total += cast(variant, values[entry]) * factor
            out[i * ld] = total
            continue
        for j in range(i * ld, i * ld + columns):
            out[j] = zero
        for entry in range(first, last):
            value, column = cast(variant, values[entry]), _column(args, inputs, entry)
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
def _forget_touched(variant, d_weight, ld_weight, columns, touched, flags):
    zero = cast(variant, 0.0)
    for k in range(1, touched[0] + 1):
        row = touched[k]
        flags[row] = 0
        for j in range(row * ld_weight, row * ld_weight + columns):
            d_weight[j] = zero
    touched[0] = 0


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
    values, d_out, d_weight = (
        source_pointer(variant, args[0]),
        pointer(variant, args[5]),
        pointer(variant, args[7]),
    )
    ld, ld_weight, inputs, columns, listed = args[6], args[8], args[9], args[10], args[11] != 0
    touched = short_integers(args[11])
    flags = short_integers(args[11] + 4 * (1 + inputs))
    if listed:
        _forget_touched(variant, d_weight, ld_weight, columns, touched, flags)
    else:
        _set_zero(variant, d_weight, ld_weight, inputs, columns)
    count = 0
    for i in range(counters[ROWS]):
        first, last = _entries(args, counters, i)
        for entry in range(first, last):
            value, column = cast(variant, values[entry]), _column(args, inputs, entry)
            if column < 0:
                continue
            if listed and flags[column] == 0:
                flags[column] = 1
                count += 1
                touched[count] = column
            for j in range(columns):
                d_weight[column * ld_weight + j] += value * d_out[i * ld + j]
    if listed:
        touched[0] = count
