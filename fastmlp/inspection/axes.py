"""Where pictures are drawn, and what all of them have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common.checks import describe
from ..errors import missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (4.8, 3.6)


def prepared(ax: Any, size: tuple[float, float] = SIZE) -> Axes:
    """The Axes that were given, or those of a new figure of pyplot's.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError
        `ax` is no Axes.
    """
    try:
        from matplotlib.axes import Axes
    except ImportError as error:
        raise missing_extra("matplotlib", "plot") from error

    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=size, layout="constrained")
    elif not isinstance(ax, Axes):
        raise TypeError(f"ax must be a matplotlib Axes or None, got {describe(ax)}")
    axes: Axes = ax
    return axes


def tidy(axes: Axes, x: str, y: str) -> Axes:
    """Label both axes, with a light grid and without the frame's upper and right side."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def whole_numbers(axis: Any) -> None:
    """Let an axis have ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def color_bar(axes: Axes, mappable: Any, label: str) -> None:
    """A bar of colors beside the Axes."""
    figure: Any = axes.figure
    figure.colorbar(mappable, ax=axes, label=label)
