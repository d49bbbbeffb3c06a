"""The values of a column whose schema is known, and the cells that are none of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dates, numbers
from .calendar import ORDERS
from .cells import bad_cells
from .dates import DateFormat
from .notes import Note
from .numbers import MOST, NumberFormat
from .texts import whole

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .cells import Column
    from .column_schema import ColumnSchema
    from .table import Table

_NO = frozenset(("false", "no", "n", "f", "off", "0"))
_YES = frozenset(("true", "yes", "y", "t", "on", "1"))
# Beyond it the squares that a variance sums leave float64.
LARGEST = 1e150
_IN_WORDS = {"number": "numbers", "yes/no": "yes or no", "date": "dates"}

__all__ = ["LARGEST", "read_cells", "values_of"]


def read_cells(
    table: Table | Mapping[str, Any], schema: ColumnSchema, column: Column
) -> tuple[Array, list[Note]]:
    """Return the values of a column of a table, and a note on cells that are none of its kind."""
    values, bad = values_of(schema, column, getattr(table, "decimal", None))
    name, notes = schema.name, []
    if schema.kind == "date" and (order := _order(schema, column)) != schema.order:
        first, before = order.removesuffix(" first"), schema.order.removesuffix(" first")
        text = f"the column {name!r}: dates are read with the {first} first here, not the {before}"
        notes.append(Note(text, column=name))
    if bad is None or not bad.any():
        return values, notes
    text = bad_cells(table, f"the column {name!r}", _IN_WORDS[schema.kind], column, bad)
    count = int(np.count_nonzero(bad))
    counts = "counts" if count == 1 else "count"
    notes.append(Note(f"{text}, and {counts} as missing", "categorical", name, name, count))
    return values, notes


def values_of(
    schema: ColumnSchema, column: Column, decimal: str | None = None
) -> tuple[Array, Array | None]:
    """Return the values of a column, and which of its cells are none of its kind.

    Parameters
    ----------
    schema : ColumnSchema
    column : Column
    decimal : str, optional
        The sign of decimals where the user has said it of this table.

    Returns
    -------
    values : ndarray, shape (n,)
        Categories are strings (dtype object), missing ones empty. All else is float64, NaN where
        it is missing or of another kind: 0 for no and 1 for yes; dates are days since 1970-01-01 in
        UTC, times alone parts of a day.
    bad : ndarray of bool, shape (n,), or None
        None where every cell fits.
    """
    if schema.kind == "category":
        return _categories(schema, column), None
    if column.typed is not None and column.kind != "category":
        return _typed(schema, column)
    if schema.kind == "number":
        plain = column.plain if schema.decimal == "." and decimal in (None, ".") else None
        if plain is not None:
            return _finite(plain, np.isnan(plain))
    words = column.words
    spelled = _spelled(schema, column, decimal)
    if schema.na:
        absent = np.array([word in schema.na for word in words.words], bool)
        missing = words.spread(absent, True)
    else:
        missing = words.codes < 0
    return _finite(words.spread(spelled, np.nan), missing)


def _categories(schema: ColumnSchema, column: Column) -> Array:
    words = column.words
    texts = np.empty(len(words.words), object)
    for place, word in enumerate(map(whole, words.words) if schema.whole else words.words):
        # Whichever spelling is the most frequent here may not be so elsewhere.
        texts[place] = "" if word in schema.na else word.casefold() if schema.join_case else word
    return words.spread(texts, "")


def _typed(schema: ColumnSchema, column: Column) -> tuple[Array, Array]:
    """Values of a typed column, where its type is that of the schema."""
    assert column.typed is not None
    values = column.typed.astype(np.float64)
    missing = np.isnan(values)
    fits = {"number": ("number", "yes/no"), "yes/no": ("number", "yes/no"), "date": ("date",)}
    if schema.clock:
        fits["date"] = ("time", "date")
        values = values % 1.0
    if schema.digits and column.kind == "number":
        days = dates.values(column.said_in_digits, DateFormat(schema.order, digits=True))
        return _finite(column.words.spread(days, np.nan), missing)
    ok = np.full(len(values), column.kind in fits[schema.kind])
    if schema.kind == "yes/no":
        ok &= (values == 0) | (values == 1)
    return _finite(np.where(ok, values, np.nan), missing)


def _spelled(schema: ColumnSchema, column: Column, decimal: str | None) -> Array:
    """The values of the words of a column."""
    if schema.kind == "yes/no":
        lower = [word.lower() for word in column.words.words]
        return np.array([0.0 if w in _NO else 1.0 if w in _YES else np.nan for w in lower])
    if schema.kind == "date":
        return _days(schema, column)
    own = numbers.values(column.spelled, NumberFormat(decimal or schema.decimal, schema.unit))
    if decimal is not None:
        return own
    # Another file may be written in another country.
    sign = "," if schema.decimal == "." else "."
    other = numbers.values(column.spelled, NumberFormat(sign, schema.unit))
    counts = column.words.counts
    is_better = counts[~np.isnan(other)].sum() > counts[~np.isnan(own)].sum()
    return other if is_better else own


def _days(schema: ColumnSchema, column: Column) -> Array:
    """The days of words."""
    said = column.said_in_digits if schema.digits else column.said
    return dates.values(said, DateFormat(_order(schema, column), schema.digits, schema.clock))


def _order(schema: ColumnSchema, column: Column) -> str:
    """The order of dates: that of the schema, unless another one alone reads nine cells in ten."""
    if column.typed is not None or schema.clock:
        return schema.order
    said = column.said_in_digits if schema.digits else column.said
    counts = np.where(said.marks, 0, column.words.counts)

    def n_read(order: str) -> float:
        days = dates.values(said, DateFormat(order, schema.digits))
        return float(counts[~np.isnan(days)].sum())

    enough = MOST * float(counts.sum())
    if n_read(schema.order) >= enough:
        return schema.order
    # Another file may be written in another country.
    others = [order for order in ORDERS if n_read(order) >= enough]
    return others[0] if others else schema.order


def _finite(values: Array, missing: Array) -> tuple[Array, Array]:
    """The values without what is no number or too large for one."""
    with np.errstate(invalid="ignore"):
        usable = np.abs(values) <= LARGEST
    return np.where(usable, values, np.nan), ~usable & ~missing
