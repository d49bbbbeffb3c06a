"""An array of numbers as a network reads it, all columns at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..tables.columns import NumberColumn

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..kernels.typing import Array
    from ..tables.preparation import Preparation

__all__ = ["PlainNumbers"]


@dataclass(frozen=True, eq=False)
class PlainNumbers:
    """What `Preparation.matrix` does to columns of numbers, without a call for each.

    The numbers are the same bits. Attributes are arrays with an entry for each column that is read.
    """

    places: Array
    mean: Array
    scale: Array
    fill: Array
    bound: Array
    indicated: Array
    outputs: Array
    width: int

    @classmethod
    def of(cls, preparation: Preparation, names: tuple[str, ...]) -> PlainNumbers | None:
        """Return that of a preparation which reads nothing but numbers; None of any other."""
        columns = [c for c in preparation.columns if type(c) is NumberColumn]
        if len(columns) < len(preparation.columns):
            return None
        place_of = {name: place for place, name in enumerate(names)}
        widths = np.array([len(column.features) for column in columns])
        indicated = np.array([column.indicator for column in columns])
        return cls(
            np.array([place_of[column.name] for column in columns]),
            np.array([column.mean for column in columns], np.float64),
            np.array([column.scale for column in columns], np.float64),
            np.array([column.fill for column in columns], np.float64),
            np.array([column.bound for column in columns], np.float64),
            np.flatnonzero(indicated),
            np.cumsum(widths) - widths,
            int(widths.sum()),
        )

    def matrix(self, X: Array, dtype: DTypeLike) -> Array:
        """Return what the network reads of rows, ``(n, n_features)``; NaN is missing."""
        values = X[:, self.places].astype(np.float64)
        missing = np.isnan(values)
        if missing.any():
            values = np.where(missing, self.fill, values)
        away = (values - self.mean) / self.scale
        if self.bound.any():
            further = np.maximum(np.abs(away) - self.bound, 0.0)
            near = np.sign(away) * (self.bound + np.log1p(further))
            squeezed = self.mean + self.scale * near
            far = (further > 0) & (self.bound > 0)
            away = np.where(far, (squeezed - self.mean) / self.scale, away)
        found = np.empty((len(X), self.width), dtype)
        # Beyond its range a number is infinite there, which the network refuses.
        with np.errstate(over="ignore"):
            found[:, self.outputs] = away
        found[:, self.outputs[self.indicated] + 1] = missing[:, self.indicated]
        return found
