"""What makes a test easier than the use of a model will be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .cells import column_of
from .identifiers import are_groups
from .notes import Note

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .schema import Schema
    from .table import Table
    from .target_rows import TargetRows

# Fewer rows say too little.
_FEWEST = 20
_MOST = 20_000
_NEARLY_ALL = 0.995
_NEARLY_ALL_ERRORS = 0.98
_SORTED = 0.99

__all__ = ["notes_on_leaks"]


def notes_on_leaks(
    table: Table,
    schema: Schema,
    cells: Mapping[str, Array],
    found: TargetRows,
    group: str | None = None,
) -> list[Note]:
    """Return notes on columns that alone give the target, on rows in order, on time, on groups."""
    y, rows, name = found.y, found.rows, found.target.name
    if len(y) < _FEWEST:
        return []
    classes = np.unique(y, return_inverse=True)[1] if found.target.classes else None
    notes = []
    # Where there is one column only, nothing else is expected of it.
    for column in schema.used if len(schema.used) > 1 else ():
        values = cells[column.name][rows]
        share = _share_of_column(values, y, classes)
        if share is not None:
            text = (
                f"the column {column.name!r} alone gives {share} of the target {name!r}: will it "
                "be known before the target is?"
            )
            notes.append(Note(text, "drop", column.name, column.name))
    if _is_sorted(y, classes):
        text = f"the rows are sorted by the target {name!r}: whatever counts them gives it away"
        notes.append(Note(text, column=name))
    dates = [column.name for column in schema.used if column.kind == "date" and not column.clock]
    if dates:
        text = (
            f"the column {dates[0]!r} holds times: rows are tested that are drawn at random, not "
            "the last ones"
        )
        notes.append(Note(text, "test_last", "", dates[0]))
    if group is None:
        notes += _notes_on_groups(table, schema, cells)
    return notes


def _notes_on_groups(table: Table, schema: Schema, cells: Mapping[str, Array]) -> list[Note]:
    notes = []
    for column in schema.used:
        if column.kind != "category" and not (column.kind == "number" and not column.unit):
            continue
        name = column.name
        if column.kind == "number" and not _is_whole(cells[name]):
            continue
        words = column_of(table, name).words
        if are_groups(name, words):
            text = (
                f"the column {name!r} has {len(words.words)} different values, each in several "
                "rows: rows of one may be trained on and tested"
            )
            notes.append(Note(text, "group", name, name, len(words.words)))
    return notes


def _is_whole(values: Array) -> bool:
    present = values[~np.isnan(values)]
    return len(present) > 0 and bool((present == np.floor(present)).all())


def _share_of_column(values: Array, y: Array, classes: Array | None) -> str | None:
    """How much of the target one column gives, in words; None where that is not nearly all.

    Each row is predicted from rows with the same value, or from the two beside it by value.
    """
    if classes is None:
        # Squares of the largest numbers are beyond float64.
        y = y / max(float(np.abs(y).max()), 1.0)
    present = values != "" if values.dtype == object else ~np.isnan(values)
    if np.count_nonzero(present) < max(_FEWEST, 0.5 * len(values)):
        return None
    step = max(1, len(values) // _MOST)
    keys = np.unique(values[present][::step], return_inverse=True)[1]
    if keys.max() == 0:
        return None
    if classes is not None:
        return _share_of_classes(keys, classes[present][::step])
    known = y[present][::step]
    error = _errors(keys, known)
    spread = float(((known - known.mean()) ** 2).mean())
    share = 1 - error / spread if spread else 0.0
    return f"{100 * share:.1f}% of the variance" if share > _NEARLY_ALL else None


def _share_of_classes(keys: Array, classes: Array) -> str | None:
    k = int(classes.max()) + 1
    counts = np.zeros((int(keys.max()) + 1, k))
    np.add.at(counts, (keys, classes), 1)
    alone = counts.sum(axis=1)[keys] < 2
    if alone.mean() > 0.5:
        order = np.argsort(keys, kind="stable")
        sorted_classes = classes[order]
        right = float((sorted_classes[1:] == sorted_classes[:-1]).mean())
    else:
        others = counts[keys]
        others[np.arange(len(keys)), classes] -= 1
        right = float((others.argmax(axis=1) == classes)[~alone].mean())
    usual = float(np.bincount(classes).max()) / len(classes)
    if usual == 1 or 1 - right > (1 - _NEARLY_ALL_ERRORS) * (1 - usual):
        return None
    return f"{100 * right:.1f}% of the classes"


def _errors(keys: Array, y: Array) -> float:
    """The mean squared error of predictions from rows beside each, as of noise that is its own."""
    n_keys = int(keys.max()) + 1
    counts, sums = np.bincount(keys), np.bincount(keys, y)
    if n_keys > 0.5 * len(keys):
        means = sums / counts
        if n_keys < 3:
            return np.inf
        # The mean of two neighbors has half the variance of a row, which adds to its own.
        return float(((means[1:-1] - (means[:-2] + means[2:]) / 2) ** 2).mean()) / 1.5
    several = counts[keys] > 1
    own, n = sums[keys][several], counts[keys][several]
    others = (own - y[several]) / (n - 1)
    return float(((y[several] - others) ** 2).mean()) if several.any() else np.inf


def _is_sorted(y: Array, classes: Array | None) -> bool:
    if classes is not None:
        changes = int(np.count_nonzero(np.diff(classes)))
        k = int(classes.max()) + 1
        shares = np.bincount(classes) / len(classes)
        by_chance = (1 - float((shares**2).sum())) * (len(classes) - 1)
        return changes < k + 0.02 * by_chance and by_chance > k + 5
    steps = np.diff(y)
    moves = steps[steps != 0]
    if len(moves) < _FEWEST:
        return False
    return bool(max((moves > 0).mean(), (moves < 0).mean()) > _SORTED)
