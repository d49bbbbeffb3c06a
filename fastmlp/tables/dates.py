"""Columns of dates and times: their order is decided by the whole of a column."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .calendar import Moment, full_year, parse
from .texts import is_mark

if TYPE_CHECKING:
    from ..kernels.typing import Array

_SECONDS = 86400.0
_FIRST_YEAR, _LAST_YEAR = 1000, 2999
# More words than these are looked at only where some of these are dates.
_SAMPLE = 500
_ORDERS = {"day first": (2, 1, 0), "month first": (2, 0, 1), "year first": (0, 1, 2)}

__all__ = ["DateFormat", "Dates", "Said", "find", "say", "values"]


@dataclass(frozen=True)
class DateFormat:
    """How the dates of a column are written.

    Attributes
    ----------
    order : str
        Of the numbers of a date where the text itself does not tell: ``"day first"``, ``"month
        first"`` or ``"year first"``.
    digits : bool
        Whether digits alone are a date.
    clock : bool
        Whether they are times of a day, without dates.
    """

    order: str = "day first"
    digits: bool = False
    clock: bool = False

    def __post_init__(self) -> None:
        if self.order not in _ORDERS:
            raise ValueError(f"dates have the order {self.order!r}, expected {list(_ORDERS)}")


@dataclass(frozen=True, eq=False)
class Dates:
    """What is found in the words of a column.

    Attributes
    ----------
    share : float
        Of the cells that are no marks of a missing one, those that are dates.
    formats : tuple of DateFormat
        More than one where each could be meant.
    decided : str
        The order that no other reading allows; empty where the words tell themselves.
    """

    share: float
    formats: tuple[DateFormat, ...] = (DateFormat(),)
    decided: str = ""


@dataclass(frozen=True, eq=False)
class Said:
    """What single words say as dates.

    Attributes
    ----------
    days : ndarray of float64 or None
        Where all are written as 2024-01-31 or 2024-01-31 12:30.
    moments : list of Moment or None
        Otherwise; empty where hardly any is a date.
    marks : ndarray of bool
        Which words say that there is no value.
    """

    days: Array | None
    moments: list[Moment | None]
    marks: Array


def say(words: Sequence[str], digits: bool = False) -> Said:
    """Read words as dates, whatever the column they come from.

    Parameters
    ----------
    words : list of str
    digits : bool
        Whether digits alone are dates.
    """
    marks = np.array([is_mark(word) for word in words], bool)
    days = None if digits else _simple(words)
    if days is not None:
        return Said(days, [], marks)
    # Of a thousand different names none is a date.
    if not any(parse(word, digits) for word in words[:_SAMPLE]):
        return Said(None, [None] * len(words), marks)
    return Said(None, [parse(word, digits) for word in words], marks)


def find(words: Said, counts: Array, digits: bool = False) -> Dates:
    """Find how the dates among some words are written.

    Parameters
    ----------
    words : Said
        The different cells of a column.
    counts : ndarray of int
        How often each of them appears.
    digits : bool
        Whether digits alone are dates.
    """
    weights = np.where(words.marks, 0.0, counts)
    total = float(weights.sum())
    if not total:
        return Dates(0.0)
    if words.days is not None:
        return Dates(1.0)
    clock = np.array([m is not None and m.numbers is None for m in words.moments], bool)
    if float(weights[clock].sum()) > 0.5 * total:
        form = DateFormat(digits=digits, clock=True)
        return Dates(float(weights[clock].sum()) / total, (form,))
    unordered = [m for m in words.moments if m is not None and not m.ordered]
    orders = list(_ORDERS) if unordered else ["day first"]
    found = {order: ~np.isnan(_days(words.moments, order)) for order in orders}
    sums = {order: float(weights[found[order]].sum()) for order in orders}
    best = max(sums.values())
    orders = [order for order in orders if sums[order] == best]
    if len(orders) > 1 and all(m.mark == "." for m in unordered):
        # Only dates that begin with the day are written with points.
        orders = ["day first"]
    if len(orders) > 1 and "year first" in orders:
        orders.remove("year first")
    formats = tuple(DateFormat(order, digits) for order in orders)
    is_decided = bool(unordered) and len(orders) == 1
    return Dates(best / total, formats, orders[0] if is_decided else "")


def values(words: Said, form: DateFormat) -> Array:
    """Return days since 1970-01-01 in UTC, or parts of a day; NaN where a word is no date."""
    if words.days is not None:
        return words.days % 1.0 if form.clock else words.days
    if form.clock:
        seconds = [np.nan if m is None else m.seconds for m in words.moments]
        return np.asarray(np.array(seconds, float) / _SECONDS % 1.0)
    return _days(words.moments, form.order)


def _simple(words: Sequence[str]) -> Array | None:
    """Days of words that are all of the form 2024-01-31 or 2024-01-31 12:30; else None."""
    for word in words:
        if len(word) < 10 or word[4] != "-" or word[7] != "-" or not word[-1].isdigit():
            return None
        if "-" in word[8:] or "+" in word:
            return None
    try:
        with warnings.catch_warnings():
            # What NumPy only warns of is read by the grammar.
            warnings.simplefilter("error")
            times = np.array(words, "M8[us]")
    except (ValueError, Warning):
        return None
    days = (times - np.datetime64(0, "us")) / np.timedelta64(1, "D")
    low, high = (np.datetime64(str(year), "us") for year in (_FIRST_YEAR, _LAST_YEAR + 1))
    return np.asarray(days, float) if ((times >= low) & (times < high)).all() else None


def _days(moments: Sequence[Moment | None], order: str) -> Array:
    """Days since 1970 of each; NaN where there is no such day."""
    year, month, day = np.zeros((3, len(moments)), np.int64)
    seconds = np.zeros(len(moments))
    weeks = np.full((len(moments), 2), -1, np.int64)
    of_year, of_month, of_day = _ORDERS[order]
    for place, moment in enumerate(moments):
        if moment is None or moment.numbers is None:
            continue
        numbers = moment.numbers
        if not moment.ordered:
            found = numbers[of_year]
            if of_year == 0:
                if moment.width == 4:
                    continue
                found = full_year(found, 2)
            else:
                found = full_year(found, moment.width)
            numbers = found, numbers[of_month], numbers[of_day]
        year[place], month[place], day[place] = numbers
        seconds[place] = moment.seconds
        if moment.week is not None:
            weeks[place] = moment.week
    known = (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(known, (year - 1970) * 12 + month - 1, 0).astype("M8[M]")
    date = months.astype("M8[D]") + (day - 1)
    known &= date.astype("M8[M]") == months
    days = date.astype(np.float64)
    of_week = weeks[:, 0] >= 0
    if of_week.any():
        # Week 1 has the fourth of January.
        fourth = months.astype("M8[D]").astype(np.int64) + 3
        monday = fourth - (fourth + 3) % 7
        days = np.where(of_week, monday + 7.0 * (weeks[:, 0] - 1) + weeks[:, 1] - 1, days)
        known &= ~of_week | ((weeks[:, 0] >= 1) & (weeks[:, 0] <= 53))
    return np.where(known, days + seconds / _SECONDS, np.nan)
