"""Piecewise linear encodings of numbers (Gorishniy, Rubachev & Babenko 2022)."""

from __future__ import annotations

import numpy as np

from ..typing import Array
from .buffers import store

__all__ = ["piecewise_linear_backward", "piecewise_linear_forward"]


def _scales(edges: Array) -> Array:
    """One over the width of each bin; 0 where it has none."""
    widths = edges[:, 1:] - edges[:, :-1]
    with np.errstate(all="ignore"):
        scales: Array = np.where(widths > 0, 1 / widths, 0).astype(edges.dtype)
    return scales


def piecewise_linear_forward(x: Array, edges: Array, *, out: Array | None = None) -> Array:
    """Tell of each bin of a column how far x has come through it: 0 before, 1 behind.

    ``(x - low) / (high - low)`` held within 0 and 1; that of the first bin goes on below 0, that of
    the last one above 1. A bin without width is 0 below its edge and 1 from there on.

    Parameters
    ----------
    x : (n, c) array
    edges : (c, b + 1) array
        Ascending.
    out : (n, c * b) array, optional
        Receives the result.

    Returns
    -------
    out : (n, c * b) array
        The b numbers of the first column, then those of the second, ...

    References
    ----------
    Gorishniy, Rubachev & Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning",
    NeurIPS 2022, section 3.2.
    """
    low, scale = edges[:, :-1], _scales(edges)
    share = (x[:, :, np.newaxis] - low) * scale
    share = np.where(scale > 0, share, (x[:, :, np.newaxis] >= low).astype(x.dtype))
    share[:, :, 1:] = np.maximum(share[:, :, 1:], 0)
    share[:, :, :-1] = np.minimum(share[:, :, :-1], 1)
    return store(share.reshape(len(x), scale.size), out)


def piecewise_linear_backward(
    d_out: Array, x: Array, edges: Array, *, d_x: Array | None = None
) -> Array:
    """Compute the gradient of x: that of each bin that x is in, over its width.

    Parameters
    ----------
    d_out : (n, c * b) array
    x, edges
        As given to the forward pass; at an edge x counts as in the bin above.
    d_x : (n, c) array, optional
        Receives the result.

    Returns
    -------
    d_x : (n, c) array
    """
    low, high, scale = edges[:, :-1], edges[:, 1:], _scales(edges)
    here = x[:, :, np.newaxis]
    inside = np.ones((*x.shape, scale.shape[1]), dtype=bool)
    inside[:, :, 1:] &= here >= low[:, 1:]
    inside[:, :, :-1] &= here < high[:, :-1]
    d = d_out.reshape(*x.shape, scale.shape[1])
    return store(np.where(inside, d * scale, 0).sum(axis=2), d_x)
