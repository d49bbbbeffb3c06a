"""Files that are no text: Parquet, Feather and spreadsheets."""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import missing_extra
from .arrays import texts
from .headers import name_columns
from .notes import Note
from .options import ReadOptions
from .spelling import looks_like_data
from .table import Table
from .titles import first_row

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["read_columnar", "read_spreadsheet"]

_SAMPLE = 200


@dataclass(frozen=True)
class SheetLines:
    """Where the rows of a spreadsheet stand."""

    places: tuple[int, ...]

    def numbers(self) -> Array:
        """The number of each row in its sheet, from 1."""
        return np.array(self.places, dtype=np.int64)


def read_columnar(data: bytes, kind: str, options: ReadOptions, title: str) -> Table:
    """Read a file in Parquet's or Feather's format; columns keep their types.

    Raises
    ------
    ValueError
        It is damaged, has no columns or no rows.
    """
    # Prediction from arrays needs no Arrow.
    import pyarrow as pa
    from pyarrow import feather, parquet

    try:
        if kind == "parquet":
            # Unlike read_table, it takes columns of equal names.
            table = parquet.ParquetFile(pa.BufferReader(data)).read()
        else:
            table = feather.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{title} is damaged: as {kind} it cannot be read: {error}") from error
    if not table.num_columns or not table.num_rows:
        raise ValueError(f"{title} has no {'rows' if table.num_columns else 'columns'}")
    columns, set_aside, notes = name_columns(table.column_names, table.columns)
    return Table(
        *(pa.table(columns), tuple(notes), title, options.decimal, options.thousands), set_aside
    )


def read_spreadsheet(data: bytes, options: ReadOptions, title: str) -> Table:
    """Read the first sheet that holds a table; all cells become text.

    Raises
    ------
    ValueError
        It is damaged or empty.
    ImportError
        python-calamine is not installed.
    """
    try:
        # Only spreadsheets need it.
        import python_calamine
    except ImportError as error:
        raise missing_extra("python-calamine", "tables") from error
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [(name, *_cells_of(book.get_sheet_by_name(name))) for name in book.sheet_names]
    except Exception as error:
        # Each format has errors of its own, which have no type in common but this.
        raise ValueError(f"{title} cannot be read as a spreadsheet: {error}") from error
    filled = [found for found in sheets if any(map(_is_filled, found[1]))]
    if not filled:
        raise ValueError(f"{title} is empty")
    sheet, rows, n_merged = next((found for found in filled if _is_table(found[1])), filled[0])
    notes = []
    if len(filled) > 1:
        others = ", ".join([repr(name) for name, *_ in filled if name != sheet][:3])
        which = "first of" if sheet == filled[0][0] else "first with several columns of"
        notes.append(
            Note(f"the sheet {sheet!r} is read, the {which} {len(filled)}; the others are {others}")
        )
    if n_merged:
        text = f"{n_merged} cells are merged with those above, and hold the same"
        notes.append(Note(text, count=n_merged))
    return _of_cells(rows, notes, options, title)


def _cells_of(sheet: Any) -> tuple[list[list[Any]], int]:
    """All cells of a sheet, and how many were filled in, for they are merged with others above."""
    rows = sheet.to_python(skip_empty_area=False)
    n_merged = 0
    # Not all formats tell, nor did older releases of the package.
    for (top, left), (bottom, right) in getattr(sheet, "merged_cell_ranges", None) or ():
        # Cells that are merged side by side are titles and names of groups.
        if left != right or top >= len(rows) or left >= len(rows[top]):
            continue
        for row in rows[top + 1 : bottom + 1]:
            if row[left] in ("", None) and rows[top][left] not in ("", None):
                row[left] = rows[top][left]
                n_merged += 1
    return rows, n_merged


def _is_table(rows: list[list[Any]]) -> bool:
    """Whether two rows or more hold two cells or more."""
    return sum(sum(cell not in ("", None) for cell in row) > 1 for row in rows) > 1


def _of_cells(rows: list[list[Any]], notes: list[Note], options: ReadOptions, title: str) -> Table:
    # Only called where Arrow is there.
    import pyarrow as pa

    width = max(map(len, rows))
    spelled = [[*map(_spelled, row), *[""] * (width - len(row))] for row in rows]
    filled = [place for place, row in enumerate(spelled) if any(row)]
    first = first_row([spelled[place] for place in filled], width, options.header)
    places = filled[first:]
    # Columns that hold nothing but titles are none.
    used = [j for j in range(width) if any(spelled[place][j] for place in places)]
    cells = [spelled[place][used[0] : used[-1] + 1] for place in places]
    header = [f"column_{place}" for place in range(len(cells[0]))]
    if options.header:
        if first:
            shown = next(cell for cell in spelled[filled[0]] if cell)[:40]
            what = "a line" if first == 1 else f"{first} lines"
            verb = "is" if first == 1 else "are"
            notes.append(Note(f"{what} above the header {verb} left out, {shown!r}", count=first))
        header, cells, places = cells[0], cells[1:], places[1:]
        if cells and looks_like_data(header, cells[:_SAMPLE]):
            notes.append(Note(f"the header looks like data, '{', '.join(header[:4])}'", "header"))
    if not cells:
        raise ValueError(f"{title} has no rows below its header")
    columns = [
        pa.chunked_array([texts([cell or None for cell in column])])
        for column in zip(*cells, strict=True)
    ]
    named, set_aside, renamed = name_columns(header, columns)
    lines = SheetLines(tuple(place + 1 for place in places))
    return Table(
        *(pa.table(named), (*notes, *renamed), title, options.decimal, options.thousands),
        *(set_aside, lines),
    )


def _is_filled(row: list[Any]) -> bool:
    return any(cell not in ("", None) for cell in row)


def _spelled(cell: Any) -> str:
    """What a cell spells: whole numbers without a point, dates as ISO 8601 writes them."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        return str(cell.date()) if cell.time() == datetime.time() else cell.isoformat(" ")
    return "" if cell is None else str(cell)
