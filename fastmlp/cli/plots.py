"""The pictures that ``fastmlp train`` draws of a model's predictions."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.atomic_file import save_figure
from ..inspection.axes import (
    SIZE,
    distinct_colors,
    legend_above,
    legend_beside,
    on_one_line,
    readable_thousands,
    tidy,
    wrapped,
)
from ..inspection.plots_network import plot_learning_curves
from ..inspection.plots_results import confusion_size, plot_confusion_matrix, plot_predictions
from ..tables.columns import CategoryColumn
from ..tabular.outputs import predictions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

    from ..kernels.typing import Array
    from ..tables.columns import Column
    from ..tables.target import Target
    from ..tabular.model import TableModel
    from ..training.history import History

_POINTS = 200
_MOST_CATEGORIES = 30
# Classes that all have a color; of more, so many.
_MOST_CLASSES, _MOST_NAMED = 12, 10
_DPI = 120
# Letters of names below an axis that stand side by side, and the width of one in inches.
_LETTERS, _LETTER = 40, 0.075
# Up to so many names below an axis are so large.
_SIZES = ((12, "medium"), (20, "small"), (_MOST_CATEGORIES, "x-small"))
# Letters of a line of an axis's label.
_LABEL = 36
_TEST = "test rows"


def import_matplotlib() -> None:
    """Import what draws, which a thread may do; an error is left to the first picture."""
    with _silent(), suppress(Exception):
        import_module("matplotlib.figure")
        import_module("matplotlib.backends.backend_agg")


def draw_response(
    path: str | os.PathLike[str],
    model: TableModel,
    name: str,
    values: Array,
    X: Array,
) -> None:
    """Draw the prediction over the values of one column, all others at their means.

    Parameters
    ----------
    path : str or path-like
        Of the picture.
    model : TableModel
    name : str
        The column.
    values : ndarray, shape (n,)
        Those of the column in the training rows, as `Preparation.matrix` takes them.
    X : ndarray, shape (n, n_features)
        What the network reads of the training rows.
    """
    preparation = model.preparation
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
        _name_ticks(axes, ["(missing)" if v == "" or v != v else str(v) for v in grid])
        grid, style = np.arange(len(grid)), {"marker": "o", "ls": "none"}
    elif column.kind == "date":
        # matplotlib's dates are days since 1970, too.
        axes.xaxis_date()
        # Not by autofmt_xdate, which moves axes that have a layout already.
        axes.tick_params(axis="x", labelrotation=30)
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("right")
    classes = preparation.target.classes
    if len(classes) > 2:
        _draw_classes(axes, grid, response.probabilities, classes, style)
        tidy(axes, wrapped(label, _LABEL), "probability")
    elif classes:
        axes.plot(grid, response.probabilities[:, 1], **style)
        tidy(axes, wrapped(label, _LABEL), f"probability of {wrapped(classes[1], _LABEL)}")
    else:
        axes.plot(grid, response.values, **style)
        tidy(axes, wrapped(label, _LABEL), wrapped(preparation.target.name, _LABEL))
    readable_thousands(axes)
    _save(axes, path)


def _draw_classes(
    axes: Axes, grid: Any, probabilities: Array, classes: Sequence[str], style: dict[str, Any]
) -> None:
    """A line for each class; of many, for those that change most, and gray ones for the others."""
    places = range(len(classes))
    named = list(places)
    if len(classes) > _MOST_CLASSES:
        change = np.ptp(probabilities, axis=0)
        named = sorted(np.argsort(-change, kind="stable")[:_MOST_NAMED].tolist())
        others = [place for place in places if place not in named]
        lines = axes.plot(grid, probabilities[:, others], color="0.8", zorder=1, **style)
        lines[0].set_label(f"{len(others)} others")
    for place, color in zip(named, distinct_colors(len(named)), strict=True):
        label = on_one_line(classes[place])
        axes.plot(grid, probabilities[:, place], label=label, color=color, **style)
    legend_beside(axes, "class")
    longest = max(len(on_one_line(classes[place])) for place in named)
    _widen(axes, longest * _LETTER)


def _name_ticks(axes: Axes, names: Sequence[str]) -> None:
    """Names below an axis, one beside the other, or upright where they are many or long."""
    places = range(len(names))
    if len(names) * max(map(len, names)) <= _LETTERS:
        axes.set_xticks(places, list(map(wrapped, names)))
        return
    shown = list(map(on_one_line, names))
    size = next(size for most, size in _SIZES if len(names) <= most)
    axes.set_xticks(places, shown, rotation=90, fontsize=size)
    _widen(axes, 0.0, max(map(len, shown)) * _LETTER)


def _widen(axes: Axes, width: float, height: float = 0.0) -> None:
    """Give a figure so many more inches, for what stands around its Axes."""
    figure: Any = axes.figure
    before = figure.get_size_inches()
    figure.set_size_inches(before[0] + width, before[1] + height)


def draw_learning_curves(
    path: str | os.PathLike[str], history: History, watched: str = "validation"
) -> None:
    """Draw loss and accuracy by epoch; what was watched may be the test rows."""
    from matplotlib.figure import Figure

    metrics = [name for name in ("loss", "accuracy") if name in history]
    figure = Figure(figsize=(SIZE[0] * len(metrics), SIZE[1]), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
        plot_learning_curves(history, name, axes)
        for line in axes.lines:
            if line.get_label() == "validation":
                line.set_label(watched)
        legend_above(axes)
        readable_thousands(axes)
    _save(figure, path)


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
    names = np.array(target.classes)
    right, found = np.indices((len(names), len(names))).reshape(2, -1)
    times = np.ravel(matrix)
    axes = _axes(confusion_size(len(names)))
    plot_confusion_matrix(
        *(names[np.repeat(right, times)], names[np.repeat(found, times)]),
        ax=axes,
        labels=target.classes,
    )
    axes.set_title(_TEST, fontsize="medium")
    _save(axes, path)


def draw_predictions(path: str | os.PathLike[str], y: Array, found: Array) -> None:
    """Draw predicted over right numbers, both ``(n,)``."""
    axes = plot_predictions(y, found, ax=_axes(SIZE))
    axes.set_title(_TEST, fontsize="medium")
    _save(axes, path)


def _axes(size: tuple[float, float]) -> Axes:
    """Make axes of a figure of their own, which pyplot does not know of."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").subplots()


def _save(drawn: Any, path: str | os.PathLike[str]) -> None:
    """Write the figure, or that of some axes."""
    with _silent(), warnings.catch_warnings():
        # Signs that the font lacks are drawn as boxes, which the picture itself shows.
        warnings.simplefilter("ignore")
        save_figure(getattr(drawn, "figure", drawn), path, dpi=_DPI)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep matplotlib from logging each font that it looks for, and that it builds a list."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _grid(column: Column | None, values: Array) -> Array:
    """Return the values to draw: a range of numbers, the most frequent categories, a constant."""
    if column is None:
        return values[:1]
    if isinstance(column, CategoryColumn):
        categories, counts = np.unique(values, return_counts=True)
        frequent: Array = categories[np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES]]
        return np.sort(frequent)
    return np.linspace(np.nanmin(values), np.nanmax(values), _POINTS)
