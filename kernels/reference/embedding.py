"""Embeddings: rows of a table by their numbers."""

from __future__ import annotations

import numpy as np

from ..typing import Array
from .buffers import store

__all__ = ["embedding_backward", "embedding_forward"]


def embedding_forward(codes: Array, weight: Array, *, out: Array | None = None) -> Array:
    """Look up vectors: ``out_i = W_c``, ``c = codes_i``; the product of one-hot rows with W.

    A code that is none gives NaN.

    Parameters
    ----------
    codes : (n,) array
        Whole numbers from 0 to ``n_categories - 1``, of any dtype.
    weight : (n_categories, dim) array
    out : (n, dim) array, optional
        Receives the result.

    Returns
    -------
    out : (n, dim) array
    """
    known = (codes >= 0) & (codes < len(weight))
    vectors = weight[np.where(known, codes, 0).astype(np.int64)]
    vectors[~known] = np.nan
    return store(vectors, out)


def embedding_backward(
    d_out: Array, codes: Array, n_categories: int, *, d_weight: Array | None = None
) -> Array:
    """Add up gradients by category: ``dW_c = sum of d_out_i over the rows with codes_i = c``.

    Parameters
    ----------
    d_out : (n, dim) array
    codes : (n,) array
        As in `embedding_forward`.
    n_categories : int
    d_weight : (n_categories, dim) array, optional
        Receives the result.

    Returns
    -------
    d_weight : (n_categories, dim) array
    """
    total = np.zeros((n_categories, d_out.shape[1]), dtype=d_out.dtype)
    known = (codes >= 0) & (codes < n_categories)
    np.add.at(total, codes[known].astype(np.int64), d_out[known])
    return store(total, d_weight)
