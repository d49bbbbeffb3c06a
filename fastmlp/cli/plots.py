"""The pictures that ``fastmlp train`` draws of a model's predictions."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ..inspection.axes import SIZE, tidy
from ..inspection.plots_results import plot_confusion_matrix, plot_predictions
from ..tables.columns import CategoryColumn
from ..tables.preparation import Preparation
from .report import predictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..tables.columns import Column
    from ..tables.target import Target

_POINTS = 200
_MOST_CATEGORIES = 30
_MOST_CLASSES = 12
_LONGEST = 60


def draw_response(
    path: str | os.PathLike[str],
    model: Sequential,
    preparation: Preparation,
    name: str,
    values: Array,
    X: Array,
) -> None:
    """Draw the prediction over the values of one column, all others at their means.

    Parameters
    ----------
    path : str or path-like
        Of the picture.
    name : str
        The column.
    values : ndarray, shape (n,)
        Those of the column in the training rows, as `Preparation.matrix` takes them.
    X : ndarray, shape (n, n_features)
        What the network reads of the training rows.
    """
    found = {column.name: column for column in preparation.columns}
    column, place = found.get(name), preparation.place(name)
    grid: Any = _grid(column, values)
    label = name
    if column is None:
        label = f"{name} (the same in all training rows)"
    elif isinstance(column, CategoryColumn) and len(grid) < len(column.categories):
        label = f"{name} (the {len(grid)} most frequent of {len(column.categories)})"
    at_means = np.repeat(X.mean(axis=0, keepdims=True), len(grid), axis=0)
    if column is not None:
        column.write(grid, at_means[:, place])
    response = predictions(model, preparation.target, at_means)

    axes = _axes(SIZE)
    style: dict[str, Any] = {}
    if column is None or isinstance(column, CategoryColumn):
        grid, style = list(map(_label, grid)), {"marker": "o", "ls": "none"}
        if len(grid) > 4:
            axes.tick_params("x", rotation=90)
    elif column.kind == "date":
        # matplotlib's dates are days since 1970, too.
        axes.xaxis_date()
        axes.figure.autofmt_xdate()
    classes = preparation.target.classes
    if len(classes) > 2:
        axes.plot(grid, response.probabilities, label=list(map(_label, classes)), **style)
        if len(classes) <= _MOST_CLASSES:
            axes.legend(title="class", frameon=False, fontsize="small")
        tidy(axes, _label(label), "probability")
    elif classes:
        axes.plot(grid, response.probabilities[:, 1], **style)
        tidy(axes, _label(label), f"probability of {_label(classes[1])}")
    else:
        axes.plot(grid, response.values, **style)
        tidy(axes, _label(label), _label(preparation.target.name))
    _save(axes, path)


def draw_confusion(
    path: str | os.PathLike[str], matrix: Sequence[Sequence[int]], target: Target
) -> None:
    """Draw how often each class was taken for which.

    Parameters
    ----------
    path : str or path-like
        Of the picture.
    matrix : list of lists of int
        As `metrics.classification_details` gives it.
    target : Target
    """
    names = np.array([_escaped(name) for name in target.classes])
    right, found = np.indices((len(names), len(names))).reshape(2, -1)
    times = np.ravel(matrix)
    side = min(9.0, max(3.6, 0.45 * len(names) + 1.6))
    axes = _axes((side + 1.8, side))
    plot_confusion_matrix(names[np.repeat(right, times)], names[np.repeat(found, times)], ax=axes)
    _save(axes, path)


def draw_predictions(path: str | os.PathLike[str], y: Array, found: Array) -> None:
    """Draw predicted over right numbers, both ``(n,)``."""
    _save(plot_predictions(y, found, ax=_axes(SIZE)), path)


def _axes(size: tuple[float, float]) -> Any:
    """Make axes of a figure of their own, which pyplot does not know of."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").subplots()


def _save(axes: Any, path: str | os.PathLike[str]) -> None:
    with warnings.catch_warnings():
        # Signs that the font lacks are drawn as boxes, which the picture itself shows.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        axes.figure.savefig(path, dpi=150)


def _grid(column: Column | None, values: Array) -> Array:
    """Return the values to draw: a range of numbers, the most frequent categories, a constant."""
    if column is None:
        return values[:1]
    if isinstance(column, CategoryColumn):
        categories, counts = np.unique(values, return_counts=True)
        frequent: Array = categories[np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES]]
        return np.sort(frequent)
    return np.linspace(np.nanmin(values), np.nanmax(values), _POINTS)


def _label(value: Any) -> str:
    """Return a value or name as matplotlib shows it: short, and not taken for a formula."""
    if value == "" or value != value:
        return "(missing)"
    text = str(value)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return _escaped(text)


def _escaped(text: str) -> str:
    return text.replace("$", r"\$")
