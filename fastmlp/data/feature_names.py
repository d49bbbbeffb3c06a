"""The names that columns have in a data frame, and the check that they are those expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_LISTED = 10


def feature_names(X: object) -> tuple[str, ...] | None:
    """Return the names of a data frame's columns; None where nobody has named them.

    Parameters
    ----------
    X : array_like
        Columns of pandas, polars and Arrow have names, and so has a row of pandas. Those of a
        frame that was made of an array are numbers, which are none.
    """
    # Arrow's `columns` are the columns themselves.
    attribute = "column_names" if hasattr(type(X), "column_names") else "columns"
    names: Any = getattr(X, attribute, getattr(X, "index", None))
    if names is None or callable(names):
        return None
    names = list(names)
    return tuple(map(str, names)) if any(isinstance(name, str) for name in names) else None


def check_feature_names(
    X: object, expected: Sequence[str] | None, name: str = "X", reader: str = "model"
) -> None:
    """Check that a data frame has the columns that are expected, in their order.

    Parameters
    ----------
    X : array_like
        What is no data frame has no names, and passes.
    expected : sequence of str or None
        None where no names are known.
    name : str
        The argument's name, for messages.
    reader : str
        What reads it: ``feature_names`` of an object that users call so.

    Raises
    ------
    ValueError
        The columns have other names or come in another order.
    """
    given = None if expected is None else feature_names(X)
    if expected is None or given is None or given == tuple(expected):
        return
    known = set(given)
    missing = [word for word in expected if word not in known]
    if missing:
        raise ValueError(
            f"{name} lacks columns that the {reader} reads: {_listing(missing)}; it has "
            f"{_listing(given)}"
        )
    what = "its columns in another order" if len(given) == len(expected) else "other columns"
    raise ValueError(
        f"{name} has {what}, {_listing(given)}, than the {reader} reads them, "
        f"{_listing(expected)}; pass {name}[list({reader}.feature_names)]"
    )


def _listing(names: Iterable[str]) -> str:
    names = list(names)
    if len(names) <= _LISTED:
        return ", ".join(names)
    return f"{', '.join(names[:_LISTED])}, ... ({len(names)} in all)"
