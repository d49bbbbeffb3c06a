"""Rows to train on, and how they fall into batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .kernels.typing import Array


@dataclass(frozen=True)
class Batches:
    """Checked arrays and the size of a batch; the last batch may be smaller.

    Attributes
    ----------
    x : ndarray of shape (n, n_features)
        float32, float64 or uint8; each batch is converted to the network's dtype.
    y : ndarray
        int64 codes (n,), or (n, k) in the network's dtype.
    weight : ndarray of shape (n,) or None
        In the network's dtype.
    size : int
    shuffled : bool
        Whether epochs bring an order of their own.
    """

    x: Array
    y: Array
    weight: Array | None
    size: int
    shuffled: bool = False

    @property
    def n_rows(self) -> int:
        return len(self.x)

    @property
    def count(self) -> int:
        """How many batches an epoch has."""
        return -(-self.n_rows // self.size)

    def take(
        self, number: int, order: Array | None, dtype: str
    ) -> tuple[Array, Array, Array | None]:
        """X, y and weights of one batch."""
        part = slice(number * self.size, (number + 1) * self.size)
        rows = part if order is None else order[part]
        weight = None if self.weight is None else self.weight[rows]
        return np.ascontiguousarray(self.x[rows], dtype=dtype), self.y[rows], weight
