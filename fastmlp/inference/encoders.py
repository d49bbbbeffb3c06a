"""Encoders of scikit-learn, read as tables: the numbers that stand for each category."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array


@dataclass(frozen=True)
class Table:
    """What an encoder makes of one column.

    Attributes
    ----------
    categories : list
        As the encoder has them.
    values : ndarray, shape (n_categories, n_columns)
    default : ndarray, shape (n_columns,)
        Of what is none of the categories.
    strict : bool
        Whether the encoder refuses that.
    """

    categories: list[Any]
    values: Array
    default: Array
    strict: bool


def one_hot_table(encoder: Any, column: int) -> Table:
    """Return what a fitted OneHotEncoder makes of one of its columns.

    Categories that are infrequent share one column, the last. The column of the category that is
    dropped is left out. What is unknown counts as infrequent where `handle_unknown` says so and
    there are such.
    """
    categories, infrequent, groups = _grouped(encoder, column)
    n_groups = max(groups, default=-1) + 1
    values = np.eye(n_groups)[groups] if groups else np.zeros((0, 0))
    default = np.zeros(n_groups)
    if infrequent and encoder.handle_unknown in ("infrequent_if_exist", "warn"):
        default[-1] = 1.0
    dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[column]
    if dropped is not None:
        kept = np.arange(n_groups) != groups[dropped]
        values, default = values[:, kept], default[kept]
    return Table(categories, values, default, encoder.handle_unknown == "error")


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
    values = np.array([value for _, value in kept]).reshape(-1, 1)
    is_strict = bool(np.isnan(unknown))
    default = np.array([0.0 if is_strict else unknown])
    return Table([category for category, _ in kept], values, default, is_strict)


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
    rare = [] if every is None or every[column] is None else list(every[column])
    n_frequent = sum(not apart(category) for category in categories) - len(rare)
    groups, place = list[int](), 0
    for category in categories:
        if apart(category):
            groups.append(-1)
        elif any(_same(category, other) for other in rare):
            groups.append(n_frequent)
        else:
            groups.append(place)
            place += 1
    return categories, bool(rare), groups


def _same(one: Any, other: Any) -> bool:
    if is_missing(one) or is_missing(other):
        return is_missing(one) and is_missing(other)
    return bool(one == other)
