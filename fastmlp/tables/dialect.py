"""How a delimited file is written, and its text as the plain grammar would write it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .records import grammar

__all__ = ["Dialect", "plain"]


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
    """

    separator: str
    runs: bool = False
    quote: str = '"'
    escapes: bool = False
    loose: bool = False
    comment: str = ""

    @property
    def mark(self) -> bytes:
        """The separator in the plain text."""
        return b"\t" if self.runs else self.separator.encode()


def plain(data: bytes, dialect: Dialect) -> bytes:
    """Rewrite a text into the plain grammar of `records`, line by line.

    What is no record becomes an empty line, so lines keep their numbers.
    """
    if dialect.comment:
        data = _without_comments(data, dialect)
    if dialect.escapes:
        data = _without_escapes(data, dialect)
    if dialect.loose:
        data = _without_blanks_before_quotes(data, dialect)
    if dialect.runs:
        data = _without_runs(data, dialect)
    return data


def _without_comments(data: bytes, dialect: Dialect) -> bytes:
    comment = rb"(?:(?<=[\r\n])|\A)[ \t]*%b[^\r\n]*" % re.escape(dialect.comment.encode())
    if dialect.quote.encode() not in data:
        return re.sub(comment, b"", data)
    # Quoted cells are stepped over, for their lines are no comments.
    return re.sub(b"%b|(%b)" % (comment, _field_start(dialect) + _quoted(dialect)), rb"\1", data)


def _without_escapes(data: bytes, dialect: Dialect) -> bytes:
    quote = dialect.quote.encode()
    q = re.escape(quote)
    escaped = re.compile(rb"\\([\\%b])" % q)
    doubled = quote * 2

    def unescape(found: re.Match[bytes]) -> bytes:
        # The quotes around it stay.
        inner = escaped.sub(
            lambda pair: doubled if pair[1] == quote else pair[1], found[2][1:-1]
        )
        return found[1] + quote + inner + quote

    pattern = rb"(%b)(%b)" % (_field_start(dialect), _quoted(dialect))
    return re.sub(pattern, unescape, data, flags=re.DOTALL)


def _without_blanks_before_quotes(data: bytes, dialect: Dialect) -> bytes:
    quoted = grammar(dialect.mark, dialect.quote.encode()).quoted
    s = re.escape(dialect.separator.encode())
    start = rb"(?:(?<=[%b\r\n])|\A)" % s
    # Only where the cell ends with its quote; otherwise the blanks are of the cell.
    behind = rb"(?=%b*(?:[%b\r\n]|\Z))" % (_blanks(dialect), s)
    pattern = rb"%b(?:%b+(%b)%b|(%b))" % (start, _blanks(dialect), quoted, behind, quoted)
    return re.sub(pattern, rb"\1\2", data)


def _without_runs(data: bytes, dialect: Dialect) -> bytes:
    edge = rb"(?:(?<=[\r\n])|\A)[ \t]+|[ \t]+(?=[\r\n]|\Z)"
    if dialect.quote.encode() not in data:
        return re.sub(rb"[ \t]+", b"\t", re.sub(edge, b"", data))
    q = re.escape(dialect.quote.encode())
    # Quotes within a word are part of it.
    words = rb"(?P<word>%b|[^ \t\r\n%b][^ \t\r\n]*)" % (_quoted(dialect), q)
    pattern = re.compile(rb"%b|%b|(?P<run>[ \t]+)" % (edge, words))
    return pattern.sub(lambda found: b"\t" if found["run"] else found["word"] or b"", data)


def _field_start(dialect: Dialect) -> bytes:
    if dialect.runs:
        return rb"(?:(?<=[ \t\r\n])|\A)"
    blanks = rb"%b*" % _blanks(dialect) if dialect.loose else b""
    return rb"(?:(?<=[%b\r\n])|\A)%b" % (re.escape(dialect.separator.encode()), blanks)


def _quoted(dialect: Dialect) -> bytes:
    q = re.escape(dialect.quote.encode())
    if dialect.escapes:
        return rb"%b[^%b\\]*(?:(?:\\[\s\S]|%b%b)[^%b\\]*)*%b" % (q, q, q, q, q, q)
    return rb"%b[^%b]*(?:%b%b[^%b]*)*%b" % (q, q, q, q, q, q)


def _blanks(dialect: Dialect) -> bytes:
    # A tab that separates is no blank.
    return b" " if dialect.separator == "\t" else rb"[ \t]"
