"""Where pictures are drawn, and what all of them have in common."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import describe
from ..errors import missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..kernels.typing import Array

SIZE = (4.8, 3.6)
# Of classes and other names: letters of a line, lines.
_WRAPPED, _LINES, _ONE_LINE = 16, 3, 27
# Ticks of at least this are written with commas between thousands.
_THOUSANDS, _MOST = 10_000, 1e15


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


def legend_above(axes: Axes) -> None:
    """A legend above the Axes, where it hides no curve."""
    place: Any = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
    axes.legend(frameon=False, ncols=4, **place)


def legend_beside(axes: Axes, title: str) -> None:
    """A legend of many names on the right of the Axes, where it hides no curve."""
    place: Any = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
    axes.legend(title=title, frameon=False, fontsize="small", **place)


def readable_thousands(axes: Axes) -> None:
    """Write ticks of 10,000 and more with commas, in place of a factor at the end of the axis."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

    limits = axes.get_xlim(), axes.get_ylim()
    for axis, ends in zip((axes.xaxis, axes.yaxis), limits, strict=True):
        plain = isinstance(axis.get_major_formatter(), ScalarFormatter)
        if plain and axis.get_scale() == "linear" and max(map(abs, ends)) >= _THOUSANDS:
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
            if axis is axes.xaxis:
                # Such numbers are wide.
                axis.set_major_locator(MaxNLocator(nbins=4))


def readable(value: float) -> str:
    """A number of four digits, or a whole one with commas between its thousands."""
    return f"{value:,.0f}" if _THOUSANDS <= abs(value) < _MOST else f"{value:.4g}"


def wrapped(name: object, width: int = _WRAPPED) -> str:
    """A name as a picture shows it: in short lines, and not taken for a formula.

    Of a long one the beginning and the end are shown, which is where names differ.
    """
    lines = wrap(str(name), width) or [""]
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], lines[-1]]
        lines[_LINES - 2] = f"{lines[_LINES - 2][: width - 3]}..."
    return _plain("\n".join(lines))


def on_one_line(name: object, width: int = _ONE_LINE) -> str:
    """The same where there is no room for a second line."""
    text = " ".join(str(name).split())
    if len(text) > width:
        end = width // 3
        text = f"{text[: width - end - 3]}...{text[-end:]}"
    return _plain(text)


def _plain(text: str) -> str:
    return text.replace("$", r"\$")


def distinct_colors(n: int) -> Array:
    """So many colors, ``(n, 3)``."""
    from matplotlib import colormaps

    colors = (
        colormaps["tab10"](np.arange(n)) if n <= 10 else colormaps["turbo"](np.linspace(0, 1, n))
    )
    return np.asarray(colors)[:, :3]


def whole_numbers(axis: Any) -> None:
    """Let an axis have ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def color_bar(axes: Axes, mappable: Any, label: str) -> None:
    """A bar of colors beside the Axes."""
    figure: Any = axes.figure
    figure.colorbar(mappable, ax=axes, label=label)
