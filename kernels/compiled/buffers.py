"""Where results go: arrays that the caller gave, or new ones.

Ops write by address, where nothing asks whether memory may be written to: to write to a file that
is mapped read-only would end the process.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..typing import Array


def writable(*arrays: Array | None) -> None:
    """Refuse arrays that are read-only, as NumPy's own functions do.

    Raises
    ------
    ValueError
        One is.
    """
    if any(array is not None and not array.flags.writeable for array in arrays):
        raise ValueError("output array is read-only")


def buffer(out: Array | None, shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """`out`, or where the caller gave none, a new array."""
    if out is None:
        return np.empty(shape, dtype)
    writable(out)
    return out


def copied(x: Array, out: Array | None) -> Array:
    """`out` filled with `x`, for an op that works in place."""
    out = buffer(out, x.shape, x.dtype)
    out[...] = x
    return out
