"""What is said of rows that scikit-learn refuses: which columns, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import is_classifier

if TYPE_CHECKING:
    from ..kernels.typing import Array

_MOST_NAMED = 5
_LONGEST = 30
# What pandas writes into the place of a missing value, by the names of their types.
_MISSING = ("NAType", "NaTType")
# Words of errors that are of the columns as a whole, whatever is in them.
_OF_COLUMNS = ("feature names", "is expecting", "found array with")


@contextmanager
def clear_refusals(estimator: Any, X: Any, name: str) -> Iterator[None]:
    """Let errors of a check of X name the columns that hold texts, dates or no finite number.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X : array-like or data frame
        What is being checked.
    name : str
        The argument that it was given as.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        told = str(error).replace("Input X ", f"Input {name} ")
        found = (
            None if any(words in told for words in _OF_COLUMNS) else _explain(estimator, X, name)
        )
        if found is None:
            raise
        if not isinstance(found, _Addition):
            raise ValueError(found) from None
        raise ValueError(f"{told.splitlines()[0]}\n{found}") from None


class _Addition(str):
    """What is said behind the first line of scikit-learn's own message."""


@dataclass
class _Column:
    """A column that is refused: an example of what is no number, or how many are not finite."""

    label: str
    example: Any = None
    missing: int = 0
    infinite: int = 0


def _explain(estimator: Any, X: Any, name: str) -> str | None:
    columns = list(_columns(X))
    found = [_looked_at(label, values) for label, values in columns]
    of = f"of {len(columns)} columns"
    kind = type(estimator).__name__
    other = f"fm.Tabular{'Classifier' if is_classifier(estimator) else 'Regressor'}"
    if texts := [
        (each.label, f"such as {_short(each.example)}")
        for each in found
        if each.example is not None
    ]:
        return (
            f"{name} holds texts or dates in {len(texts)} {of}: {_listed(texts)}. {kind} takes "
            f"numbers only; {other} takes such columns as they are, or encode them, as by "
            "sklearn.preprocessing.OneHotEncoder"
        )
    if missing := [(each.label, each.missing) for each in found if each.missing]:
        count = sum(number for _, number in missing)
        # scikit-learn's own first lines.
        return (
            f"Input {name} contains NaN.\n"
            f"Missing: {count} in {len(missing)} {of}: {_listed(missing)}. {kind} takes no missing "
            f"values; fill them, as by sklearn.impute.SimpleImputer, or use {other}, which takes "
            "them as they are"
        )
    if infinite := [(each.label, each.infinite) for each in found if each.infinite]:
        count = sum(number for _, number in infinite)
        return (
            f"Input {name} contains infinity or a value too large for dtype('float64').\n"
            f"Infinite: {count} in {len(infinite)} {of}: {_listed(infinite)}"
        )
    return None


def _listed(parts: list[tuple[str, Any]]) -> str:
    named = ", ".join(f"{label} ({what})" for label, what in parts[:_MOST_NAMED])
    more = len(parts) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _short(example: Any) -> str:
    text = repr(example) if isinstance(example, str | bytes) else str(example)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _columns(X: Any) -> Iterator[tuple[str, Array]]:
    """Yield how each column is called and what it holds; none of what has no two dimensions."""
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        for place, name in enumerate(X.columns):
            yield repr(name), np.asarray(X.iloc[:, place])
    elif hasattr(X, "column_names") and hasattr(X, "column"):
        for place, name in enumerate(X.column_names):
            yield repr(name), np.asarray(X.column(place))
    elif hasattr(X, "columns") and hasattr(X, "get_column"):
        for name in X.columns:
            yield repr(name), np.asarray(X.get_column(name))
    elif not hasattr(X, "tocsr"):
        try:
            # Of a list NumPy would make texts of all cells.
            array = np.asarray(X) if hasattr(X, "dtype") else np.asarray(X, dtype=object)
        except ValueError:
            return
        if array.ndim == 2:
            yield from ((str(place), column) for place, column in enumerate(array.T))


def _looked_at(label: str, values: Array) -> _Column:
    kind = values.dtype.kind
    if kind in "biu":
        return _Column(label)
    if kind in "fc":
        return _Column(label, None, int(np.isnan(values).sum()), int(np.isinf(values).sum()))
    if kind in "mM":
        known = values[~np.isnat(values)]
        return _Column(label, known[0] if len(known) else None, len(values) - len(known))
    cells = [cell for cell in values.tolist() if not _is_missing(cell)]
    example = next((cell for cell in cells if _is_text(cell)), None)
    return _Column(label, example, len(values) - len(cells))


def _is_missing(cell: Any) -> bool:
    if cell is None or type(cell).__name__ in _MISSING:
        return True
    return isinstance(cell, float) and cell != cell


def _is_text(cell: Any) -> bool:
    """Tell whether a cell is a text that is no number, or a date."""
    if isinstance(cell, str | bytes):
        try:
            float(cell)
        except ValueError:
            return True
        return False
    return hasattr(cell, "isoformat")
