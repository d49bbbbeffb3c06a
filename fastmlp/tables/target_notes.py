"""What a person would want to know of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .cells import where
from .notes import Note
from .target import Target
from .texts import Words, is_mark, twins

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .table import Table

_RARE = 5
_SHOWN = 3
_SKEWED = 1.5
_FAR, _FAR_IN_LOGS = 25.0, 6.0
_MOST_EXTREME = 0.005
_MANY = 0.9
_FEWEST = 20

__all__ = ["listed", "note_of_missing", "notes_of_classes", "notes_of_numbers", "notes_of_rows"]


def notes_of_numbers(
    table: Table | Mapping[str, Any], name: str, rows: Array, y: Array
) -> list[Note]:
    """On numbers far from all others, and on a skewed target."""
    notes = []
    far = _distances(y)
    extreme = far > _FAR
    if (y > 0).mean() > _MANY:
        # What is far only because of a long tail is near in logarithms.
        logs = np.log(np.where(y > 0, y, np.median(y)))
        extreme &= (_distances(logs) > _FAR_IN_LOGS) | (y <= 0)
    count = int(extreme.sum())
    if 0 < count <= max(3, _MOST_EXTREME * len(y)):
        worst = int(np.where(extreme, far, 0).argmax())
        text = (
            f"the target {name!r} has {count} extreme {'value' if count == 1 else 'values'}, such "
            f"as {y[worst]:.6g} in {where(table, int(rows[worst]))}, {far[worst]:.3g} times as far "
            "from the median as half of all rows"
        )
        notes.append(Note(text, column=name, count=count))
    usual = y[~extreme]
    if len(usual) >= 20 and usual.min() >= 0 and usual.max() > 0:
        skewed = _skewness(usual)
        in_logs = _skewness(np.log(usual + float(usual.min() == 0)))
        if skewed > _SKEWED and abs(in_logs) < skewed / 2:
            text = f"the target {name!r} is strongly skewed (skewness {skewed:.1f}, of its "
            text += f"logarithm {in_logs:.1f}), and learned as it is"
            notes.append(Note(text, "log_target", "", name))
    return notes


def notes_of_classes(target: Target, counts: Mapping[str, int]) -> list[Note]:
    """On classes that differ by case alone, that are called None, or that have few rows."""
    name, notes = target.name, []
    alike = twins([word for word, count in counts.items() if count])
    if alike:
        groups = "; ".join(listed(group) for group in alike[:_SHOWN])
        text = f"the target {name!r} has classes that differ by case alone: {groups}"
        notes.append(Note(text, "join_case", name, name, len(alike)))
    odd = [word for word in target.classes if target.kind == "category" and is_mark(word)]
    if odd:
        count = sum(int(counts[word]) for word in odd)
        text = f"the target {name!r} is {listed(odd)} in {count} rows, which is taken for a class"
        notes.append(Note(text, "na_values", odd[0], name, count))
    rare = [word for word, count in counts.items() if 0 < count < _RARE]
    if rare:
        few = [f"{word!r} ({counts[word]})" for word in rare[:_SHOWN]]
        more = "" if len(rare) <= _SHOWN else f" and {len(rare) - _SHOWN} more"
        text = f"the target {name!r} has classes with few rows: {', '.join(few)}{more}"
        notes.append(Note(text, column=name, count=len(rare)))
    return notes


def notes_of_rows(
    table: Table | Mapping[str, Any], name: str, words: Words, bad: Array, what: str
) -> list[Note]:
    """Notes on rows without a target, and on those whose target is no class."""
    notes = []
    if words.n_missing:
        notes.append(note_of_missing(name, words.n_missing, len(words.codes)))
    places = np.flatnonzero(bad[: len(words.words)])
    if len(places):
        count, row = int(words.counts[places].sum()), words.first_row(places)
        text = (
            f"the target {name!r}: {count} of {len(words.codes)} cells {what}, such as "
            f"{words.words[int(words.codes[row])]!r} in {where(table, row)}; such rows are left out"
        )
        notes.append(Note(text, "", "", name, count))
    return notes


def note_of_missing(name: str, count: int, n_rows: int) -> Note:
    """On rows without a target."""
    text = f"the target {name!r} is missing in {count} of {n_rows} rows, which are left out"
    return Note(text, column=name, count=count)


def listed(words: Sequence[str]) -> str:
    """Some words, and how many there are more."""
    shown = ", ".join(map(repr, words[:_SHOWN]))
    return shown if len(words) <= _SHOWN else f"{shown} and {len(words) - _SHOWN} more"


def _distances(y: Array) -> Array:
    """How far from the median, in units of the distance that half of all rows keep."""
    away = np.abs(y - np.median(y))
    unit = float(np.median(away)) or float(away.mean()) or 1.0
    return np.asarray(away / unit)


def _skewness(y: Array) -> float:
    centered = y - y.mean()
    deviation = float(np.sqrt((centered**2).mean())) or 1.0
    return float(((centered / deviation) ** 3).mean())
