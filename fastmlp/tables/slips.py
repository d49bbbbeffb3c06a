"""What looks as if it was not meant: quotes that take rows in, cells that are formulas of texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .arrays import where
from .dialect import Dialect
from .notes import Note
from .records import LINE_END, RecordLines, count_lines
from .spelling import is_data, spells

if TYPE_CHECKING:
    import pyarrow as pa

    from .parsing import Text

_FORMULA = r'^="([^"]*)"$'
_SAMPLE = 200
# Cells with line ends that are looked at.
_MOST = 1000
_SHOWN = 40

__all__ = ["check_quotes", "note_of_rows_in_cells", "without_formulas"]


def check_quotes(text: Text, columns: Sequence[pa.ChunkedArray]) -> None:
    """Refuse a quoted cell that goes on behind its quotes, if it has taken line ends in.

    Raises
    ------
    ValueError
        There is one; names the lines.
    """
    if not _have_line_ends(text, columns):
        return
    rules = Dialect(text.dialect.mark.decode(), quote=text.dialect.quote)
    ends = (rules.mark, b"\n", b"\r", b"")
    for found in rules.quoted_cells().finditer(text.data, text.start):
        behind = text.data[found.end() : found.end() + 1]
        if behind not in ends and LINE_END.search(found[0]) is not None:
            line = text.line + count_lines(text.data, text.start, found.start())
            last = line + count_lines(text.data, found.start(), found.end())
            raise ValueError(
                f"{text.title}, line {line}: a cell begins with a quote {text.dialect.quote} that "
                f"is closed only in line {last}, within another cell; take it out, close it, or "
                "double it if it is a character of the cell, and quote the cell"
            )


def note_of_rows_in_cells(columns: Sequence[pa.ChunkedArray], text: Text) -> list[Note]:
    """Tell of a quoted cell that holds lines which look like rows of the table.

    They have as many fields as the table has columns, and data where the columns have such.
    """
    # Only called where Arrow is there.
    import pyarrow.compute as pc

    if text.n_columns < 2 or not _have_line_ends(text, columns):
        return []
    of_data: list[bool] | None = None
    for column in columns:
        rows = where(pc.match_substring_regex(column, r"[\r\n][^\r\n]+[\r\n]"))
        for row in rows[:_MOST].tolist():
            if of_data is None:
                samples = [other.slice(0, _SAMPLE).to_pylist() for other in columns]
                of_data = [spells([cell or "" for cell in sample]) for sample in samples]
            inner = re.split(r"\r\n?|\n", column[row].as_py())[1:-1]
            count = sum(_is_row(line, text.dialect.mark.decode(), of_data) for line in inner)
            if count:
                return [_note(text, row, count)]
    return []


def _have_line_ends(text: Text, columns: Sequence[pa.ChunkedArray]) -> bool:
    """Whether any cell goes over several lines."""
    # Only called where Arrow is there.
    import pyarrow.compute as pc

    if text.dialect.quote.encode() not in text.data:
        return False
    ends = [end for end in ("\n", "\r") if end.encode() in text.data]
    return any(pc.any(pc.match_substring(cells, end)).as_py() for cells in columns for end in ends)


def _note(text: Text, row: int, count: int) -> Note:
    lines = RecordLines(
        *(text.data, text.start, text.line, text.dialect.mark, text.dialect.quote.encode()),
        text.n_columns,
    )
    line = lines.numbers()[row]
    what = "a line that looks like a row" if count == 1 else f"{count} lines that look like rows"
    return Note(
        f"line {line}: a cell in quotes holds {what}; if its first quote is a slip, take it out",
        count=count,
    )


def _is_row(line: str, separator: str, of_data: list[bool]) -> bool:
    cells = line.split(separator)
    if len(cells) != len(of_data) or (not any(of_data) and len(cells) < 3):
        return False
    return all(is_data(cell) for cell, wanted in zip(cells, of_data, strict=True) if wanted)


def without_formulas(
    columns: Sequence[pa.ChunkedArray], header: Sequence[str], data: bytes
) -> tuple[list[pa.ChunkedArray], tuple[str, ...], list[Note]]:
    """Cells such as ``="00501"``, by which spreadsheets are made to keep texts, as these texts."""
    # Only called where Arrow is there.
    import pyarrow.compute as pc

    # One byte is found much faster than two.
    if b'"' not in data or b'="' not in data:
        return list(columns), tuple(header), []
    found, example = [], ""
    for column in columns:
        places = where(pc.match_substring_regex(column, _FORMULA))
        if not len(places):
            found.append(column)
            continue
        example = example or column[int(places[0])].as_py()
        texts = pc.replace_substring_regex(column, _FORMULA, r"\1")
        found.append(pc.if_else(pc.equal(texts, ""), None, texts))
    names = tuple(re.sub(_FORMULA, r"\1", name) for name in header)
    if not example:
        return found, names, []
    return found, names, [Note(f"cells such as {example[:_SHOWN]} are read as the texts in them")]
