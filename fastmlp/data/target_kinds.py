"""The kinds of targets: one class a row, two classes, independent labels, numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_number, check_positive_int
from .features import counted
from .labels import (
    all_within,
    are_probabilities,
    class_indices,
    class_numbers,
    classes_from_state,
    distinct_labels,
    is_range,
    listing,
    read_labels,
)
from .targets import TargetEncoder

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..kernels.typing import Array

_SUM_TOLERANCE = 1e-4


class MulticlassTargets(TargetEncoder):
    """Softmax: a label, or a row of probabilities, for each row of X."""

    task = "multiclass"

    def _decode(self, outputs: Array) -> Array:
        labels: Array = self._known()[outputs.argmax(axis=1)]
        return labels

    def _class_indices(self, encoded: Array) -> Array:
        indices: Array = encoded if encoded.ndim == 1 else encoded.argmax(axis=1)
        return indices

    @property
    def n_classes(self) -> int:
        return self.units

    def _learn(self, values: Array) -> Array:
        if values.ndim == 2:
            return np.arange(self.units)
        labels = read_labels(values)
        if labels.dtype.kind == "b" and self.units == 2:
            return np.array([False, True])
        if labels.dtype.kind in "iuf" and all_within(labels, self.units):
            return class_numbers(self.units, labels.dtype)
        distinct = distinct_labels(labels)
        if distinct.size != self.units:
            numbers = f" or integers in 0..{self.units - 1}" if labels.dtype.kind in "iuf" else ""
            raise ValueError(
                f"softmax with {self.units} units takes {self.units} different labels{numbers}, "
                f"y has {distinct.size}: {listing(distinct)}"
            )
        return distinct

    def _encode(self, values: Array, classes: Array) -> Array:
        if values.ndim == 1:
            return class_indices(read_labels(values), classes)
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
        labels: Array = self._known()[self._class_indices(outputs)]
        return labels

    def _class_indices(self, encoded: Array) -> Array:
        indices: Array = (encoded[:, 0] >= 0.5).view(np.int8)
        return indices

    @property
    def n_classes(self) -> int:
        return 2

    def _learn(self, values: Array) -> Array:
        labels = self._labels(values)
        if labels.dtype.kind == "b":
            return np.array([False, True])
        if labels.dtype.kind in "iuf":
            if all_within(labels, 2):
                return np.array([0, 1], labels.dtype)
            if are_probabilities(labels):
                return np.array([0, 1])
        distinct = distinct_labels(labels)
        if distinct.size != 2:
            raise ValueError(
                "one sigmoid unit takes two different labels, 0 and 1, or probabilities, "
                f"y has {distinct.size}: {listing(distinct)}"
            )
        return distinct

    def _encode(self, values: Array, classes: Array) -> Array:
        labels = self._labels(values)
        if is_range(classes) and are_probabilities(labels):
            encoded = labels
        else:
            encoded = class_indices(labels, classes)
        return np.ascontiguousarray(encoded, self.dtype).reshape(-1, 1)

    def _labels(self, values: Array) -> Array:
        if values.ndim != 1:
            raise ValueError(
                f"one sigmoid unit takes one label for each row, got y of shape {values.shape}; "
                f"for columns of classes end the network in {values.shape[1]} units"
            )
        return read_labels(values)


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
        if self.least_target > -math.inf:
            rule = f"the {self.loss} loss takes y >= {self.least_target:g}"
            _refuse_outside(numbers, self.least_target, np.inf, rule)
        return numbers.reshape(-1, self.units)


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


_KINDS: dict[str, type[TargetEncoder]] = {
    kind.task: kind
    for kind in (MulticlassTargets, BinaryTargets, MultilabelTargets, RegressionTargets)
}


def target_encoder(
    task: str,
    activation: str,
    units: int,
    loss: str,
    dtype: DTypeLike,
    least_target: float = -math.inf,
) -> TargetEncoder:
    """Make the reading of y that goes with a task.

    Parameters
    ----------
    task : str
        "multiclass": one class a row. "binary": two classes, by one unit. "multilabel": independent
        labels. "regression": numbers.
    activation, loss : str
        Names of the output activation and of the loss, for messages.
    units : int
        Width of the output.
    dtype : float32 or float64
        The model's; the type of encoded numbers.
    least_target : float
        The smallest number that the loss takes.
    """
    return _KINDS[task](activation, units, loss, dtype, least_target)


def encoder_from_state(state: Mapping[str, Any]) -> TargetEncoder:
    """Return the encoder whose `TargetEncoder.to_state` this is.

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
        task = state.get("task") or _task_of_an_earlier_file(activation, units)
        least = state.get("least_target")
        least_target = -math.inf if least is None else check_number("least_target", least)
        encoder = target_encoder(task, activation, units, loss, dtype, least_target)
        if state["classes"] is not None:
            classes = classes_from_state(state["classes"])
            if classes.size != encoder.n_classes:
                raise ValueError(f"{classes.size} classes for {encoder.units} units")
            classes.flags.writeable = False
            encoder.classes = classes
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"damaged description of the targets: {error}") from error
    return encoder


def _task_of_an_earlier_file(activation: str, units: int) -> str:
    """Files told the task by the activation's name before they told it by its own."""
    if activation == "softmax":
        return "multiclass"
    if activation == "sigmoid":
        return "binary" if units == 1 else "multilabel"
    return "regression"
