"""The target of a table: found out, or read as it is known to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import unknown_name
from . import dates, numbers
from .cells import Column, bad_cells, column_of, names_of
from .labels import is_class, kind_of_labels, labels_of, places_of, sorted_labels
from .notes import Note
from .numbers import MOST, NumberFormat
from .target import Target
from .target_notes import (
    listed,
    note_of_missing,
    notes_of_classes,
    notes_of_numbers,
    notes_of_rows,
)
from .texts import joined
from .values import LARGEST

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .table import Table

FEW_NUMBERS = 20

__all__ = ["TargetRows", "find_target", "read_target"]


@dataclass(frozen=True, eq=False)
class TargetRows:
    """The rows of a table that have a target.

    Attributes
    ----------
    target : Target
    rows : ndarray of int, shape (n,)
        Their places in the table.
    y : ndarray, shape (n,)
        Labels as they are written, whole numbers as int64; float64 for a regression.
    notes : tuple of Note
        On rows left out and, where the target was found out, on what it was taken for.
    """

    target: Target
    rows: Array
    y: Array
    notes: tuple[Note, ...]


def find_target(
    table: Table | Mapping[str, Any],
    name: str,
    task: str | None = None,
    *,
    join_case: bool = False,
    decimal: str | None = None,
) -> TargetRows:
    """Find out whether classes or numbers are learned, and read them.

    Numbers that are not whole, or of which more than 20 are different, are a regression.

    Parameters
    ----------
    table : Table or mapping from str to ndarray
    name : str
        Of the target's column.
    task : str, optional
        ``"classification"`` or ``"regression"``.
    join_case : bool
        Whether texts that differ by case alone are one class.
    decimal : str, optional
        The sign of decimals where it is known.

    Raises
    ------
    ValueError
        There is no such column; no row has a target; all have the same; it does not fit the task.
    """
    if name not in names_of(table):
        raise unknown_name("column", name, names_of(table))
    column = column_of(table, name)
    if column.kind == "yes/no" and task != "regression":
        return _classes(table, Target(name, "boolean"), column, [])
    found = _numbers(column, decimal)
    is_number = column.kind == "number" or (found.share >= MOST and not found.zeros)
    form = found.formats[0]
    if task == "regression" or (is_number and task is None):
        values = _values(column, form)
        different = np.unique(values[np.isfinite(values)])
        whole = bool((different == np.floor(different)).all())
        if task == "regression" or not whole or len(different) > FEW_NUMBERS:
            _check_numbers(name, column, found)
            target = Target(name, "number", decimal=form.decimal, unit=form.unit)
            notes = _ambiguous(name, column, found) or _spelled_oddly(name, column, form)
            return _regression(table, target, column, values, notes)
    target = Target(name, "category", join_case=join_case, decimal=form.decimal, unit=form.unit)
    if is_number:
        return _classes(table, replace(target, kind="number"), column, [])
    return _classes(table, target, column, _why_no_numbers(name, column, found, task))


def read_target(target: Target, table: Table | Mapping[str, Any]) -> TargetRows:
    """Read a target that is known from a table.

    Raises
    ------
    ValueError
        There is no such column, no row has a target, or some have a class that is not known.
    """
    if target.name not in names_of(table):
        raise ValueError(
            f"the table has no column {target.name!r}, the target of the model; it has "
            f"{', '.join(names_of(table))}"
        )
    column = column_of(table, target.name)
    if not target.classes:
        found = _numbers(column, None)
        form = NumberFormat(target.decimal, target.unit)
        if form not in found.formats and found.share >= MOST:
            form = found.formats[0]
        return _regression(table, target, column, _values(column, form), None)
    words = column.words
    known = places_of(target, words)
    keeps = known[words.codes] * (words.codes >= 0) + (words.codes < 0) * -2
    notes = notes_of_rows(table, target.name, words, known == -2, "are no classes")
    if (known == -1).any():
        strange = [word for word, place in zip(words.words, known, strict=True) if place == -1]
        count = int(words.counts[known == -1].sum())
        raise ValueError(
            f"the target {target.name!r} has classes that the model does not know: "
            f"{listed(strange)} in {count} rows; it knows {listed(target.classes)}"
        )
    rows = np.flatnonzero(keeps >= 0)
    if not len(rows):
        raise ValueError(f"the target {target.name!r} is missing in every row")
    return TargetRows(target, rows, labels_of(target)[keeps[rows]], tuple(notes))


def _numbers(column: Column, decimal: str | None) -> numbers.Numbers:
    if column.kind == "text" and column.plain is None:
        return numbers.find(column.spelled, column.words.counts, decimal)
    is_plain = column.kind == "number" or column.plain is not None
    return numbers.Numbers(float(is_plain), (NumberFormat(),))


def _values(column: Column, form: NumberFormat) -> Array:
    if column.kind == "yes/no" and column.typed is not None:
        return column.typed
    if column.plain is not None and (form.decimal == "." or column.kind == "number"):
        return column.plain
    return column.words.spread(numbers.values(column.spelled, form), np.nan)


def _check_numbers(name: str, column: Column, found: numbers.Numbers) -> None:
    """Refuse a regression of texts."""
    if column.kind in ("number", "yes/no") or found.share > 0.5:
        return
    if not len(column.words.words):
        raise ValueError(f"the target {name!r} is missing in every row")
    _check_no_dates(name, column)
    raise ValueError(
        f"the target {name!r} is text, such as {column.words.words[0]!r}, not a number; use "
        "--task classification"
    )


def _check_no_dates(name: str, column: Column) -> None:
    """Refuse a target of dates, which are neither numbers nor classes."""
    is_date = column.kind in ("date", "time")
    if not is_date and column.kind == "text" and column.plain is None:
        is_date = dates.find(column.said, column.words.counts).share >= MOST
    if is_date:
        raise ValueError(
            f"the target {name!r} holds dates or times, such as {column.words.words[0]!r}; make "
            "it a number first, such as the days or hours from another one"
        )


def _spelled_oddly(name: str, column: Column, form: NumberFormat) -> list[Note]:
    """Tell how numbers are read that are not written as programs write them."""
    if column.kind != "text" or column.plain is not None:
        return []
    odd = next((word for word in column.words.words if numbers.is_odd(word, form)), None)
    if odd is None:
        return []
    shown = f"{numbers.value(odd, form) + 0.0:.12g}"
    text = f"the target {name!r}: texts such as {odd!r} are read as numbers, here {shown}"
    if form.decimal == "," and not form.unit:
        return [Note(text, "decimal", ".", name)]
    return [Note(text, "task", "classification", name)]


def _why_no_numbers(
    name: str, column: Column, found: numbers.Numbers, task: str | None
) -> list[Note]:
    """On a target that a person could take for numbers with mistakes."""
    if task is not None or column.kind != "text" or found.share <= 0.5 or found.zeros:
        return []
    share = f"{100 * found.share:.0f}%"
    text = f"the target {name!r} is taken for classes, for only {share} of its cells are numbers"
    return [Note(text, "task", "regression", name)]


def _ambiguous(name: str, column: Column, found: numbers.Numbers) -> list[Note]:
    if len(found.formats) < 2 or column.plain is not None:
        return []
    used = found.formats[0].decimal
    other = found.formats[1].decimal
    example = next(word for word in column.words.words if used in word or other in word)
    text = f"the target {name!r}: {example!r} can be read in two ways; {used!r} is taken for the"
    return [Note(f"{text} sign of decimals", "decimal", other, name)]


def _regression(
    table: Table | Mapping[str, Any],
    target: Target,
    column: Column,
    values: Array,
    found: list[Note] | None,
) -> TargetRows:
    """The rows with a number; ``found`` is None where the target was known before."""
    # Beyond it squares leave float64, as they do for the other columns.
    present = np.abs(np.nan_to_num(values, nan=np.inf)) <= LARGEST
    if column.typed is not None:
        missing = np.isnan(column.typed) if column.typed.dtype.kind == "f" else ~present & False
    elif column.plain is not None:
        missing = ~present
    else:
        missing = column.words.codes < 0
    bad = ~present & ~missing
    notes = list(found or ())
    if missing.any() and not missing.all():
        notes.append(note_of_missing(target.name, int(missing.sum()), len(missing)))
    if bad.any():
        text = bad_cells(table, f"the target {target.name!r}", "numbers", column, bad)
        notes.append(Note(f"{text}; such rows are left out", "", "", target.name, int(bad.sum())))
    rows = np.flatnonzero(present)
    if not len(rows) and np.isfinite(values).any():
        raise ValueError(
            f"the target {target.name!r} holds numbers beyond {LARGEST:g} alone; give it in a "
            "larger unit"
        )
    if not len(rows):
        raise ValueError(f"the target {target.name!r} is missing in every row")
    y = values[rows].astype(np.float64)
    if found is not None:
        different = len(np.unique(y))
        if different < 2:
            raise ValueError(f"the target {target.name!r} is {y[0]:g} in every row")
        notes += notes_of_numbers(table, target.name, rows, y)
        n_missing = len(values) - len(rows)
        target = replace(target, missing=n_missing, distinct=different, example=f"{y[0]:g}")
    return TargetRows(target, rows, y, tuple(notes))


def _classes(
    table: Table | Mapping[str, Any], target: Target, column: Column, notes: list[Note]
) -> TargetRows:
    """The rows with a label, and the names of the labels."""
    name, words = target.name, joined(column.words) if target.join_case else column.words
    classes = np.array([is_class(target, word) for word in words.words], bool)
    counts = words.counts * classes
    kept = [word for word, count in zip(words.words, counts, strict=True) if count]
    if not kept:
        raise ValueError(f"the target {name!r} is missing in every row")
    hint = ""
    if target.kind == "number":
        hint = "; use --task regression where it is a number, not a class"
    n = int(counts.sum())
    if len(kept) < 2:
        raise ValueError(f"the target {name!r} is {kept[0]} in every row")
    if len(kept) > FEW_NUMBERS and len(kept) > n / 2:
        _check_no_dates(name, column)
        halves = [word for word in kept if "." in word] if target.kind == "number" else []
        why = f", for {halves[0]} is not whole" if halves else ""
        raise ValueError(
            f"the target {name!r} cannot be classes{why}: {len(kept)} different values in {n} "
            f"rows, such as {kept[0]!r}{hint}"
        )
    if n < len(words.codes) - words.n_missing:
        what = "are no numbers" if target.kind == "number" else "say that there is none"
        notes = [*notes, *notes_of_rows(table, name, words, ~classes, what)]
    elif words.n_missing:
        notes = [*notes, note_of_missing(name, words.n_missing, len(words.codes))]
    if words.n_cut:
        text = f"the target {name!r}: blanks around {words.n_cut} cells are cut"
        notes = [*notes, Note(text, column=name, count=words.n_cut)]
    target = replace(target, kind=kind_of_labels(target.kind, kept))
    labels = sorted_labels(target.kind, kept)
    names = tuple(map(str, labels.tolist()))
    target = replace(
        *(target,),
        classes=names,
        missing=len(words.codes) - n,
        distinct=len(names),
        example=kept[0],
    )
    known = places_of(target, words)
    places = np.where(words.codes < 0, -2, known[words.codes])
    rows = np.flatnonzero(places >= 0)
    notes = [*notes, *notes_of_classes(target, dict(zip(words.words, counts, strict=True)))]
    return TargetRows(target, rows, labels[places[rows]], tuple(notes))
