"""The names that a table's columns bear, and the error for a table with other ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Names = Mapping[str, Sequence[str]] | Sequence[str]
"""Names of columns by part of X, or those of all parts in a row."""

# Names that a message lists; of a wide table the first ones tell enough.
_LISTED = 8


def column_names(X: Any) -> tuple[str, ...] | None:
    """Return the names of a data frame's columns; None where X is none, or they are not all texts.

    Data frames are those of pandas, polars and Arrow, told by their attributes; a row of a pandas
    frame bears the names too.
    """
    # What is passed most is told by one comparison.
    if type(X) is np.ndarray:
        return None
    names = getattr(X, "column_names", None)
    if names is None:
        names = getattr(X, "columns", getattr(X, "index", None))
    if names is None:
        return None
    try:
        listed = tuple(names)
    except TypeError:
        return None
    if not listed or not all(isinstance(name, str) for name in listed):
        return None
    return tuple(map(str, listed))


def check_column_names(
    given: Sequence[str],
    expected: Sequence[str],
    name: str,
    owner: str,
    attribute: str = "feature_names",
) -> None:
    """Refuse a table whose columns are not those expected, in their order.

    Parameters
    ----------
    given, expected : sequence of str
    name : str
        The table's argument, for messages.
    owner : str
        What reads the table: ``"model"`` or ``"predictor"``.
    attribute : str
        The owner's, that holds the names which are expected.

    Raises
    ------
    ValueError
        The columns have other names, or another order.
    """
    if tuple(given) == tuple(expected):
        return
    if sorted(given) == sorted(expected):
        raise ValueError(
            f"{name} has its columns in another order, {_listed(given)}, than the {owner} reads "
            f"them, {_listed(expected)}; pass {name}[list({owner}.{attribute})]"
        )
    missing = [column for column in expected if column not in given]
    unknown = [column for column in given if column not in expected]
    differences = [
        f"{word} {_listed(columns)}"
        for word, columns in (("it lacks", missing), ("it has", unknown))
        if columns
    ]
    if not differences:
        differences = [f"it has {_listed(given)}"]
    raise ValueError(
        f"{name} has other columns than those that the {owner} reads, {_listed(expected)}: "
        f"{' and '.join(differences)}; pass the same columns, or an array without names"
    )


def names_by_part(
    names: Names | None, n_features: int | tuple[int, int]
) -> dict[str, tuple[str, ...]]:
    """Names of columns by part of X, ``"X"``, or ``"X_wide"`` and ``"X_deep"``.

    Raises
    ------
    ValueError
        There are more or fewer names than columns.
    """
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        if isinstance(n_features, int):
            names = {"X": names}
        elif len(names) == n_features[1]:
            names = {"X_deep": names}
        else:
            names = {"X_wide": names[: n_features[0]], "X_deep": names[n_features[0] :]}
    widths = column_counts(n_features)
    for part, listed in names.items():
        if len(listed) != widths.get(part):
            n_names = "1 name" if len(listed) == 1 else f"{len(listed)} names"
            raise ValueError(f"{part} has {widths.get(part, 0)} columns, but {n_names}")
    return {part: tuple(listed) for part, listed in names.items()}


def column_counts(n_features: int | tuple[int, int]) -> dict[str, int]:
    """How many columns each part of X has."""
    if isinstance(n_features, int):
        return {"X": n_features}
    return {"X_wide": n_features[0], "X_deep": n_features[1]}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(str, names[:_LISTED]))
    more = len(names) - _LISTED
    return shown if more <= 0 else f"{shown} and {more} more"
