"""Errors over CPU seconds, a point for each method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.peers.tabular.methods import METHODS
from fastmlp.peers.tabular.summary import Summary

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
# Where a label may stand, by preference: points to the right and up, and how it is aligned.
_PLACES = (
    *((9, 0, "left", "center"), (-9, 0, "right", "center")),
    *((0, 9, "center", "bottom"), (0, -9, "center", "top")),
    *((7, 8, "left", "bottom"), (7, -8, "left", "top")),
    *((-7, 8, "right", "bottom"), (-7, -8, "right", "top")),
)


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
    _label(figure, axes, points, len(found.tables))
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


def _label(figure: Any, axes: Any, points: dict[str, Any], whole: int) -> None:
    """Put each name beside its point, where it covers nothing."""
    from matplotlib.patheffects import withStroke

    renderer = figure.canvas.get_renderer()
    at = {name: axes.transData.transform(point[:2]) for name, point in points.items()}
    bars = {
        name: [axes.transData.transform((x, y * np.exp(sign * error)))[1] for sign in (-1, 1)]
        for name, (x, y, error, _) in points.items()
    }
    legend = axes.get_legend().get_window_extent(renderer)
    taken: list[Any] = [legend]
    # Those with the nearest neighbors have the fewest places.
    crowded = {
        name: min(
            (float(np.hypot(*(at[name] - at[other]))) for other in at if other != name),
            default=0.0,
        )
        for name in at
    }
    for name in sorted(points, key=crowded.__getitem__):
        x, y, _, n_tables = points[name]
        text = METHODS[name].title + (f" ({n_tables} tables)" if n_tables < whole else "")
        best, least = None, np.inf
        for place, (right, up, horizontal, vertical) in enumerate(_PLACES):
            label = axes.annotate(
                *(text, (x, y), (right, up)),
                textcoords="offset points",
                ha=horizontal,
                va=vertical,
                fontsize=9,
                color=_COLORS.get(name, _TREE),
                path_effects=[withStroke(linewidth=3, foreground="white")],
                fontweight="bold" if _COLORS.get(name) == _OWN else "normal",
            )
            box = label.get_window_extent(renderer)
            inside = axes.bbox.padded(4).containsx(box.x0) and axes.bbox.padded(4).containsx(box.x1)
            covered = sum(box.overlaps(other) for other in taken) + sum(
                box.padded(5).contains(*at[other]) for other in at if other != name
            )
            crossed = sum(
                box.x0 < at[other][0] < box.x1 and low < box.y1 and box.y0 < high
                for other, (low, high) in bars.items()
            )
            cost = 10 * covered + 20 * (not inside) + crossed + 0.1 * place
            if cost < least:
                if best is not None:
                    best.remove()
                best, least = label, cost
            else:
                label.remove()
        assert best is not None
        taken.append(best.get_window_extent(renderer))
