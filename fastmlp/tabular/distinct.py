"""Copies of rows in a small table, as one row that counts as often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array

# Of fewer rows, that a column differs in each may be chance.
_FEWEST = 5
_MEASURED = 0.5

__all__ = ["Distinct", "distinct"]


class Distinct(NamedTuple):
    """One of the rows that are the same.

    Attributes
    ----------
    rows : ndarray of int, shape (k,)
        In an order that their values alone decide.
    weight : ndarray of float64, shape (k,), or None
        How much each counts; None where each counts once.
    places : ndarray of int, shape (n,)
        For each row, which of `rows` it is the same as.
    """

    rows: Array
    weight: Array | None
    places: Array


def distinct(
    columns: Sequence[Array], others: Sequence[Array], weight: Array | None
) -> Distinct | None:
    """Return one of the rows that are the same, and how much each counts.

    Rows that are the same are copies where some column of measured numbers differs in all others: a
    copy would be judged by what it was learned from. It then makes no difference whether a row
    stands twice or has the weight 2, nor in which order the rows stand. Where no column tells rows
    apart, those that are the same are different cases, and None is returned.

    Parameters
    ----------
    columns : sequence of ndarray, shape (n,)
        Numbers, or texts.
    others : sequence of ndarray, shape (n,)
        What else is known of rows, such as their targets.
    weight : ndarray, shape (n,), optional

    Returns
    -------
    Distinct or None
    """
    codes = [np.unique(_plain(column), return_inverse=True)[1].reshape(-1) for column in columns]
    numbers = [code for code, column in zip(codes, columns, strict=True) if _is_measured(column)]
    most = max((int(code.max()) + 1 for code in numbers), default=0)
    if most < _FEWEST:
        return None
    codes += [np.unique(column, return_inverse=True)[1].reshape(-1) for column in others]
    key = np.stack(codes, axis=1)
    _, rows, places = np.unique(key, axis=0, return_index=True, return_inverse=True)
    if most < len(rows):
        return None
    places = places.reshape(-1)
    counts = np.bincount(places, weight)
    return Distinct(rows, None if (counts == 1).all() else counts.astype(np.float64), places)


def _is_measured(column: Array) -> bool:
    """Whether a column holds fractions, which two rows seldom share by chance."""
    if column.dtype.kind != "f":
        return False
    present = column[~np.isnan(column)]
    return len(present) > 0 and bool((present != np.floor(present)).mean() > _MEASURED)


def _plain(column: Array) -> Array:
    if column.dtype == object:
        return column.astype(str)
    # Zeros of both signs are one number.
    return column + 0 if column.dtype.kind == "f" else column
