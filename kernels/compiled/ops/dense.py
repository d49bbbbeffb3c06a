# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Products of a dense layer, compiled.

All matrices are row-major; `ld` is the distance between rows, so that an op can work on a range
of a matrix's columns.
"""

from __future__ import annotations

from ..machine.arguments import Address
from ..machine.copies import copy
from ..machine.gemm import call_product, load_product
from ..machine.op import ROWS, op
from ..machine.vectors import constants, itemsize, lanes, stack

_ones = constants(1.0, 1)
# Room for the transpose of part of a weight's gradient: half a vector of columns, four vectors of
# rows.
_strip = stack(4 * 8)


@op(prepare=load_product)
def dense_forward(
    variant,
    *,
    rows=ROWS,
    x: Address,
    ld_x: int,
    weight: Address,
    ld_weight: int,
    bias: Address,
    z: Address,
    ld_z: int,
    inputs: int,
    columns: int,
    accumulate: bool,
    factor: float = 1.0,
):
    """``z = factor (x @ weight) + bias``; `accumulate` adds to z instead."""
    start, ld_start = bias, 0
    if accumulate:
        start, ld_start = z, ld_z
    to = (start, ld_start, z, ld_z, factor)
    call_product(variant, rows, columns, inputs, x, ld_x, 1, weight, ld_weight, 0, *to)


@op(prepare=load_product)
def dense_backward_weight(
    variant,
    *,
    rows=ROWS,
    x: Address,
    ld_x: int,
    d_z: Address,
    ld_z: int,
    d_weight: Address,
    ld_weight: int,
    d_bias: Address,
    inputs: int,
    columns: int,
    factor: float = 1.0,
):
    """``d_weight = factor (x.T @ d_z)`` and, where there is one, ``d_bias = d_z.sum(0)``."""
    if 2 * columns <= lanes(variant) and inputs >= 2 * lanes(variant):
        # By the transpose of d_weight, for whose few columns vectors are too long.
        size, width, scratch = itemsize(variant), 4 * lanes(variant), _strip(variant)
        for i in range(0, inputs, width):
            count, x_i = min(width, inputs - i), x + size * i
            to = (0, 0, scratch, width, factor)
            call_product(variant, columns, count, rows, d_z, 1, ld_z, x_i, ld_x, 0, *to)
            target = d_weight + size * ld_weight * i
            copy(variant, count, columns, scratch, 1, width, target, ld_weight, 1)
    else:
        to = (0, 0, d_weight, ld_weight, factor)
        call_product(variant, inputs, columns, rows, x, 1, ld_x, d_z, ld_z, 0, *to)
    if d_bias != 0 and rows == 1:
        copy(variant, 1, columns, d_z, 0, 1, d_bias, 0, 1)
    elif d_bias != 0:
        ones = _ones(variant)
        to = (0, 0, d_bias, columns, 1.0)
        call_product(variant, 1, columns, rows, ones, 0, 0, d_z, ld_z, 0, *to)


@op(prepare=load_product)
def dense_backward_input(
    variant,
    *,
    rows=ROWS,
    d_z: Address,
    ld_z: int,
    weight: Address,
    ld_weight: int,
    d_x: Address,
    ld_x: int,
    inputs: int,
    columns: int,
    accumulate: bool,
    factor: float = 1.0,
):
    """``d_x = factor (d_z @ weight.T)``; `accumulate` adds to d_x instead."""
    start = d_x if accumulate else 0
    if rows == 1:
        # As a column, d_x takes the weights in the order in which they lie.
        to = (start, 1, d_x, 1, factor)
        call_product(variant, inputs, 1, columns, weight, ld_weight, 1, d_z, 1, 0, *to)
    else:
        to = (start, ld_x, d_x, ld_x, factor)
        call_product(variant, rows, inputs, columns, d_z, ld_z, 1, weight, ld_weight, 1, *to)
