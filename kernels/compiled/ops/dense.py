# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Products of a dense layer, compiled.

All matrices are row-major; `ld` is the distance between rows, so that an op can work on a range
of a matrix's columns.
"""

from __future__ import annotations

from ..machine.copies import copy
from ..machine.gemm import call_product, load_product
from ..machine.op import ROWS, op
from ..machine.vectors import constants, itemsize, lanes, stack

_ones = constants(1.0, 1)
# Room for the transpose of part of a weight's gradient: half a vector of columns, four vectors of
# rows.
_strip = stack(4 * 8)


@op(
    *("x", "ld_x", "weight", "ld_weight", "bias", "z", "ld_z", "inputs", "columns", "accumulate"),
    prepare=load_product,
)
def dense_forward(variant, args, attributes, counters, scalars):
    """``z = x @ weight + bias``; `accumulate` adds to z instead."""
    start, ld_start = args[4], 0
    if args[9] != 0:
        start, ld_start = args[5], args[6]
    call_product(
        variant,
        counters[ROWS],
        args[8],
        args[7],
        args[0],
        args[1],
        1,
        args[2],
        args[3],
        0,
        start,
        ld_start,
        args[5],
        args[6],
    )


@op(
    *("x", "ld_x", "d_z", "ld_z", "d_weight", "ld_weight", "d_bias", "inputs", "columns"),
    prepare=load_product,
)
def dense_backward_weight(variant, args, attributes, counters, scalars):
    """``d_weight = x.T @ d_z`` and, where there is one, ``d_bias = d_z.sum(0)``."""
    rows, inputs, columns = counters[ROWS], args[7], args[8]
    x, ld_x, d_z, ld_z, d_weight, ld_weight = args[0], args[1], args[2], args[3], args[4], args[5]
    if 2 * columns <= lanes(variant) and inputs >= 2 * lanes(variant):
        # By the transpose of d_weight, for whose few columns vectors are too long.
        size, width, scratch = itemsize(variant), 4 * lanes(variant), _strip(variant)
        for i in range(0, inputs, width):
            count = min(width, inputs - i)
            call_product(
                variant,
                columns,
                count,
                rows,
                d_z,
                1,
                ld_z,
                x + size * i,
                ld_x,
                0,
                0,
                0,
                scratch,
                width,
            )
            target = d_weight + size * ld_weight * i
            copy(variant, count, columns, scratch, 1, width, target, ld_weight, 1)
    else:
        call_product(
            variant,
            inputs,
            columns,
            rows,
            x,
            1,
            ld_x,
            d_z,
            ld_z,
            0,
            0,
            0,
            d_weight,
            ld_weight,
        )
    if args[6] != 0 and rows == 1:
        copy(variant, 1, columns, d_z, 0, 1, args[6], 0, 1)
    elif args[6] != 0:
        call_product(
            variant, 1, columns, rows, _ones(variant), 0, 0, d_z, ld_z, 0, 0, 0, args[6], columns
        )


@op(
    *("d_z", "ld_z", "weight", "ld_weight", "d_x", "ld_x", "inputs", "columns", "accumulate"),
    prepare=load_product,
)
def dense_backward_input(variant, args, attributes, counters, scalars):
    """``d_x = d_z @ weight.T``; `accumulate` adds to d_x instead."""
    rows, inputs, columns = counters[ROWS], args[6], args[7]
    d_z, ld_z, weight, ld_weight, d_x, ld_x = args[0], args[1], args[2], args[3], args[4], args[5]
    start = 0 if args[8] == 0 else d_x
    if rows == 1:
        # As a column, d_x takes the weights in the order in which they lie.
        call_product(variant, inputs, 1, columns, weight, ld_weight, 1, d_z, 1, 0, start, 1, d_x, 1)
    else:
        call_product(
            variant,
            rows,
            inputs,
            columns,
            d_z,
            ld_z,
            1,
            weight,
            ld_weight,
            1,
            start,
            ld_x,
            d_x,
            ld_x,
        )
