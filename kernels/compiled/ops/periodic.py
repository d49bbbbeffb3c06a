# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Periodic embeddings over a range of columns, compiled.

Rows are worked on in blocks, transposed into `scratch`: every inner loop then runs over the rows of
one wave, side by side in memory, and becomes vectors whatever the number of waves is.
"""

from __future__ import annotations

import math

from ..machine.arguments import Pointer
from ..machine.intrinsics import cast, is_given
from ..machine.math import cospi, sinpi
from ..machine.op import ROWS, op
from ..machine.options import device

BLOCK = 256
"""Rows of a block."""


def scratch_size(width: int) -> int:
    """Numbers of scratch that a call needs, for an embedding of so many numbers."""
    return (width + 4) * BLOCK


@op()
def periodic_forward(
    variant,
    *,
    rows=ROWS,
    x: Pointer,
    ld_x: int,
    out: Pointer,
    ld_out: int,
    columns: int,
    waves: int,
    width: int,
    frequency: Pointer,
    phase: Pointer,
    weight: Pointer,
    bias: Pointer,
    scratch: Pointer,
):
    """``out = cos(2 pi f x + p) W + b`` for each column; see the reference."""
    two, by_pi = cast(variant, 2.0), cast(variant, 1.0 / math.pi)
    for start in range(0, rows, BLOCK):
        n = min(BLOCK, rows - start)
        for c in range(columns):
            for i in range(n):
                scratch[i] = x[(start + i) * ld_x + c]
            for k in range(width):
                for i in range(n):
                    scratch[(k + 2) * BLOCK + i] = bias[c * width + k]
            for j in range(c * waves, (c + 1) * waves):
                # In half turns.
                by_x, first = two * frequency[j], by_pi * phase[j]
                for i in range(n):
                    scratch[BLOCK + i] = cospi(scratch[i] * by_x + first)
                for k in range(width):
                    w = weight[j * width + k]
                    for i in range(n):
                        scratch[(k + 2) * BLOCK + i] += scratch[BLOCK + i] * w
            for i in range(n):
                for k in range(width):
                    out[(start + i) * ld_out + c * width + k] = scratch[(k + 2) * BLOCK + i]


@device
def _wave_gradients(variant, scratch, n, width, by_x, first, weight, j):
    """Cosines of a wave, and the gradient of its angles, over the rows of a block."""
    for i in range(n):
        scratch[3 * BLOCK + i] = cast(variant, 0.0)
    for k in range(width):
        w = weight[j * width + k]
        for i in range(n):
            scratch[3 * BLOCK + i] += scratch[(k + 4) * BLOCK + i] * w
    for i in range(n):
        angle = scratch[i] * by_x + first
        scratch[BLOCK + i] = cospi(angle)
        scratch[3 * BLOCK + i] = -sinpi(angle) * scratch[3 * BLOCK + i]


@op(reduction=True)
def periodic_backward(
    variant,
    *,
    rows=ROWS,
    d: Pointer,
    ld_d: int,
    x: Pointer,
    ld_x: int,
    d_x: Pointer,
    columns: int,
    waves: int,
    width: int,
    frequency: Pointer,
    phase: Pointer,
    weight: Pointer,
    d_frequency: Pointer,
    d_phase: Pointer,
    d_weight: Pointer,
    d_bias: Pointer,
    scratch: Pointer,
    accumulate: bool,
):
    """The gradients of frequencies, phases, weights, biases and, if its place is given, of x.

    `accumulate` adds to that of x. The row length of d_x is that of x.
    """
    two, by_pi = cast(variant, 2.0), cast(variant, 1.0 / math.pi)
    turn, zero = cast(variant, 2.0 * math.pi), cast(variant, 0.0)
    for j in range(columns * waves):
        d_frequency[j] = d_phase[j] = zero
    for j in range(columns * waves * width):
        d_weight[j] = zero
    for j in range(columns * width):
        d_bias[j] = zero
    for start in range(0, rows, BLOCK):
        n = min(BLOCK, rows - start)
        for c in range(columns):
            for i in range(n):
                scratch[i] = x[(start + i) * ld_x + c]
                scratch[2 * BLOCK + i] = zero
            for k in range(width):
                total = zero
                for i in range(n):
                    gradient = d[(start + i) * ld_d + c * width + k]
                    scratch[(k + 4) * BLOCK + i] = gradient
                    total += gradient
                d_bias[c * width + k] += total
            for j in range(c * waves, (c + 1) * waves):
                by_x, first = two * frequency[j], by_pi * phase[j]
                _wave_gradients(variant, scratch, n, width, by_x, first, weight, j)
                by_x = turn * frequency[j]
                by_phase, by_frequency = zero, zero
                for i in range(n):
                    by_phase += scratch[3 * BLOCK + i]
                    by_frequency += scratch[3 * BLOCK + i] * scratch[i]
                    scratch[2 * BLOCK + i] += scratch[3 * BLOCK + i] * by_x
                d_phase[j] += by_phase
                d_frequency[j] += turn * by_frequency
                for k in range(width):
                    total = zero
                    for i in range(n):
                        total += scratch[BLOCK + i] * scratch[(k + 4) * BLOCK + i]
                    d_weight[j * width + k] += total
            if is_given(d_x):
                for i in range(n):
                    place = (start + i) * ld_x + c
                    before = d_x[place] if accumulate else zero
                    d_x[place] = before + scratch[2 * BLOCK + i]
