# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Products of a dense layer, compiled: by BLAS, and by own loops where a layer is narrow.

All matrices are row-major; `ld` is the distance between rows, so that an op can work on a range
of a matrix's columns. BLAS sees their transposes as column-major.
"""

from __future__ import annotations

from .blas import gemm
from .intrinsics import cast, pointer
from .op import ROWS, op
from .options import device, device_reduction

# Products with no more multiply-adds a row than this are faster in own loops than in BLAS.
_NARROW = 16 * 16


def is_narrow(inputs: int, outputs: int) -> bool:
    """Whether a layer of these widths is better served by own loops than by BLAS."""
    return inputs * outputs <= _NARROW


@device
def _fill_rows(variant, z, ld, rows, columns, bias, bias_address):
    zero = cast(variant, 0.0)
    for i in range(rows):
        if bias_address != 0:
            for j in range(columns):
                z[i * ld + j] = bias[j]
        else:
            for j in range(columns):
                z[i * ld + j] = zero


@op("x", "ld_x", "weight", "ld_weight", "bias", "z", "ld_z", "inputs", "columns", "accumulate")
def dense_forward(variant, args, attributes, counters, scalars):
    """``z = x @ weight + bias``; `accumulate` adds to z instead."""
    rows, columns = counters[ROWS], args[8]
    if args[9] == 0:
        # BLAS would set z to zero first in any case: the bias takes that pass's place.
        z, bias = pointer(variant, args[5]), pointer(variant, args[4])
        _fill_rows(variant, z, args[6], rows, columns, bias, args[4])
    gemm(
        variant,
        0,
        0,
        columns,
        rows,
        args[7],
        args[2],
        args[3],
        args[0],
        args[1],
        1,
        args[5],
        args[6],
    )


@device_reduction
def _column_sums(d, ld, rows, columns, sums):
    for j in range(columns):
        sums[j] = d[j]
    for i in range(1, rows):
        for j in range(columns):
            sums[j] += d[i * ld + j]


@op("x", "ld_x", "d_z", "ld_z", "d_weight", "ld_weight", "d_bias", "inputs", "columns")
def dense_backward_weight(variant, args, attributes, counters, scalars):
    """``d_weight = x.T @ d_z`` and, where there is one, ``d_bias = d_z.sum(0)``."""
    rows, inputs, columns = counters[ROWS], args[7], args[8]
    gemm(
        variant,
        0,
        1,
        columns,
        inputs,
        rows,
        args[2],
        args[3],
        args[0],
        args[1],
        0,
        args[4],
        args[5],
    )
    if args[6] != 0:
        d_z = pointer(variant, args[2])
        _column_sums(d_z, args[3], rows, columns, pointer(variant, args[6]))


@op("d_z", "ld_z", "weight", "ld_weight", "d_x", "ld_x", "inputs", "columns", "accumulate")
def dense_backward_input(variant, args, attributes, counters, scalars):
    """``d_x = d_z @ weight.T``; `accumulate` adds to d_x instead."""
    rows, inputs, columns = counters[ROWS], args[6], args[7]
    gemm(
        variant,
        1,
        0,
        inputs,
        rows,
        columns,
        args[2],
        args[3],
        args[0],
        args[1],
        args[8],
        args[4],
        args[5],
    )


@op("x", "ld_x", "weight", "ld_weight", "bias", "z", "ld_z", "inputs", "columns", "accumulate")
def narrow_forward(variant, args, attributes, counters, scalars):
    """`dense_forward` by own loops."""
    x, weight = pointer(variant, args[0]), pointer(variant, args[2])
    bias, z = pointer(variant, args[4]), pointer(variant, args[5])
    ld_x, ld_weight, ld_z, inputs, columns = args[1], args[3], args[6], args[7], args[8]
    rows = counters[ROWS]
    if args[9] == 0:
        _fill_rows(variant, z, ld_z, rows, columns, bias, args[4])
    for i in range(rows):
        for k in range(inputs):
            value = x[i * ld_x + k]
            for j in range(columns):
                z[i * ld_z + j] += value * weight[k * ld_weight + j]


@op("x", "ld_x", "d_z", "ld_z", "d_weight", "ld_weight", "d_bias", "inputs", "columns")
def narrow_backward_weight(variant, args, attributes, counters, scalars):
    """`dense_backward_weight` by own loops."""
    x, d_z, d_weight = (
        pointer(variant, args[0]),
        pointer(variant, args[2]),
        pointer(variant, args[4]),
    )
    ld_x, ld_z, ld_weight, inputs, columns = args[1], args[3], args[5], args[7], args[8]
    rows = counters[ROWS]
    for k in range(inputs):
        for j in range(columns):
            d_weight[k * ld_weight + j] = cast(variant, 0.0)
    for i in range(rows):
        for k in range(inputs):
            value = x[i * ld_x + k]
            for j in range(columns):
                d_weight[k * ld_weight + j] += value * d_z[i * ld_z + j]
    if args[6] != 0:
        _column_sums(d_z, ld_z, rows, columns, pointer(variant, args[6]))


@op(
    *("d_z", "ld_z", "weight", "ld_weight", "d_x", "ld_x", "inputs", "columns", "accumulate"),
    reduction=True,
)
def narrow_backward_input(variant, args, attributes, counters, scalars):
    """`dense_backward_input` by own loops."""
    d_z, weight, d_x = (
        pointer(variant, args[0]),
        pointer(variant, args[2]),
        pointer(variant, args[4]),
    )
    ld_z, ld_weight, ld_x, inputs, columns = args[1], args[3], args[5], args[6], args[7]
    rows = counters[ROWS]
    for i in range(rows):
        for k in range(inputs):
            total = cast(variant, 0.0)
            for j in range(columns):
                total += d_z[i * ld_z + j] * weight[k * ld_weight + j]
            if args[8] == 0:
                d_x[i * ld_x + k] = total
            else:
                d_x[i * ld_x + k] += total
