"""What an estimator is given as y: labels or numbers, with gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tables.target import Target
from ..tables.target_notes import note_of_missing
from ..tables.target_rows import find_target

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tables.notes import Note

_NAME = "target"

__all__ = ["Given", "labels_in", "name_of", "numbers_in", "target_of_labels", "values_of"]


@dataclass(frozen=True, eq=False)
class Given:
    """The rows of y that hold something.

    Attributes
    ----------
    y : ndarray, shape (n,)
        Labels, or float64.
    rows : ndarray of int, shape (n,)
        Their places.
    notes : tuple of Note
    """

    y: Array
    rows: Array
    notes: tuple[Note, ...] = ()


def name_of(y: Any, columns: tuple[str, ...]) -> str:
    """The name of a series, if it has one that is no column's."""
    name = getattr(y, "name", None)
    if name is None and hasattr(y, "columns") and len(y.columns) == 1:
        name = y.columns[0]
    name = _NAME if name is None or not str(name) else str(name)
    while name in columns:
        name += "_"
    return name


def values_of(y: Any) -> Array:
    """Return y as an array: of a series of whichever library, objects where it has gaps."""
    if isinstance(y, np.ndarray):
        return y
    if hasattr(y, "to_pylist"):
        return _objects(y.to_pylist())
    if hasattr(y, "to_numpy") and (hasattr(y, "dtype") or hasattr(y, "columns")):
        found: Array = y.to_numpy()
        plain = found.dtype.kind in "iufb" or found.ndim != 1
        return found if plain else _objects((y.to_list if hasattr(y, "to_list") else y.tolist)())
    if isinstance(y, list | tuple) and {str} < {type(value) for value in y}:
        # NumPy would make a text of None.
        return _objects(y)
    return np.asarray(y)


def values_of_column(y: Any) -> Array:
    """What one column holds, `(n,)`, a column of two dimensions too."""
    values = values_of(y)
    if values.ndim != 1:
        # It takes some milliseconds to import, which y of one dimension does not need.
        from sklearn.utils import column_or_1d

        values = column_or_1d(values, warn=True)
    if values.dtype.kind == "c":
        raise ValueError("Complex data not supported: y holds complex numbers")
    return values


def labels_in(y: Array, name: str) -> Given:
    """Return the labels among values that may be missing.

    Raises
    ------
    ValueError
        There are none, or one is infinite.
    """
    given = _present(y, name)
    labels = given.y
    if labels.dtype == object:
        kinds = {type(label) for label in labels}
        if not any(issubclass(kind, str) for kind in kinds):
            # Booleans and numbers that stood beside gaps.
            labels = np.array(labels.tolist())
    _refuse_infinite(labels)
    return Given(labels, given.rows, given.notes)


def numbers_in(y: Array, name: str) -> Given:
    """Return the numbers among values that may be missing, or are written as texts.

    Raises
    ------
    ValueError
        There are none, or one is infinite.
    """
    if y.dtype.kind in "OUS":
        given = _present(y, name)
        if all(isinstance(value, str | bytes) for value in given.y):
            return _written_numbers(y, name)
        try:
            numbers = given.y.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"the target {name!r} holds what is no number: {error}") from None
        given = Given(numbers, given.rows, given.notes)
    else:
        given = _present(y, name)
    numbers = given.y.astype(np.float64)
    _refuse_infinite(numbers)
    return Given(numbers, given.rows, given.notes)


def _written_numbers(y: Array, name: str) -> Given:
    """Return the numbers that texts hold."""
    try:
        found = find_target({name: y.astype(object)}, name, "regression")
    except ValueError as error:
        told = str(error).replace("use --task classification", "TabularClassifier takes classes")
        raise ValueError(told) from None
    return Given(found.y, found.rows, found.notes)


def target_of_labels(name: str, classes: Array, missing: int) -> Target:
    """The target of sorted labels, whose classes are named as they are written."""
    kind = {"b": "boolean", "i": "number", "u": "number", "f": "number"}
    names = tuple(str(label) for label in classes.tolist())
    found = kind.get(classes.dtype.kind, "category")
    return Target(name, found, names, missing=missing, distinct=len(names))


def _objects(values: Any) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


def _present(y: Array, name: str) -> Given:
    missing = _is_missing(y)
    rows = np.flatnonzero(~missing)
    if not len(rows):
        raise ValueError(f"the target {name!r} is missing in every row; Input y contains NaN.")
    if not missing.any():
        return Given(y, rows)
    note = note_of_missing(name, int(missing.sum()), len(y))
    return Given(y[rows], rows, (note,))


def _is_missing(y: Array) -> Array:
    if y.dtype.kind == "f":
        return np.isnan(y)
    if y.dtype != object:
        return np.zeros(len(y), bool)
    return np.fromiter((_is_gap(value) for value in y), bool, len(y))


def _is_gap(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and value != value


def _refuse_infinite(y: Array) -> None:
    if y.dtype.kind == "f" and np.isinf(y).any():
        raise ValueError(
            f"Input y contains infinity or a value too large for {y.dtype!r}; take such rows out"
        )
