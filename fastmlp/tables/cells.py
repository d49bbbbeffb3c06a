"""One column of whatever table was handed over: numbers, truth values, days, or texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import decoded, to_numpy
from .dates import Said, say
from .numbers import Spelled, plain, spell
from .texts import Words, words_of, words_of_numbers

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .table import Table

# In a second, by Arrow's units of time.
_TICKS = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}

__all__ = ["Column", "bad_cells", "column_of", "names_of", "where"]


@dataclass(frozen=True, eq=False)
class Column:
    """The cells of a column.

    Attributes
    ----------
    kind : str
        Of typed columns ``"number"``, ``"yes/no"``, ``"date"`` (days since 1970-01-01) or
        ``"time"`` (parts of a day); ``"category"`` where a data frame says so; else ``"text"``.
    size : int
    typed : ndarray of float64 or int64, optional
        The values of typed columns, NaN where they are missing.
    texts : pyarrow.ChunkedArray of str or ndarray of object, optional
        The cells of the others.
    """

    kind: str
    size: int
    typed: Array | None = None
    texts: Any = None

    @cached_property
    def words(self) -> Words:
        """The cells as texts."""
        if self.typed is None:
            return words_of(self.texts)
        if self.kind == "date":
            found = words_of_numbers(self.typed)
            times = (np.array(found.words, np.float64) * 86400e6).round().astype("M8[us]")
            return Words(
                [str(time).removesuffix("T00:00:00.000000") for time in times], found.codes
            )
        if self.kind != "yes/no":
            return words_of_numbers(self.typed)
        codes = np.where(np.isnan(self.typed), -1, self.typed == 1).astype(np.int64)
        return Words(["False", "True"], codes)

    @cached_property
    def spelled(self) -> Spelled:
        """The words as numbers."""
        return spell(self.words.words)

    @cached_property
    def said(self) -> Said:
        """The words as dates."""
        return say(self.words.words)

    @cached_property
    def said_in_digits(self) -> Said:
        """The words as dates where digits alone are some."""
        return say(self.words.words, digits=True)

    @cached_property
    def plain(self) -> Array | None:
        """The cells as float64 where nothing but plain numbers is among them; else None."""
        if self.kind == "number":
            return None if self.typed is None else self.typed.astype(np.float64)
        if self.kind == "text" and hasattr(self.texts, "combine_chunks"):
            return plain(self.texts)
        return None


def names_of(table: Table | Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a table's columns."""
    return tuple(table) if isinstance(table, Mapping) else table.columns


def column_of(table: Table | Mapping[str, Any], name: str) -> Column:
    """Return a column of a table, or of arrays by name, which need no Arrow.

    Raises
    ------
    ValueError
        An array has another shape than ``(n,)``.
    """
    if isinstance(table, Mapping):
        return _of_array(name, table[name])
    return _of_arrow(table.arrow.column(name))


def where(table: Table | Mapping[str, Any], row: int) -> str:
    """Where a row stands, in words for messages."""
    if isinstance(table, Mapping):
        return f"row {row} (counted from 0)"
    return table.where(row)


def bad_cells(
    table: Table | Mapping[str, Any], name: str, what: str, column: Column, bad: Array
) -> str:
    """How many cells of a column are none of its kind, and where the first stands."""
    row = int(bad.argmax())
    cell = column.typed[row] if column.typed is not None else column.texts[row]
    cell = cell.as_py() if hasattr(cell, "as_py") else cell
    count = int(np.count_nonzero(bad))
    are = "cells is no" if count == 1 else "cells are no"
    what = what if count > 1 else what.removesuffix("s")
    such = f"{cell!r}" if isinstance(cell, str) else f"{cell}"
    comma = "such as " if count > 1 else ""
    return f"{name}: {count} of {len(bad)} {are} {what}, {comma}{such} in {where(table, row)}"


def _of_array(name: str, cells: Any) -> Column:
    values = np.asarray(cells)
    if values.ndim != 1:
        raise ValueError(f"the column {name!r} has the shape {values.shape}, expected (n,)")
    size, kind = len(values), values.dtype.kind
    if kind == "b":
        return Column("yes/no", size, values.astype(np.float64))
    if kind in "iuf":
        # Only whole numbers that float64 holds stay exact.
        return Column("number", size, values if kind in "iu" else values.astype(np.float64))
    if kind == "M":
        return Column("date", size, _days(values))
    if kind == "m":
        days = values / np.timedelta64(1, "D")
        return Column("number", size, np.asarray(days, np.float64))
    texts = values.astype(object)
    types = {type(cell) for cell in texts} - {type(None)}
    if types and types <= {bool, np.bool_}:
        numbers = np.array([np.nan if cell is None else float(cell) for cell in texts])
        return Column("yes/no", size, numbers)
    are_numbers = all(issubclass(t, (int, float, np.integer, np.floating)) for t in types)
    if types and are_numbers and not types & {bool, np.bool_}:
        numbers = np.array([np.nan if cell is None else float(cell) for cell in texts])
        return Column("number", size, numbers)
    return Column("text", size, texts=texts)


def _of_arrow(cells: Any) -> Column:
    import pyarrow as pa

    kind, size = cells.type, len(cells)
    if pa.types.is_dictionary(kind):
        found = _of_arrow(decoded(cells))
        if found.kind in ("date", "time", "yes/no"):
            return found
        return Column("category", size, found.typed, found.texts)
    if pa.types.is_boolean(kind):
        return Column("yes/no", size, _floats(cells.cast(pa.int8())))
    if pa.types.is_integer(kind) and not cells.null_count:
        signed = pa.types.is_signed_integer(kind) or kind.bit_width < 64
        wide = cells.cast(pa.int64() if signed else pa.uint64())
        return Column("number", size, to_numpy(wide, np.int64 if signed else np.uint64, 0))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Column("number", size, _floats(cells))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        days = _whole(cells.cast(_moments(pa, kind), safe=False)) / (86400 * 1e6)
        return Column("date", size, days)
    if pa.types.is_time(kind):
        ticks = _floats(cells.cast(pa.int64() if kind.bit_width == 64 else pa.int32()))
        return Column("time", size, ticks / (86400 * _TICKS[kind.unit]))
    if pa.types.is_duration(kind):
        # Days, as the difference of dates.
        ticks = _floats(cells.cast(pa.int64()))
        return Column("number", size, ticks / (86400 * _TICKS[kind.unit]))
    if pa.types.is_null(kind):
        return Column("text", size, texts=cells.cast(pa.string()))
    # What makes tables is above this.
    from .table import as_text

    return Column("text", size, texts=as_text(cells))


def _floats(cells: Any) -> Array:
    import pyarrow as pa

    # Whole numbers beyond 2**53 are rounded, as a network would round them.
    return to_numpy(cells.cast(pa.float64(), safe=False), np.float64, np.nan)


def _moments(pa: Any, kind: Any) -> Any:
    """Microseconds, in the zone of a type that has one."""
    return pa.timestamp("us", getattr(kind, "tz", None))


def _whole(times: Any) -> Array:
    """Whole numbers of 64 bits as floats."""
    found = to_numpy(times, np.int64, np.iinfo(np.int64).min)
    return np.where(found == np.iinfo(np.int64).min, np.nan, found.astype(np.float64))


def _days(times: Array) -> Array:
    days = (times.astype("M8[us]") - np.datetime64(0, "us")) / np.timedelta64(1, "D")
    return np.where(np.isnat(times), np.nan, days)
