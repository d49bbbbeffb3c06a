"""Rows of a small table that are the same, as one that counts as often."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["distinct"]


def distinct(columns: Iterable[Array], weight: Array | None) -> tuple[Array, Array | None]:
    """Return one of the rows that are the same, and how much each counts.

    A copy of a row that is learned from would be judged by another; and it makes no difference
    whether a row stands twice in a table or has the weight 2, nor in which order the rows stand.

    Parameters
    ----------
    columns : iterable of ndarray, shape (n,)
        All that is known of rows: numbers, or texts.
    weight : ndarray, shape (n,), optional

    Returns
    -------
    rows : ndarray of int
        In an order that their values alone decide.
    weight : ndarray of float64 or None
        None where each counts once.
    """
    codes = [np.unique(_plain(column), return_inverse=True)[1].reshape(-1) for column in columns]
    key = np.stack(codes, axis=1)
    _, rows, places = np.unique(key, axis=0, return_index=True, return_inverse=True)
    counts = np.bincount(places.reshape(-1), weight)
    if (counts == 1).all():
        return rows, None
    return rows, counts.astype(np.float64)


def _plain(column: Array) -> Array:
    if column.dtype == object:
        return column.astype(str)
    # Zeros of both signs are one number.
    return column + 0 if column.dtype.kind == "f" else column
