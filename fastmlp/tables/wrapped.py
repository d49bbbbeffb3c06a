"""Lines that stand in quotes as a whole, as spreadsheets write what was pasted into one column."""

from __future__ import annotations

import re
from itertools import islice

from .notes import Note
from .records import grammar

_SEPARATORS = (b",", b";", b"\t", b"|")
_SAMPLE = 100
# A line in quotes, and the empty cells of a spreadsheet behind it.
_LINE = re.compile(rb'^[ \t]*"((?:[^"\r\n]|"")*)"[ \t,;]*$', re.MULTILINE)
_LINES = re.compile(rb"[^\r\n]+")


def unwrapped(data: bytes) -> tuple[bytes, list[Note]]:
    """Return a text without the quotes around its lines, and what is to be told of it.

    All lines but the first must be quoted, and fall into as many fields, two or more.
    """
    lines = [found[0] for found in islice(_LINES.finditer(data), _SAMPLE) if found[0].strip()]
    if len(lines) < 2 or not all(map(_LINE.fullmatch, lines[1:])):
        return data, []
    inner = [_inner(line) for line in lines]
    if not any(_is_table(inner, separator) for separator in _SEPARATORS):
        return data, []
    return _unwrap(data), [Note("whole lines stand in quotes, which are taken off")]


def _inner(line: bytes) -> bytes:
    found = _LINE.fullmatch(line)
    return line if found is None else found[1].replace(b'""', b'"')


def _is_table(lines: list[bytes], separator: bytes) -> bool:
    widths = {
        len(record.fields) for line in lines for record in grammar(separator, b'"').records(line)
    }
    return len(widths) == 1 and min(widths) > 1


def _unwrap(data: bytes) -> bytes:
    # The pattern knows one end of lines only.
    ends = re.sub(rb"\r\n?", b"\n", data)
    return _LINE.sub(lambda found: found[1].replace(b'""', b'"'), ends)
