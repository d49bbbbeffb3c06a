"""A model's predictions and metrics as the command line shows and writes them."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.atomic_file import atomic_text
from ..training.metrics import (
    classification_details,
    classification_metrics,
    regression_details,
    regression_metrics,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from ..kernels.typing import Array
    from ..tables.target import Target
    from ..tabular.outputs import Predictions

_MOST_SHOWN = 12
_FEW, _LONGEST = 5, 16


def metrics(
    target: Target, labels: Array | None, y: Array, found: Predictions, loss: float | None = None
) -> dict[str, Any]:
    """Return the metrics of the task by name.

    Parameters
    ----------
    labels : ndarray, shape (n_classes,), or None
        As for `of_outputs`.
    y : ndarray, shape (n,)
        The right labels or numbers.
    loss : float, optional
        That of the training, of a scaled target; without it, its data's part: the log loss, or the
        mean squared error of the scaled target.
    """
    measured: dict[str, Any]
    if not target.classes:
        if loss is None:
            learned = target.transform(y) - found.outputs[:, 0].astype(np.float64)
            loss = float(np.mean(learned**2))
        measured = {**regression_metrics(y, found.values), **regression_details(y, found.values)}
    else:
        assert labels is not None
        codes = np.searchsorted(labels, y)
        task = "binary" if found.outputs.shape[1] == 1 else "multiclass"
        measured = classification_metrics(task, codes, found.outputs)
        measured |= classification_details(codes, found.outputs)
        if loss is None:
            loss = measured["log_loss"]
    return {"loss": loss, **measured}


def undefined(measured: Mapping[str, Any], target: Target, labels: Array | None, y: Array) -> str:
    """Why a metric of some rows cannot be had; empty where all can."""
    names = [name for name, value in numbers(measured).items() if math.isnan(value)]
    if not names:
        return ""
    reason = "there is only one row, or all have the same value"
    if target.classes:
        assert labels is not None
        lost = [name for name, label in zip(target.classes, labels, strict=True) if label not in y]
        shown = ", ".join(lost[:_FEW]) + (", ..." if len(lost) > _FEW else "")
        reason = f"none of these rows is of the class {shown}"
    return f"{', '.join(names)} cannot be had: {reason}"


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
    with atomic_text(path, "json") as file:
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


def brief(measured: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers without averages by weight, which repeat others or say little beside."""
    return {
        name: value for name, value in numbers(measured).items() if not name.endswith("_weighted")
    }


def print_metrics(parts: Mapping[str, Mapping[str, float]]) -> None:
    """Print the metrics of some parts of the rows beside each other.

    Parameters
    ----------
    parts : mapping
        From the heading of a column, of one line or more, to numbers by their names.
    """
    names = list(dict.fromkeys(name for measured in parts.values() for name in measured))
    cells = [[_shown(part.get(name, math.nan)) for part in parts.values()] for name in names]
    print_table(names, list(parts), cells)


def print_confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    """Print how often each class was taken for which, where there are not too many of them."""
    if len(classes) <= _MOST_SHOWN:
        print("\nconfusion matrix (a line for each right class, a column for each predicted one)")
        names = [shorten(" ".join(name.split()), _LONGEST) for name in classes]
        print_table(names, names, [list(map(str, row)) for row in matrix])


def shorten(text: str, longest: int) -> str:
    """Cut a text after so many letters."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def print_table(
    names: Sequence[str], header: Sequence[str], cells: Sequence[Sequence[str]]
) -> None:
    """Print rows, each with its name before it, below a header of one line or more."""
    heads = [head.split("\n") for head in header]
    height = max(map(len, heads), default=1)
    heads = [[""] * (height - len(head)) + head for head in heads]
    lines = [list(line) for line in zip(*heads, strict=True)]
    first = max(map(len, names), default=0)
    widths = [max(map(len, column)) for column in zip(*lines, *cells, strict=True)]
    for name, row in zip([*[""] * height, *names], [*lines, *cells], strict=True):
        texts = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join([name.ljust(first), *texts]).rstrip())


def _shown(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value:.4g}"
