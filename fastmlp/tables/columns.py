"""Columns as a network reads them, with what was learned of the training rows; NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..common.checks import check_number
from ..common.plain_fields import check_plain_fields

if TYPE_CHECKING:
    from ..kernels.typing import Array

PARTS = ("elapsed", "month", "weekday", "hour")
_THURSDAY = 3
_DAYS_OF_A_YEAR = 365.2425
_FEWEST_MONTHS = 3
_MOST_LISTED = 1000
# Numbers further from the mean are squeezed; of them, and of as many others, the scale takes no
# notice. Tried on open tables: validation loss is as before or lower, most so with heavy tails.
_BOUND = 4.0
# Where none is as far as that, tails are light, and numbers stay as they are.
_HEAVY = 6.0
_TAIL = 0.005
_MISSING = "1 where {} is missing, else 0"
_TURNS = {"month": "year", "weekday": "week in whole days", "hour": "day"}

__all__ = [
    "PARTS",
    "CategoryColumn",
    "Column",
    "DateColumn",
    "NumberColumn",
    "YesNoColumn",
    "fit_category",
    "fit_number",
    "parts_of",
]


@dataclass(frozen=True)
class NumberColumn:
    """Numbers as ``(x - mean) / scale``.

    Attributes
    ----------
    name : str
    mean, scale : float
    fill : float
        Stands in for a missing number.
    indicator : bool
        Whether a second feature says that the number is missing.
    bound : float
        Where numbers reach far beyond the others: how many scales from the mean count in full, all
        further ones as their logarithm, ``log(1 + distance)``. 0 where all count in full.
    """

    name: str
    mean: float
    scale: float
    fill: float
    indicator: bool = False
    bound: float = 0.0

    kind: ClassVar[str] = "number"

    def __post_init__(self) -> None:
        check_plain_fields(self)
        check_number("a scale", self.scale, 0, open_low=True)
        check_number("a bound", self.bound, 0)

    @property
    def features(self) -> tuple[str, ...]:
        """What the network reads of this column, in words."""
        return (self.name, *((f"{self.name} is missing",) if self.indicator else ()))

    @property
    def meanings(self) -> tuple[str, ...]:
        """What each feature is before it is scaled."""
        what = "a number" if self.kind == "number" else "1 for yes or true, 0 for no or false"
        own = f"{what}; where it is missing, {self.fill:.7g}"
        if self.bound:
            reach = self.bound * self.scale
            own += (
                f"; where it is further than {reach:.7g} from {self.mean:.7g}, by d, the further "
                f"distance is {self.scale:.7g} * log(1 + d / {self.scale:.7g})"
            )
        return (own, *((_MISSING.format(self.name),) if self.indicator else ()))

    @property
    def scaling(self) -> list[tuple[float, float]]:
        """Mean and scale of each feature."""
        return [(self.mean, self.scale), *([(0.0, 1.0)] if self.indicator else [])]

    def write_raw(self, values: Array, out: Array) -> None:
        """Write the features before they are scaled into ``out``, ``(n, len(features))``."""
        values = values.astype(np.float64)
        missing = np.isnan(values)
        out[:, 0] = self._squeezed(np.where(missing, self.fill, values))
        if self.indicator:
            out[:, 1] = missing

    def write(self, values: Array, out: Array) -> None:
        """Write what the network reads of these values into ``out``, ``(n, len(features))``."""
        _write_scaled(self, values, out)

    def _squeezed(self, values: Array) -> Array:
        if not self.bound:
            return values
        away = (values - self.mean) / self.scale
        further = np.maximum(np.abs(away) - self.bound, 0.0)
        near = np.sign(away) * (self.bound + np.log1p(further))
        return np.where(further > 0, self.mean + self.scale * near, values)


@dataclass(frozen=True)
class YesNoColumn(NumberColumn):
    """0 for no and 1 for yes, scaled like numbers."""

    kind: ClassVar[str] = "yes/no"


@dataclass(frozen=True)
class DateColumn:
    """Days since 1970-01-01, and what recurs each year, week and day as sine and cosine.

    Attributes
    ----------
    name : str
    parts : tuple of str
        Some of `PARTS`, in that order.
    mean, scale : float
        Of the days.
    fill : float
        Stands in for a missing day.
    indicator : bool
        Whether the last feature says that the day is missing.
    """

    name: str
    parts: tuple[str, ...]
    mean: float
    scale: float
    fill: float
    indicator: bool = False

    kind: ClassVar[str] = "date"

    def __post_init__(self) -> None:
        check_plain_fields(self)
        check_number("a scale", self.scale, 0, open_low=True)
        if not self.parts or [part for part in PARTS if part in self.parts] != list(self.parts):
            raise ValueError(f"the date {self.name!r} has the parts {self.parts!r}")

    @property
    def features(self) -> tuple[str, ...]:
        """What the network reads of this column, in words."""
        names = []
        for part in self.parts:
            if part == "elapsed":
                names.append(self.name)
            else:
                names += [f"{self.name} {part} (sine)", f"{self.name} {part} (cosine)"]
        return (*names, *((f"{self.name} is missing",) if self.indicator else ()))

    @property
    def meanings(self) -> tuple[str, ...]:
        """What each feature is before it is scaled."""
        words = []
        for part in self.parts:
            if part == "elapsed":
                words.append(f"days since 1970-01-01 in UTC; where it is missing, {self.fill:.7g}")
            else:
                turn = f"of 2 pi times the part of the {_TURNS[part]} that has passed"
                words += [f"the sine {turn}", f"the cosine {turn}"]
        return (*words, *((_MISSING.format(self.name),) if self.indicator else ()))

    @property
    def scaling(self) -> list[tuple[float, float]]:
        """Mean and scale of each feature."""
        own = [(self.mean, self.scale)] if "elapsed" in self.parts else []
        return own + [(0.0, 1.0)] * (len(self.features) - len(own))

    def write_raw(self, values: Array, out: Array) -> None:
        """Write the features before they are scaled into ``out``, ``(n, len(features))``."""
        values = values.astype(np.float64)
        missing = np.isnan(values)
        days = np.where(missing, self.fill, values)
        place = 0
        for part in self.parts:
            if part == "elapsed":
                out[:, place] = days
                place += 1
                continue
            angle = 2 * np.pi * _PHASES[part](days)
            out[:, place], out[:, place + 1] = np.sin(angle), np.cos(angle)
            place += 2
        if self.indicator:
            out[:, place] = missing

    def write(self, values: Array, out: Array) -> None:
        """Write what the network reads of these values into ``out``, ``(n, len(features))``."""
        _write_scaled(self, values, out)


@dataclass(frozen=True)
class CategoryColumn:
    """A 1 in the place of the row's category and 0 elsewhere.

    What is none of the categories counts as "other" where training had others, and is 0 everywhere
    where it had none. The empty string stands for a missing value, and is a category where some
    were missing in training.

    Attributes
    ----------
    name : str
    categories : tuple of str
    other : bool
        Whether training had others.
    rest : tuple of str
        Which they were; empty where they are too many to be listed.
    """

    name: str
    categories: tuple[str, ...]
    other: bool = False
    rest: tuple[str, ...] = ()

    kind: ClassVar[str] = "category"

    def __post_init__(self) -> None:
        check_plain_fields(self)

    @property
    def features(self) -> tuple[str, ...]:
        """What the network reads of this column, in words."""
        names = [f"{self.name}={category or '(missing)'}" for category in self.categories]
        return (*names, *((f"{self.name}=(other)",) if self.other else ()))

    @property
    def meanings(self) -> tuple[str, ...]:
        """What each feature is."""
        words = [
            f"1 where {self.name} is {repr(category) if category else 'missing'}, else 0"
            for category in self.categories
        ]
        return (*words, *((f"1 where {self.name} is anything else, else 0",) if self.other else ()))

    @property
    def scaling(self) -> list[tuple[float, float]]:
        """Mean and scale of each feature."""
        return [(0.0, 1.0)] * len(self.features)

    def unseen(self, values: Array) -> Array:
        """Which of some values are no category, nor any that training has counted as other."""
        if self.other and not self.rest:
            return np.zeros(len(values), bool)
        known = {*self.categories, *self.rest, ""}
        return np.fromiter((value not in known for value in values), bool, len(values))

    def places(self, values: Array) -> Array:
        """The place of each value among the categories; -1 where it is none of them."""
        known = {category: place for place, category in enumerate(self.categories)}
        return np.fromiter((known.get(value, -1) for value in values), np.int64, len(values))

    def write_raw(self, values: Array, out: Array) -> None:
        """Write the features into ``out``, ``(n, len(features))``."""
        places = self.places(values)
        if self.other:
            places = np.where(places < 0, len(self.categories), places)
        out[:] = 0
        rows = np.flatnonzero(places >= 0)
        out[rows, places[rows]] = 1

    write = write_raw


Column = NumberColumn | YesNoColumn | DateColumn | CategoryColumn


def fit_number(kind: type[NumberColumn], name: str, values: Array) -> NumberColumn | None:
    """Return the column of numbers of some training rows; None where all have the same."""
    found = _moments(values)
    if found is None:
        return None
    mean, scale, fill, indicator = found
    present = values[~np.isnan(values)]
    if kind is YesNoColumn or float(np.abs(present - mean).max()) <= _HEAVY * scale:
        return kind(name, *found)
    # Few numbers far from all others would leave no room between those.
    inner = np.clip(present, *np.quantile(present, (_TAIL, 1 - _TAIL)))
    if inner.std():
        mean, scale = float(inner.mean()), float(inner.std())
    return kind(name, mean, scale, fill, indicator, _BOUND)


def fit_date(name: str, values: Array, clock: bool) -> DateColumn | None:
    """Return the column of days, or parts of a day, of some training rows; None as above."""
    found = _moments(values)
    if found is None:
        return None
    mean, scale, fill, indicator = found
    parts = parts_of(values[~np.isnan(values)], clock) or ("elapsed",)
    return DateColumn(name, parts, mean, scale, fill, indicator)


def fit_category(name: str, values: Array, limit: int) -> CategoryColumn | None:
    """Return the column of categories of some training rows; None where all have the same.

    Where more than ``limit`` are different, the most frequent ones are told apart, all others are
    "other". What is missing is a category beside these.
    """
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    if len(counts) < 2:
        return None
    missing = [""] if counts.pop("", 0) else []
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    n_kept = len(ranked) if not limit or len(ranked) <= limit else max(limit - 1, 1)
    rest = sorted(ranked[n_kept:])
    kept = tuple(missing + sorted(ranked[:n_kept]))
    return CategoryColumn(name, kept, bool(rest), tuple(rest) if len(rest) <= _MOST_LISTED else ())


def parts_of(days: Array, clock: bool) -> tuple[str, ...]:
    """Which parts of days since 1970, none of them missing, are not the same in all rows."""
    if clock:
        return ("elapsed", "hour")
    whole = np.floor(days)
    dates = whole.astype(np.int64).astype("M8[D]")
    months = dates.astype("M8[M]").astype(np.int64) % 12
    of_month = whole - dates.astype("M8[M]").astype("M8[D]").astype(np.int64)
    # Where all dates are the first of a month, weekdays are chance.
    has_weekdays = len(np.unique(whole % 7)) > 1 and len(np.unique(of_month)) > 1
    varies = {
        "elapsed": len(days) > 0 and days.min() < days.max(),
        "month": len(np.unique(months)) >= _FEWEST_MONTHS,
        "weekday": has_weekdays,
        "hour": len(np.unique(days - whole)) > 1,
    }
    return tuple(part for part in PARTS if varies[part])


def _moments(values: Array) -> tuple[float, float, float, bool] | None:
    """Mean, scale, median, and whether some are missing; None where all are the same."""
    present = values[~np.isnan(values)].astype(np.float64)
    is_missing = len(present) < len(values)
    if not len(present) or (present.min() == present.max() and not is_missing):
        return None
    mean, scale = float(present.mean()), float(present.std())
    return mean, scale or 1.0, float(np.median(present)), is_missing


def _of_year(days: Array) -> Array:
    dates = np.floor(days).astype(np.int64).astype("M8[D]")
    start = dates.astype("M8[Y]").astype("M8[D]").astype(np.int64)
    return np.asarray((days - start) / _DAYS_OF_A_YEAR)


def _of_week(days: Array) -> Array:
    return np.asarray((np.floor(days) + _THURSDAY) % 7 / 7)


def _of_day(days: Array) -> Array:
    return np.asarray(days - np.floor(days))


_PHASES = {
    "month": _of_year,
    "weekday": _of_week,
    "hour": _of_day,
}


def _write_scaled(column: NumberColumn | DateColumn, values: Array, out: Array) -> None:
    raw = np.empty(out.shape)
    column.write_raw(values, raw)
    for place, (mean, scale) in enumerate(column.scaling):
        # Beyond the range of `out` a number is infinite there, which the network refuses.
        with np.errstate(over="ignore"):
            out[:, place] = (raw[:, place] - mean) / scale
