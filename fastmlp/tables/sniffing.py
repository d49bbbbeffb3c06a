"""How a file is written and where its table begins, found out from its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .dialect import RULED, Dialect, plain
from .options import ReadOptions
from .records import Record, grammar, is_blank
from .spelling import is_data
from .titles import are_row_names, first_row, fits, names_columns

_SEPARATORS = (",", ";", "\t", "|", " ")
# Tried only where none of these separates anything.
_RARE_SEPARATORS = (":", "^", "~", "!", "&", "*", "\x01", "\x02", "\x1e")
_FEWEST_LINES = 5
_COMMENTS = ("#", "%")
_SAMPLE = 1 << 16
# A table of thousands of columns has long lines.
_LONG = 1 << 20
_RECORDS = 130


@dataclass(frozen=True)
class Layout:
    """Where a table stands in its text.

    Attributes
    ----------
    dialect : Dialect
        How it is written.
    titles : tuple of str
        The lines above the header.
    header : tuple of str or None
        The fields of the header as they are written, as many as there are columns; None where it
        is the user who says that there is none.
    n_columns : int
        The number of fields of a row.
    comment_header : bool
        Whether the header is the last one of the comments above the rows.
    bare_header : bool
        Whether the header names all columns but the first.
    n_surplus : int
        How many empty names stand behind those of the columns.
    """

    dialect: Dialect
    titles: tuple[str, ...]
    header: tuple[str, ...] | None
    n_columns: int
    comment_header: bool = False
    bare_header: bool = False
    n_surplus: int = 0


@dataclass(frozen=True)
class _Reading:
    """One of the ways to read the sample, and what speaks for it."""

    dialect: Dialect
    rows: list[list[str]]
    first: int
    width: int
    score: float


def sniff(data: bytes, options: ReadOptions) -> Layout:
    """Find out how a text is written.

    Parameters
    ----------
    data : bytes
        In UTF-8.
    options : ReadOptions
        What the user says of it.

    Returns
    -------
    Layout
        The number of columns is 0 where there is no record at all.
    """
    sample = _sample(data)
    comment = _comment(sample)
    best = max(_readings(sample, comment, options), key=lambda reading: reading.score)
    if best.width == 1 and options.separator is None:
        best = _by_rare_separators(best, sample, options)
    if len(sample) < len(data):
        best = _read(_with_details(best.dialect, data), sample, options)
    if not best.rows:
        return Layout(best.dialect, (), None, 0)
    return _laid_out(best, sample, options)


def _by_rare_separators(best: _Reading, sample: bytes, options: ReadOptions) -> _Reading:
    """A reading by a mark that stands as often in each line, if there is one alone.

    Blanks do so where all columns are of words, three at least.
    """
    lines = [row[0].strip() for row in best.rows[best.first :]]
    marks = [
        mark
        for mark in _RARE_SEPARATORS
        if len({len(line.split(mark)) for line in lines}) == 1 and mark in lines[0]
    ]
    widths = {len(line.split()) for line in lines}
    if not marks and len(widths) == 1 and min(widths) > 2:
        marks = [" "]
    if len(lines) < _FEWEST_LINES or len(marks) != 1:
        return best
    dialect = replace(best.dialect, separator=marks[0], runs=marks[0] == " ")
    found = _read(_with_details(dialect, sample), sample, options)
    return found if found.width > 1 else best


def _sample(data: bytes) -> bytes:
    """Whole lines from the start of a text: some ten of them, of very long ones two."""
    size = _SAMPLE
    while size < len(data):
        sample = data[:size]
        n_lines = sample.count(b"\n") + sample.count(b"\r")
        if n_lines > (10 if size < _LONG else 3):
            return sample[: max(sample.rfind(b"\n"), sample.rfind(b"\r")) + 1]
        size *= 4
    return data


def _comment(sample: bytes) -> str:
    first = sample.lstrip()[:1].decode(errors="replace")
    return first if first in _COMMENTS and first else ""


def _readings(sample: bytes, comment: str, options: ReadOptions) -> Iterator[_Reading]:
    separators = _SEPARATORS if options.separator is None else (options.separator,)
    quotes = ['"']
    # Apostrophes are rarely quotes, so they are tried only where cells begin with them.
    if re.search(rb"(?:^|[,;\t| \r\n])'", sample):
        quotes.append("'")
    for quote in quotes:
        for separator in separators:
            for runs in (True, False) if separator == " " else (False,):
                dialect = Dialect(separator, runs, quote, comment=comment)
                yield _read(_with_details(dialect, sample), sample, options)
    if options.separator is None:
        # A table of one column; no separator can be in its cells.
        for quote in quotes:
            dialect = Dialect("\x1f", quote=quote, comment=comment)
            yield _read(_with_details(dialect, sample), sample, options)


def _with_details(dialect: Dialect, text: bytes) -> Dialect:
    """The dialect with what a text shows of its quotes, and of lines that rule it off."""
    quote = dialect.quote.encode()
    pattern = RULED.get(dialect.separator)
    if pattern is not None and pattern.search(text):
        dialect = replace(dialect, ruled=True)
    if quote not in text:
        return dialect
    # Substrings are found faster than patterns, and most texts hold none of these.
    before = (dialect.separator.encode(), b"\n", b"\r", b" ", b"\t")
    if dialect.separator != " " and any(
        byte + blank + quote in text for byte in before for blank in (b" ", b"\t")
    ):
        dialect = replace(dialect, loose=_seen(dialect, text)[0])
    if b"\\" + quote in text and _seen(dialect, text)[1]:
        # A quote behind a backslash ends no cell, if the cell goes on.
        escaping = replace(dialect, escapes=True)
        dialect = dialect if _seen(escaping, text)[1] else escaping
    return dialect


def _seen(dialect: Dialect, text: bytes) -> tuple[bool, bool]:
    """Whether blanks stand before quoted cells, and whether any goes on behind its quotes."""
    loose = False
    behind = re.compile(rb"[ \t]*(?:[%b\r\n]|\Z)" % dialect.marks)
    # One after the other, so that what is within quotes is stepped over.
    for found in dialect.quoted_cells().finditer(text):
        loose = loose or found[1] is not None
        if behind.match(text, found.end()) is None:
            return loose, True
    return loose, False


def _read(dialect: Dialect, sample: bytes, options: ReadOptions) -> _Reading:
    text = plain(sample, dialect)
    rows = _rows(dialect, text)
    widths = [len(row) for row in rows]
    if not widths:
        return _Reading(dialect, [], 0, 0, 0.0)
    width = _usual(widths)
    first = first_row(rows, width, options.header)
    table = rows[first:]
    score = sum(fits(row, width) for row in table) / len(table)
    # A table is longer than what stands above it.
    score *= min(1.0, (len(table) - 1) / first) if first else 1.0
    if width > 1:
        score *= (1 - 0.08 * _strange(table, dialect)) * _prior(dialect, rows, first, width)
    else:
        score *= _prior_of_one_column(dialect, rows, options)
    if dialect.quote == "'":
        score *= _for_single_quotes(dialect, sample)
    # As if another separator stood there.
    if dialect.quote.encode() in sample and _seen(dialect, sample)[1]:
        score *= 0.6
    return _Reading(dialect, rows, first, width, score)


def _rows(dialect: Dialect, text: bytes) -> list[list[str]]:
    """The first records of a plain text, read as the parser would."""
    rows = []
    for record in grammar(dialect.mark, dialect.quote.encode()).records(text):
        if not is_blank(record.fields):
            rows.append(_decoded(record))
        if len(rows) > _RECORDS:
            break
    return rows


def _decoded(record: Record) -> list[str]:
    # The sample may end within a character.
    return [field.decode(errors="replace") for field in record.fields]


def _usual(widths: list[int]) -> int:
    """The most frequent number of fields below the first line; it decides where several are."""
    counts = Counter(widths[1:] or widths)
    return max(counts, key=lambda width: (counts[width], width == widths[0], width))


def _strange(table: list[list[str]], dialect: Dialect) -> float:
    """The share of cells in which another separator stands, those of numbers aside."""
    others = "".join(mark for mark in _SEPARATORS[:-1] if mark != dialect.separator)
    cells = [cell for row in table for cell in row if cell.strip()]
    if not cells:
        return 0.0
    found = sum(any(mark in cell for mark in others) and not is_data(cell) for cell in cells)
    return found / len(cells)


def _prior(dialect: Dialect, rows: list[list[str]], first: int, width: int) -> float:
    """What speaks against several columns beside their rows."""
    prior = 1.0
    header, body = rows[first], rows[first + 1 :]
    named = names_columns(header, body)
    if dialect.separator == " ":
        # Prose has blanks too, but rarely as many in each line, or numbers below words.
        # R names no column for the names of rows.
        regular = width - 1 <= len(header) and all(fits(row, width) for row in body)
        cells = [cell for row in body for cell in row]
        data = named or 2 * sum(map(is_data, cells)) > len(cells)
        prior *= (0.97 if dialect.runs else 0.94) if regular and data else 0.6
    else:
        # Columns that are set apart by blanks, with another mark between some of them.
        cells = [cell.strip() for row in body for cell in row]
        prior *= 1 - 0.2 * sum("  " in cell for cell in cells) / max(1, len(cells))
    if first and not named:
        # One word above lines with a comma may be the header of a column of texts.
        prior *= 0.95 if width > 2 or " " in rows[0][0].strip() else 0.85
        if all(row[1:2] and row[1].startswith(" ") for row in body):
            prior *= 0.9
    return prior


def _prior_of_one_column(dialect: Dialect, rows: list[list[str]], options: ReadOptions) -> float:
    """What speaks against a table of one column: separators in its header."""
    if options.separator is not None:
        return 1.0
    separated = any(mark in "".join(rows[0]) for mark in _SEPARATORS[:-1])
    # The same with a separator that is not there.
    return (0.4 if separated else 0.9) * (1.0 if dialect.separator == "\x1f" else 0.9)


def _for_single_quotes(dialect: Dialect, sample: bytes) -> float:
    """Apostrophes are quotes where each one at the start of a cell has one at its end."""
    s = rb" \t" if dialect.runs else re.escape(dialect.separator.encode())
    start = rb"(?:(?<=[%b\r\n])|\A)[ \t]*" % s
    if re.search(start + b'"', sample):
        return 0.5
    begun = len(re.findall(start + b"'", sample))
    inner = rb"[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*" if dialect.escapes else rb"[^']*(?:''[^']*)*"
    whole = len(re.findall(rb"%b'%b'(?=[ \t]*(?:[%b\r\n]|\Z))" % (start, inner, s), sample))
    # Quoted cells with separators or line ends in them are counted once by either.
    if whole < begun:
        return 0.5
    return 1.02 if whole > 2 else 0.99


def _laid_out(best: _Reading, sample: bytes, options: ReadOptions) -> Layout:
    rows, first, width, dialect = best.rows, best.first, best.width, best.dialect
    titles = tuple(dialect.separator.join(row) for row in rows[:first])
    if not options.header:
        return Layout(dialect, titles, None, width)
    header, body = rows[first], rows[first + 1 :]
    fitting = [row for row in body if len(row) == width]
    if dialect.comment:
        above, is_tight = _comment_header(dialect, sample)
        names = is_tight or names_columns(above, [header, *fitting])
        if len(above) == width and names and not names_columns(header, fitting):
            return Layout(dialect, titles, tuple(above), width, comment_header=True)
    if not body:
        return Layout(dialect, titles, tuple(header), len(header))
    missing = width - len(header)
    if missing < 0 and not any(name.strip() for name in header[width:]):
        return Layout(dialect, titles, tuple(header[:width]), width, n_surplus=-missing)
    if missing > 0 and not any(any(row[len(header) :]) for row in fitting):
        return Layout(dialect, titles, (*header, *[""] * missing), width)
    if missing == 1 and len(fitting) >= 0.9 * len(body) and are_row_names(fitting):
        return Layout(dialect, titles, ("", *header), width, bare_header=True)
    return Layout(dialect, titles, tuple(header), len(header))


def _comment_header(dialect: Dialect, sample: bytes) -> tuple[list[str], bool]:
    """The fields of the last comment above the first row, and whether no blank begins it."""
    mark = re.escape(dialect.comment.encode())
    block = re.match(rb"(?:[ \t]*(?:%b[^\r\n]*)?(?:\r\n?|\n))+" % mark, sample)
    lines = [line for line in re.split(rb"[\r\n]+", block[0] if block else b"") if line.strip()]
    if not lines:
        return [], False
    last = lines[-1].strip().lstrip(dialect.comment.encode())
    rows = _rows(dialect, plain(last.strip(b" "), replace(dialect, comment="")))
    return (rows[0] if rows else []), last[:1] not in (b" ", b"\t", b"")
