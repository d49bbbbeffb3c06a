"""Inverted dropout, with masks from a counter-based random number generator.

A mask depends on seed, step, layer, row and column alone. Rows and columns can be worked on in any
order or division, and the mask of any step can be drawn again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..typing import Array
from .buffers import store

__all__ = ["dropout_backward", "dropout_forward", "dropout_mask", "philox4x32"]

WORD = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_INCREMENTS = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
ROUNDS = 10


def philox4x32(
    c0: ArrayLike, c1: ArrayLike, c2: ArrayLike, c3: ArrayLike, key0: ArrayLike, key1: ArrayLike
) -> tuple[Array, Array, Array, Array]:
    """Encrypt 128-bit counters into four random 32-bit words each: Philox4x32-10.

    Parameters
    ----------
    c0, c1, c2, c3 : array_like of integers in 0 .. 2**32 - 1
        Counter words, broadcast against one another.
    key0, key1 : array_like of integers in 0 .. 2**32 - 1
        Key words.

    Returns
    -------
    w0, w1, w2, w3 : uint32 arrays

    References
    ----------
    Salmon, Moraes, Dror & Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011,
    section 3.3.
    """
    words = (np.asarray(word, np.uint64) for word in (c0, c1, c2, c3, key0, key1))
    w0, w1, w2, w3, k0, k1 = np.broadcast_arrays(*words)
    for _ in range(ROUNDS):
        product0 = w0 * MULTIPLIERS[0]
        product1 = w2 * MULTIPLIERS[1]
        w0, w1 = (product1 >> WORD_BITS) ^ w1 ^ k0, product1 & WORD
        w2, w3 = (product0 >> WORD_BITS) ^ w3 ^ k1, product0 & WORD
        k0 = (k0 + KEY_INCREMENTS[0]) & WORD
        k1 = (k1 + KEY_INCREMENTS[1]) & WORD
    w0, w1, w2, w3 = (np.asarray(word, np.uint32) for word in (w0, w1, w2, w3))
    return w0, w1, w2, w3


def dropout_mask(
    rows: int, columns: int, rate: float, seed: int, step: int, layer: int, dtype: DTypeLike
) -> Array:
    """Draw the mask of one layer at one step.

    Element ``(row, column)`` is word ``row % 4`` of Philox4x32-10 with key
    ``(seed mod 2**32, seed div 2**32)`` at counter ``(column, row // 4, step, layer)``; it is
    dropped where that word is below ``int(rate 2**32)``.

    Parameters
    ----------
    rows, columns : int
    rate : float
        Probability of dropping an element, in [0, 1).
    seed : int
        In 0 .. 2**64 - 1.
    step, layer : int
        In 0 .. 2**32 - 1.
    dtype : float32 or float64

    Returns
    -------
    mask : (rows, columns) array
        0 where dropped, ``1 / (1 - rate)`` where kept.
    """
    column = np.arange(columns)[np.newaxis, :]
    row_group = np.arange((rows + 3) // 4)[:, np.newaxis]
    words = philox4x32(column, row_group, step, layer, seed & 0xFFFFFFFF, seed >> 32)
    words_by_row = np.stack(words, axis=1).reshape(-1, columns)[:rows]
    kept = words_by_row >= int(rate * 2**32)
    return kept.astype(dtype) * (1.0 / (1.0 - rate))


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
    """Drop elements at random and scale up those kept: ``out = x mask``.

    Parameters
    ----------
    x : (n, k) array
    rate, seed, step, layer
        As in `dropout_mask`.
    out, mask : (n, k) arrays, optional
        Receive the results.

    Returns
    -------
    out, mask : (n, k) arrays

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, "Dropout: A Simple Way to Prevent
    Neural Networks from Overfitting", JMLR 15, 2014, section 10 (the scaling at training time).
    """
    rows, columns = x.shape
    mask = store(dropout_mask(rows, columns, rate, seed, step, layer, x.dtype), mask)
    return store(x * mask, out), mask


def dropout_backward(d_out: Array, mask: Array, *, d_x: Array | None = None) -> Array:
    """Compute ``d_x = d_out mask``.

    Parameters
    ----------
    d_out, mask : (n, k) arrays
        Gradient with respect to ``out`` and the mask of `dropout_forward`.
    d_x : (n, k) array, optional
        Receives the result.

    Returns
    -------
    d_x : (n, k) array
    """
    return store(d_out * mask, d_x)
