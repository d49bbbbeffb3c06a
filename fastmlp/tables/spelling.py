"""Whether a cell is written like data, a number or a date, or like a name: for the header."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(
    r"""[-+(]?\s*[$€£¥]?\s*[-+]?
        (?:\d+(?:[.,'\u00a0\u202f\ ]\d{3})*(?:[.,]\d*)?|[.,]\d+)
        (?:[eE][-+]?\d+)?\s*[%$€£¥]?\)?""",
    re.VERBOSE,
)
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]+\d{1,2}:\d{2}\S*(?:\s*[AaPp][Mm])?)?"
    r"|\d{1,2}:\d{2}(?::\d{2}\S*)?(?:\s*[AaPp][Mm])?"
)
_MISSING = {"", "?", "-", ".", "na", "n/a", "nan", "null", "none", r"\n"}
# Nine in ten, as for the columns of the table.
_MOST = 0.9


def is_data(cell: str) -> bool:
    """Whether a cell is a number or a date."""
    text = cell.strip()
    return _NUMBER.fullmatch(text) is not None or _DATE.fullmatch(text) is not None


def spells(column: Sequence[str]) -> bool:
    """Whether a column's cells are numbers or dates, but for some and for missing ones."""
    present = [cell for cell in column if cell.strip().lower() not in _MISSING]
    return bool(present) and sum(map(is_data, present)) >= _MOST * len(present)


def looks_like_data(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a header is a row like those below.

    That is so where numbers and dates stand above all columns of such, and no column of words has
    a new word above it; years and running numbers are names all the same.
    """
    columns = list(zip(*rows, strict=True))
    if not columns:
        return bool(header) and all(map(is_data, header))
    of_data, repeated, words = [], 0, 0
    for name, column in zip(header, columns, strict=True):
        if name.strip().lower() in _MISSING:
            continue
        if spells(column):
            of_data.append(name)
            if not is_data(name):
                return False
        else:
            words += 1
            repeated += is_data(name) or name in column
    if of_data:
        return not _counts(of_data)
    return words > 0 and repeated > 0.5 * words


def _counts(names: Sequence[str]) -> bool:
    """Whether these are whole numbers in steps of one, as places and years are."""
    if len(names) < 2 or not all(name.strip().isdecimal() for name in names):
        return False
    numbers = [int(name) for name in names]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
