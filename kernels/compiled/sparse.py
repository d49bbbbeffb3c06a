# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Products of a sparse matrix, compiled; its rows are read where they lie.

The variant's function names the dtype of the stored values: ``float32``, ``float64`` or ``uint8``.
Each sum has its terms in the order in which they are stored, whatever part of the columns an op
works on.
"""

from __future__ import annotations

from .intrinsics import cast, integers, pointer, short_integers, source_pointer
from .op import ROWS, START, op
from .options import device

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
def _column(args, entry):
    if args[2] == 4:
        return int(short_integers(args[1])[entry])
    return integers(args[1])[entry]


@op(*_SOURCE, *("weight", "ld_weight", "out", "ld", "columns"))
def sparse_forward(variant, args, attributes, counters, scalars):
    """``out = x @ weight`` for the batch's rows."""
    values, weight, out = (
        source_pointer(variant, args[0]),
        pointer(variant, args[5]),
        pointer(variant, args[7]),
    )
    ld_weight, ld, columns, zero = args[6], args[8], args[9], cast(variant, 0.0)
    for i in range(counters[ROWS]):
        first, last = _entries(args, counters, i)
        if columns == 1:
            # The sum stays in a register.
            total = zero
            for entry in range(first, last):
                total += cast(variant, values[entry]) * weight[_column(args, entry) * ld_weight]
            out[i * ld] = total
            continue
        for j in range(i * ld, i * ld + columns):
            out[j] = zero
        for entry in range(first, last):
            value, start = cast(variant, values[entry]), _column(args, entry) * ld_weight
            for j in range(columns):
                out[i * ld + j] += value * weight[start + j]


@op(*_SOURCE, *("d_out", "ld", "d_weight", "ld_weight", "inputs", "columns"))
def sparse_backward(variant, args, attributes, counters, scalars):
    """``d_weight = x.T @ d_out``."""
    values, d_out, d_weight = (
        source_pointer(variant, args[0]),
        pointer(variant, args[5]),
        pointer(variant, args[7]),
    )
    ld, ld_weight, inputs, columns = args[6], args[8], args[9], args[10]
    zero = cast(variant, 0.0)
    length = columns
    if columns == ld_weight:
        length, inputs = columns * inputs, 1
    for i in range(inputs):
        for j in range(i * ld_weight, i * ld_weight + length):
            d_weight[j] = zero
    for i in range(counters[ROWS]):
        first, last = _entries(args, counters, i)
        for entry in range(first, last):
            value, start = cast(variant, values[entry]), _column(args, entry) * ld_weight
            for j in range(columns):
                d_weight[start + j] += value * d_out[i * ld + j]
