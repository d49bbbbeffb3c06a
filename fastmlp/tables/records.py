r"""The grammar of delimited text, for the little that is looked at outside of the parser.

A field that begins with a quote ends with the next one that is not doubled; what follows up to the
separator belongs to it as it stands. Elsewhere a quote is a character like any other. A record ends
with ``\n``, ``\r\n`` or ``\r``; an empty line is none. This is what Arrow's parser reads, so
what is found here, such as the lines on which records begin, is true of its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..kernels.typing import Array

LINE_END = re.compile(rb"\r\n?|\n")


class Record(NamedTuple):
    """A line of a table, or several where cells hold line ends."""

    start: int
    end: int
    fields: list[bytes]


class Grammar:
    """How a record falls into fields.

    Parameters
    ----------
    separator, quote : bytes
        One byte each.
    """

    def __init__(self, separator: bytes, quote: bytes) -> None:
        self.separator, self.quote = separator, quote
        s, q = re.escape(separator), re.escape(quote)
        # No pair of quotes may be torn, so none follows the last.
        self.quoted = b"%b[^%b]*(?:%b%b[^%b]*)*%b(?!%b)" % (q, q, q, q, q, q, q)
        # A quote that is never closed takes all that follows.
        self._field = re.compile(
            b"(%b)([^%b\r\n]*)|(%b.*\\Z)|([^%b\r\n]*)" % (self.quoted, s, q, s), re.DOTALL
        )

    def records(self, data: bytes, start: int = 0) -> Iterator[Record]:
        """All records from a place on; empty lines are left out."""
        separator, field, size = self.separator[0], self._field.match, len(data)
        fields: list[bytes] = []
        place, begin = start, start
        while place < size:
            found = field(data, place)
            assert found is not None, "the last alternative takes anything"
            fields.append(self._cell(found))
            place = found.end()
            if place < size and data[place] == separator:
                place += 1
                # The text ends with a separator, behind which is an empty field.
                if place < size:
                    continue
                fields.append(b"")
            if fields != [b""] or found.end() > begin:
                yield Record(begin, place, fields)
            place += 2 if data[place : place + 2] == b"\r\n" else 1
            begin, fields = place, []

    def unclosed(self, data: bytes, start: int = 0) -> int | None:
        """The place of a quote that is never closed."""
        place = start
        while place < len(data):
            found = self._field.match(data, place)
            assert found is not None, "the last alternative takes anything"
            if found[3] is not None:
                return place
            place = found.end() + 1
        return None

    def _cell(self, found: re.Match[bytes]) -> bytes:
        if found[1] is not None:
            inner = found[1][1:-1].replace(self.quote * 2, self.quote)
            return inner + found[2]
        if found[3] is not None:
            return found[3][1:].replace(self.quote * 2, self.quote)
        return found[4]


@lru_cache(maxsize=64)
def grammar(separator: bytes, quote: bytes) -> Grammar:
    """Make a grammar, once for each pair."""
    return Grammar(separator, quote)


def count_lines(data: bytes, start: int, stop: int) -> int:
    """How many lines end between two places, of which none is within a line end."""
    if data.find(b"\r", start, stop) < 0:
        return data.count(b"\n", start, stop)
    return len(LINE_END.findall(data, start, stop))


def is_blank(fields: list[bytes]) -> bool:
    """Whether a record is a line of blanks, which a table of several columns does not hold."""
    return len(fields) == 1 and not fields[0].strip()


@dataclass(frozen=True)
class RecordLines:
    """Where the rows of delimited text stand, found when it is asked for.

    Attributes
    ----------
    data : bytes
        The text, in UTF-8.
    start : int
        Where the rows begin.
    first : int
        The number of the line there.
    separator, quote : bytes
        Those of its grammar.
    n_columns : int
        Lines with another number of fields are no rows.
    """

    data: bytes
    start: int
    first: int
    separator: bytes
    quote: bytes
    n_columns: int

    def numbers(self) -> Array:
        """The number of each row's line, from 1."""
        text = np.frombuffer(self.data, np.uint8)[self.start :]
        ends = np.flatnonzero(_line_ends(text))
        if self.quote in self.data:
            records = grammar(self.separator, self.quote).records(self.data, self.start)
            places = [record.start for record in records if len(record.fields) == self.n_columns]
            return self.first + np.searchsorted(ends, np.array(places, np.int64) - self.start)
        # Without quotes each line is a record, and separators need only be counted.
        bounds = np.concatenate([[-1], ends, [len(text)]])
        separators = np.flatnonzero(text == self.separator[0])
        n_fields = 1 + np.diff(np.searchsorted(separators, bounds))
        # The first of \r\n is no character of the line.
        last = text[np.maximum(bounds[1:] - 1, 0)] == ord("\r")
        last[-1] = False
        length = np.diff(bounds) - 1 - last
        rows: Array = self.first + np.flatnonzero((n_fields == self.n_columns) & (length > 0))
        return rows


def _line_ends(text: Array) -> Array:
    """Whether a line ends at each byte; where two make an end, at the second."""
    is_return = text == ord("\r")
    ends: Array = text == ord("\n")
    is_return[:-1] &= ~ends[1:]
    ends |= is_return
    return ends
