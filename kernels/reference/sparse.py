"""The product of a sparse matrix and a weight, and its gradient."""

from __future__ import annotations

import numpy as np

from ..typing import Array
from .buffers import store

__all__ = ["sparse_backward", "sparse_forward"]


def _rows(indptr: Array) -> Array:
    """The row of each entry."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _times(data: Array, factor: float) -> Array:
    """The values as a column, times the factor."""
    return (data if factor == 1.0 else data * factor)[:, np.newaxis]


def sparse_forward(
    data: Array,
    indices: Array,
    indptr: Array,
    weight: Array,
    *,
    factor: float = 1.0,
    out: Array | None = None,
) -> Array:
    """Compute ``out = factor x W`` for a sparse x.

    x is given in compressed sparse rows: entries ``indptr[i]`` to ``indptr[i + 1]`` of `data` and
    `indices` are the values of row i and their columns, in any order. Values of a column that comes
    twice in a row are added.

    Parameters
    ----------
    data : (n_entries,) array
    indices : (n_entries,) array of int32 or int64
        At least 0 and below ``n_in``.
    indptr : (n + 1,) array of int64
    weight : (n_in, n_out) array
    factor : float
    out : (n, n_out) array, optional
        Receives the result.

    Returns
    -------
    out : (n, n_out) array
    """
    result = np.zeros((len(indptr) - 1, weight.shape[1]), weight.dtype)
    np.add.at(result, _rows(indptr), _times(data, factor) * weight[indices])
    return store(result, out)


def sparse_backward(
    d_out: Array,
    data: Array,
    indices: Array,
    indptr: Array,
    n_in: int,
    *,
    factor: float = 1.0,
    d_weight: Array | None = None,
) -> Array:
    """Compute the gradient of the weight, ``d_W = factor x^T d_out``.

    Parameters
    ----------
    d_out : (n, n_out) array
        Gradient of the loss with respect to ``out``.
    data, indices, indptr, factor
        Arguments of `sparse_forward`.
    n_in : int
        Columns of x.
    d_weight : (n_in, n_out) array, optional
        Receives the result.

    Returns
    -------
    d_weight : (n_in, n_out) array
    """
    result = np.zeros((n_in, d_out.shape[1]), d_out.dtype)
    np.add.at(result, indices, _times(data, factor) * d_out[_rows(indptr)])
    return store(result, d_weight)
