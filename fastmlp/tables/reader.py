"""The door for tables in files: any file that people have, read as a person would read it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from ..common.checks import check_bool, check_text, check_texts
from ..errors import missing_extra
from .arrays import texts
from .delimited import read_delimited
from .encoding import to_utf8
from .formats import read_columnar, read_spreadsheet
from .notes import tell
from .options import ReadOptions
from .sources import open_source
from .table import Table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ReadOptions", "read", "read_table"]


def read_table(
    path: str | os.PathLike[str] | IO[Any],
    separator: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    encoding: str | None = None,
    header: bool = True,
    na_values: str | Iterable[str] = (),
) -> Table:
    r"""Read a table from a file.

    How the file is written is found out, and told by a `TableWarning` where it is unusual. Cells
    stay texts, as they are written; `infer_schema` understands them.

    Parameters
    ----------
    path : str, path-like or file
        A delimited text, a Parquet or Feather file or a spreadsheet (xlsx, xls, ods), as it is or
        compressed (gzip, bzip2, xz, zstd, zip of one file); its first bytes tell which. ``-`` is
        standard input. A file that is open for reading is read to its end.
    separator : str or None, default None
        Of delimited text: one character, or "tab", "space" and so on. A space stands for runs of
        blanks and tabs where lines are written so.
    decimal, thousands : str or None, default None
        The marks within numbers; by default each column shows its own.
    encoding : str or None, default None
        As Python names it. By default a byte order mark tells, otherwise it is UTF-8, or cp1252
        where it cannot be UTF-8.
    header : bool, default True
        Whether the first row names the columns; if not, they are called ``column_0``,
        ``column_1`` and so on.
    na_values : str or iterable of str, default ()
        What stands for a missing cell besides nothing, in any column; blanks around do not count.

    Returns
    -------
    Table
        Unnamed columns have names such as ``"Unnamed: 3"``, the later ones of equal names are
        numbered. A column without a name that counts the rows is set aside.

    Raises
    ------
    ValueError
        The file is empty, damaged or no table, rows have more or fewer fields than the header, or
        bytes are not in the encoding; line numbers are told.
    OSError
        It cannot be read.
    ImportError
        A package that reads it is not installed.

    Examples
    --------
    >>> import io
    >>> import fastmlp as fm
    >>> table = fm.read_table(io.StringIO("size,town\n81.5,Delft\n64,Gouda\n"))
    >>> table.columns, table.shape
    (('size', 'town'), (2, 2))
    >>> table["size"]
    array(['81.5', '64'], dtype=object)
    >>> table.where(1)
    'line 3'
    """
    values = check_texts("na_values", na_values)
    header = check_bool("header", header)
    texts_given = {"separator": separator, "decimal": decimal, "thousands": thousands}
    for name, value in {**texts_given, "encoding": encoding}.items():
        if value is not None:
            check_text(name, value)
    options = ReadOptions(separator, decimal, thousands, encoding, header, values)
    table = read(path, options)
    tell(table.notes)
    return table


def read(path: str | os.PathLike[str] | IO[Any], options: ReadOptions | None = None) -> Table:
    """Read a table as `read_table` does, but tell nothing; what was found out is in its notes."""
    options = options or ReadOptions()
    try:
        # Prediction from arrays needs no Arrow.
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise missing_extra("pyarrow", "tables") from error

    source = open_source(path)
    if source.kind != "text":
        for name in options.given():
            raise ValueError(f"{source.title} is no delimited text, so it has no {name}")
        if source.kind == "spreadsheet":
            table = read_spreadsheet(source.data, options, source.title)
        else:
            table = read_columnar(source.data, source.kind, options, source.title)
    else:
        data, notes = to_utf8(source.data, options.encoding, source.title)
        table = read_delimited(data, options, source.title)
        table = replace(table, notes=(*notes, *table.notes))
    return _with_missing(table, options.na_values) if options.na_values else table


def _with_missing(table: Table, na_values: tuple[str, ...]) -> Table:
    """The table with null in place of cells that are among some texts."""
    # Only called where Arrow is there.
    import pyarrow as pa
    import pyarrow.compute as pc

    missing, nothing = texts(na_values), texts([None])[0]

    def mask(column: pa.ChunkedArray) -> pa.ChunkedArray:
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return column
        cells = column.cast(pa.string())
        is_missing = pc.is_in(pc.utf8_trim_whitespace(cells), value_set=missing)
        return pc.if_else(is_missing, nothing, cells)

    columns = {name: mask(table.arrow.column(name)) for name in table.columns}
    return replace(table, arrow=pa.table(columns))
