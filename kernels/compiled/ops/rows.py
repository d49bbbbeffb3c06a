# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Moving rows and columns, compiled: gathering a batch, copying, adding, storing predictions."""

from __future__ import annotations

import math

from ..machine.arguments import SCALARS, Address, Integers, Pointer
from ..machine.intrinsics import cast, is_given, is_same, prefetch, source_itemsize, source_pointer
from ..machine.op import ROWS, START, WEIGHT_SUM, op
from ..machine.options import device

# Of the arrays that rows are read from.
DTYPES = ("float32", "float64", "uint8")
_LINE_BYTES = 64
_AHEAD_BYTES = 16384
_AHEAD_ROWS = 16


@device
def share_of_rows(rows, shard, shards):
    """Rows ``first <= i < last`` of part `shard` of `shards`."""
    if shards == 1:
        # Of a batch of one row, the divisions would take the most time.
        return 0, rows
    return rows * shard // shards, rows * (shard + 1) // shards


@device
def per_unit_of_weight(weight_sum):
    """1 / weight_sum: what a mean is multiplied by; 0 where the weights sum to 0."""
    return 0.0 if weight_sum == 0.0 else 1.0 / weight_sum


@device
def copied(first, last, columns, ld, x, out):
    """``out = x`` for a range of rows."""
    for i in range(first, last):
        for j in range(i * ld, i * ld + columns):
            out[j] = x[j]


@op(members=DTYPES)
def gather_rows(
    variant,
    *,
    rows=ROWS,
    start=START,
    source: Address,
    ld_source: int,
    order: Integers,
    out: Pointer,
    ld: int,
    columns: int,
    shard: int,
    shards: int,
):
    """Copy the batch's rows of an array, in the order of the epoch, into the network's dtype.

    The variant's function names the array's dtype: ``float32``, ``float64`` or ``uint8``.
    """
    numbers = source_pointer(variant, source)
    first, last = share_of_rows(rows, shard, shards)
    row_bytes = ld_source * source_itemsize(variant)
    # Rows in random order come from memory, one miss after the other unless asked for beforehand.
    ahead = min(_AHEAD_BYTES // row_bytes + 1, _AHEAD_ROWS)
    for i in range(first, last):
        row = start + i
        if is_given(order):
            row = order[row]
            if i + ahead < rows:
                place = source + order[start + i + ahead] * row_bytes
                for line in range(place, place + row_bytes, _LINE_BYTES):
                    prefetch(line)
        for j in range(columns):
            out[i * ld + j] = cast(variant, numbers[row * ld_source + j])


@op()
def sum_weights(variant, *, rows=ROWS, scalars=SCALARS, weights: Pointer):
    """Sum of the batch's sample weights; its number of rows where there are none."""
    if not is_given(weights):
        scalars[WEIGHT_SUM] = float(rows)
        return
    total = 0.0
    for i in range(rows):
        total += float(weights[i])
    scalars[WEIGHT_SUM] = total


@op()
def copy_rows(variant, *, rows=ROWS, x: Pointer, y: Pointer, out: Pointer, ld: int, columns: int):
    """``out = x``, or ``out = x + y`` where there is a y, which may be `out`."""
    if columns == ld:
        columns, rows = columns * rows, 1
    if not is_given(y):
        copied(0, rows, columns, ld, x, out)
    elif is_same(y, out):
        for i in range(rows):
            for j in range(i * ld, i * ld + columns):
                out[j] += x[j]
    else:
        for i in range(rows):
            for j in range(i * ld, i * ld + columns):
                out[j] = x[j] + y[j]


@op()
def scale_columns(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    scale: Pointer,
    shift: Pointer,
    out: Pointer,
    ld: int,
    columns: int,
):
    """``out = x * scale + shift``, column by column; out may be x."""
    for i in range(rows):
        for j in range(columns):
            out[i * ld + j] = x[i * ld + j] * scale[j] + shift[j]


@op()
def one_hot(
    variant,
    *,
    rows=ROWS,
    scalars=SCALARS,
    x: Pointer,
    ld_x: int,
    levels: Pointer,
    out: Pointer,
    ld: int,
    columns: int,
    scalar: int,
):
    """``out[i, j] = 1`` where ``x[i]``, of one column, is ``levels[j]``, else 0.

    A scalar, if one is given (not 0), becomes NaN where a row has none of the levels.
    """
    for i in range(rows):
        found = 0
        for j in range(columns):
            equal = x[i * ld_x] == levels[j]
            out[i * ld + j] = cast(variant, 1.0) if equal else cast(variant, 0.0)
            found += int(equal)
        if scalar > 0 and found == 0:
            scalars[scalar] = math.nan


@op(reduction=True)
def check_finite(variant, *, rows=ROWS, scalars=SCALARS, x: Pointer, columns: int, scalar: int):
    """Add to a scalar 0 where all numbers of the batch are finite, else NaN."""
    total, zero = cast(variant, 0.0), cast(variant, 0.0)
    for j in range(columns * rows):
        # Not a number where x is infinite, too.
        total += x[j] * zero
    scalars[scalar] += float(total)


@op()
def copy_columns(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    ld_x: int,
    out: Pointer,
    ld: int,
    columns: int,
    accumulate: bool,
):
    """``out = x``, or ``out += x`` to `accumulate`, between matrices with rows of other lengths."""
    if accumulate:
        for i in range(rows):
            for j in range(columns):
                out[i * ld + j] += x[i * ld_x + j]
    else:
        for i in range(rows):
            for j in range(columns):
                out[i * ld + j] = x[i * ld_x + j]


@op()
def select_columns(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    ld_x: int,
    indices: Integers,
    out: Pointer,
    ld: int,
    columns: int,
):
    """``out[:, j] = x[:, indices[j]]``."""
    for i in range(rows):
        for j in range(columns):
            out[i * ld + j] = x[i * ld_x + indices[j]]


@op()
def add_columns(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    ld_x: int,
    indices: Integers,
    out: Pointer,
    ld: int,
    columns: int,
    width: int,
    accumulate: bool,
):
    """``out[:, indices[j]] += x[:, j]``, onto zeros unless `accumulate`."""
    zero = cast(variant, 0.0)
    if not accumulate:
        for i in range(rows):
            for j in range(width):
                out[i * ld + j] = zero
    for i in range(rows):
        for j in range(columns):
            out[i * ld + indices[j]] += x[i * ld_x + j]


@op()
def store_rows(
    variant, *, rows=ROWS, start=START, x: Pointer, ld_x: int, out: Pointer, columns: int
):
    """Write the batch's results to their places in an array of all rows."""
    first = start * columns
    for i in range(rows):
        for j in range(columns):
            out[first + i * columns + j] = x[i * ld_x + j]
