"""Arrow's parser over plain delimited text, with what it refuses in words of our own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .dialect import Dialect
from .notes import Note
from .records import Record, count_lines, grammar, is_blank
from .spelling import is_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

# It ends the text, so that a quote that is never closed is seen to swallow it.
_END = b"\x1e\x1eend\x1e\x1e"
_BLOCK = 1 << 20
_SHOWN = 3
# Records of notes below a table, at most.
_MOST_FOOTERS = 10
_LONGEST = 40


@dataclass(frozen=True)
class Text:
    """Rows of delimited text in the plain grammar.

    Attributes
    ----------
    data : bytes
        In UTF-8, with all that stands above the rows.
    start : int
        Where the rows begin.
    line : int
        The number of the line there.
    dialect : Dialect
        What it was before it was made plain.
    n_columns : int
        The number of fields of a row.
    n_optional : int
        How many of the last fields a row may lack, for these have no names.
    title : str
        The file's name, for messages.
    """

    data: bytes
    start: int
    line: int
    dialect: Dialect
    n_columns: int
    n_optional: int
    title: str

    def records(self) -> Iterator[tuple[int, Record]]:
        """All records, each with the number of its line."""
        line, place = self.line, self.start
        rules = grammar(self.dialect.mark, self.dialect.quote.encode())
        for record in rules.records(self.data, self.start):
            line += count_lines(self.data, place, record.start)
            place = record.start
            yield line, record


def parse(text: Text) -> tuple[list[pa.ChunkedArray], Text, list[Note]]:
    """Read all rows.

    Returns
    -------
    list of pyarrow.ChunkedArray
        The columns, of strings; an empty cell is null.
    Text
        What was read in the end: where rows had surplus separators at their ends, a text without.
    list of Note
        Lines that were taken for comments, and rows that were mended.

    Raises
    ------
    ValueError
        Rows have more or fewer fields than there are columns, or a quote is never closed.
    """
    columns, odd = _parse(text)
    if not odd:
        return columns, text, []
    mended, notes = _mended(text)
    if mended is not text:
        columns, _ = _parse(mended)
    return columns, mended, notes


def _parse(text: Text) -> tuple[list[pa.ChunkedArray], bool]:
    """The columns, and whether there are rows of another number of fields."""
    # Prediction from arrays needs no Arrow.
    import pyarrow as pa
    from pyarrow import csv

    quote = text.dialect.quote.encode()
    quoted = quote in text.data
    end = b"\n" + _END + text.dialect.mark * (text.n_columns - 1) if quoted else b""
    rows = text.data[text.start :] + end if quoted else memoryview(text.data)[text.start :]
    if not len(rows):
        return [pa.chunked_array([], pa.string())] * text.n_columns, False
    names = [str(place) for place in range(text.n_columns)]
    odd = False

    def skip(row: Any) -> str:
        nonlocal odd
        odd = odd or not (row.text.isspace() and text.n_columns > 1)
        return "skip"

    def read(block_size: int) -> pa.Table:
        return csv.read_csv(
            pa.BufferReader(rows),
            csv.ReadOptions(column_names=names, block_size=block_size),
            csv.ParseOptions(
                delimiter=text.dialect.mark.decode(),
                quote_char=text.dialect.quote if quoted else False,
                # Without quotes no cell holds a line end, which makes blocks easier to find.
                newlines_in_values=quoted,
                invalid_row_handler=skip,
            ),
            csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )

    try:
        table = read(_BLOCK)
    except pa.ArrowInvalid:
        # A row is longer than a block.
        try:
            table = read(min(len(rows) + 1, 2**31 - 1))
        except pa.ArrowInvalid as error:
            raise ValueError(f"{text.title} cannot be read: {error}") from error
    if quoted:
        table = _without_end(table, text)
    return table.columns, odd


def _without_end(table: pa.Table, text: Text) -> pa.Table:
    last = table.num_rows - 1
    if last >= 0 and table.column(0)[last].as_py() == _END.decode():
        return table.slice(0, last)
    rules = grammar(text.dialect.mark, text.dialect.quote.encode())
    place = rules.unclosed(text.data, text.start)
    line = text.line + count_lines(text.data, text.start, text.start if place is None else place)
    raise ValueError(
        f"{text.title}, line {line}: a cell begins with a quote {text.dialect.quote} that is never "
        f"closed; close it, or double it if it is a character of the cell, and quote the cell"
    )


def _mended(text: Text) -> tuple[Text, list[Note]]:
    """The text with all rows of one length, where only empty fields are too many or too few.

    Surplus fields are cut off if they are empty; fields are added only where columns without names
    are at the end. Lines of another length that begin with ``#`` are comments, unless rows do too.
    """
    pieces: list[bytes] = []
    changed: list[int] = []
    comments: list[tuple[int, Record]] = []
    wrong: list[tuple[int, int]] = []
    footers: list[tuple[int, Record]] = []
    done, hashed = text.start, False
    for line, record in text.records():
        width = len(record.fields)
        if not is_blank(record.fields) and not _is_footer(record, text.n_columns):
            # What stood above this row was no footer.
            wrong += [(number, len(below.fields)) for number, below in footers]
            footers = []
        if width == text.n_columns:
            hashed = hashed or record.fields[0].lstrip().startswith(b"#")
        elif text.n_columns > 1 and is_blank(record.fields):
            continue
        elif record.fields[0].lstrip().startswith(b"#"):
            comments.append((line, record))
        elif width > text.n_columns and not any(record.fields[text.n_columns :]):
            surplus = width - text.n_columns
            source = text.data[record.start : record.end]
            pieces += [text.data[done : record.start], _cut(source, surplus, text.dialect)]
            done = record.end
            changed.append(line)
        elif _is_footer(record, text.n_columns) and width < text.n_columns - text.n_optional:
            footers.append((line, record))
        elif text.n_columns - text.n_optional <= width < text.n_columns:
            pieces += [text.data[done : record.end], text.dialect.mark * (text.n_columns - width)]
            done = record.end
        else:
            wrong.append((line, width))
    if hashed:
        # Rows begin like these, so they are rows as well.
        wrong = sorted([*wrong, *((line, len(record.fields)) for line, record in comments)])
    if len(footers) > _MOST_FOOTERS:
        wrong += [(line, len(record.fields)) for line, record in footers]
    if wrong:
        raise ValueError(_ragged(text, wrong))
    notes = [*_told_of_comments(text, comments), *_told_of_footers(text, footers)]
    if changed:
        what = f"the row in line {changed[0]} has"
        if len(changed) > 1:
            what = f"{len(changed)} rows, such as that in line {changed[0]}, have"
        notes.append(Note(f"{what} empty fields behind the last column", count=len(changed)))
    if not pieces:
        return text, notes
    data = b"".join([text.data[: text.start], *pieces, text.data[done:]])
    return replace(text, data=data), notes


def _told_of_comments(text: Text, comments: list[tuple[int, Record]]) -> list[Note]:
    if not comments:
        return []
    line, record = comments[0]
    source = text.data[record.start : record.end]
    what = f"line {line}, {source.decode(errors='replace').strip()[:_LONGEST]!r},"
    if len(comments) == 1:
        return [Note(f"{what} is a comment and left out", count=1)]
    return [Note(f"{len(comments)} lines are comments and left out, such as {what[:-1]}")]


def _is_footer(record: Record, n_columns: int) -> bool:
    """Whether a record could be a note below the rows: one cell, of words."""
    first = record.fields[0].decode(errors="replace")
    return n_columns > 1 and len(record.fields) == 1 and first.strip() != "" and not is_data(first)


def _told_of_footers(text: Text, footers: list[tuple[int, Record]]) -> list[Note]:
    if not footers:
        return []
    line, record = footers[0]
    shown = text.data[record.start : record.end].decode(errors="replace").strip()[:_LONGEST]
    what = f"line {line}, {shown!r}, stands below the rows and is left out"
    if len(footers) > 1:
        what = f"{len(footers)} lines from line {line} on, {shown!r}, stand below the rows and are "
        what += "left out"
    return [Note(what, count=len(footers))]


def _cut(source: bytes, surplus: int, dialect: Dialect) -> bytes:
    # What ends a record may be empty cells in quotes.
    quotes = re.escape(dialect.quote.encode()) * 2
    pattern = rb"(?:%b(?:%b)?){%d}\Z" % (re.escape(dialect.mark), quotes, surplus)
    return re.sub(pattern, b"", source)


def _ragged(text: Text, wrong: list[tuple[int, int]]) -> str:
    one = len(wrong) == 1
    shown = ", ".join(f"line {line} has {width}" for line, width in wrong[:_SHOWN])
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    separator = text.dialect.separator
    if separator == "\x1f":
        separator = ","
    return (
        f"{text.title}: {len(wrong)} row{'' if one else 's'} {'does' if one else 'do'} not have "
        f"the {text.n_columns} field{'' if text.n_columns == 1 else 's'} of the header: {shown}"
        f"{more}; put cells that hold {separator!r} into quotes, mend the rows, or name another "
        f"separator"
    )
