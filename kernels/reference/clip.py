"""Bounds for each column."""

from __future__ import annotations

import numpy as np

from ..typing import Array
from .buffers import store

__all__ = ["clip_columns"]


def clip_columns(x: Array, low: Array, high: Array, *, out: Array | None = None) -> Array:
    """Return ``min(max(x, low), high)``: x is (n, k), low and high (k,); NaN stays NaN."""
    return store(np.minimum(np.maximum(x, low), high), out)
