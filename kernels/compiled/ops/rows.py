# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Moving rows and columns, compiled: gathering a batch, copying, adding, storing predictions."""

from __future__ import annotations

from ..machine.intrinsics import cast, integers, pointer, prefetch, source_itemsize, source_pointer
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


@op(
    *("source", "ld_source", "order", "out", "ld", "columns", "shard", "shards"),
    members=DTYPES,
)
def gather_rows(variant, args, attributes, counters, scalars):
    """Copy the batch's rows of an array, in the order of the epoch, into the network's dtype.

    The variant's function names the array's dtype: ``float32``, ``float64`` or ``uint8``.
    """
    source, order, out = (
        source_pointer(variant, args[0]),
        integers(args[2]),
        pointer(variant, args[3]),
    )
    ld_source, ld, columns, start = args[1], args[4], args[5], counters[START]
    first, last = share_of_rows(counters[ROWS], args[6], args[7])
    row_bytes = ld_source * source_itemsize(variant)
    # Rows in random order come from memory, one miss after the other unless asked for beforehand.
    ahead = min(_AHEAD_BYTES // row_bytes + 1, _AHEAD_ROWS)
    for i in range(first, last):
        row = start + i
        if args[2] != 0:
            row = order[row]
            if i + ahead < counters[ROWS]:
                place = args[0] + order[start + i + ahead] * row_bytes
                for line in range(place, place + row_bytes, _LINE_BYTES):
                    prefetch(line)
        for j in range(columns):
            out[i * ld + j] = cast(variant, source[row * ld_source + j])


@op("weights")
def sum_weights(variant, args, attributes, counters, scalars):
    """Sum of the batch's sample weights; its number of rows where there are none."""
    rows, weights, total = counters[ROWS], pointer(variant, args[0]), 0.0
    if args[0] == 0:
        scalars[WEIGHT_SUM] = float(rows)
        return
    for i in range(rows):
        total += float(weights[i])
    scalars[WEIGHT_SUM] = total


@op("x", "y", "out", "ld", "columns")
def copy_rows(variant, args, attributes, counters, scalars):
    """``out = x``, or ``out = x + y`` where there is a y, which may be `out`."""
    x, y, out = pointer(variant, args[0]), pointer(variant, args[1]), pointer(variant, args[2])
    ld, columns, rows = args[3], args[4], counters[ROWS]
    if columns == ld:
        columns, rows = columns * rows, 1
    for i in range(rows):
        if args[1] == 0:
            for j in range(i * ld, i * ld + columns):
                out[j] = x[j]
        elif args[1] == args[2]:
            for j in range(i * ld, i * ld + columns):
                out[j] += x[j]
        else:
            for j in range(i * ld, i * ld + columns):
                out[j] = x[j] + y[j]


@op("x", "scale", "shift", "out", "ld", "columns")
def scale_columns(variant, args, attributes, counters, scalars):
    """``out = x * scale + shift``, column by column; out may be x."""
    x, out = pointer(variant, args[0]), pointer(variant, args[3])
    scale, shift = pointer(variant, args[1]), pointer(variant, args[2])
    for i in range(counters[ROWS]):
        for j in range(args[5]):
            out[i * args[4] + j] = x[i * args[4] + j] * scale[j] + shift[j]


@op("x", "columns", "scalar", reduction=True)
def check_finite(variant, args, attributes, counters, scalars):
    """Add to a scalar 0 where all numbers of the batch are finite, else NaN."""
    x, total = pointer(variant, args[0]), cast(variant, 0.0)
    for j in range(args[1] * counters[ROWS]):
        # Not a number where x is infinite, too.
        total += x[j] * cast(variant, 0.0)
    scalars[args[2]] += float(total)


@op("x", "ld_x", "out", "ld", "columns", "accumulate")
def copy_columns(variant, args, attributes, counters, scalars):
    """``out = x``, or ``out += x`` to `accumulate`, between matrices with rows of other lengths."""
    x, out, ld_x, ld = pointer(variant, args[0]), pointer(variant, args[2]), args[1], args[3]
    for i in range(counters[ROWS]):
        if args[5] == 0:
            for j in range(args[4]):
                out[i * ld + j] = x[i * ld_x + j]
        else:
            for j in range(args[4]):
                out[i * ld + j] += x[i * ld_x + j]


@op("x", "ld_x", "indices", "out", "ld", "columns")
def select_columns(variant, args, attributes, counters, scalars):
    """``out[:, j] = x[:, indices[j]]``."""
    x, indices, out = pointer(variant, args[0]), integers(args[2]), pointer(variant, args[3])
    ld_x, ld, columns, rows = args[1], args[4], args[5], counters[ROWS]
    for i in range(rows):
        for j in range(columns):
            out[i * ld + j] = x[i * ld_x + indices[j]]


@op("x", "ld_x", "indices", "out", "ld", "columns", "width", "accumulate")
def add_columns(variant, args, attributes, counters, scalars):
    """``out[:, indices[j]] += x[:, j]``, onto zeros unless `accumulate`."""
    x, indices, out = pointer(variant, args[0]), integers(args[2]), pointer(variant, args[3])
    ld_x, ld, columns, rows = args[1], args[4], args[5], counters[ROWS]
    for i in range(rows):
        if args[7] == 0:
            for j in range(args[6]):
                out[i * ld + j] = cast(variant, 0.0)
        for j in range(columns):
            out[i * ld + indices[j]] += x[i * ld_x + j]


@op("x", "ld_x", "out", "columns")
def store_rows(variant, args, attributes, counters, scalars):
    """Write the batch's results to their places in an array of all rows."""
    x, out, ld_x, columns = pointer(variant, args[0]), pointer(variant, args[2]), args[1], args[3]
    first = counters[START] * columns
    for i in range(counters[ROWS]):
        for j in range(columns):
            out[first + i * columns + j] = x[i * ld_x + j]
