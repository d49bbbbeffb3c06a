"""A model's predictions and metrics as the command line shows and writes them."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..training.metrics import classification_details, regression_details, regression_metrics

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..tables.target import Target

_MOST_SHOWN = 12


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

    def table(self, target: Target, rows: Array, y: Array | None = None) -> dict[str, Array]:
        """Return columns for a CSV file: row numbers, targets where they are known, predictions."""
        columns = {"row": rows, **({} if y is None else {"target": y}), "prediction": self.values}
        for place, name in enumerate(target.classes):
            columns[f"probability_{name}"] = self.probabilities[:, place]
        return columns


def predictions(model: Sequential, target: Target, X: Array) -> Predictions:
    """Predict the rows of X."""
    outputs = model.predict(X)
    if not target.classes:
        return Predictions(outputs, target.inverse_transform(outputs), outputs[:, :0])
    probabilities = np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
    return Predictions(outputs, model.training_state.encoder().decode(outputs), probabilities)


def metrics(
    model: Sequential, target: Target, X: Array, y: Array, found: Predictions
) -> dict[str, Any]:
    """Return the metrics of the task by name; ``loss`` is that of training, of a scaled target."""
    scaled = target.transform(y)
    if not target.classes:
        loss = model.evaluate(X, scaled)["loss"]
        return {
            "loss": loss,
            **regression_metrics(y, found.values),
            **regression_details(y, found.values),
        }
    measured = model.evaluate(X, scaled)
    assert model.classes is not None
    indices = np.searchsorted(model.classes, y)
    return {**measured, **classification_details(indices, found.outputs)}


def numbers(measured: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that are a number."""
    return {name: value for name, value in measured.items() if not isinstance(value, list)}


def to_json(value: Any) -> Any:
    """Return values as JSON has them: NaN becomes None."""
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write a JSON file."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(to_json(value), file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def write_csv(file: Any, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table to a file that is open for text."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


def write_columns(file: Any, columns: Mapping[str, Array]) -> None:
    """Write a table to a file that is open for text, column by column."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    write_csv(file, list(columns), rows)


def print_metrics(parts: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the metrics of some parts of the rows beside each other."""
    found = [numbers(measured) for measured in parts.values()]
    names = list(dict.fromkeys(name for measured in found for name in measured))
    cells = [[_shown(measured.get(name, math.nan)) for measured in found] for name in names]
    print_table(names, list(parts), cells)


def print_confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    """Print how often each class was taken for which, where there are not too many."""
    if len(classes) <= _MOST_SHOWN:
        print("confusion matrix (a line for each right class, a column for each predicted one)")
        print_table(classes, classes, [list(map(str, row)) for row in matrix])


def print_table(
    names: Sequence[str], header: Sequence[str], cells: Sequence[Sequence[str]]
) -> None:
    """Print rows, each with its name before it, below a header."""
    first = max(map(len, names), default=0)
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    for name, row in zip(["", *names], [header, *cells], strict=True):
        texts = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join([name.ljust(first), *texts]))


def _shown(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value:.4g}"
