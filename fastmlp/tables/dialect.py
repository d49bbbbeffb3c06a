"""How a delimited file is written, and its text as the plain grammar would write it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RULE = rb"(?:-{2,}|={2,}|:-+:?|-+:)"
# Lines that rule a table off, by the separator of its cells.
RULED = {
    "|": re.compile(
        rb"^[ \t]*[|+]?[ \t]*%b[ \t]*(?:[|+][ \t]*%b[ \t]*)*[|+]?[ \t]*(?=\r?$)" % (_RULE, _RULE),
        re.MULTILINE,
    ),
    " ": re.compile(
        rb"^[ \t]*(?:-{2,}|={2,})(?:[ \t]+(?:-{2,}|={2,}))+[ \t]*(?=\r?$)", re.MULTILINE
    ),
}

__all__ = ["RULED", "Dialect", "plain"]


@dataclass(frozen=True)
class Dialect:
    """How cells and lines are told apart.

    Attributes
    ----------
    separator : str
        As it stands in the file.
    runs : bool
        Whether any run of blanks and tabs is one separator, and those around a line are none.
    quote : str
        What cells may be put into.
    escapes : bool
        Whether a backslash in a quoted cell takes the next quote or backslash as it is.
    loose : bool
        Whether blanks may stand before a quoted cell.
    comment : str
        What a line that is none of the table's begins with; empty where there are none.
    ruled : bool
        Whether there are lines of nothing but dashes and corners, which rule rows off.
    """

    separator: str
    runs: bool = False
    quote: str = '"'
    escapes: bool = False
    loose: bool = False
    comment: str = ""
    ruled: bool = False

    @property
    def mark(self) -> bytes:
        """The separator in the plain text."""
        return b"\t" if self.runs else self.separator.encode()

    @property
    def marks(self) -> bytes:
        """What separates, for a set of a regular expression."""
        return rb" \t" if self.runs else re.escape(self.separator.encode())

    def quoted_cells(self) -> re.Pattern[bytes]:
        """Finds the quoted cells one after the other.

        The first group is of blanks before the quote, the second of a cell behind such blanks, the
        third of any other. Blanks belong to the quoted cell only where it ends with its quote.
        """
        start = rb"(?:(?<=[%b\r\n])|\A)" % self.marks
        if self.separator == " ":
            return re.compile(b"%b(?:(?!)()()|(%b))" % (start, self._quoted))
        # A tab that separates is no blank.
        blank = b" " if self.separator == "\t" else rb"[ \t]"
        behind = rb"(?=%b*(?:[%b\r\n]|\Z))" % (blank, self.marks)
        groups = (start, blank, self._quoted, behind, self._quoted)
        return re.compile(b"%b(?:(%b+)(%b)%b|(%b))" % groups)

    @property
    def _quoted(self) -> bytes:
        q = re.escape(self.quote.encode())
        if self.escapes:
            inner = rb"[^%b\\]*(?:(?:\\[\s\S]|%b%b)[^%b\\]*)*" % (q, q, q, q)
        else:
            inner = rb"[^%b]*(?:%b%b[^%b]*)*" % (q, q, q, q)
        # No pair of quotes may be torn, so none follows the last.
        return rb"%b%b%b(?!%b)" % (q, inner, q, q)


def plain(data: bytes, dialect: Dialect) -> bytes:
    """Rewrite a text into the plain grammar of `records`, line by line.

    What is no record becomes an empty line, so lines keep their numbers.
    """
    if dialect.ruled:
        data = RULED[dialect.separator].sub(b"", data)
    if dialect.comment:
        data = _without_comments(data, dialect)
    if dialect.escapes or dialect.loose:
        data = _with_plain_quotes(data, dialect)
    if dialect.runs:
        data = _without_runs(data, dialect)
    return data


def _without_comments(data: bytes, dialect: Dialect) -> bytes:
    comment = rb"(?:(?<=[\r\n])|\A)[ \t]*%b[^\r\n]*" % re.escape(dialect.comment.encode())
    if dialect.quote.encode() not in data:
        return re.sub(comment, b"", data)
    # Quoted cells are stepped over, for their lines are no comments.
    pattern = re.compile(b"(?P<comment>%b)|%b" % (comment, dialect.quoted_cells().pattern))
    return pattern.sub(lambda found: b"" if found["comment"] else found[0], data)


def _with_plain_quotes(data: bytes, dialect: Dialect) -> bytes:
    if not dialect.escapes:
        return dialect.quoted_cells().sub(rb"\2\3", data)
    quote = dialect.quote.encode()
    escaped = re.compile(rb"\\([\\%b])" % re.escape(quote))

    def rewrite(found: re.Match[bytes]) -> bytes:
        cell = found[2] or found[3]
        inner = escaped.sub(lambda pair: quote * 2 if pair[1] == quote else pair[1], cell[1:-1])
        return quote + inner + quote

    return dialect.quoted_cells().sub(rewrite, data)


def _without_runs(data: bytes, dialect: Dialect) -> bytes:
    edge = rb"(?:(?<=[\r\n])|\A)[ \t]+|[ \t]+(?=[\r\n]|\Z)"
    if dialect.quote.encode() not in data:
        return re.sub(rb"[ \t]+", b"\t", re.sub(edge, b"", data))
    # Quotes within a word are part of it.
    word = rb"[^ \t\r\n%b][^ \t\r\n]*" % re.escape(dialect.quote.encode())
    quoted = dialect.quoted_cells().pattern
    pattern = re.compile(rb"%b|(?P<cell>%b|%b)|(?P<run>[ \t]+)" % (edge, quoted, word))
    return pattern.sub(lambda found: b"\t" if found["run"] else found["cell"] or b"", data)
