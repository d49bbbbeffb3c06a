"""What y means: labels, columns of classes or numbers, as the output of the network decides."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.arrays import OwnsArrays
from ..common.checks import check_number, check_positive_int
from ..declarations.activations import TRAITS, Output
from ..declarations.losses import LOSSES
from .features import as_array, blocks, counted, find, finite_array

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..kernels.typing import Array

_SUM_TOLERANCE = 1e-4
_LISTED = 10


def target_encoder(activation: str, units: int, loss: str, dtype: DTypeLike) -> TargetEncoder:
    """Choose the reading of y that goes with an output layer.

    Parameters
    ----------
    activation : str
        Name of the output activation, which declares what it puts out. Classes: one a row.
        Probabilities: two classes where there is one unit, independent labels where there are
        several. Anything else: numbers.
    units : int
        Width of the output.
    loss : str
        Name of the loss, which declares the smallest number that it takes.
    dtype : float32 or float64
        The model's; the type of encoded numbers.
    """
    output = TRAITS[activation].output if activation in TRAITS else Output.NUMBERS
    kind: type[TargetEncoder] = RegressionTargets
    if output is Output.CLASSES:
        kind = MulticlassTargets
    elif output is Output.PROBABILITIES:
        kind = BinaryTargets if units == 1 else MultilabelTargets
    return kind(activation, units, loss, dtype)


class TargetEncoder(OwnsArrays, ABC):
    """Turns y into what the losses take, and outputs back into labels.

    Its attributes are never changed in place: ``copy.copy`` keeps its state for later.

    Attributes
    ----------
    task : str
        "binary", "multiclass", "multilabel" or "regression".
    activation, units, loss, dtype
        As given to `target_encoder`.
    classes : ndarray or None
        The labels in the order of their codes, in the type that y had; None before the first fit
        and where y has no labels.
    """

    task: str

    def __init__(self, activation: str, units: int, loss: str, dtype: DTypeLike) -> None:
        self.activation = activation
        self.units = units
        self.loss = loss
        self.dtype = np.dtype(dtype)
        self.classes: Array | None = None

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        if self.classes is not None:
            self.classes.flags.writeable = False

    def encode(self, y: object, n_rows: int, *, fit: bool) -> Array:
        """Check y and return it as the losses take it.

        The first call with ``fit`` settles what the labels are; later ones are held to them.
        Without ``fit`` nothing is remembered: an encoder that has seen no fit reads y as a first
        fit would. Nothing is remembered from a y that is refused.

        Parameters
        ----------
        y : array_like, shape (n_rows,), (n_rows, 1) or (n_rows, units)
        n_rows : int
            The rows of X.
        fit : bool

        Returns
        -------
        ndarray
            multiclass: int64 codes (n_rows,), or rows of probabilities (n_rows, units);
            else (n_rows, units). Numbers are C-contiguous and of the model's dtype. It may share
            memory with y.

        Raises
        ------
        TypeError
            y is of a type that is neither label nor number, or mixes types.
        ValueError
            y has another length or shape, missing values, labels that were not there at the
            first fit, or numbers that the output cannot mean.
        """
        values = _read(y, n_rows)
        classes = self._learn(values) if self.classes is None else self.classes
        encoded = self._encode(values, classes)
        if fit and classes.size:
            classes.flags.writeable = False
            self.classes = classes
        return encoded

    def decode(self, outputs: Array) -> Array:
        """Return the labels for outputs of the network.

        Parameters
        ----------
        outputs : ndarray, shape (n_rows, units)

        Returns
        -------
        ndarray
            binary and multiclass: labels (n_rows,) as y had them, column numbers where y was
            rows of probabilities; multilabel: 0 or 1, int64 (n_rows, units). An output of 0.5
            counts as the second class; of equal probabilities the first class wins.

        Raises
        ------
        ValueError
            The output means numbers, not classes.
        """
        return self._decode(outputs)

    def class_codes(self, encoded: Array) -> Array | None:
        """Return the class number of each encoded row; None where rows have no single class.

        A row of probabilities belongs to its most probable class.
        """
        return self._class_codes(encoded)

    def class_weights(
        self, class_weight: Mapping[Any, float] | str | None, encoded: Array
    ) -> Array | None:
        """Return the factor of each row that its class brings, float64 (n_rows,).

        Parameters
        ----------
        class_weight : mapping, "balanced" or None
            None gives None. Label to factor, where labels that are not named have factor 1; or
            ``n_rows / (k * count)``, k the number of classes that occur in these rows.
        encoded : ndarray
            What `encode` returned.

        Raises
        ------
        TypeError
            Neither a mapping nor a string, or a factor that is not a number.
        ValueError
            Unknown labels, negative factors, factors that leave no row with weight, another
            string; rows that have no single class.
        """
        if class_weight is None:
            return None
        codes = self.class_codes(encoded)
        if codes is None:
            raise ValueError(f"class_weight needs one class for each row; this is {self.task}")
        if isinstance(class_weight, str):
            if class_weight != "balanced":
                raise ValueError(f"class_weight must be a dict or 'balanced', got {class_weight!r}")
            counts = np.bincount(codes)
            present = np.count_nonzero(counts)
            balanced: Array = (codes.size / (present * np.maximum(counts, 1)))[codes]
            return balanced
        if not isinstance(class_weight, Mapping):
            raise TypeError(
                f"class_weight must be a dict or 'balanced', got {type(class_weight).__name__}"
            )
        weights: Array = self._factors(class_weight)[codes]
        if not weights.any():
            raise ValueError("class_weight is zero for every class that occurs in y")
        return weights

    def with_classes(self, classes: object) -> TargetEncoder:
        """Return this encoder for labels that are known before a fit.

        Parameters
        ----------
        classes : array_like, shape (k,)
            The label of each output, in their order, sorted or not; of one sigmoid unit the label
            of 0 and that of 1.

        Raises
        ------
        TypeError
            Labels of a type that is none, or of mixed types.
        ValueError
            The output means numbers or independent labels; another number of labels; labels that
            are missing or stand there twice.
        """
        expected = self._n_classes()
        if not expected:
            raise ValueError(
                "classes go with an output of softmax or of one sigmoid unit; this network ends in "
                f"{self.activation} with {self.units} units"
            )
        values = _without_coercion(classes, "classes")
        if values.shape != (expected,):
            raise ValueError(
                f"{self.activation} with {self.units} units takes {expected} classes, got "
                f"classes of shape {values.shape}"
            )
        try:
            labels = _labels(values).copy()
        except (TypeError, ValueError) as error:
            raise type(error)(f"classes: {error}") from None
        if np.unique(labels).size < labels.size:
            raise ValueError(f"classes must all be different, got {_listing(labels)}")
        labels.flags.writeable = False
        encoder = copy.copy(self)
        encoder.classes = labels
        return encoder

    def to_state(self) -> dict[str, Any]:
        """Return all that `from_state` needs, as JSON knows it."""
        return {
            "activation": self.activation,
            "units": self.units,
            "loss": self.loss,
            "dtype": self.dtype.name,
            "classes": None if self.classes is None else _classes_to_state(self.classes),
        }

    @staticmethod
    def from_state(state: Mapping[str, Any]) -> TargetEncoder:
        """Return the encoder whose `to_state` this is.

        Raises
        ------
        ValueError
            The state is none of this library's.
        """
        try:
            activation, loss, dtype = state["activation"], state["loss"], state["dtype"]
            if not isinstance(activation, str) or not isinstance(loss, str):
                raise TypeError("names that are no strings")
            if dtype not in ("float32", "float64"):
                raise ValueError(f"dtype {dtype!r}")
            units = check_positive_int("units", state["units"])
            encoder = target_encoder(activation, units, loss, dtype)
            if state["classes"] is not None:
                classes = _classes_from_state(state["classes"])
                if classes.size != encoder._n_classes():
                    raise ValueError(f"{classes.size} classes for {encoder.units} units")
                classes.flags.writeable = False
                encoder.classes = classes
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(f"damaged description of the targets: {error}") from error
        return encoder

    @abstractmethod
    def _encode(self, values: Array, classes: Array) -> Array: ...

    @abstractmethod
    def _decode(self, outputs: Array) -> Array: ...

    def _class_codes(self, encoded: Array) -> Array | None:
        return None

    def _learn(self, values: Array) -> Array:
        """Return the classes; none where y has no labels."""
        return np.empty(0, np.int64)

    def _n_classes(self) -> int:
        return 0

    def _known(self) -> Array:
        return np.arange(self._n_classes()) if self.classes is None else self.classes

    def _numbers(self, values: Array) -> Array:
        return np.ascontiguousarray(finite_array(values, self.dtype, "y"), self.dtype)

    def _check_columns(self, values: Array, meaning: str) -> None:
        if values.ndim != 2 or values.shape[1] != self.units:
            raise ValueError(
                f"{self.activation} with {self.units} units takes {meaning}, "
                f"got y of shape {values.shape}"
            )

    def _factors(self, class_weight: Mapping[Any, float]) -> Array:
        known = self._known()
        codes = {label: code for code, label in enumerate(known)}
        unknown = [label for label in class_weight if label not in codes]
        if unknown:
            raise ValueError(
                "class_weight has labels that the model does not know: "
                f"{', '.join(map(repr, unknown))}; it knows {_listing(known)}"
            )
        factors = np.ones(known.size)
        for label, factor in class_weight.items():
            factors[codes[label]] = check_number(f"class_weight[{label!r}]", factor, 0.0)
        return factors


class MulticlassTargets(TargetEncoder):
    """Softmax: a label, or a row of probabilities, for each row of X."""

    task = "multiclass"

    def _decode(self, outputs: Array) -> Array:
        labels: Array = self._known()[outputs.argmax(axis=1)]
        return labels

    def _class_codes(self, encoded: Array) -> Array:
        codes: Array = encoded if encoded.ndim == 1 else encoded.argmax(axis=1)
        return codes

    def _n_classes(self) -> int:
        return self.units

    def _learn(self, values: Array) -> Array:
        if values.ndim == 2:
            return np.arange(self.units)
        labels = _labels(values)
        if labels.dtype.kind == "b" and self.units == 2:
            return np.array([False, True])
        if labels.dtype.kind in "iuf" and _all_within(labels, self.units):
            return _class_numbers(self.units, labels.dtype)
        distinct = _distinct(labels)
        if distinct.size != self.units:
            numbers = f" or integers in 0..{self.units - 1}" if labels.dtype.kind in "iuf" else ""
            raise ValueError(
                f"softmax with {self.units} units takes {self.units} different labels{numbers}, "
                f"y has {distinct.size}: {_listing(distinct)}"
            )
        return distinct

    def _encode(self, values: Array, classes: Array) -> Array:
        if values.ndim == 1:
            return _codes(_labels(values), classes)
        self._check_columns(values, f"labels (n,) or probabilities (n, {self.units})")
        rows = self._numbers(values)
        _refuse_outside(rows, 0.0, np.inf, "probabilities in y must not be negative")
        sums = rows.sum(axis=1, dtype=np.float64)
        low, high = 1 - _SUM_TOLERANCE, 1 + _SUM_TOLERANCE
        _refuse_outside(sums, low, high, "the rows of y must sum to 1")
        return rows


class BinaryTargets(TargetEncoder):
    """One sigmoid unit: one of two labels, or the probability of 1, for each row of X."""

    task = "binary"

    def _decode(self, outputs: Array) -> Array:
        labels: Array = self._known()[self._class_codes(outputs)]
        return labels

    def _class_codes(self, encoded: Array) -> Array:
        codes: Array = (encoded[:, 0] >= 0.5).view(np.int8)
        return codes

    def _n_classes(self) -> int:
        return 2

    def _learn(self, values: Array) -> Array:
        labels = self._labels(values)
        if labels.dtype.kind == "b":
            return np.array([False, True])
        if labels.dtype.kind in "iuf":
            if _all_within(labels, 2):
                return np.array([0, 1], labels.dtype)
            if _are_probabilities(labels):
                return np.array([0, 1])
        distinct = _distinct(labels)
        if distinct.size != 2:
            raise ValueError(
                "one sigmoid unit takes two different labels, 0 and 1, or probabilities, "
                f"y has {distinct.size}: {_listing(distinct)}"
            )
        return distinct

    def _encode(self, values: Array, classes: Array) -> Array:
        labels = self._labels(values)
        if _is_range(classes) and _are_probabilities(labels):
            encoded = labels
        else:
            encoded = _codes(labels, classes)
        return np.ascontiguousarray(encoded, self.dtype).reshape(-1, 1)

    def _labels(self, values: Array) -> Array:
        if values.ndim != 1:
            raise ValueError(
                f"one sigmoid unit takes one label for each row, got y of shape {values.shape}; "
                f"for columns of classes end the network in {values.shape[1]} units"
            )
        return _labels(values)


class MultilabelTargets(TargetEncoder):
    """Several sigmoid units: a 0, a 1 or a probability for each row of X and unit."""

    task = "multilabel"

    def _decode(self, outputs: Array) -> Array:
        labels: Array = (outputs >= 0.5).astype(np.int64)
        return labels

    def _encode(self, values: Array, classes: Array) -> Array:
        hint = "; softmax takes one label for each row" if values.ndim == 1 else ""
        self._check_columns(values, f"0/1 columns (n, {self.units}){hint}")
        columns = self._numbers(values)
        _refuse_outside(columns, 0.0, 1.0, "y must be 0 or 1 (or between)")
        return columns


class RegressionTargets(TargetEncoder):
    """Any other output: a number for each row of X and unit."""

    task = "regression"

    def _decode(self, outputs: Array) -> Array:
        raise ValueError(
            "predict_classes needs a classifier: a network that ends in softmax or sigmoid, "
            f"not in {self.activation}; use predict"
        )

    def _encode(self, values: Array, classes: Array) -> Array:
        if values.dtype.kind in "UST":
            raise TypeError(
                f"y must be numbers for an output with activation {self.activation}, got "
                "strings; end the network in softmax or sigmoid to learn labels"
            )
        if values.ndim != 1 or self.units != 1:
            self._check_columns(values, f"numbers (n, {self.units})")
        numbers = self._numbers(values)
        least = LOSSES[self.loss].least_target if self.loss in LOSSES else -np.inf
        if least > -np.inf:
            _refuse_outside(numbers, least, np.inf, f"the {self.loss} loss takes y >= {least:g}")
        return numbers.reshape(-1, self.units)


def _read(y: object, n_rows: int) -> Array:
    """Return y as an array of n_rows rows, a single column as a one-dimensional one."""
    values = _without_coercion(y, "y")
    if values.ndim not in (1, 2):
        got = f"shape {values.shape}" if values.ndim else f"a single {type(y).__name__}"
        raise ValueError(f"y must have shape (n_rows,) or (n_rows, units), got {got}")
    if values.shape[0] != n_rows:
        raise ValueError(f"X has {n_rows} rows, but y has {values.shape[0]}")
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _without_coercion(given: object, name: str) -> Array:
    """Return an array in which what is no string has not become one."""
    values = as_array(given, name)
    if values.dtype.kind in "US" and isinstance(given, (list, tuple)):
        # NumPy has turned numbers and NaN among the strings into strings.
        objects = np.array(given, dtype=object)
        family = str if values.dtype.kind == "U" else bytes
        if not all(issubclass(kind, family) for kind in set(map(type, objects.flat))):
            return objects
    return values


def _labels(values: Array) -> Array:
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


def _refuse_outside(values: Array, low: float, high: float, rule: str) -> None:
    if values.min() < low or values.max() > high:
        bad = (values < low) | (values > high)
        first = np.unravel_index(int(bad.argmax()), bad.shape)
        column = f", column {first[1]}" if len(first) == 2 else ""
        rows = int(np.count_nonzero(bad.reshape(len(bad), -1).any(axis=1)))
        raise ValueError(
            f"{rule}: got {values[first]:g} in row {first[0]}{column} (counted from 0), "
            f"{counted(rows, 'such row')}"
        )


def _within(labels: Array, n_classes: int) -> Array:
    """Tell where labels are whole numbers in 0..n_classes-1."""
    # As an int64 the bound widens small dtypes that could not hold it.
    within: Array = (labels >= 0) & (labels < np.int64(n_classes))
    return within & (labels == np.floor(labels)) if labels.dtype.kind == "f" else within


def _all_within(labels: Array, n_classes: int) -> bool:
    """Tell whether all are, part by part: masks of all rows would take memory."""
    count, _ = find(labels, lambda block: ~_within(block, n_classes))
    return count == 0


def _distinct(labels: Array) -> Array:
    """Return the different labels, sorted: ``np.unique`` part by part, in little memory."""
    parts = [np.unique(block) for block in blocks(labels)]
    return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))


def _class_numbers(n_classes: int, dtype: np.dtype[Any]) -> Array:
    """Return 0..n_classes-1 in this dtype, in its widest relative where it is too small."""
    if dtype.kind == "f":
        fits = n_classes <= 2 ** (np.finfo(dtype).nmant + 1)
        return np.arange(n_classes).astype(dtype if fits else np.float64)
    fits = n_classes - 1 <= np.iinfo(dtype).max
    return np.arange(n_classes).astype(dtype if fits else np.int64)


def _are_probabilities(labels: Array) -> bool:
    return labels.dtype.kind == "f" and bool(labels.min() >= 0 and labels.max() <= 1)


def _is_range(classes: Array) -> bool:
    """Tell whether the classes are 0, 1, 2, ..."""
    return classes.dtype.kind in "biuf" and np.array_equal(classes, np.arange(classes.size))


def _codes(labels: Array, classes: Array) -> Array:
    """Return the place of each label among the classes, int64."""
    numeric = classes.dtype.kind in "biuf", labels.dtype.kind in "biuf"
    if not all(numeric) and classes.dtype.kind != labels.dtype.kind:
        raise _unseen(np.unique(labels), classes)
    if _is_range(classes):
        if not _all_within(labels, classes.size):
            raise _unseen(np.unique(labels[~_within(labels, classes.size)]), classes)
        return np.require(labels, np.int64, ("C", "A"))
    codes, unknown = np.empty(labels.size, np.int64), []
    order = classes.argsort()
    ordered = classes[order]
    for given, found in zip(blocks(labels), blocks(codes), strict=True):
        found[:] = order[np.minimum(np.searchsorted(ordered, given), classes.size - 1)]
        unknown.append(given[classes[found] != given])
    if any(map(len, unknown)):
        raise _unseen(np.unique(np.concatenate(unknown)), classes)
    return codes


def _unseen(unknown: Array, classes: Array) -> ValueError:
    return ValueError(
        f"y has labels that the model does not know: {_listing(unknown)}; "
        f"it knows {_listing(classes)}"
    )


def _listing(labels: Array) -> str:
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


def _classes_to_state(classes: Array) -> dict[str, Any]:
    kind = classes.dtype.kind
    values = _TO_JSON.get(kind, np.ndarray.tolist)(classes)
    return {"dtype": kind if kind in "US" else classes.dtype.str, "values": values}


def _classes_from_state(state: Mapping[str, Any]) -> Array:
    dtype, values = np.dtype(state["dtype"]), state["values"]
    if dtype.kind not in "biufUSMm" or (dtype.kind in "US" and dtype.itemsize):
        raise ValueError(f"labels of dtype {dtype}")
    if dtype.kind == "S":
        values = [value.encode("latin-1") for value in values]
    with np.errstate(over="ignore"):
        classes = np.array(values, _WIDEST.get(dtype.kind, dtype)).astype(dtype.newbyteorder("="))
    # What NumPy had to bend to fit the dtype does not come out again as it went in.
    if classes.ndim != 1 or _classes_to_state(classes)["values"] != state["values"]:
        raise ValueError(f"labels that are not of dtype {dtype}")
    if np.unique(classes).size < classes.size:
        raise ValueError("labels that are not all different")
    return classes
