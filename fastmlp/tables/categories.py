"""Columns of categories: texts, codes, and what a person could have taken for numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import numbers
from .column_schema import ColumnSchema
from .identifiers import texts_of_rows
from .looks import Look, empty, example_of, left_out
from .notes import Note
from .numbers import MOST, NumberFormat
from .texts import NULLS, are_whole, twins

_SHOWN = 3
_FEW_UNITS = 5
# From this share of numbers on it is said why a column is none of numbers.
_MANY = 0.5

__all__ = ["category_of", "codes_of"]


def category_of(look: Look, limit: int, join_case: bool) -> tuple[ColumnSchema, list[Note]]:
    """Return a column of texts as one of categories, or why it is left out."""
    name, words = look.name, look.column.words
    schema = ColumnSchema(
        *(name, "category"),
        distinct=len(words.words),
        example=example_of(look.column),
        limit=limit,
        join_case=join_case,
        whole=look.wish == "categorical" and are_whole(words.words),
    )
    if not words.words:
        return empty(look)
    if look.wish not in ("categorical", "keep") and look.column.kind == "text":
        reason = texts_of_rows(words)
        share = _share_of_numbers(look)
        if reason and share:
            text = f"the column {name!r} is left out, for {share}, and nearly all differ"
            schema = replace(schema, kind="left out", reason=f"{share}, and nearly all differ")
            return schema, [Note(text, "numeric", name, name, schema.distinct)]
        if reason:
            return left_out(schema, reason)
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


def codes_of(look: Look, schema: ColumnSchema, limit: int) -> tuple[ColumnSchema, list[Note]]:
    """Return a column of whole numbers that are codes as one of categories."""
    name, column = look.name, look.column
    bad: list[str] = []
    if column.kind == "text" and column.plain is None:
        form = NumberFormat(schema.decimal, schema.unit)
        is_number = np.isfinite(numbers.values(column.spelled, form))
        words = zip(column.words.words, is_number.tolist(), strict=True)
        bad = [word for word, is_known in words if not is_known]
        schema = replace(schema, example=column.words.words[int(is_number.argmax())])
    text = (
        f"the column {name!r} has {schema.distinct} different whole numbers, such as "
        f"{schema.example}, which are taken for codes, not for sizes"
    )
    reason = f"{schema.distinct} different codes"
    found = replace(schema, kind="category", limit=limit, reason=reason, whole=True)
    told = [Note(text, "numeric", name, name, schema.distinct)]
    if bad:
        found = replace(found, na=(*NULLS, *(word for word in bad if word not in NULLS)))
        told.append(_note_of_marks(look, bad))
    return found, told


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
