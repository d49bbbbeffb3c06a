"""Columns by names of their own: unnamed ones, running numbers, duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .arrays import numbers
from .notes import Note

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["name_columns", "numbered"]

# As pandas names a column without a name, which files that it has written may hold.
_UNNAMED = "Unnamed: {}"
# An index that pandas has kept in a Parquet file.
_INDEX = "__index_level_"


def name_columns(
    header: Sequence[str], columns: Sequence[pa.ChunkedArray]
) -> tuple[dict[str, pa.ChunkedArray], dict[str, pa.ChunkedArray], list[Note]]:
    """Give each column a name and set those aside that are none of the table's.

    Parameters
    ----------
    header : sequence of str
        As it is written.
    columns : sequence of pyarrow.ChunkedArray
        As many.

    Returns
    -------
    dict, dict
        The columns by name, and those that were set aside: running numbers without a name.
    list of Note
        What was set aside, left out or renamed.
    """
    names = [name.strip() for name in header]
    notes: list[Note] = []
    empty = [place for place, name in enumerate(names) if not name and _is_empty(columns[place])]
    if empty and len(empty) < len(names):
        notes.append(_note_of_empty(empty, len(names)))
        left_out = set(empty)
        places = [place for place in range(len(names)) if place not in left_out]
    else:
        places = list(range(len(names)))
    shown = numbered([name or _UNNAMED.format(place) for place, name in enumerate(names)])
    found: dict[str, pa.ChunkedArray] = {}
    set_aside: dict[str, pa.ChunkedArray] = {}
    for seen, place in enumerate(places):
        name, column = shown[place], columns[place]
        unnamed = not names[place] or name == _UNNAMED.format(place) or name.startswith(_INDEX)
        # Something is left, though it be a second one that counts.
        left = len(found) + len(places) - seen > 1
        if unnamed and left and _counts_rows(column):
            text = f"the column {name!r} has no name and counts the rows; it is left out"
            notes.append(Note(text, "keep", name, name, len(column)))
            set_aside[name] = column
        else:
            found[name] = column
    pairs = [pair for pair in zip(names, shown, strict=True) if pair[1] in found]
    return found, set_aside, notes + _renamed(pairs)


def numbered(names: Sequence[str]) -> list[str]:
    """Names of which no two are the same: the second ``a`` is ``a.1``, unless that is there."""
    taken, shown = set(names), []
    seen: set[str] = set()
    for name in names:
        new, number = name, 0
        while new in seen or (number and new in taken):
            number += 1
            new = f"{name}.{number}"
        seen.add(new)
        shown.append(new)
    return shown


def _renamed(pairs: Sequence[tuple[str, str]]) -> list[Note]:
    notes = []
    unnamed = [new for old, new in pairs if not old]
    twice = [(old, new) for old, new in pairs if old and old != new]
    if twice:
        later = ", ".join(f"{new!r}" for _, new in twice[:3])
        more = f" and {len(twice) - 3} more" if len(twice) > 3 else ""
        text = f"several columns have the name {twice[0][0]!r}; the later ones are called"
        if len({old for old, _ in twice}) > 1:
            text = "several columns have the same names; the later ones are called"
        notes.append(Note(f"{text} {later}{more}", count=len(twice)))
    if unnamed:
        listed = ", ".join(f"{name!r}" for name in unnamed[:3])
        more = f" and {len(unnamed) - 3} more" if len(unnamed) > 3 else ""
        what = "a column without a name is" if len(unnamed) == 1 else "columns without names are"
        notes.append(Note(f"{what} called {listed}{more}", count=len(unnamed)))
    return notes


def _note_of_empty(places: list[int], n_columns: int) -> Note:
    one = len(places) == 1
    what = "a column" if one else f"{len(places)} columns"
    if places[0] == n_columns - len(places):
        what = "the last column" if one else f"the last {len(places)} columns"
    verb = "is" if one else "are"
    return Note(f"{what}, without a name or a cell, {verb} left out", count=len(places))


def _is_empty(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count == len(column))


def _counts_rows(column: pa.ChunkedArray) -> bool:
    """Whether the cells are 0, 1, 2, ... or 1, 2, 3, ..."""
    # Only called where Arrow is there.
    import pyarrow as pa

    n_rows = len(column)
    if not n_rows or column.null_count:
        return False
    for place in (0, n_rows - 1):
        # Most columns are told by these two.
        if str(column[place].as_py()).strip() not in (str(place), str(place + 1)):
            return False
    first = int(column[0].as_py())
    cells = column.combine_chunks()
    counted = numbers(np.arange(first, first + n_rows, dtype=np.int64))
    try:
        return bool(cells.cast(pa.int64()).equals(counted))
    except pa.ArrowInvalid:
        return False
