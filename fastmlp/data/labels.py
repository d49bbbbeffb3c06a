"""Labels as users have them: read into one sortable dtype, found among classes, put into JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .features import as_array, blocks, counted, find

if TYPE_CHECKING:
    from ..kernels.typing import Array

_LISTED = 10


def without_coercion(given: object, name: str) -> Array:
    """Return an array in which what is no string has not become one."""
    values = as_array(given, name)
    if values.dtype.kind in "US" and isinstance(given, (list, tuple)):
        # NumPy has turned numbers and NaN among the strings into strings.
        objects = np.array(given, dtype=object)
        family = str if values.dtype.kind == "U" else bytes
        if not all(issubclass(kind, family) for kind in set(map(type, objects.flat))):
            return objects
    return values


def read_labels(values: Array) -> Array:
    """Return labels of one sortable dtype in native byte order, none missing."""
    if values.dtype.kind in "OT":
        values = _labels_from_objects(values.astype(object, copy=False))
    kind = values.dtype.kind
    if kind not in "biufUSMm":
        raise TypeError(f"labels in y must be numbers, booleans, strings or dates, got {kind!r}")
    if kind == "f":
        _refuse_missing(values, lambda block: ~np.isfinite(block))
    elif kind in "Mm":
        _refuse_missing(values, np.isnat)
    if values.dtype == np.longdouble:
        values = values.astype(np.float64)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _labels_from_objects(values: Array) -> Array:
    _refuse_missing(
        values, lambda block: np.fromiter(map(_is_missing, block), np.bool_, block.size)
    )
    types = set(map(type, values))
    families: tuple[tuple[Any, Any], ...] = (
        (str, np.str_),
        (bytes, np.bytes_),
        ((bool, np.bool_), np.bool_),
        ((int, np.integer), None),
        ((int, float, np.integer, np.floating), np.float64),
        (np.datetime64, None),
    )
    mixed = bool in types and len(types) > 1 and types != {bool, np.bool_}
    for family, dtype in families:
        if not mixed and all(issubclass(kind, family) for kind in types):
            labels = np.array(values.tolist(), dtype)
            if labels.dtype.kind == "O":
                raise TypeError("labels in y must be integers of at most 64 bits")
            return labels
    names = ", ".join(sorted(kind.__name__ for kind in types))
    raise TypeError(
        f"labels in y must all be numbers, all booleans, all strings or all dates, got {names}"
    )


def _is_missing(value: Any) -> bool:
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):
        # Comparing pandas.NA gives NA, which has no truth value.
        return True


def _refuse_missing(values: Array, missing: Callable[[Array], Array]) -> None:
    count, first = find(values, missing)
    if count:
        raise ValueError(
            f"y has missing labels (NaN, None or infinity): {counted(count)}, the first in "
            f"row {first} (counted from 0); remove these rows"
        )


def _within(labels: Array, n_classes: int) -> Array:
    """Tell where labels are whole numbers in 0..n_classes-1."""
    # As an int64 the bound widens small dtypes that could not hold it.
    within: Array = (labels >= 0) & (labels < np.int64(n_classes))
    return within & (labels == np.floor(labels)) if labels.dtype.kind == "f" else within


def all_within(labels: Array, n_classes: int) -> bool:
    """Tell whether all are, part by part: masks of all rows would take memory."""
    count, _ = find(labels, lambda block: ~_within(block, n_classes))
    return count == 0


def distinct_labels(labels: Array) -> Array:
    """Return the different labels, sorted: ``np.unique`` part by part, in little memory."""
    parts = [np.unique(block) for block in blocks(labels)]
    return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))


def class_numbers(n_classes: int, dtype: np.dtype[Any]) -> Array:
    """Return 0..n_classes-1 in this dtype, in its widest relative where it is too small."""
    if dtype.kind == "f":
        fits = n_classes <= 2 ** (np.finfo(dtype).nmant + 1)
        return np.arange(n_classes).astype(dtype if fits else np.float64)
    fits = n_classes - 1 <= np.iinfo(dtype).max
    return np.arange(n_classes).astype(dtype if fits else np.int64)


def are_probabilities(labels: Array) -> bool:
    """Tell whether all labels are fractional numbers from 0 to 1."""
    return labels.dtype.kind == "f" and bool(labels.min() >= 0 and labels.max() <= 1)


def is_range(classes: Array) -> bool:
    """Tell whether the classes are 0, 1, 2, ..."""
    return classes.dtype.kind in "biuf" and np.array_equal(classes, np.arange(classes.size))


def class_indices(labels: Array, classes: Array) -> Array:
    """Return the index of each label among the classes, int64."""
    numeric = classes.dtype.kind in "biuf", labels.dtype.kind in "biuf"
    if not all(numeric) and classes.dtype.kind != labels.dtype.kind:
        raise _unseen(np.unique(labels), classes)
    if is_range(classes):
        if not all_within(labels, classes.size):
            raise _unseen(np.unique(labels[~_within(labels, classes.size)]), classes)
        return np.require(labels, np.int64, ("C", "A"))
    indices, unknown = np.empty(labels.size, np.int64), []
    order = classes.argsort()
    ordered = classes[order]
    for given, found in zip(blocks(labels), blocks(indices), strict=True):
        found[:] = order[np.minimum(np.searchsorted(ordered, given), classes.size - 1)]
        unknown.append(given[classes[found] != given])
    if any(map(len, unknown)):
        raise _unseen(np.unique(np.concatenate(unknown)), classes)
    return indices


def _unseen(unknown: Array, classes: Array) -> ValueError:
    return ValueError(
        f"y has labels that the model does not know: {listing(unknown)}; "
        f"it knows {listing(classes)}"
    )


def listing(labels: Array) -> str:
    """Return the first labels in words, and how many there are."""
    shown = labels[:_LISTED]
    words = map(str, shown) if labels.dtype.kind in "Mm" else map(repr, shown.tolist())
    more = f", ... ({labels.size} in all)" if labels.size > _LISTED else ""
    return ", ".join(words) + more


_TO_JSON: dict[str, Callable[[Array], list[Any]]] = {
    "S": lambda classes: [label.decode("latin-1") for label in classes.tolist()],
    "M": lambda classes: classes.astype(np.int64).tolist(),
    "m": lambda classes: classes.astype(np.int64).tolist(),
}

_WIDEST: dict[str, Any] = {
    "i": np.int64,
    "u": np.uint64,
    "f": np.float64,
    "M": np.int64,
    "m": np.int64,
}


_DTYPE = re.compile(r"[US]|[<>|=][biufUSMmO][0-9]*(\[[0-9a-zA-Z]+\])?")
_MOST_BYTES = 2**24


def named_dtype(name: object) -> np.dtype[Any]:
    """Return the dtype of labels that a file names, as ``dtype.str`` has it.

    Raises
    ------
    TypeError, ValueError
        It names none: NumPy takes much more for one, and warns of some of it.
    """
    if not isinstance(name, str) or not _DTYPE.fullmatch(name):
        raise ValueError(f"labels of dtype {name!r}")
    return np.dtype(name)


def _check_lengths(lengths: list[int]) -> None:
    """Refuse texts of which few are so long that all, padded to that, would take the memory."""
    size = 4 * len(lengths) * max(lengths, default=0)
    if size > _MOST_BYTES + 32 * sum(lengths):
        raise ValueError(f"{len(lengths)} labels, of which one has {max(lengths)} letters")


def classes_to_state(classes: Array) -> dict[str, Any]:
    """Return labels as JSON knows them, with their dtype."""
    kind = classes.dtype.kind
    values = _TO_JSON.get(kind, np.ndarray.tolist)(classes)
    return {"dtype": kind if kind in "US" else classes.dtype.str, "values": values}


def classes_from_state(state: Mapping[str, Any]) -> Array:
    """Return the labels whose `classes_to_state` this is.

    Raises
    ------
    AttributeError, KeyError, OverflowError, TypeError, ValueError
        The state is none of this library's.
    """
    dtype, values = named_dtype(state["dtype"]), state["values"]
    if dtype.kind == "O" or (dtype.kind in "US" and dtype.itemsize):
        raise ValueError(f"labels of dtype {dtype}")
    if dtype.kind in "US":
        _check_lengths([len(value) for value in values])
    if dtype.kind == "S":
        values = [value.encode("latin-1") for value in values]
    with np.errstate(over="ignore"):
        classes = np.array(values, _WIDEST.get(dtype.kind, dtype)).astype(dtype.newbyteorder("="))
    # What NumPy had to bend to fit the dtype does not come out again as it went in.
    if classes.ndim != 1 or classes_to_state(classes)["values"] != state["values"]:
        raise ValueError(f"labels that are not of dtype {dtype}")
    if np.unique(classes).size < classes.size:
        raise ValueError("labels that are not all different")
    return classes
