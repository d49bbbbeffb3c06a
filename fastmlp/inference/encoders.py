"""Encoders of scikit-learn, read as tables: the numbers that stand for each category."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Lookup:
    """A column that an encoder makes: a number for each category.

    Attributes
    ----------
    values : mapping of int to float
        By the place of a category; the default for all others.
    default : float
        Of what is none of the categories, too.
    """

    values: Mapping[int, float]
    default: float = 0.0


@dataclass(frozen=True)
class Table:
    """What an encoder makes of one column.

    Attributes
    ----------
    categories : list
        As the encoder has them.
    columns : tuple of Lookup
    strict : bool
        Whether the encoder refuses what is none of the categories.
    """

    categories: list[Any]
    columns: tuple[Lookup, ...]
    strict: bool


def _unknown_is_rare() -> tuple[str, ...]:
    """The ways to handle the unknown that count it as infrequent."""
    # An encoder is there, and so is scikit-learn; before 1.8 "warn" left the column of the
    # infrequent at 0, unlike its documentation.
    version = sys.modules["sklearn"].__version__
    follows = tuple(map(int, version.split(".")[:2])) >= (1, 8)
    return ("infrequent_if_exist", "warn") if follows else ("infrequent_if_exist",)


def one_hot_table(encoder: Any, column: int) -> Table:
    """Return what a fitted OneHotEncoder makes of one of its columns.

    Categories that are infrequent share one column, the last. The column of the category that is
    dropped is left out. What is unknown counts as infrequent where `handle_unknown` says so and
    there are such.
    """
    categories, rare, groups = _grouped(encoder, column)
    members: list[list[int]] = [[] for _ in range(max(groups, default=-1) + 1)]
    for place, group in enumerate(groups):
        members[group].append(place)
    made = [Lookup(dict.fromkeys(places, 1.0)) for places in members]
    if rare and encoder.handle_unknown in _unknown_is_rare():
        others = (place for places in members[:-1] for place in places)
        made[-1] = Lookup(dict.fromkeys(others, 0.0), 1.0)
    dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[column]
    if dropped is not None:
        del made[groups[dropped]]
    return Table(categories, tuple(made), encoder.handle_unknown == "error")


def ordinal_table(encoder: Any, column: int) -> Table:
    """Return what a fitted OrdinalEncoder makes of one of its columns.

    Infrequent categories share one number, the last. What becomes NaN, which no network takes, is
    refused, and no category.
    """
    categories, _, groups = _grouped(encoder, column, apart=_is_nan)
    unknown = np.nan
    if encoder.handle_unknown == "use_encoded_value":
        unknown = float(encoder.unknown_value)
    missing = float(encoder.encoded_missing_value)
    pairs = [
        (category, missing if _is_nan(category) else float(group))
        for category, group in zip(categories, groups, strict=True)
    ]
    kept = [(category, value) for category, value in pairs if not np.isnan(value)]
    is_strict = bool(np.isnan(unknown))
    values = {place: value for place, (_, value) in enumerate(kept)}
    made = Lookup(values, 0.0 if is_strict else unknown)
    return Table([category for category, _ in kept], (made,), is_strict)


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for a gap: None, NaN or pandas' NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return _is_nan(value)


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _grouped(
    encoder: Any, column: int, apart: Callable[[Any], bool] = lambda category: False
) -> tuple[list[Any], bool, list[int]]:
    """Return the categories, whether some are infrequent, and the number of each one's group.

    Those that are `apart` have no group; their number is -1.
    """
    categories = list(encoder.categories_[column])
    # There only where infrequent ones are asked for.
    every = getattr(encoder, "infrequent_categories_", None)
    listed = () if every is None or every[column] is None else every[column]
    rare = {_key(category) for category in listed}
    n_frequent = sum(not apart(category) for category in categories) - len(rare)
    groups, place = list[int](), 0
    for category in categories:
        if apart(category):
            groups.append(-1)
        elif _key(category) in rare:
            groups.append(n_frequent)
        else:
            groups.append(place)
            place += 1
    return categories, bool(rare), groups


def _key(category: Any) -> Any:
    # A NaN is not equal to itself.
    return (True, None) if _is_nan(category) else (False, category)
