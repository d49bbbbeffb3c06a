"""Delivery of results into arrays that the caller owns."""

from __future__ import annotations

from ..typing import Array


def store(result: Array, out: Array | None) -> Array:
    """Return `result`, or `out` filled with it where the caller gave one."""
    if out is None:
        return result
    out[...] = result
    return out
