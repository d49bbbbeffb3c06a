"""Pictures of what a network has learned: decisions, responses, hits and misses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_int, describe, unknown_name
from ..common.error_state import own_error_state
from ..data.features import check_features
from ..model.sequential import Sequential
from ..training.examples import check_names
from .axes import (
    color_bar,
    distinct_colors,
    legend_beside,
    on_one_line,
    prepared,
    readable,
    readable_thousands,
    tidy,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..kernels.typing import Array

_POINTS = 200
# Classes that a legend names, whose counts are written, that have a tick.
_MOST_LABELS, _MOST_COUNTED, _MOST_NAMED = 12, 24, 60
# Up to so many classes their names are so large.
_SIZES = ((6, "medium"), (_MOST_LABELS, "small"), (_MOST_COUNTED, "x-small"), (np.inf, "xx-small"))


@own_error_state
def plot_decision_boundary(model: Sequential, X: object, y: object, ax: Axes | None = None) -> Axes:
    """Draw what the model says over the plane of its two features, and the rows in it.

    Parameters
    ----------
    model : Sequential
        Of two features. Two classes: the probability of the second as colors, and the line where
        it is 0.5; more: the most probable class, paler where it is less probable; numbers: the
        first output as colors.
    X : array_like, shape (n, 2)
        Rows to draw; the plane covers them.
    y : array_like, shape (n,)
        Their labels or numbers.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        The model has not two features, or is one of several labels a row.
    ImportError
        matplotlib is not installed.
    """
    task = _task(model)
    names = _column_names(X, 2)
    rows = _numbers(model, X, 2, "plot_decision_boundary")
    if task == "multilabel":
        raise ValueError("plot_decision_boundary draws one label a row, and this model has several")
    axes = prepared(ax)
    low, high = rows.min(axis=0), rows.max(axis=0)
    margin = np.where(high > low, 0.08 * (high - low), 1.0)
    grid = [np.linspace(low[i] - margin[i], high[i] + margin[i], _POINTS) for i in range(2)]
    first, second = np.meshgrid(*grid)
    out = model.predict(np.column_stack([first.ravel(), second.ravel()]))
    values = np.asarray(y).reshape(len(rows), -1)[:, 0]
    if task == "regression":
        z = out[:, 0].reshape(first.shape)
        limits = {"vmin": min(z.min(), values.min()), "vmax": max(z.max(), values.max())}
        filled = axes.pcolormesh(first, second, z, cmap="viridis", shading="auto", **limits)
        axes.scatter(
            rows[:, 0], rows[:, 1], c=values, edgecolors="white", linewidths=0.6, s=22, **limits
        )
        color_bar(axes, filled, "prediction, rows: target")
    elif task == "binary":
        z = out[:, 0].reshape(first.shape)
        filled = axes.pcolormesh(
            first, second, z, cmap="RdBu_r", shading="auto", vmin=0, vmax=1, alpha=0.6
        )
        if z.min() < 0.5 < z.max():
            axes.contour(first, second, z, levels=[0.5], colors="black", linewidths=1)
        color_bar(axes, filled, f"probability of {_classes(model)[1]}")
        _scatter_classes(axes, rows, values, _classes(model), ["#2166ac", "#b2182b"])
    else:
        colors = distinct_colors(out.shape[1])
        best = out.argmax(axis=1)
        paleness = (1.0 - out.max(axis=1))[:, np.newaxis] * 0.7 + 0.3
        shades = (1.0 - paleness) * colors[best] + paleness
        image = shades.clip(0.0, 1.0).reshape(*first.shape, 3)
        extent = (grid[0][0], grid[0][-1], grid[1][0], grid[1][-1])
        axes.imshow(image, origin="lower", extent=extent, aspect="auto", interpolation="bilinear")
        _scatter_classes(axes, rows, values, _classes(model), colors)
    tidy(axes, *names).grid(False)
    return axes


def _scatter_classes(axes: Axes, rows: Array, labels: Array, classes: Any, colors: Any) -> None:
    if labels.ndim == 1 and not np.isin(labels, classes).all():
        raise ValueError(f"y has labels that the model does not know; it knows {list(classes)}")
    for label, color in zip(classes, colors, strict=False):
        mine = rows[labels == label]
        axes.scatter(
            mine[:, 0],
            mine[:, 1],
            color=[color],
            edgecolors="white",
            linewidths=0.6,
            s=22,
            label=on_one_line(label),
        )
    if len(classes) <= _MOST_LABELS:
        legend_beside(axes, "class")


@own_error_state
def plot_feature_response(
    model: Sequential, X: object, feature: int | str, ax: Axes | None = None
) -> Axes:
    """Draw the prediction over the range of one feature, all others at their means.

    Parameters
    ----------
    model : Sequential
    X : array_like, shape (n, n_features)
        Rows; ranges and means are taken from them.
    feature : int or str
        A column number, or a name where X is a table with names.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes
        One line for each class or output, of two classes the probability of the second. Marks at
        the bottom are the rows' own values, of 500 rows at most.

    Raises
    ------
    ValueError
        There is no such feature.
    ImportError
        matplotlib is not installed.
    """
    task = _task(model)
    width = model.training_state.program.input.width
    names = _column_names(X, width)
    rows = _numbers(model, X, width, "plot_feature_response")
    if isinstance(feature, str):
        if feature not in names:
            raise unknown_name("feature", feature, names)
        column = names.index(feature)
    else:
        column = check_int("feature", feature, 0)
        if column >= width:
            raise ValueError(f"feature must be a column number below {width}, got {column}")
    low, high = rows[:, column].min(), rows[:, column].max()
    grid = np.linspace(low, high, _POINTS) if high > low else np.array([low])
    at_means = np.repeat(rows.mean(axis=0, keepdims=True), len(grid), axis=0)
    at_means[:, column] = grid
    out = model.predict(at_means)
    marker = "" if len(grid) > 1 else "o"
    axes = prepared(ax)
    if task == "binary":
        axes.plot(grid, out[:, 0], marker=marker)
        label = f"probability of {_classes(model)[1]}"
    elif out.shape[1] == 1:
        axes.plot(grid, out[:, 0], marker=marker)
        label = "prediction"
    else:
        labels = _classes(model) if task == "multiclass" else range(out.shape[1])
        colors = distinct_colors(out.shape[1])
        for unit, name in enumerate(labels):
            axes.plot(
                grid, out[:, unit], marker=marker, color=colors[unit], label=on_one_line(name)
            )
        if out.shape[1] <= _MOST_LABELS:
            legend_beside(axes, "class" if task == "multiclass" else "output")
        label = "prediction" if task == "regression" else "probability"
    some = rows[:: max(1, len(rows) // 500), column]
    axes.plot(
        *(some, np.zeros(len(some)), "|"),
        transform=axes.get_xaxis_transform(),
        color="black",
        alpha=0.4,
        clip_on=False,
    )
    return tidy(axes, names[column], label)


@own_error_state
def plot_confusion_matrix(
    model_or_y_true: object,
    X_or_y_pred: object,
    y: object = None,
    normalize: bool = False,
    ax: Axes | None = None,
    *,
    labels: Sequence[Any] | None = None,
) -> Axes:
    """Draw how often each class was taken for each.

    ``plot_confusion_matrix(model, X, y)`` or ``plot_confusion_matrix(y_true, y_pred)``.

    Parameters
    ----------
    model_or_y_true : Sequential, or array_like of labels, shape (n,)
    X_or_y_pred : array_like
        Rows for the model, or the predicted labels, shape (n,).
    y : array_like of labels, shape (n,), optional
        The right labels, with a model.
    normalize : bool
        Shares of each line, which is a right class, in place of counts.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.
    labels : sequence of labels, optional
        The classes in the order to draw; sorted by default, texts of whole numbers as numbers.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        The model is no classifier of one label a row; lengths differ; y is missing; a class is not
        among the labels.
    ImportError
        matplotlib is not installed.
    """
    if isinstance(model_or_y_true, Sequential):
        task = _task(model_or_y_true)
        if task not in ("binary", "multiclass"):
            raise ValueError(f"a confusion matrix needs one label a row; this model is {task}")
    right, found = _right_and_found(
        model_or_y_true, X_or_y_pred, y, lambda model, X: model.predict_classes(X)
    )
    right, found = (np.asarray(labels).reshape(-1) for labels in (right, found))
    if len(right) != len(found) or not len(right):
        raise ValueError(f"got {len(right)} right labels and {len(found)} predicted ones")
    classes, (rows, columns) = _in_order(labels, right, found)
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (rows, columns), 1)
    if normalize:
        counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes = prepared(ax, confusion_size(len(classes)))
    image = axes.imshow(counts, cmap="Blues", vmin=0)
    if len(classes) <= _MOST_COUNTED:
        limit = counts.max() / 2
        for (row, column), count in np.ndenumerate(counts):
            text = f"{count:.2f}" if normalize else f"{count:,.0f}"
            color = "white" if count > limit else "black"
            size = "medium" if len(classes) <= _MOST_LABELS else "xx-small"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=size)
    _name_classes(axes, classes)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("right class")
    color_bar(axes, image, "share of the right class" if normalize else "rows")
    return axes


def confusion_size(n_classes: int) -> tuple[float, float]:
    """Width and height of a confusion matrix of so many classes, in inches."""
    side = min(9.0, max(3.6, 0.45 * n_classes + 1.6))
    # Room for the bar of colors: the layout does not shrink square Axes for it.
    return side + 1.8, side


def _in_order(labels: Any, right: Array, found: Array) -> tuple[Any, Any]:
    """The classes in their order, and their places in both arrays."""
    classes, codes = np.unique(np.concatenate([right, found]), return_inverse=True)
    if labels is None:
        words = [str(label) for label in classes]
        order = np.arange(len(classes))
        if all(word.isdecimal() for word in words):
            order = np.argsort([int(word) for word in words], kind="stable")
        labels = classes[order]
    places = {label: place for place, label in enumerate(np.asarray(labels).tolist())}
    unknown = [label for label in classes.tolist() if label not in places]
    if unknown:
        raise ValueError(f"labels lacks {unknown[0]!r}, which is among the classes")
    place = np.array([places[label] for label in classes.tolist()])[codes.reshape(-1)]
    return list(places), (place[: len(right)], place[len(right) :])


def _name_classes(axes: Axes, classes: Sequence[Any]) -> None:
    """Names of classes along both axes; of very many, each second, third, ... only."""
    step = -(-len(classes) // _MOST_NAMED)
    places = range(0, len(classes), step)
    shown = wrapped if len(classes) <= _MOST_LABELS else on_one_line
    names = [shown(classes[place]) for place in places]
    size = next(size for most, size in _SIZES if len(classes) <= most)
    axes.set_yticks(places, names, fontsize=size)
    axes.set_xticks(places, names, fontsize=size)
    if max(len(line) for name in names for line in name.split("\n")) > 3:
        axes.tick_params("x", rotation=90)


@own_error_state
def plot_predictions(
    model_or_y_true: object, X_or_y_pred: object, y: object = None, ax: Axes | None = None
) -> Axes:
    """Draw predicted over right numbers; the closer to the line, the better.

    ``plot_predictions(model, X, y)`` or ``plot_predictions(y_true, y_pred)``.

    Parameters
    ----------
    model_or_y_true : Sequential, or array_like of numbers, shape (n,) or (n, k)
    X_or_y_pred : array_like
        Rows for the model, or the predicted numbers.
    y : array_like of numbers, optional
        The right numbers, with a model.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes
        With the root mean squared error and, where the right numbers differ, r2 in a corner.

    Raises
    ------
    ValueError
        The model is a classifier; shapes differ; y is missing.
    ImportError
        matplotlib is not installed.
    """
    if isinstance(model_or_y_true, Sequential) and _task(model_or_y_true) != "regression":
        raise ValueError(
            "plot_predictions is for numbers, and this model is a classifier; use "
            "plot_confusion_matrix"
        )
    right, found = _right_and_found(
        model_or_y_true, X_or_y_pred, y, lambda model, X: model.predict(X)
    )
    right, found = (np.asarray(values, np.float64) for values in (right, found))
    right, found = (values.reshape(len(values), -1) for values in (right, found))
    if right.shape != found.shape or not right.size:
        raise ValueError(
            f"the right numbers have shape {right.shape}, those predicted {found.shape}"
        )
    axes = prepared(ax)
    low, high = min(right.min(), found.min()), max(right.max(), found.max())
    axes.plot([low, high], [low, high], color="black", lw=1, ls="--", zorder=1)
    for output in range(right.shape[1]):
        alpha = min(0.8, max(0.15, 30 / len(right) ** 0.5))
        axes.scatter(right[:, output], found[:, output], s=12, alpha=alpha, label=f"{output}")
    if 1 < right.shape[1] <= _MOST_LABELS:
        legend_beside(axes, "output")
    text = f"RMSE {readable(float(np.sqrt(np.mean((found - right) ** 2))))}"
    spread = ((right - right.mean(axis=0)) ** 2).sum(axis=0)
    if (spread > 0).all():
        r2 = float(np.mean(1.0 - ((found - right) ** 2).sum(axis=0) / spread))
        text += f"\n$R^2$ {r2:.4f}"
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 2}
    axes.text(0.04, 0.96, text, transform=axes.transAxes, va="top", bbox=behind)
    readable_thousands(axes)
    return tidy(axes, "target", "prediction")


def _right_and_found(first: object, second: object, y: object, predict: Any) -> tuple[Any, Any]:
    """Right and predicted values, from a model, X and y, or as they were given."""
    if isinstance(first, Sequential):
        if y is None:
            raise ValueError("with a model, X and y are needed: (model, X, y)")
        return y, predict(first, second)
    if y is not None:
        raise TypeError(
            "pass (model, X, y) or (y_true, y_pred); of three arguments the first must be a "
            f"Sequential, got {describe(first)}"
        )
    return first, second


def _task(model: object) -> str:
    """What the model's output means."""
    if not isinstance(model, Sequential):
        raise TypeError(f"model must be a Sequential, got {describe(model)}")
    return model.training_state.encoder().task


def _classes(model: Sequential) -> Any:
    if model.classes is not None and len(model.classes):
        return model.classes
    return np.arange(max(2, model.training_state.program.output.width))


def _numbers(model: Sequential, X: object, width: int, who: str) -> Array:
    """The rows in float64, whose range is drawn, checked as every other X of the model is."""
    if isinstance(X, tuple):
        raise TypeError(f"{who} takes X as one table, not as a pair (X_wide, X_deep)")
    check_names(model.training_state, {"X": X}, "X")
    return check_features(X, width, dtype="float64").astype(np.float64)


def _column_names(X: object, width: int) -> list[str]:
    """The names that a table brings, else numbers."""
    columns = getattr(X, "columns", None)
    if columns is not None and len(columns) == width:
        return [str(name) for name in columns]
    return [f"feature {column}" for column in range(width)]
