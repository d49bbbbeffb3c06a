"""What kind of column some cells make, by their looks alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from . import dates, numbers
from .cells import Column
from .column_schema import ColumnSchema
from .dates import DateFormat
from .identifiers import are_codes, numbers_of_rows, texts_of_rows
from .notes import Note
from .numbers import MOST, NumberFormat
from .texts import NULLS, are_whole, is_null, truth_words, twins, words_of

if TYPE_CHECKING:
    from ..kernels.typing import Array

WISHES = ("numeric", "categorical", "dates", "keep")
_SHOWN = 3
_FEW_UNITS = 5
_TRIED = 1000
# From this share of numbers on it is said why a column is none of numbers.
_MANY = 0.5

__all__ = ["WISHES", "Look", "decimal_sign", "look_at", "understood"]


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


def understood(
    look: Look, decimal: str, order: str, limit: int, join_case: bool
) -> tuple[ColumnSchema, list[Note]]:
    """Decide on a column.

    Parameters
    ----------
    look : Look
    decimal, order : str
        What the other columns of the table say, empty where they say nothing: the sign of decimals,
        and the order of dates.
    limit : int
        The most categories.
    join_case : bool
        Whether texts that differ by case alone are one category.
    """
    if look.kind == "left out":
        return _empty(look)
    if look.kind == "number":
        return _number(look, decimal, limit)
    if look.kind == "date":
        return _date(look, order)
    if look.kind == "yes/no":
        return _yes_no(look)
    return _category(look, limit, join_case)


def _empty(look: Look) -> tuple[ColumnSchema, list[Note]]:
    """A column without a cell that can be read."""
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


def _dates(column: Column) -> dates.Dates | None:
    """What the order of dates is in a column that is said to hold some."""
    if column.kind in ("date", "time"):
        return None
    words = column.words
    digits = all(word.isdigit() for word in words.words)
    return dates.find(column.said_in_digits if digits else column.said, words.counts, digits)


def _number(look: Look, decimal: str, limit: int) -> tuple[ColumnSchema, list[Note]]:
    name, column = look.name, look.column
    form, notes = _form(look, decimal)
    values = _values(column, form)
    present = values[np.isfinite(values)]
    schema = ColumnSchema(
        *(name, "number"),
        distinct=_distinct(present),
        example=_example(column),
        decimal=form.decimal,
        unit=form.unit,
    )
    if not len(present):
        return understood(replace(look, kind="left out"), "", "", limit, False)
    # What has a unit is measured.
    if look.wish not in ("numeric", "keep") and not form.unit:
        kept = column.typed if column.typed is not None else values
        reason = numbers_of_rows(name, kept, schema.distinct)
        if reason:
            return _left_out(schema, reason)
    if look.wish != "numeric" and not form.unit and schema.distinct <= limit:
        different = np.unique(present)
        if are_codes(name, values, different):
            return _codes(look, schema, limit)
    return schema, notes


def _form(look: Look, decimal: str) -> tuple[NumberFormat, list[Note]]:
    """How the numbers of a column are written, and what is to be told of it."""
    found, column, name = look.numbers, look.column, look.name
    if found is None:
        # Plain numbers of three decimals may be thousands where other columns have commas.
        if decimal != "," or column.kind != "text" or column.plain is None:
            return NumberFormat(), []
        found = numbers.find(column.spelled, column.words.counts)
        if len(found.formats) < 2:
            return found.formats[0], []
    form = next((f for f in found.formats if f.decimal == decimal), found.formats[0])
    words = column.words.words
    odd = next((word for word in words if numbers.is_odd(word, form)), None)
    if len(found.formats) > 1 and odd is not None and form.decimal != decimal:
        other = next(f.decimal for f in found.formats if f != form)
        text = f"the column {name!r}: {odd!r} can be read in two ways, and is taken for "
        text += f"{numbers.value(odd, form):.12g}"
        return form, [Note(text, "decimal", other, name)]
    if odd is None:
        return form, []
    value = numbers.value(odd, form)
    text = (
        f"the column {name!r}: texts such as {odd!r} are read as numbers, here {value + 0.0:.12g}"
    )
    if form.decimal == "," and not form.unit:
        return form, [Note(text, "decimal", ".", name)]
    return form, [Note(text, "categorical", name, name)]


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


def _values(column: Column, form: NumberFormat) -> Array:
    if column.typed is not None:
        return column.typed.astype(np.float64)
    if column.plain is not None and form.decimal == ".":
        return column.plain
    words = column.words
    return words.spread(numbers.values(column.spelled, form), np.nan)


def _distinct(values: Array) -> int:
    """How many of some numbers are different."""
    if not len(values):
        return 0
    # NumPy sorts a million numbers in a tenth of the time that Arrow takes to count them.
    ranked = np.sort(values)
    return 1 + int(np.count_nonzero(ranked[1:] != ranked[:-1]))


def _codes(look: Look, schema: ColumnSchema, limit: int) -> tuple[ColumnSchema, list[Note]]:
    text = (
        f"the column {look.name!r} has {schema.distinct} different whole numbers, such as "
        f"{schema.example}, which are taken for codes, not for sizes"
    )
    reason = f"{schema.distinct} different codes"
    found = replace(schema, kind="category", limit=limit, reason=reason, whole=True)
    told = [Note(text, "numeric", look.name, look.name, schema.distinct)]
    if look.column.kind != "text" or look.column.plain is not None:
        return found, told
    marks = [word for word in look.column.words.words if is_null(word)]
    if marks:
        found = replace(found, na=(*NULLS, *(mark for mark in marks if mark not in NULLS)))
        told.append(_note_of_marks(look, marks))
    return found, told


def _left_out(schema: ColumnSchema, reason: str) -> tuple[ColumnSchema, list[Note]]:
    name = schema.name
    text = f"the column {name!r} is left out, for it names the rows: {reason}"
    if schema.example:
        text += f", such as {schema.example!r}"
    note = Note(text, "keep", name, name, schema.distinct)
    return replace(schema, kind="left out", reason=f"names the rows: {reason}"), [note]


def _date(look: Look, order: str) -> tuple[ColumnSchema, list[Note]]:
    name, column = look.name, look.column
    schema = ColumnSchema(name, "date", example=_example(column))
    if look.dates is None:
        assert column.typed is not None
        distinct = _distinct(column.typed[~np.isnan(column.typed)])
        return replace(schema, distinct=distinct, clock=column.kind == "time"), []
    schema = replace(schema, distinct=len(column.words.words))
    formats = look.dates.formats
    said = column.said_in_digits if formats[0].digits else column.said
    readings = [column.words.spread(dates.values(said, form), np.nan) for form in formats]
    if all(np.isnan(reading).all() for reading in readings):
        return _empty(look)
    place = next((i for i, form in enumerate(formats) if form.order == order), None)
    if place is None:
        place = _by_course(formats, readings, column.words.words)
    form, notes = formats[place], []
    differ = np.zeros(column.size, bool)
    for reading in readings:
        differ |= (reading != readings[0]) & ~np.isnan(readings[0])
    if differ.any():
        example = column.words.words[int(column.words.codes[differ.argmax()])]
        text = f"the column {name!r}: dates such as {example!r} are read with the "
        text += f"{form.order.removesuffix(' first')} first, but could be read otherwise"
        notes.append(Note(text, "categorical", name, name, int(differ.sum())))
    return replace(schema, order=form.order, digits=form.digits, clock=form.clock), notes


def _by_course(formats: tuple[DateFormat, ...], readings: list[Array], words: list[str]) -> int:
    """The format by which the rows are in the order of time, if there is one alone.

    Otherwise dates with slashes are read with the month first, as programs write them, all others
    with the day first.
    """
    if len(formats) == 1:
        return 0
    sorted_by = []
    for place, days in enumerate(readings):
        steps = np.diff(days[~np.isnan(days)])
        if len(steps) > 1 and ((steps >= 0).all() or (steps <= 0).all()):
            sorted_by.append(place)
    if len(sorted_by) == 1:
        return sorted_by[0]
    usual = "month first" if any("/" in word for word in words) else "day first"
    return next((i for i, form in enumerate(formats) if form.order == usual), 0)


def _yes_no(look: Look) -> tuple[ColumnSchema, list[Note]]:
    column = look.column
    pair = truth_words(column.words.words) if column.kind == "text" else None
    found = ColumnSchema(
        *(look.name, "yes/no"),
        distinct=2 if pair else len(np.unique(column.words.codes[column.words.codes >= 0])),
        example=_example(column),
        words=pair or ("False", "True"),
    )
    return found, []


def _category(look: Look, limit: int, join_case: bool) -> tuple[ColumnSchema, list[Note]]:
    name, words = look.name, look.column.words
    schema = ColumnSchema(
        *(name, "category"),
        distinct=len(words.words),
        example=_example(look.column),
        limit=limit,
        join_case=join_case,
        whole=look.wish == "categorical" and are_whole(words.words),
    )
    if not words.words:
        return understood(replace(look, kind="left out"), "", "", limit, False)
    if look.wish not in ("categorical", "keep") and look.column.kind == "text":
        reason = texts_of_rows(words)
        share = _share_of_numbers(look)
        if reason and share:
            text = f"the column {name!r} is left out, for {share}, and nearly all differ"
            schema = replace(schema, kind="left out", reason=f"{share}, and nearly all differ")
            return schema, [Note(text, "numeric", name, name, schema.distinct)]
        if reason:
            return _left_out(schema, reason)
    notes = _why_no_numbers(look)
    nulls = [place for place, word in enumerate(words.words) if word in NULLS]
    if nulls and look.wish != "categorical" and look.column.kind == "text":
        notes.append(_note_of_marks(look, [words.words[place] for place in nulls]))
        schema = replace(schema, na=NULLS, distinct=len(words.words) - len(nulls))
    if words.n_cut:
        text = f"the column {name!r}: blanks around {words.n_cut} cells are cut"
        notes.append(Note(text, column=name, count=words.n_cut))
    alike = [] if join_case else twins(words.words)
    if alike:
        shown = "; ".join(", ".join(map(repr, group)) for group in alike[:_SHOWN])
        text = f"the column {name!r} has texts that differ by case alone: {shown}"
        notes.append(Note(text, "join_case", name, name, len(alike)))
    if len(words.words) > limit:
        text = (
            f"the column {name!r} has {len(words.words)} different texts: the {limit - 1} most "
            'frequent are told apart, all others count as "other"'
        )
        notes.append(Note(text, "drop", name, name, len(words.words)))
    return schema, notes


def _note_of_marks(look: Look, marks: list[str]) -> Note:
    """On cells of categories that say that there is no value."""
    words = look.column.words
    count = sum(int(words.counts[words.words.index(mark)]) for mark in marks)
    text = f"the column {look.name!r}: {count} of {len(words.codes)} cells count as missing, such "
    return Note(f"{text}as {marks[0]!r}", "categorical", look.name, look.name, count)


def _share_of_numbers(look: Look) -> str:
    """How many cells of a column are numbers, if many are, though too few for one of numbers."""
    found = look.numbers
    if found is None or found.share < _MANY or found.zeros:
        return ""
    return f"only {100 * found.share:.0f}% of its cells are numbers"


def _why_no_numbers(look: Look) -> list[Note]:
    """On columns of texts that a person could take for numbers."""
    found, name = look.numbers, look.name
    if found is None:
        return []
    if found.zeros and found.share >= MOST:
        example = next(w for w in look.column.words.words if w[0] == "0" and w[1:].isdigit())
        text = f"the column {name!r} has codes with leading zeros, such as {example!r}, and is "
        return [Note(f"{text}read as texts", "numeric", name, name)]
    if 1 < len(found.units) <= _FEW_UNITS:
        units = ", ".join(map(repr, found.units[:_SHOWN]))
        text = f"the column {name!r} has numbers of several units ({units}), and is read as texts"
        return [Note(text, "numeric", name, name)]
    if share := _share_of_numbers(look):
        text = f"the column {name!r} is read as texts, for {share}"
        return [Note(text, "numeric", name, name)]
    return []


def _example(column: Column) -> str:
    if column.kind == "text" and column.plain is not None:
        cell = next((c for c in column.texts if c.as_py() is not None), None)
        return "" if cell is None else str(cell.as_py())
    if column.kind in ("number", "time") and column.typed is not None:
        present = column.typed[~np.isnan(column.typed)] if len(column.typed) else column.typed
        return f"{present[0]:.10g}" if len(present) else ""
    return column.words.words[0] if column.words.words else ""
