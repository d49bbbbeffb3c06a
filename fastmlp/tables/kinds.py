"""What kind of column some cells make, and how they are read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from . import dates, numbers
from .categories import category_of, codes_of
from .cells import Column
from .column_schema import ColumnSchema
from .dates import DateFormat
from .identifiers import are_codes, numbers_of_rows
from .looks import Look, empty, example_of, left_out
from .notes import Note
from .numbers import NumberFormat
from .texts import truth_words

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = ["understood"]


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
        return empty(look)
    if look.kind == "number":
        return _number(look, decimal, limit)
    if look.kind == "date":
        return _date(look, order)
    if look.kind == "yes/no":
        return _yes_no(look)
    return category_of(look, limit, join_case)


def _number(look: Look, decimal: str, limit: int) -> tuple[ColumnSchema, list[Note]]:
    name, column = look.name, look.column
    form, notes = _form(look, decimal)
    values = _values(column, form)
    present = values[np.isfinite(values)]
    schema = ColumnSchema(
        *(name, "number"),
        distinct=_distinct(present),
        example=example_of(column),
        decimal=form.decimal,
        unit=form.unit,
    )
    if not len(present):
        return empty(look)
    # What has a unit is measured.
    if look.wish not in ("numeric", "keep") and not form.unit:
        kept = column.typed if column.typed is not None else values
        reason = numbers_of_rows(name, kept, schema.distinct)
        if reason:
            return left_out(schema, reason)
    if look.wish != "numeric" and not form.unit and schema.distinct <= limit:
        different = np.unique(present)
        if are_codes(name, values, different):
            return codes_of(look, schema, limit)
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


def _date(look: Look, order: str) -> tuple[ColumnSchema, list[Note]]:
    name, column = look.name, look.column
    schema = ColumnSchema(name, "date", example=example_of(column))
    if look.dates is None:
        assert column.typed is not None
        distinct = _distinct(column.typed[~np.isnan(column.typed)])
        return replace(schema, distinct=distinct, clock=column.kind == "time"), []
    schema = replace(schema, distinct=len(column.words.words))
    formats = look.dates.formats
    said = column.said_in_digits if formats[0].digits else column.said
    readings = [column.words.spread(dates.values(said, form), np.nan) for form in formats]
    if all(np.isnan(reading).all() for reading in readings):
        return empty(look)
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
        example=example_of(column),
        words=pair or ("False", "True"),
    )
    return found, []
