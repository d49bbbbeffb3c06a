"""Calibration rows that lie far beyond the others, whose ranges would leave these few codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..program.operation import Slot

if TYPE_CHECKING:
    from ..kernels.typing import Array

Values = Mapping[Slot, "Array"]

# A far row reaches this many times as far as the usual rows: it takes two bits of the codes.
_FAR = 4.0
# So many rows may be far whatever their share, but never more than this share.
_FEW, _MOST = 3, 0.1


def most_far(n_rows: int, share: float) -> int:
    """How many of some rows may count as far."""
    return min(max(_FEW, int(share * n_rows)), int(_MOST * n_rows))


@dataclass(frozen=True)
class UsualRows:
    """How far all calibration rows reach but for a few.

    A wild value of a column shows in what the network makes of it, where columns of all units have
    come to one; of X itself only the largest number of a row is looked at, for a column of zeros
    may have a single one that is nothing unusual.

    Attributes
    ----------
    sizes : dict of Slot to float
        The largest absolute value in each slot; infinite where that is 0.
    limit : float
        Rows that reach more times as far are far ones.
    """

    sizes: Mapping[Slot, float]
    limit: float

    @classmethod
    def of(cls, values: Values, share: float) -> UsualRows:
        """What all but this share of the rows have; no more than this share is beyond the limit.

        Parameters
        ----------
        values : mapping of Slot to (n, width) arrays
            All slots on the rows.
        share : float
        """
        few = most_far(len(next(iter(values.values()))), share)
        sizes = {slot: _largest(_sizes(v), few) or np.inf for slot, v in values.items()}
        reach = cls(sizes, _FAR).reach(values)
        return cls(sizes, max(_FAR, _largest(reach, few)))

    def reach(self, values: Values) -> Array:
        """How many times as far as the usual rows each row reaches in any slot."""
        reach: Array = np.max([_sizes(values[s]) / size for s, size in self.sizes.items()], axis=0)
        # Infinity beside infinity.
        return np.where(np.isnan(reach), np.inf, reach)

    def far(self, values: Values) -> Array:
        """Which rows are far beyond the usual ones."""
        far: Array = self.reach(values) > self.limit
        return far


def in_words(
    far: Array,
    places: Array,
    values: Values,
    usual: UsualRows,
    x: Slot,
    feature_names: Sequence[str] | None,
) -> str:
    """The warning of far rows that the ranges leave out.

    Parameters
    ----------
    far : (n,) array of bool
    places : (n,) array of int
        The number of each row among those that the user gave.
    values : mapping of Slot to (n, width) arrays
        All slots on the rows.
    usual : UsualRows
    x : Slot
        The network's input.
    feature_names : sequence of str or None
        Of its columns.
    """
    row = int(np.where(far, usual.reach(values), -1.0).argmax())
    few = int(far.sum())
    return (
        f"{few} of {len(far)} calibration rows {'lies' if few == 1 else 'lie'} far beyond the "
        f"others, such as row {places[row]}: {_example(row, far, values, usual, x, feature_names)}."
        " The int8 ranges leave such rows out, which would take most of the 256 codes from the "
        "others; what is predicted for them is cut off. Take them out of the calibration where "
        "they are mistakes; where they are not, clip or transform their columns (by a logarithm, "
        "say) before the training"
    )


def _example(
    row: int,
    far: Array,
    values: Values,
    usual: UsualRows,
    x: Slot,
    feature_names: Sequence[str] | None,
) -> str:
    """Where a row is far: in a column, or only in what the network makes of it."""
    given, others = values[x], values[x][~far]
    column = int(np.abs(given[row]).argmax())
    if _sizes(given)[row] <= usual.limit * usual.sizes[x]:
        low, high = others.min(axis=0), others.max(axis=0)
        beyond = np.maximum(given[row] - high, low - given[row]) / np.maximum(high - low, 1e-300)
        column = int(beyond.argmax())
        if beyond[column] <= 1.0:
            return _example_within(row, far, values, usual)
    name = f"column {column}"
    if feature_names is not None:
        name += f" ({feature_names[column]!r})"
    return (
        f"{name} is {given[row, column]:.3g} there, where the others go from "
        f"{others[:, column].min():.3g} to {others[:, column].max():.3g}"
    )


def _example_within(row: int, far: Array, values: Values, usual: UsualRows) -> str:
    sizes = {slot: _sizes(values[slot]) for slot in usual.sizes}
    reach = {slot: sizes[slot][row] / size for slot, size in usual.sizes.items()}
    slot = max(reach, key=lambda slot: float(np.nan_to_num(reach[slot], nan=np.inf)))
    return (
        f"{slot.name or 'a value within the network'} reaches {sizes[slot][row]:.3g} there, where "
        f"the others stay within {sizes[slot][~far].max():.3g}"
    )


def _sizes(values: Array) -> Array:
    """The largest absolute value of each row."""
    sizes: Array = np.maximum(values.max(axis=1), -values.min(axis=1))
    return sizes


def _largest(sizes: Array, few: int) -> float:
    """The largest one but for a few."""
    place = len(sizes) - 1 - few
    return float(np.partition(sizes, place)[place])
