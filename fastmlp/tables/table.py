"""A table as it was handed over: named columns, cells as written, and where each row stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import missing_extra
from .arrays import decoded, numbers, texts
from .frames import arrow_of
from .notes import Note

if TYPE_CHECKING:
    import pyarrow as pa

    from ..kernels.typing import Array

_SHOWN = 5
_WIDEST = 24


class Lines(Protocol):
    """Knows on which line of its file each row begins."""

    def numbers(self) -> Array:
        """The number of each row's line, from 1."""


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Columns of one length, each with a name of its own; nothing in it changes.

    Attributes
    ----------
    arrow : pyarrow.Table
        Of a delimited file or a spreadsheet all columns are strings, as they are written, blanks
        around included; an empty cell and what ``na_values`` names is null. Parquet, Feather and
        data frames keep their types.
    notes : tuple of Note
        What was found out in reading.
    title : str
        The file's name, or what the table was, for messages.
    decimal, thousands : str or None
        The marks that numbers are written with, where the user has given them.
    set_aside : mapping from str to pyarrow.ChunkedArray
        Columns that are none of the table's by the look of them, such as one without a name that
        counts the rows; `with_columns` takes them back.
    lines : Lines or None
        Where the rows stand in their file.
    rows : ndarray of int or None
        The rows of the file that these are; None where it is all of them.
    """

    arrow: pa.Table
    notes: tuple[Note, ...] = ()
    title: str = "the table"
    decimal: str | None = None
    thousands: str | None = None
    set_aside: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    lines: Lines | None = None
    rows: Array | None = None

    @classmethod
    def of(cls, frame: Any) -> Table:
        """Make a table of a data frame or what resembles one; a `Table` is returned as it is.

        Parameters
        ----------
        frame : pandas.DataFrame, polars.DataFrame, pyarrow.Table, dict, list of dicts, ndarray
            A dict holds columns by name, of one length; an array is of records (a structured
            dtype), or of two dimensions, whose columns are named ``column_0`` and so on. Anything
            else that offers its columns through ``__arrow_c_stream__`` will do.

        Raises
        ------
        TypeError
            It is none of these.
        ValueError
            It has no columns or no rows, or two columns have one name.
        """
        if isinstance(frame, cls):
            return frame
        arrow, title = arrow_of(frame)
        return cls(arrow, title=title)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.arrow.column_names)

    names = columns

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and of columns."""
        return self.arrow.num_rows, self.arrow.num_columns

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> Array:
        """The cells of a column as objects; None where one is missing."""
        cells = np.empty(len(self), dtype=object)
        cells[:] = self._column(name).to_pylist()
        return cells

    def text(self, name: str) -> pa.ChunkedArray:
        """The cells of a column as strings, whatever their type; null where one is missing."""
        return as_text(self._column(name))

    def take(self, rows: Array) -> Table:
        """The table of some rows, in the order given."""
        rows = np.asarray(rows)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        indices = numbers(rows.astype(np.int64))
        return replace(
            self,
            arrow=_without_views(self.arrow).take(indices),
            set_aside={name: cells.take(indices) for name, cells in self.set_aside.items()},
            rows=rows if self.rows is None else self.rows[rows],
        )

    def without(self, names: Iterable[str]) -> Table:
        """The table without some of its columns."""
        left_out = set(names)
        for name in left_out:
            self._column(name)
        kept = [name for name in self.columns if name not in left_out]
        return replace(self, arrow=self.arrow.select(kept))

    def with_columns(self, names: Iterable[str]) -> Table:
        """The table with some of the columns that were set aside, in front of the others."""
        found = self.arrow
        for place, name in enumerate(names):
            found = found.add_column(place, name, self.set_aside[name])
        others = {name: cells for name, cells in self.set_aside.items() if name not in names}
        return replace(self, arrow=found, set_aside=others)

    def line(self, row: int) -> int | None:
        """The number of the line of its file where a row begins, from 1; None without a file."""
        if self.lines is None:
            return None
        place = row if self.rows is None else int(self.rows[row])
        return int(self._line_numbers[place])

    def where(self, row: int) -> str:
        """Where a row stands, in words for messages."""
        line = self.line(row)
        if line is not None:
            return f"line {line}"
        place = row if self.rows is None else int(self.rows[row])
        return f"row {place} (counted from 0)"

    def to_pandas(self) -> Any:
        """The table as a ``pandas.DataFrame``."""
        return self.arrow.to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.arrow.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        n_rows, n_columns = self.shape
        return f"<Table of {self.title}: {n_rows} rows, {n_columns} columns>"

    def __str__(self) -> str:
        head = self.arrow.slice(0, _SHOWN)
        columns = [
            [name, *("" if cell is None else str(cell) for cell in cells.to_pylist())]
            for name, cells in zip(self.columns, head.columns, strict=True)
        ]
        rows = zip(*(_padded(column) for column in columns), strict=True)
        below = ["..."] if len(self) > _SHOWN else []
        title = f"{self.title}: {self.shape[0]} rows, {self.shape[1]} columns"
        return "\n".join([title, *("  ".join(row).rstrip() for row in rows), *below])

    @cached_property
    def _line_numbers(self) -> Array:
        assert self.lines is not None
        return self.lines.numbers()

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self.arrow.column_names:
            raise KeyError(f"{self.title} has no column {name!r}; it has {list(self.columns)}")
        return self.arrow.column(name)


def _without_views(table: pa.Table) -> pa.Table:
    """The table with plain strings for views of such, of which Arrow takes no rows."""
    arrow = _arrow()
    for place, kind in enumerate(table.schema.types):
        if arrow.types.is_string_view(kind):
            cells = table.column(place).cast(arrow.string())
            table = table.set_column(place, table.column_names[place], cells)
    return table


def as_text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as strings: numbers as Python writes them, whole ones without a point."""
    arrow = _arrow()
    kind = cells.type
    if arrow.types.is_string(kind):
        return cells
    try:
        if arrow.types.is_dictionary(kind):
            return as_text(decoded(cells))
        if not (arrow.types.is_duration(kind) or isinstance(kind, arrow.BaseExtensionType)):
            return cells.cast(arrow.string())
    except (arrow.ArrowNotImplementedError, arrow.ArrowInvalid):
        pass
    return arrow.chunked_array([texts([_spelled(cell) for cell in cells.to_pylist()])])


def _spelled(cell: Any) -> str | None:
    """Intervals, lists and the like as Python writes them; bytes are texts."""
    if isinstance(cell, bytes):
        return cell.decode(errors="replace")
    return None if cell is None else str(cell)


def _padded(column: list[str]) -> list[str]:
    cells = [" ".join(cell.split()) for cell in column]
    cells = [cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 3]}..." for cell in cells]
    width = max(map(len, cells))
    return [cell.ljust(width) for cell in cells]


def _arrow() -> Any:
    # Prediction from arrays needs no Arrow.
    try:
        import pyarrow
    except ImportError as error:
        raise missing_extra("pyarrow", "tables") from error
    return pyarrow
