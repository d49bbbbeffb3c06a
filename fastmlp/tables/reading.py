"""CSV files as tables of text, and the values that the text of a column spells."""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import missing_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..kernels.typing import Array

KINDS = ("number", "boolean", "date", "category")
_BOOLEANS = {"true": 1.0, "false": 0.0}
_DAY = r"\s*\d{4}-\d\d-\d\d"
_IN_WORDS = {"number": "numbers", "boolean": "true and false", "date": "dates"}

__all__ = ["KINDS", "kind_of", "read", "values_of"]


def read(path: str | os.PathLike[str]) -> Any:
    """Read a CSV file whose first line names its columns; every cell stays text.

    Parameters
    ----------
    path : str or path-like
        Of a file in UTF-8, its fields separated by commas.

    Returns
    -------
    pandas.DataFrame
        Of strings. An empty cell, and what `pandas.read_csv` takes for missing (``NA``, ``nan``,
        ``null`` and the like), is NaN.

    Raises
    ------
    ValueError
        The file is not text, has no rows, names a column twice or not at all, or has a row with
        more or fewer fields than columns.
    OSError
        It cannot be read.
    ImportError
        pandas is not installed.
    """
    pandas = _pandas()
    name = os.fspath(path)
    try:
        # pandas would fill up short rows without a word, so they are counted first.
        header = _check(name)
        with _open(name) as file:
            frame = pandas.read_csv(file, dtype=str, index_col=False, skipinitialspace=True)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not a CSV file in UTF-8: {error.reason}") from error
    except csv.Error as error:
        raise ValueError(f"{name} is not a CSV file: {error}") from error
    frame.columns = header
    return frame


def kind_of(text: Any) -> str:
    """Tell what all cells of a column spell, missing ones aside.

    Parameters
    ----------
    text : pandas.Series of str

    Returns
    -------
    str
        "boolean": true and false in any case; "number": what ``float`` reads; "date": dates and
        times as ISO 8601 writes them; otherwise "category". A column without any cell is of
        numbers.
    """
    present = text[text.notna()]
    for kind in KINDS[:-1]:
        if not np.isnan(_spelled(present, kind)).any():
            return kind
    return "category"


def values_of(text: Any, kind: str) -> Array:
    """Return what the cells of a column spell.

    Parameters
    ----------
    text : pandas.Series of str
        Its name is the column's, for messages; its index numbers the rows.
    kind : str
        One of `KINDS`.

    Returns
    -------
    ndarray, shape (n,)
        Categories are strings (dtype object), missing ones empty. All else is float64, NaN where
        it is missing: 1 for true, 0 for false; dates are days since 1970-01-01 in UTC.

    Raises
    ------
    ValueError
        A cell is of another kind, or an infinite number.
    """
    if kind == "category":
        categories: Array = text.fillna("").to_numpy(dtype=object)
        return categories
    values = _spelled(text, kind)
    wrong = (np.isnan(values) & text.notna().to_numpy()) | np.isinf(values)
    if wrong.any():
        first = int(wrong.argmax())
        raise ValueError(
            f"the column {text.name!r} holds {_IN_WORDS[kind]}, but row {text.index[first]} "
            f"(counted from 0) has {text.iloc[first]!r}"
        )
    return values


def _spelled(text: Any, kind: str) -> Array:
    """The values as float64, NaN where a cell is missing or of another kind."""
    pandas = _pandas()
    if kind == "number":
        values = pandas.to_numeric(text, errors="coerce")
    elif kind == "boolean":
        values = text.str.strip().str.lower().map(_BOOLEANS)
    else:
        # ISO 8601 would take a number for a year.
        days = text.where(text.str.match(_DAY, na=False))
        moments = pandas.to_datetime(days, format="ISO8601", errors="coerce", utc=True)
        # In microseconds, for nanoseconds reach from 1678 to 2262 only.
        times = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        spelled: Array = (times - np.datetime64(0, "us")) / np.timedelta64(1, "D")
        return spelled
    numbers: Array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def _check(name: str) -> list[str]:
    """Return the names of the columns of a file whose rows all have as many fields."""
    rows = _rows(name)
    _, header = next(rows, (0, []))
    if not header:
        raise ValueError(f"{name} is empty")
    if "" in header:
        raise ValueError(f"{name}: the column number {header.index('')} (from 0) has no name")
    for column in header:
        if header.count(column) > 1:
            raise ValueError(f"{name} has two columns with the name {column!r}")
    n_rows = 0
    for line, row in rows:
        n_rows += 1
        if len(row) != len(header):
            raise ValueError(
                f"{name}, line {line}: {len(row)} fields, but the header has {len(header)}"
            )
    if not n_rows:
        raise ValueError(f"{name} has no rows below its header")
    return header


def _rows(name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file, each with the number of its last line; blank lines are left out."""
    with _open(name) as file:
        if "\0" in file.read(1 << 16):
            raise ValueError(f"{name} is not a CSV file in UTF-8: it holds zero bytes")
        file.seek(0)
        reader = csv.reader(file, strict=True, skipinitialspace=True)
        for row in reader:
            if row and row != [""]:
                yield reader.line_num, row


def _open(name: str) -> Any:
    # Spreadsheets mark UTF-8 by a byte order mark.
    return open(name, newline="", encoding="utf-8-sig")


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise missing_extra("pandas", "cli") from error
    return pandas
