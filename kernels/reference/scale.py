"""A trained factor for each column."""

from __future__ import annotations

from ..typing import Array
from .buffers import store

__all__ = ["scale_backward", "scale_forward"]


def scale_forward(x: Array, scale: Array, *, out: Array | None = None) -> Array:
    """Return ``x scale``: x is (n, k), scale (k,)."""
    return store(x * scale, out)


def scale_backward(
    d_out: Array,
    x: Array,
    scale: Array,
    *,
    d_x: Array | None = None,
    d_scale: Array | None = None,
) -> tuple[Array, Array]:
    """Return ``d_x = d_out scale``, (n, k), and ``d_scale = sum over rows of d_out x``, (k,)."""
    return store(d_out * scale, d_x), store((d_out * x).sum(axis=0), d_scale)
