"""Where results go: arrays that the caller gave, or new ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..typing import Array


def buffer(out: Array | None, shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """`out`, or where the caller gave none, a new array."""
    return np.empty(shape, dtype) if out is None else out


def copied(x: Array, out: Array | None) -> Array:
    """`out` filled with `x`, for an op that works in place."""
    out = buffer(out, x.shape, x.dtype)
    out[...] = x
    return out
