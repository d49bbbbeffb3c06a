"""Numbers that are far from all others of their column: slips, or signs of a missing cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .cells import where
from .notes import Note

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .schema import Schema
    from .table import Table

_FEWEST = 20
# In distances that half of all rows keep from the median.
_FAR, _FAR_OF_SIGNS = 1000.0, 10.0
_MOST = 0.005
_MOST_SIGNS = 0.5
_SIGNS = frozenset(sign * value for value in (99, 999, 9999, 99999, 999999) for sign in (1, -1))

__all__ = ["notes_on_far_numbers"]


def notes_on_far_numbers(table: Table, schema: Schema, cells: Mapping[str, Array]) -> list[Note]:
    """Return a note on each column with a few numbers far from all others, or one of nines."""
    notes = []
    for column in schema.used:
        if column.kind == "number" and column.distinct > 2:
            notes += _notes(table, column.name, cells[column.name])
    return notes


def _notes(table: Table, name: str, values: Array) -> list[Note]:
    present = values[~np.isnan(values)]
    if len(present) < _FEWEST:
        return []
    away = np.abs(values - np.median(present))
    known = away[~np.isnan(away)]
    unit = float(np.median(known)) or float(known.mean()) or 1.0
    sign = _sign(present)
    if sign is not None:
        is_sign = values == sign
        others = away[~is_sign & ~np.isnan(away)]
        others_unit = float(np.median(others)) or float(others.mean()) or 1.0
        distance = abs(sign - float(np.median(present[present != sign])))
        if distance > _FAR_OF_SIGNS * others_unit and distance > 2 * float(others.max()):
            count = int(np.count_nonzero(is_sign))
            text = (
                f"the column {name!r}: {count} of {len(values)} cells are {sign:g}, far from all "
            )
            text += "others, and are learned from as numbers"
            return [Note(text, "na_values", f"{sign:g}", name, count)]
    far = away > _FAR * unit
    count = int(np.count_nonzero(far))
    if not 0 < count <= max(3, _MOST * len(values)):
        return []
    row = int(far.argmax())
    are = "number is" if count == 1 else "numbers are"
    such = "" if count == 1 else "such as "
    text = f"the column {name!r}: {count} {are} far from all others, {such}{values[row]:g} in "
    return [Note(f"{text}{where(table, row)}", column=name, count=count)]


def _sign(present: Array) -> float | None:
    """The least or the largest number, if it is one of nines and several cells have it."""
    for value in (float(present.min()), float(present.max())):
        count = int(np.count_nonzero(present == value))
        if value in _SIGNS and 1 < count <= _MOST_SIGNS * len(present):
            return value
    return None
