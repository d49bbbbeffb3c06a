"""Numbers that are far from all others of their column: slips, or signs of a missing cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
_FAR, _FAR_OF_SIGNS, _FAR_IN_LOGS = 100.0, 10.0, 6.0
_MANY = 0.9
# More are no slips but a tail.
_MOST = 3
_SHOWN = 3
_MOST_SIGNS = 0.5
_SIGNS = frozenset(sign * value for value in (99, 999, 9999, 99999, 999999) for sign in (1, -1))

__all__ = ["notes_on_far_numbers"]


def notes_on_far_numbers(table: Table, schema: Schema, cells: Mapping[str, Array]) -> list[Note]:
    """Return a note on each column with a few numbers far from all others, or one of nines."""
    notes: list[Note] = []
    for column in schema.used:
        if column.kind == "number" and column.distinct > 2:
            notes += _notes(table, column.name, cells[column.name])
    slips = [note for note in notes if not note.option]
    if len(slips) < 2:
        return notes
    names = ", ".join(repr(note.column) for note in slips[1 : 1 + _SHOWN])
    more = f" and {len(slips) - 1 - _SHOWN} more" if len(slips) > 1 + _SHOWN else ""
    one = replace(slips[0], text=f"{slips[0].text}; so are some of {names}{more}")
    return [one, *(note for note in notes if note.option)]


def _notes(table: Table, name: str, values: Array) -> list[Note]:
    present = values[~np.isnan(values)]
    if len(present) < _FEWEST:
        return []
    sign = _sign(present)
    if sign is not None:
        is_sign = values == sign
        others = present[present != sign]
        distance = abs(sign - float(np.median(others)))
        reach = float(np.abs(others - np.median(others)).max())
        if distance > max(_FAR_OF_SIGNS * _distances(others, others)[1], 2 * reach):
            count = int(np.count_nonzero(is_sign))
            text = (
                f"the column {name!r}: {count} of {len(values)} cells are {sign:g}, far from all "
            )
            text += "others, and are learned from as numbers"
            return [Note(text, "na_values", f"{sign:g}", name, count)]
    # Where most are nothing, it is the others that show what is usual.
    usual = present[present != 0] if (present == 0).mean() > 0.5 else present
    if len(usual) < _FEWEST:
        return []
    away, unit = _distances(values, usual)
    far = away > _FAR * unit
    if (usual > 0).mean() > _MANY:
        # What is far only because of a long tail is near in logarithms.
        logs, log_unit = _distances(_logs(values), _logs(usual[usual > 0]))
        far &= (logs > _FAR_IN_LOGS * log_unit) | (values < 0)
    count = int(np.count_nonzero(far))
    if not 0 < count <= _MOST:
        return []
    row = int(far.argmax())
    are = "number is" if count == 1 else "numbers are"
    such = "" if count == 1 else "such as "
    text = f"the column {name!r}: {count} {are} far from all others, {such}{values[row]:g} in "
    return [Note(f"{text}{where(table, row)}", column=name, count=count)]


def _distances(values: Array, usual: Array) -> tuple[Array, float]:
    """How far values are from the median, and how far half of the usual ones are at most."""
    middle = float(np.median(usual))
    known = np.abs(usual - middle)
    return np.abs(values - middle), float(np.median(known)) or float(known.mean()) or 1.0


def _logs(values: Array) -> Array:
    """Logarithms; NaN where there is none."""
    return np.log(np.where(values > 0, values, np.nan))


def _sign(present: Array) -> float | None:
    """The least or the largest number, if it is one of nines and several cells have it."""
    for value in (float(present.min()), float(present.max())):
        count = int(np.count_nonzero(present == value))
        if value in _SIGNS and 1 < count <= _MOST_SIGNS * len(present):
            return value
    return None
