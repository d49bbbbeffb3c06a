"""What is predicted: labels as they are written, or numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_number, unknown_name
from . import numbers
from .cells import Column, bad_cells, column_of, names_of, where
from .notes import Note
from .numbers import MOST, NumberFormat
from .texts import NO_CLASS, Words, is_mark, joined, twins

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .table import Table

KINDS = ("number", "boolean", "category", "date")
FEW_NUMBERS = 20
_RARE = 5
_SHOWN = 3
_SKEWED = 1.5
_FAR, _FAR_IN_LOGS = 25.0, 6.0
_MOST_EXTREME = 0.005

__all__ = ["Target", "TargetRows", "find_target", "read_target"]


@dataclass(frozen=True)
class Target:
    """What is predicted: one of some classes, or a number, learned as ``(y - mean) / scale``.

    Attributes
    ----------
    name : str
        Of its column.
    kind : str
        What its cells spell: ``"number"``, ``"boolean"`` or ``"category"``.
    classes : tuple of str
        Names of the classes in the order of the sorted labels; empty for a regression.
    mean, scale : float
        0 and 1 where the target is learned as it is; of its logarithms where those are learned.
    log : bool
        Whether ``log(y + shift)`` is learned in place of ``y``.
    shift : float
        1 where a target that is learned in logarithms has zeros, 0 otherwise.
    decimal, unit : str
        How its numbers are written, see `fastmlp.tables.numbers.NumberFormat`.
    join_case : bool
        Whether texts that differ by case alone are one class.
    missing, distinct : int
        Rows without a target, and how many different ones there are.
    example : str
        One of its cells.
    """

    name: str
    kind: str
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0
    log: bool = False
    shift: float = 0.0
    decimal: str = "."
    unit: str = ""
    join_case: bool = False
    missing: int = 0
    distinct: int = 0
    example: str = ""

    def __post_init__(self) -> None:
        for text in (self.name, *self.classes, self.unit):
            if not isinstance(text, str):
                raise TypeError(f"names of a target and its classes are strings, got {text!r}")
        if self.kind not in KINDS:
            raise ValueError(f"the target is of the kind {self.kind!r}")
        if self.decimal not in (".", ","):
            raise ValueError(f"the target has the decimal sign {self.decimal!r}")
        check_number("the target's mean", self.mean)
        check_number("the target's scale", self.scale, 0, open_low=True)
        check_number("the target's shift", self.shift)

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return "classification" if self.classes else "regression"

    def fitted(self, y: Array, log: bool = False) -> Target:
        """The target of a regression with the mean and scale of some numbers, or their logarithms.

        Raises
        ------
        ValueError
            Logarithms of negative numbers are asked for.
        """
        if log and y.min() < 0:
            raise ValueError(
                f"the target {self.name!r} has negative numbers, such as {y.min():g}, which have "
                "no logarithm; leave out --log-target"
            )
        raw = replace(self, log=log, shift=float(log and y.min() == 0), mean=0.0, scale=1.0)
        learned = raw.transform(y)
        # A target that is the same in all rows is learned as it is, less its mean.
        scale = float(learned.std()) or 1.0
        return replace(raw, mean=float(learned.mean()), scale=scale)

    def transform(self, y: Array) -> Array:
        """What the network learns of labels or numbers."""
        if self.classes:
            return y
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                y = np.log(y + self.shift)
            if not np.isfinite(y).all():
                raise ValueError(
                    f"the target {self.name!r} is learned in logarithms, and has numbers without "
                    "one in these rows"
                )
        return (y - self.mean) / self.scale

    def inverse_transform(self, outputs: Array) -> Array:
        """Numbers in the target's own units, float64 ``(n,)``, from outputs ``(n, 1)``."""
        learned = outputs[:, 0].astype(np.float64) * self.scale + self.mean
        if self.log:
            with np.errstate(over="ignore"):
                learned = np.minimum(np.exp(learned), np.finfo(np.float64).max) - self.shift
        return learned


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
            notes = _ambiguous(name, column, found)
            return _regression(table, target, column, values, notes)
    target = Target(name, "category", join_case=join_case, decimal=form.decimal, unit=form.unit)
    return _classes(table, replace(target, kind="number") if is_number else target, column, [])


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
    known = _places(target, words)
    keeps = known[words.codes] * (words.codes >= 0) + (words.codes < 0) * -2
    notes = _left_out(table, target.name, words, known == -2, "are no classes")
    if (known == -1).any():
        strange = [word for word, place in zip(words.words, known, strict=True) if place == -1]
        count = int(words.counts[known == -1].sum())
        raise ValueError(
            f"the target {target.name!r} has classes that the model does not know: "
            f"{_listed(strange)} in {count} rows; it knows {_listed(target.classes)}"
        )
    rows = np.flatnonzero(keeps >= 0)
    if not len(rows):
        raise ValueError(f"the target {target.name!r} is missing in every row")
    return TargetRows(target, rows, _labels(target)[keeps[rows]], tuple(notes))


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
    raise ValueError(
        f"the target {name!r} is text, such as {column.words.words[0]!r}, not a number; use "
        "--task classification"
    )


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
    present = np.isfinite(values)
    if column.typed is not None:
        missing = np.isnan(column.typed) if column.typed.dtype.kind == "f" else ~present & False
    elif column.plain is not None:
        missing = ~present
    else:
        missing = column.words.codes < 0
    bad = ~present & ~missing
    notes = list(found or ())
    if missing.any() and not missing.all():
        notes.append(_note_of_missing(target.name, int(missing.sum()), len(missing)))
    if bad.any():
        text = bad_cells(table, f"the target {target.name!r}", "numbers", column, bad)
        notes.append(Note(f"{text}; such rows are left out", "", "", target.name, int(bad.sum())))
    rows = np.flatnonzero(present)
    if not len(rows):
        raise ValueError(f"the target {target.name!r} is missing in every row")
    y = values[rows].astype(np.float64)
    if found is not None:
        different = len(np.unique(y))
        if different < 2:
            raise ValueError(f"the target {target.name!r} is {y[0]:g} in every row")
        notes += _notes_of_numbers(table, target.name, rows, y)
        n_missing = len(values) - len(rows)
        target = replace(target, missing=n_missing, distinct=different, example=f"{y[0]:g}")
    return TargetRows(target, rows, y, tuple(notes))


def _notes_of_numbers(
    table: Table | Mapping[str, Any], name: str, rows: Array, y: Array
) -> list[Note]:
    """On numbers far from all others, and on a skewed target."""
    notes = []
    far = _distances(y)
    extreme = far > _FAR
    if (y > 0).mean() > MOST:
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


def _distances(y: Array) -> Array:
    """How far from the median, in units of the distance that half of all rows keep."""
    away = np.abs(y - np.median(y))
    unit = float(np.median(away)) or float(away.mean()) or 1.0
    return away / unit


def _skewness(y: Array) -> float:
    centered = y - y.mean()
    deviation = float(np.sqrt((centered**2).mean())) or 1.0
    return float(((centered / deviation) ** 3).mean())


def _classes(
    table: Table | Mapping[str, Any], target: Target, column: Column, notes: list[Note]
) -> TargetRows:
    """The rows with a label, and the names of the labels."""
    name, words = target.name, joined(column.words) if target.join_case else column.words
    is_class = np.array([_is_class(target, word) for word in words.words], bool)
    counts = words.counts * is_class
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
        halves = [word for word in kept if "." in word] if target.kind == "number" else []
        why = f", for {halves[0]} is not whole" if halves else ""
        raise ValueError(
            f"the target {name!r} cannot be classes{why}: {len(kept)} different values in {n} "
            f"rows, such as {kept[0]!r}{hint}"
        )
    if n < len(words.codes) - words.n_missing:
        what = "are no numbers" if target.kind == "number" else "say that there is none"
        notes = [*notes, *_left_out(table, name, words, ~is_class, what)]
    elif words.n_missing:
        notes = [*notes, _note_of_missing(name, words.n_missing, len(words.codes))]
    if words.n_cut:
        text = f"the target {name!r}: blanks around {words.n_cut} cells are cut"
        notes = [*notes, Note(text, column=name, count=words.n_cut)]
    target = replace(target, kind=_kind_of_labels(target.kind, kept))
    labels = _sorted_labels(target.kind, kept)
    names = tuple(map(str, labels.tolist()))
    target = replace(
        *(target,),
        classes=names,
        missing=len(words.codes) - n,
        distinct=len(names),
        example=kept[0],
    )
    known = _places(target, words)
    places = np.where(words.codes < 0, -2, known[words.codes])
    rows = np.flatnonzero(places >= 0)
    notes = [*notes, *_notes_of_classes(target, dict(zip(words.words, counts, strict=True)))]
    return TargetRows(target, rows, labels[places[rows]], tuple(notes))


def _notes_of_classes(target: Target, counts: Mapping[str, int]) -> list[Note]:
    name, notes = target.name, []
    alike = twins([word for word, count in counts.items() if count])
    if alike:
        groups = "; ".join(_listed(group) for group in alike[:_SHOWN])
        text = f"the target {name!r} has classes that differ by case alone: {groups}"
        notes.append(Note(text, "join_case", name, name, len(alike)))
    odd = [word for word in target.classes if target.kind == "category" and is_mark(word)]
    if odd:
        count = sum(int(counts[word]) for word in odd)
        text = f"the target {name!r} is {_listed(odd)} in {count} rows, which is taken for a class"
        notes.append(Note(text, "na_values", odd[0], name, count))
    rare = [word for word, count in counts.items() if 0 < count < _RARE]
    if rare:
        few = [f"{word!r} ({counts[word]})" for word in rare[:_SHOWN]]
        more = "" if len(rare) <= _SHOWN else f" and {len(rare) - _SHOWN} more"
        text = f"the target {name!r} has classes with few rows: {', '.join(few)}{more}"
        notes.append(Note(text, column=name, count=len(rare)))
    return notes


def _is_class(target: Target, word: str) -> bool:
    if target.kind == "number":
        form = NumberFormat(target.decimal, target.unit)
        return bool(np.isfinite(numbers.value(word, form)))
    return word.lower() not in NO_CLASS


def _kind_of_labels(kind: str, words: Sequence[str]) -> str:
    """``"number"`` only where each label is written as Python writes it."""
    if kind != "number":
        return kind
    if all(_is_whole(word) for word in words) or all(_is_float(word) for word in words):
        return "number"
    return "category"


def _is_whole(word: str) -> bool:
    digits = word.removeprefix("-")
    return digits.isascii() and digits.isdigit() and str(int(word)) == word and len(digits) < 19


def _is_float(word: str) -> bool:
    try:
        return repr(float(word)) == word
    except ValueError:
        return False


def _sorted_labels(kind: str, words: Sequence[str]) -> Array:
    if kind == "boolean":
        return np.array([False, True])
    if kind == "number":
        return np.unique([int(word) if _is_whole(word) else float(word) for word in words])
    return np.unique(np.array(words, np.str_))


def _labels(target: Target) -> Array:
    if target.kind == "number" and not all(map(_is_number, target.classes)):
        # The labels of a data set are numbers, and its classes have names.
        return np.arange(len(target.classes))
    return _sorted_labels(target.kind, target.classes)


def _places(target: Target, words: Words) -> Array:
    """The class of each word: -1 where it is not known, -2 where it is none."""
    fold = str.casefold if target.join_case else str
    known = {fold(name): place for place, name in enumerate(target.classes)}
    found = np.full(len(words.words) + 1, -2, np.int64)
    for place, word in enumerate(words.words):
        found[place] = known.get(fold(word), -1)
        if found[place] == -1 and target.kind == "boolean":
            found[place] = {"false": 0, "true": 1, "0": 0, "1": 1}.get(word.lower(), -1)
        if found[place] == -1 and target.kind == "number" and _is_number(word):
            # 1 is 1.0 where no other class is written so.
            same = np.flatnonzero(_labels(target) == float(word))
            found[place] = same[0] if len(same) else -1
        if found[place] == -1 and (word.lower() in NO_CLASS or _has_no_number(target, word)):
            found[place] = -2
    return np.asarray(found[:-1] if len(words.words) else found)


def _is_number(word: str) -> bool:
    return bool(np.isfinite(numbers.value(word, NumberFormat())))


def _has_no_number(target: Target, word: str) -> bool:
    return target.kind == "number" and not _is_class(target, word)


def _left_out(
    table: Table | Mapping[str, Any], name: str, words: Words, bad: Array, what: str
) -> list[Note]:
    """Notes on rows without a target, and on those whose target is no class."""
    notes = []
    if words.n_missing:
        notes.append(_note_of_missing(name, words.n_missing, len(words.codes)))
    places = np.flatnonzero(bad[: len(words.words)])
    if len(places):
        count, row = int(words.counts[places].sum()), words.first_row(places)
        text = (
            f"the target {name!r}: {count} of {len(words.codes)} cells {what}, such as "
            f"{words.words[int(words.codes[row])]!r} in {where(table, row)}; such rows are left out"
        )
        notes.append(Note(text, "", "", name, count))
    return notes


def _note_of_missing(name: str, count: int, n_rows: int) -> Note:
    text = f"the target {name!r} is missing in {count} of {n_rows} rows, which are left out"
    return Note(text, column=name, count=count)


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(map(repr, words[:_SHOWN]))
    return shown if len(words) <= _SHOWN else f"{shown} and {len(words) - _SHOWN} more"
