"""Rows of a fit: checked and encoded, held out, put into an order, cut into batches."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array

_AUTO_BATCH = 200


@dataclass(frozen=True)
class Rows:
    """Checked rows, with targets as the losses take them.

    Attributes
    ----------
    x : ndarray or SparseRows
    y : ndarray
    weight : ndarray or None
    strata : ndarray or None
        What the held out rows are stratified by.
    given : tuple of (X, y), or None
        The same rows as scikit-learn's functions take them.
    """

    x: Features
    y: Array
    weight: Array | None
    strata: Array | None = None
    given: tuple[Any, Any] | None = None

    def take(self, rows: Array) -> Rows:
        """Return copies of some rows."""
        weight = None if self.weight is None else self.weight[rows]
        given = None if self.given is None else (self.given[0][rows], self.given[1][rows])
        return Rows(self.x[rows], self.y[rows], weight, None, given)


class Order:
    """The order in which an epoch reads rows: each shuffles that of the last one.

    Parameters
    ----------
    rows : ndarray of int64
        Numbers of the rows.
    rng : RandomState or None
        None leaves them as they are.
    """

    def __init__(self, rows: Array, rng: np.random.RandomState | None) -> None:
        self.rows, self._rng = rows, rng
        self._places = np.empty_like(rows)
        self._ascending = np.arange(len(rows))

    def draw(self) -> None:
        """Put the rows into the next epoch's order, in the same memory."""
        if self._rng is not None:
            self._places[...] = self._ascending
            self._rng.shuffle(self._places)
            self.rows[...] = self.rows[self._places]


def split(rows: Rows, fraction: float, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Draw the rows that are held out; return the others', and their numbers.

    Raises
    ------
    ValueError
        There would be less than two of them, or all would have weight 0; or what
        ``train_test_split`` refuses.
    """
    train, held = train_test_split(
        np.arange(len(rows.x)), random_state=rng, test_size=fraction, stratify=rows.strata
    )
    if len(held) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    if rows.weight is not None and not rows.weight[held].any():
        raise ValueError(
            "all rows that are held out have weight 0, so that nothing is judged; leave rows of "
            "weight 0 out of X, or give the rows to judge by as X_val and y_val"
        )
    return train, held


def batch_rows(batch_size: Any, n_rows: int) -> int:
    """Return the rows of a batch, with a warning where there are fewer than were asked for."""
    if isinstance(batch_size, str):
        return min(_AUTO_BATCH, n_rows)
    if batch_size > n_rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=2,
        )
    return int(min(batch_size, n_rows))
