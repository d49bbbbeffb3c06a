# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Dropout with masks from a counter-based generator, compiled.

Philox4x32-10 (Salmon et al. 2011) turns (column, row // 4, step, layer) and the seed into four
words, one for each of four rows: rows and columns can be made in any order and on any thread.
"""

from __future__ import annotations

import numpy as np

from ..machine.arguments import Doubles, Integers, Pointer
from ..machine.intrinsics import cast, is_given, is_same
from ..machine.op import BATCH, ROWS, STEP, op
from ..machine.options import device

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_HALF, _WORD = np.uint64(32), np.uint64(0xFFFFFFFF)


@device
def _round(c0, c1, c2, c3, key0, key1):
    product0 = (c0 & _WORD) * _M0
    product1 = (c2 & _WORD) * _M1
    return (product1 >> _HALF) ^ c1 ^ key0, product1, (product0 >> _HALF) ^ c3 ^ key1, product0


@device
def philox4x32(c0, c1, c2, c3, key0, key1):
    """Ten rounds of Philox4x32 on words in the lower halves of uint64.

    What the rounds leave in the upper halves has no meaning until the end: vectors of such words
    multiply in one instruction, and the rounds take no masks.
    """
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(0) * _W0, key1 + np.uint64(0) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(1) * _W0, key1 + np.uint64(1) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(2) * _W0, key1 + np.uint64(2) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(3) * _W0, key1 + np.uint64(3) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(4) * _W0, key1 + np.uint64(4) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(5) * _W0, key1 + np.uint64(5) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(6) * _W0, key1 + np.uint64(6) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(7) * _W0, key1 + np.uint64(7) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(8) * _W0, key1 + np.uint64(8) * _W1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, key0 + np.uint64(9) * _W0, key1 + np.uint64(9) * _W1)
    return c0 & _WORD, c1 & _WORD, c2 & _WORD, c3 & _WORD


@op()
def philox_words(variant, *, words: Integers, count: int):
    """Encrypt `count` counters: of six rows of int64 words the first four become the results."""
    n = count
    for i in range(n):
        c0, c1, c2, c3 = (
            np.uint64(words[i]),
            np.uint64(words[n + i]),
            np.uint64(words[2 * n + i]),
            np.uint64(words[3 * n + i]),
        )
        key0, key1 = np.uint64(words[4 * n + i]), np.uint64(words[5 * n + i])
        w0, w1, w2, w3 = philox4x32(c0, c1, c2, c3, key0, key1)
        words[i] = np.int64(w0)
        words[n + i] = np.int64(w1)
        words[2 * n + i] = np.int64(w2)
        words[3 * n + i] = np.int64(w3)


@op()
def dropout_mask(
    variant,
    *,
    rows=ROWS,
    step=STEP,
    mask: Pointer,
    ld: int,
    columns: int,
    first_column: int,
    threshold: int,
    seed_low: int,
    seed_high: int,
    layer: int,
    keep: float,
    batch=BATCH,
    rates: Doubles = 0,
    rate_stride: int = 0,
):
    """``mask = 0`` where the generator's word is below the threshold, else ``1 / keep``.

    Where there are `rates`, of each step or one for all, threshold and keep are those of the rate.
    """
    if is_given(rates):
        keep = 1.0 - rates[batch * rate_stride]
        threshold = int(rates[batch * rate_stride] * 4294967296.0)
    limit, update, number = np.uint64(threshold), np.uint64(step), np.uint64(layer)
    key0, key1 = np.uint64(seed_low), np.uint64(seed_high)
    scale, zero = cast(variant, 1.0 / keep), cast(variant, 0.0)
    whole = rows // 4
    for group in range(whole):
        row0 = 4 * group * ld
        for j in range(columns):
            column = np.uint64(first_column + j)
            w0, w1, w2, w3 = philox4x32(column, np.uint64(group), update, number, key0, key1)
            mask[row0 + j] = zero if w0 < limit else scale
            mask[row0 + ld + j] = zero if w1 < limit else scale
            mask[row0 + 2 * ld + j] = zero if w2 < limit else scale
            mask[row0 + 3 * ld + j] = zero if w3 < limit else scale
    rest = rows - 4 * whole
    if rest > 0:
        row0 = 4 * whole * ld
        for j in range(columns):
            column = np.uint64(first_column + j)
            w0, w1, w2, w3 = philox4x32(column, np.uint64(whole), update, number, key0, key1)
            mask[row0 + j] = zero if w0 < limit else scale
            if rest > 1:
                mask[row0 + ld + j] = zero if w1 < limit else scale
            if rest > 2:
                mask[row0 + 2 * ld + j] = zero if w2 < limit else scale


@op()
def apply_mask(
    variant, *, rows=ROWS, x: Pointer, mask: Pointer, out: Pointer, ld: int, columns: int
):
    """``out = x * mask``; in place where x and out are one."""
    if columns == ld:
        columns, rows = columns * rows, 1
    for i in range(rows):
        if is_same(x, out):
            for j in range(i * ld, i * ld + columns):
                out[j] *= mask[j]
        else:
            for j in range(i * ld, i * ld + columns):
                out[j] = x[j] * mask[j]
