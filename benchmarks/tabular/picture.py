"""Errors over CPU seconds, a point for each method."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.peers.tabular.methods import METHODS
from fastmlp.peers.tabular.summary import Summary

from .labels import PLACES, Obstacles, chosen_places
from .page import TREES

# By Okabe and Ito, whose colors the color-blind can tell apart.
_OWN, _NETWORK, _TREE, _LINE = "#D55E00", "#0072B2", "#009E73", "#666666"
_COLORS = {
    "fast": _OWN,
    "default": _OWN,
    "best": _OWN,
    "realmlp_td": _NETWORK,
    "realmlp_td_s": _NETWORK,
    "tabm": _NETWORK,
    "sklearn_mlp": _NETWORK,
    "sklearn_mlp_3x256": _NETWORK,
    "linear": _LINE,
}
_GROUPS = {"fastmlp": _OWN, "other networks": _NETWORK, "boosted trees": _TREE, "linear": _LINE}


def draw(found: Summary, path: Path) -> None:
    """Write the picture as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    points = _points(found)
    figure = Figure(figsize=(8.4, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _style(axes)
    front = _front({name: (x, y) for name, (x, y, _, _) in points.items()})
    axes.plot(*zip(*front, strict=True), color="0.75", linewidth=1.2, zorder=1)
    for name, (x, y, error, _) in points.items():
        color = _COLORS.get(name, _TREE)
        bars = [[y - y * np.exp(-error)], [y * np.exp(error) - y]]
        axes.errorbar(x, y, bars, color=color, elinewidth=1.0, alpha=0.35, zorder=2)
        axes.plot(x, y, "o", color=color, markersize=8, markeredgecolor="white", zorder=3)
    axes.margins(0.12, 0.12)
    _ticks(axes)
    axes.legend(
        handles=[
            Line2D([], [], marker="o", linestyle="", color=color, label=label)
            for label, color in _GROUPS.items()
        ],
        frameon=False,
        loc="upper right",
        fontsize=9,
    )
    figure.canvas.draw()
    _label(figure, axes, points, front, len(found.tables))
    figure.savefig(path, dpi=150)


def _points(found: Summary) -> dict[str, tuple[float, float, float, int]]:
    """Seconds, error, its standard error and the number of tables, as multiples of the base's."""
    points = {}
    for name in found.methods:
        error = found.mean_ratio(name, TREES)
        seconds = found.mean_ratio(name, TREES, "fit_cpu_seconds")
        if error is not None and seconds is not None:
            points[name] = (seconds.value, error.value, error.error, error.n_tables)
    return points


def _front(points: dict[str, tuple[float, float]]) -> list[tuple[float, float]]:
    """Those that are more accurate than all that are sooner."""
    front: list[tuple[float, float]] = []
    for x, y in sorted(points.values()):
        if not front or y < front[-1][1]:
            front.append((x, y))
    return front


def _style(axes: Any) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(f"CPU seconds of a fit, as a multiple of {METHODS[TREES].title}'s")
    axes.set_ylabel(f"error, as a multiple of {METHODS[TREES].title}'s")
    axes.grid(which="major", color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.axhline(1, color="0.8", linewidth=0.8, zorder=0)


def _ticks(axes: Any) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = axes.get_ylim()
    steps = [0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5]
    axes.yaxis.set_major_locator(FixedLocator([step for step in steps if low < step < high]))
    axes.yaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")


def _label(figure: Any, axes: Any, points: dict[str, Any], front: Any, whole: int) -> None:
    """Put each name beside its point, where it covers nothing."""
    from matplotlib.patheffects import withStroke

    renderer = figure.canvas.get_renderer()
    to_pixels = axes.transData.transform
    labels: list[list[Any]] = []
    for name, (x, y, _, n_tables) in points.items():
        color = _COLORS.get(name, _TREE)
        labels.append(
            [
                axes.annotate(
                    METHODS[name].title + (f" ({n_tables} tables)" if n_tables < whole else ""),
                    (x, y),
                    (right, up),
                    textcoords="offset points",
                    ha=horizontal,
                    va=vertical,
                    fontsize=9,
                    color=color,
                    fontweight="bold" if color == _OWN else "normal",
                    path_effects=[withStroke(linewidth=3, foreground="white")],
                )
                for right, up, horizontal, vertical in PLACES
            ]
        )
    bars = [[(x, y * np.exp(-error)), (x, y * np.exp(error))] for x, y, error, _ in points.values()]
    obstacles = Obstacles(
        to_pixels([point[:2] for point in points.values()]),
        [to_pixels(segment) for segment in [*bars, *pairwise(front)]],
        [axes.get_legend().get_window_extent(renderer)],
        axes.bbox,
    )
    boxes = [[label.get_window_extent(renderer) for label in row] for row in labels]
    for row, chosen in zip(labels, chosen_places(boxes, obstacles), strict=True):
        for place, label in enumerate(row):
            if place != chosen:
                label.remove()
