"""The pictures that ``fastmlp train`` draws of what a model does with single columns."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .cli_report import predictions
from .preparation import CategoryColumn, Preparation, ScaledColumn

if TYPE_CHECKING:
    from .kernels.typing import Array
    from .model import Sequential
    from .preparation import Column

_POINTS = 200
_MOST_CATEGORIES = 30
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
    from matplotlib.figure import Figure

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

    figure = Figure(figsize=(4.8, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(_label(label))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    style: dict[str, Any] = {}
    if not isinstance(column, ScaledColumn):
        grid, style = list(map(_label, grid)), {"marker": "o", "ls": "none"}
        if len(grid) > 4:
            axes.tick_params("x", rotation=90)
    elif column.kind == "date":
        # matplotlib's dates are days since 1970, too.
        axes.xaxis_date()
        figure.autofmt_xdate()
    classes = preparation.target.classes
    if len(classes) > 2:
        axes.plot(grid, response.probabilities, label=list(map(_label, classes)), **style)
        axes.legend(title="class", frameon=False, fontsize="small")
        axes.set_ylabel("probability")
    elif classes:
        axes.plot(grid, response.probabilities[:, 1], **style)
        axes.set_ylabel(f"probability of {_label(classes[1])}")
    else:
        axes.plot(grid, response.values, **style)
        axes.set_ylabel(_label(preparation.target.name))
    with warnings.catch_warnings():
        # Signs that the font lacks are drawn as boxes, which the picture itself shows.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(path, dpi=150)


def _grid(column: Column | None, values: Array) -> Array:
    """The values to draw: a range of numbers, the most frequent categories, a constant's one."""
    if column is None:
        return values[:1]
    if isinstance(column, CategoryColumn):
        categories, counts = np.unique(values, return_counts=True)
        frequent: Array = categories[np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES]]
        return np.sort(frequent)
    return np.linspace(np.nanmin(values), np.nanmax(values), _POINTS)


def _label(value: Any) -> str:
    """A value or name as matplotlib shows it: short, and not taken for a formula."""
    if value == "" or value != value:
        return "(missing)"
    text = str(value)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return text.replace("$", r"\$")
