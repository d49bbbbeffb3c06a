"""Delimited text as a table: found out how it is written, then read by one parser."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .arrays import numbers, texts, where
from .dialect import plain
from .headers import name_columns
from .notes import Note
from .options import ReadOptions
from .parsing import Text, parse
from .records import RecordLines, count_lines, grammar, is_blank
from .slips import check_quotes, note_of_rows_in_cells, without_formulas
from .sniffing import Layout, sniff
from .spelling import looks_like_data
from .table import Table
from .wrapped import unwrapped

if TYPE_CHECKING:
    import pyarrow as pa

    from ..kernels.typing import Array

_WORDS = {",": "a comma", "\t": "a tab", " ": "a space", ";": "';'", "|": "'|'"}
# The line by which a spreadsheet is told the separator.
_SEP = re.compile(rb'\A"?sep=([^\r\n\w"\'\\\x80-\xff])"?[ \t]*(?:\r\n?|\n|\Z)', re.IGNORECASE)
# Texts that are no tables of lines, by how they begin.
_OTHERS = {
    rb'\s*(?:\{\s*["}]|\[\s*[\[{])': "JSON",
    rb"\s*<(?:!doctype|html|\?xml|table)": "HTML or XML",
    rb"(?:\s*%[^\n]*\n)*\s*@relation\s": "ARFF",
}
_SHOWN = 40
_SAMPLE = 200


def read_delimited(data: bytes, options: ReadOptions, title: str) -> Table:
    """Read a text whose lines are rows.

    Parameters
    ----------
    data : bytes
        In UTF-8, without a byte order mark.
    options : ReadOptions
        What the user says of it.
    title : str
        The file's name, for messages.

    Raises
    ------
    ValueError
        It is empty, or not all of its rows have as many fields.
    """
    # Prediction from arrays needs no Arrow.
    import pyarrow as pa

    for begins, what in _OTHERS.items():
        if re.match(begins, data, re.IGNORECASE):
            raise ValueError(f"{title} is {what}, no delimited text; save it as CSV first")
    data, notes = unwrapped(data)
    options, above, told = _with_named_separator(data, options)
    notes += told
    layout = sniff(data[above:] if above else data, options)
    if not layout.n_columns or re.search(rb"\S", data) is None:
        raise ValueError(f"{title} is empty")
    text = _text(data, above, layout, title)
    columns, text, told = parse(text)
    if not len(columns[0]):
        _check_header_quotes(text)
        raise ValueError(f"{title} has no rows below its header")
    check_quotes(text, columns)
    notes += [*_told(layout, options, title), *told, *note_of_rows_in_cells(columns, text)]
    notes += _note_of_one_column(layout, options, columns[0])
    lines = RecordLines(
        *(text.data, text.start, text.line, text.dialect.mark, text.dialect.quote.encode()),
        text.n_columns,
    )
    header = layout.header or tuple(f"column_{place}" for place in range(layout.n_columns))
    columns, header, told = without_formulas(columns, header, text.data)
    notes += told
    rows: Array | None = None
    if layout.header is not None:
        columns, rows, about_header = _without_headers(header, columns, lines, title)
        notes += about_header
    named_columns, set_aside, renamed = name_columns(header, columns)
    return Table(
        pa.table(named_columns),
        (*notes, *renamed),
        title,
        options.decimal,
        options.thousands,
        set_aside,
        lines,
        rows,
    )


def _with_named_separator(data: bytes, options: ReadOptions) -> tuple[ReadOptions, int, list[Note]]:
    """What a first line such as ``sep=;`` says, which is no row, and where the text goes on."""
    found = _SEP.match(data)
    if found is None:
        return options, 0, []
    named = found[1].decode()
    note = Note(f"the first line names the separator, {_WORDS.get(named, repr(named))}")
    # What the user says counts more.
    return replace(options, separator=options.separator or named), found.end(), [note]


def _text(data: bytes, above: int, layout: Layout, title: str) -> Text:
    """The text in the plain grammar, from the first row on."""
    dialect = layout.dialect
    text = plain(data[above:] if above else data, dialect)
    first = 1 + count_lines(data, 0, above)
    # Titles, and the header unless a comment was it.
    skipped = len(layout.titles)
    skipped += layout.header is not None and not layout.comment_header
    start = 0
    if skipped:
        start = len(text)
        for record in grammar(dialect.mark, dialect.quote.encode()).records(text):
            if is_blank(record.fields) and layout.n_columns > 1:
                continue
            if not skipped:
                start = record.start
                break
            skipped -= 1
    line = first + count_lines(text, 0, start)
    names = layout.header or ("-",)
    n_optional = next((n for n, name in enumerate(reversed(names)) if name.strip()), len(names))
    return Text(
        text, start, line, dialect, layout.n_columns, min(n_optional, len(names) - 1), title
    )


def _note_of_one_column(layout: Layout, options: ReadOptions, cells: pa.ChunkedArray) -> list[Note]:
    """On a table that is read as one column, though a mark may separate several."""
    if layout.n_columns > 1 or not layout.header or options.separator is not None:
        return []
    name = layout.header[0]
    rows = [cell for cell in cells.slice(0, _SAMPLE).to_pylist() if cell]
    for mark in re.findall(r"[^\w\s.()/%'\"#?$+-]|\t", name):
        if 2 * sum(mark in row for row in rows) >= len(rows):
            text = f"the table is read as one column, {name[:_SHOWN]!r}"
            return [Note(text, "separator", mark)]
    return []


def _check_header_quotes(text: Text) -> None:
    """Refuse a header whose quotes take all rows."""
    first = next(grammar(text.dialect.mark, text.dialect.quote.encode()).records(text.data), None)
    if first is not None and count_lines(text.data, first.start, first.end):
        raise ValueError(
            f"{text.title}: a quote {text.dialect.quote} in the header is closed only lines below, "
            "so that no rows are left; close it, or double it if it is a character of the name"
        )


def _without_headers(
    header: tuple[str, ...], columns: list[pa.ChunkedArray], lines: RecordLines, title: str
) -> tuple[list[pa.ChunkedArray], Array | None, list[Note]]:
    """The columns without rows that repeat the header, and which rows these are."""
    again = _repeated(header, columns)
    others, rows = columns, None
    if len(again):
        rows = np.setdiff1d(np.arange(len(columns[0])), again)
        if not len(rows):
            raise ValueError(f"{title} has no rows but the header, again and again")
        indices = numbers(rows)
        others = [column.take(indices) for column in columns]
    if _looks_like_data(header, others):
        # Then it is no wonder that a row is like it.
        shown = ", ".join(header[:4])[:_SHOWN]
        return columns, None, [Note(f"the header looks like data, '{shown}'", "header")]
    if not len(again):
        return columns, None, []
    line = lines.numbers()[again[0]]
    what = f"line {line} is" if len(again) == 1 else f"{len(again)} lines, such as {line}, are"
    return others, rows, [Note(f"{what} the header again and left out", count=len(again))]


def _repeated(header: tuple[str, ...], columns: list[pa.ChunkedArray]) -> Array:
    """The rows that are the header again; cells of a single column may well hold its name."""
    # Only called where Arrow is there.
    import pyarrow.compute as pc

    pairs = [(name, column) for name, column in zip(header, columns, strict=True) if name.strip()]
    same = None
    for name, column in pairs if len(pairs) > 1 else ():
        equal = pc.equal(pc.utf8_trim_whitespace(column), texts([name.strip()])[0])
        same = equal if same is None else pc.and_kleene(same, equal)
        if not pc.any(same).as_py():
            return np.empty(0, dtype=np.int64)
    return np.empty(0, dtype=np.int64) if same is None else where(same)


def _looks_like_data(header: tuple[str, ...], columns: list[pa.ChunkedArray]) -> bool:
    samples = [column.slice(0, _SAMPLE).to_pylist() for column in columns]
    rows = [tuple(cell or "" for cell in row) for row in zip(*samples, strict=True)]
    return looks_like_data(header, rows)


def _told(layout: Layout, options: ReadOptions, title: str) -> list[Note]:
    """What was found out of how the text is written, where it is unusual."""
    dialect, notes = layout.dialect, []
    usual = "\t" if ".tsv" in title.lower() or ".tab" in title.lower() else ","
    if options.separator is None and dialect.separator not in (usual, "\x1f"):
        words = (
            "runs of blanks"
            if dialect.runs
            else _WORDS.get(dialect.separator, repr(dialect.separator))
        )
        other = "," if dialect.separator != "," else ";"
        verb = "are" if dialect.runs else "is"
        notes.append(Note(f"{words} {verb} taken for the separator", "separator", other))
    if dialect.quote != '"':
        notes.append(Note(f"cells stand in single quotes, {dialect.quote}"))
    if dialect.escapes:
        notes.append(Note("quotes within cells stand behind backslashes"))
    if dialect.comment:
        what = f"lines that begin with {dialect.comment!r} are comments and left out"
        if layout.comment_header:
            what += "; the last above the rows is the header"
        notes.append(Note(what))
    if dialect.ruled:
        notes.append(Note("lines of dashes, which only rule rows off, are left out"))
    if layout.titles:
        count = len(layout.titles)
        shown = layout.titles[0].strip()[:_SHOWN]
        what = "a line" if count == 1 else f"{count} lines"
        verb = "is" if count == 1 else "are"
        notes.append(Note(f"{what} above the header {verb} left out, {shown!r}", count=count))
    if layout.bare_header:
        notes.append(Note("the header names all columns but the first"))
    if layout.n_surplus:
        what = "an empty name" if layout.n_surplus == 1 else f"{layout.n_surplus} empty names"
        notes.append(Note(f"{what} at the end of the header, with no cells below, is left out"))
    return notes
