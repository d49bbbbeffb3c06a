"""Dropout and its random numbers on plain arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..typing import Array
from .buffers import buffer
from .machine.call import call
from .ops import dropout as ops


def philox4x32(
    c0: ArrayLike, c1: ArrayLike, c2: ArrayLike, c3: ArrayLike, key0: ArrayLike, key1: ArrayLike
) -> tuple[Array, Array, Array, Array]:
    """Encrypt counters into random words: Philox4x32-10; see the reference."""
    given = (np.asarray(word, np.int64) for word in (c0, c1, c2, c3, key0, key1))
    words = np.stack(np.broadcast_arrays(*given))
    # The op is compiled for a dtype that it does not look at.
    call(ops.philox_words, np.dtype(np.float32), words=words, count=words[0].size)
    w0, w1, w2, w3 = (np.asarray(word, np.uint32) for word in words[:4])
    return w0, w1, w2, w3


def _draw(mask: Array, rate: float, seed: int, step: int, layer: int) -> None:
    rows, columns = mask.shape
    call(
        ops.dropout_mask,
        mask.dtype,
        rows,
        step=step,
        mask=mask,
        ld=columns,
        columns=columns,
        first_column=0,
        threshold=int(rate * 2**32),
        seed_low=int(seed) & 0xFFFFFFFF,
        seed_high=int(seed) >> 32,
        layer=layer,
        keep=1.0 - rate,
    )


def _apply(x: Array, mask: Array, out: Array | None) -> Array:
    rows, columns = x.shape
    out = buffer(out, x.shape, x.dtype)
    call(ops.apply_mask, x.dtype, rows, x=x, mask=mask, out=out, ld=columns, columns=columns)
    return out


def dropout_mask(
    rows: int, columns: int, rate: float, seed: int, step: int, layer: int, dtype: DTypeLike
) -> Array:
    """Draw the mask of one layer at one step; see the reference."""
    mask = np.empty((rows, columns), dtype)
    _draw(mask, rate, seed, step, layer)
    return mask


def dropout_forward(
    x: Array,
    rate: float,
    seed: int,
    step: int,
    layer: int,
    *,
    out: Array | None = None,
    mask: Array | None = None,
) -> tuple[Array, Array]:
    """Drop elements at random and scale up those kept; see the reference."""
    mask = buffer(mask, x.shape, x.dtype)
    _draw(mask, rate, seed, step, layer)
    return _apply(x, mask, out), mask


def dropout_backward(d_out: Array, mask: Array, *, d_x: Array | None = None) -> Array:
    """Compute ``d_x = d_out mask``; see the reference."""
    return _apply(d_out, mask, d_x)
