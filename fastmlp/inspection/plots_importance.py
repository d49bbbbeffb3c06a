"""A picture of how much each column counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_positive_int, describe
from ..common.error_state import own_error_state
from .attributions import Attributions
from .axes import on_one_line, prepared, readable_thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..kernels.typing import Array

_COLORS = ("C0", "C1")
# Inches of a bar alone, of two side by side, and of all around them.
_BAR, _BARS, _AROUND, _TOP, _WIDTH = 0.24, 0.36, 1.0, 0.5, 5.6
# Letters of a name; how much further than the longest bar an axis goes.
_LONGEST, _MARGIN = 36, 1.05


@own_error_state
def plot_importance(
    attributions: Attributions, permutation: object = None, most: int = 20, ax: Axes | None = None
) -> Axes:
    """Draw the most important columns as bars, by their mean absolute attributions.

    Parameters
    ----------
    attributions : Attributions
        What ``model.attributions(X)`` returns, of a `Sequential` or an estimator for tables.
    permutation : Bunch or array_like, shape (n_columns,), optional
        What scikit-learn's ``permutation_importance`` returns for the same columns in their order,
        or how much a score falls for each. It is drawn beside, on an axis of its own at the top,
        with the deviations of its repeats as lines.
    most : int
        Columns that are drawn, at most.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        `attributions` is something else.
    ValueError
        `permutation` is of other columns.
    ImportError
        matplotlib is not installed.
    """
    if not isinstance(attributions, Attributions):
        raise TypeError(
            "plot_importance draws what model.attributions(X) returns, got "
            f"{describe(attributions)}; numbers of one's own go into permutation="
        )
    most = check_positive_int("most", most)
    importance, names = attributions.importance, attributions.columns
    falls, deviations = _falls(permutation, len(names))
    order = np.argsort(-importance, kind="stable")[:most]
    room, around = (_BAR, _AROUND) if falls is None else (_BARS, _AROUND + _TOP)
    axes = prepared(ax, (_WIDTH, around + room * len(order)))
    places = np.arange(len(order))
    height, shift = (0.7, 0.0) if falls is None else (0.38, 0.19)
    axes.barh(places - shift, importance[order], height, color=_COLORS[0])
    axes.set_yticks(places, [on_one_line(names[place], _LONGEST) for place in order])
    axes.set_xlim(0.0, _MARGIN * importance.max() or 1.0)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlabel(f"mean |attribution|\nto the {on_one_line(attributions.explained, _LONGEST)}")
    if len(order) < len(names):
        axes.set_ylabel(f"{len(order)} of {len(names)} columns")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.tick_params("y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.axvline(0.0, color="black", lw=0.8)
    if falls is not None:
        top = _axis_at_the_top(axes)
        lines = deviations[order] if deviations.any() else None
        style = {"elinewidth": 1, "ecolor": "0.35"}
        top.barh(places + shift, falls[order], height, color=_COLORS[1], xerr=lines, error_kw=style)
        _share_zero(axes, importance[order], top, falls[order], deviations[order])
    readable_thousands(axes)
    return axes


def _falls(permutation: Any, n_columns: int) -> tuple[Array | None, Array]:
    """How much a score falls for each column, if that is known, and the deviations or 0."""
    if permutation is None:
        return None, np.zeros(n_columns)
    means = getattr(permutation, "importances_mean", permutation)
    deviations = getattr(permutation, "importances_std", np.zeros(n_columns))
    falls = np.asarray(means)
    if falls.dtype.kind not in "iuf" or falls.shape != (n_columns,):
        shown = f"the shape {falls.shape}" if falls.dtype.kind in "iuf" else describe(permutation)
        raise ValueError(
            "permutation must be what permutation_importance returns for the same columns, "
            f"{n_columns} numbers in their order (X[attributions.columns]); got {shown}"
        )
    return falls.astype(np.float64), np.asarray(deviations, np.float64)


def _axis_at_the_top(axes: Axes) -> Any:
    """A second axis for bars beside, each axis in the color of its bars."""
    top = axes.twiny()
    top.set_xlabel("permutation importance")
    top.spines[["bottom", "left", "right"]].set_visible(False)
    for each, color in zip((axes, top), _COLORS, strict=True):
        each.xaxis.label.set_color(color)
        each.tick_params("x", colors=color)
    return top


def _share_zero(axes: Axes, bars: Array, top: Any, falls: Array, deviations: Array) -> None:
    """Let bars of both axes begin at the same place, those below 0 too."""
    low = min(float((falls - deviations).min()), 0.0)
    highs = [float(bars.max()), float((falls + deviations).max())]
    # Where nothing is above 0 there is room for as much as is below it.
    highs = [_MARGIN * high if high > 0 else -low or 1.0 for high in highs]
    share = _MARGIN * low / highs[1]
    for each, high in zip((axes, top), highs, strict=True):
        each.set_xlim(share * high, high)
