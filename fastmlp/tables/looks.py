"""What the cells of a column could be, as far as they alone can tell."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import dates, numbers
from .cells import Column
from .column_schema import ColumnSchema
from .notes import Note
from .numbers import MOST
from .texts import is_null, truth_words, words_of

WISHES = ("numeric", "categorical", "dates", "keep")
_TRIED = 1000

__all__ = ["WISHES", "Look", "decimal_sign", "empty", "example_of", "left_out", "look_at"]


@dataclass(frozen=True, eq=False)
class Look:
    """What the cells of a column could be.

    Attributes
    ----------
    name : str
    column : Column
    wish : str
        The argument that names the column, one of `WISHES`; empty where none does.
    kind : str
        One of the kinds of `ColumnSchema`.
    numbers : Numbers or None
        Of columns of texts.
    dates : Dates or None
        Of columns of texts that could be dates.
    """

    name: str
    column: Column
    wish: str = ""
    kind: str = "category"
    numbers: numbers.Numbers | None = None
    dates: dates.Dates | None = None


def look_at(name: str, column: Column, wish: str, decimal: str | None) -> Look:
    """Find out what kind a column is of, as far as it alone can tell."""
    look = Look(name, column, wish)
    if wish == "dates":
        return replace(look, kind="date", dates=_dates(column))
    if column.kind in ("number", "yes/no", "date", "time") and wish != "categorical":
        return replace(look, kind={"time": "date"}.get(column.kind, column.kind))
    if column.kind == "category" and wish != "numeric":
        return look
    if wish == "categorical":
        return look
    if column.plain is not None:
        return replace(look, kind="number")
    words = column.words
    if not words.words:
        return replace(look, kind="left out")
    if all(is_null(word) for word in words.words):
        return replace(look, kind="left out")
    if truth_words(words.words) is not None and wish != "numeric":
        return replace(look, kind="yes/no")
    found = numbers.find(column.spelled, words.counts, decimal)
    look = replace(look, numbers=found)
    if wish == "numeric" or (found.share >= MOST and not found.zeros):
        return replace(look, kind="number")
    found_dates = dates.find(column.said, words.counts)
    if found_dates.share >= MOST:
        return replace(look, kind="date", dates=found_dates)
    return look


def decimal_sign(look: Look) -> str:
    """The sign of decimals that a column leaves no doubt of; empty where it does."""
    if look.kind != "number":
        return ""
    if look.numbers is not None:
        return look.numbers.decided
    if look.column.kind != "text" or look.column.plain is None:
        return ""
    words = words_of(look.column.texts[:_TRIED])
    return numbers.find(numbers.spell(words.words), words.counts).decided


def empty(look: Look) -> tuple[ColumnSchema, list[Note]]:
    """Return a column without a cell that can be read, and what is told of it."""
    name, words = look.name, [] if look.column.typed is not None else look.column.words.words
    reason, text = "no cell holds anything", f"the column {name!r} is empty"
    if words:
        text += f" but for cells such as {words[0]!r}"
    if look.wish in ("numeric", "dates") and not all(map(is_null, words)):
        what = "numbers" if look.wish == "numeric" else "dates"
        reason = f"no cell is one of {what}"
        text = f"the column {name!r} holds no {what}, but cells such as {words[0]!r},"
        return (
            ColumnSchema(name, "left out", look.column.size, reason=reason),
            [Note(f"{text} and is left out", "categorical", name, name)],
        )
    note = Note(f"{text}, and left out", column=name)
    return ColumnSchema(name, "left out", look.column.size, reason=reason), [note]


def left_out(schema: ColumnSchema, reason: str) -> tuple[ColumnSchema, list[Note]]:
    """Return a column that only names the rows, and what is told of it."""
    name = schema.name
    text = f"the column {name!r} is left out, for it names the rows: {reason}"
    if schema.example:
        text += f", such as {schema.example!r}"
    note = Note(text, "keep", name, name, schema.distinct)
    return replace(schema, kind="left out", reason=f"names the rows: {reason}"), [note]


def example_of(column: Column) -> str:
    """Return a cell of a column, as a text."""
    if column.kind == "text" and column.plain is not None:
        cell = next((c for c in column.texts if c.as_py() is not None), None)
        return "" if cell is None else str(cell.as_py())
    if column.kind in ("number", "time") and column.typed is not None:
        present = column.typed[~np.isnan(column.typed)] if len(column.typed) else column.typed
        return f"{present[0]:.10g}" if len(present) else ""
    return column.words.words[0] if column.words.words else ""


def _dates(column: Column) -> dates.Dates | None:
    """What the order of dates is in a column that is said to hold some."""
    if column.kind in ("date", "time"):
        return None
    words = column.words
    digits = all(word.isdigit() for word in words.words)
    return dates.find(column.said_in_digits if digits else column.said, words.counts, digits)
