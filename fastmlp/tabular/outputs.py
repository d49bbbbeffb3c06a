"""What a network says of rows, in the terms of its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..tables.target import Target
    from .model import TableModel

__all__ = ["Predictions", "of_outputs", "predictions", "probabilities_of"]


@dataclass(frozen=True)
class Predictions:
    """A model's predictions for some rows, in the terms of its target.

    Attributes
    ----------
    outputs : ndarray, shape (n, units)
        The network's.
    values : ndarray, shape (n,)
        Labels, or numbers in the target's units.
    probabilities : ndarray, shape (n, n_classes)
        Without columns for a regression.
    """

    outputs: Array
    values: Array
    probabilities: Array

    def table(
        self,
        target: Target,
        rows: Array,
        y: Array | None = None,
        ids: Mapping[str, Array] | None = None,
    ) -> dict[str, Array]:
        """Return columns for a CSV file.

        They are row numbers, columns that are carried along, targets where they are known, and
        predictions.
        """
        own = {"row": rows, **({} if y is None else {"target": y}), "prediction": self.values}
        columns = {"row": rows}
        for name, values in (ids or {}).items():
            columns[f"{name} (id)" if name in own else name] = values
        columns |= own
        for place, name in enumerate(target.classes):
            columns[f"probability_{name}"] = self.probabilities[:, place]
        return columns


def of_outputs(target: Target, labels: Array | None, outputs: Array) -> Predictions:
    """What outputs say in the terms of a target.

    Parameters
    ----------
    labels : ndarray, shape (n_classes,), or None
        The labels in the order of the classes.
    outputs : ndarray, shape (n, units)
    """
    if not target.classes:
        return Predictions(outputs, target.inverse_transform(outputs), outputs[:, :0])
    assert labels is not None
    probabilities = np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
    # Of one unit, a half counts as the second class.
    places = outputs[:, 0] >= 0.5 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
    return Predictions(outputs, labels[places.astype(np.int64)], probabilities)


def predictions(model: Sequential | TableModel, target: Target, X: Array) -> Predictions:
    """Predict the rows of X."""
    return of_outputs(target, model.classes, model.predict(X))


def probabilities_of(outputs: Array) -> Array:
    """Probabilities of all classes, float64 rows that sum to 1, from what a network says."""
    found = outputs.astype(np.float64)
    if found.shape[1] == 1:
        return np.hstack([1 - found, found])
    found /= found.sum(axis=1, keepdims=True)
    return found
