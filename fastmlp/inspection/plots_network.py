"""Pictures of a network and its training: curves, gradients, activations, weights."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import describe, unknown_name
from ..common.error_state import own_error_state
from ..model.sequential import Sequential
from ..training.history import History
from .axes import SIZE, color_bar, legend_above, prepared, tidy, whole_numbers
from .recorder import Recorder, Statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..kernels.typing import Array

_MARKED_EPOCHS = 30
_MOST_LINES = 6
_MOST_ROWS = 100
_MOST_TICKS = 24


@own_error_state
def plot_learning_curves(
    source: History | Sequential, metric: str = "loss", ax: Axes | None = None
) -> Axes:
    """Draw a metric by epoch, of the training and, where there are some, the validation rows.

    Parameters
    ----------
    source : History or Sequential
        What `Sequential.fit` has returned, or a model, of which all epochs are drawn.
    metric : str
        A name in the history without ``val_``: ``"loss"``, ``"accuracy"``.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        The history holds no such metric.
    ImportError
        matplotlib is not installed.
    """
    history = source.history if isinstance(source, Sequential) else source
    if not isinstance(history, History):
        raise TypeError(f"source must be a History or a Sequential, got {describe(source)}")
    names = [name for name in (metric, f"val_{metric}") if name in history]
    if not names:
        if not history.epochs:
            raise ValueError("there is nothing to plot: no epoch has been recorded")
        raise unknown_name("metric", metric, history)
    axes = tidy(prepared(ax), "epoch", metric)
    # Without markers a lone epoch, or one between missing ones, would be invisible.
    marker = "." if len(history) <= _MARKED_EPOCHS else ""
    for name in names:
        label = "validation" if name.startswith("val_") else "training"
        axes.plot(history.epochs, history[name], marker=marker, label=label)
    whole_numbers(axes.xaxis)
    legend_above(axes)
    return axes


@own_error_state
def plot_gradient_flow(recorder: Recorder, ax: Axes | None = None) -> Axes:
    """Draw how large the gradients of the weights are, from the first layer to the last, by epoch.

    Parameters
    ----------
    recorder : Recorder
        One that a fit has had among its callbacks.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes
        The root mean square of each weight's gradient, one line an epoch, of six at most. A
        gradient of 0 has no place on the logarithmic axis and is left out.

    Raises
    ------
    ValueError
        Nothing has been recorded.
    ImportError
        matplotlib is not installed.
    """
    if not isinstance(recorder, Recorder):
        raise TypeError(f"recorder must be a Recorder, got {describe(recorder)}")
    if not recorder.epochs:
        raise ValueError("the recorder is empty: pass it to fit, callbacks=[recorder], first")
    names = [name for name in recorder.gradients if name.endswith("weight")]
    axes = tidy(prepared(ax, _wide(len(names))), "", "root mean square of the gradient")
    from matplotlib import colormaps

    n = len(recorder.epochs)
    shown = np.unique(np.linspace(0, n - 1, min(n, _MOST_LINES)).round().astype(int))
    for place, row in enumerate(shown):
        sizes = np.array([_root_mean_square(recorder.gradients[name][row]) for name in names])
        color = colormaps["viridis"](0.9 * place / max(1, len(shown) - 1))
        label = f"{recorder.epochs[row]}"
        axes.plot(np.where(sizes > 0, sizes, np.nan), marker="o", ms=4, color=color, label=label)
    axes.set_yscale("log")
    _name_ticks(axes, names)
    axes.legend(title="epoch", frameon=False, fontsize="small")
    return axes


def _root_mean_square(recorded: Statistics | Array) -> float:
    found = recorded if isinstance(recorded, Statistics) else Statistics.of(recorded)
    return float(np.hypot(found.mean, found.std))


@own_error_state
def plot_activation_histograms(model: Sequential, X: object, ax: Axes | None = None) -> Axes:
    """Draw how the outputs of each layer are spread, one layer below the other.

    Exact zeros, of which relu makes many, are left out of the histograms; their share stands beside
    them. Layers of dropout, which does nothing in prediction, are left out. Heights are relative to
    the highest column of each layer.

    Parameters
    ----------
    model : Sequential
    X : array_like
        Rows, as `Sequential.activations` takes them; a few hundred are enough.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    """
    outputs = _layer_outputs(_model(model), X)
    axes = prepared(ax, (SIZE[0], max(SIZE[1], 0.6 * len(outputs) + 1.0)))
    tidy(axes, "output", "")
    finite = np.concatenate([out[np.isfinite(out)] for out in outputs.values()])
    edges = np.histogram_bin_edges(finite, 80) if finite.size else np.linspace(0, 1, 81)
    for place, out in enumerate(reversed(outputs.values())):
        values = out[np.isfinite(out) & (out != 0)]
        counts, _ = np.histogram(values, edges)
        heights = 0.85 * counts / max(1, counts.max())
        axes.stairs(place + heights, edges, baseline=place, fill=True, color=f"C{place % 10}")
        zeros = float(np.mean(out == 0))
        if zeros:
            axes.text(
                *(1.01, place + 0.25, f"{zeros:.0%} zeros"),
                transform=axes.get_yaxis_transform(),
                fontsize="small",
            )
    axes.set_yticks(range(len(outputs)), reversed(outputs))
    axes.set_ylim(-0.05, len(outputs))
    return axes


@own_error_state
def plot_activation_heatmap(
    model: Sequential, X: object, layer: int | str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the outputs of a layer as colors: a line for each row of X, a column for each unit.

    Parameters
    ----------
    model : Sequential
    X : array_like
        Rows; the first 100 are drawn. Rows sorted by class show what the units tell apart.
    layer : int or str, optional
        The layer's place in the model, or a name in `Sequential.activations`; by default the last
        one before the output.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        There is no such layer.
    ImportError
        matplotlib is not installed.
    """
    activations = _model(model).activations(X)
    outputs = [name for name in activations if name.endswith(".output")]
    if layer is None:
        # Nested layers end with their own output, which comes after those within.
        own = [f"{place}.output" for place in range(len(model.layers))]
        name = own[-2] if len(own) > 1 else own[-1]
    else:
        name = _layer_name(layer, "output")
        if name not in activations:
            raise unknown_name("layer", str(layer), [*outputs, *activations])
    values = activations[name][:_MOST_ROWS]
    axes = prepared(ax)
    _heatmap(axes, values, "unit", "row", name)
    whole_numbers(axes.xaxis)
    whole_numbers(axes.yaxis)
    return axes


@own_error_state
def plot_weights(model: Sequential, layer: int | str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the weights of a layer as colors: a line for each input, a column for each unit.

    Parameters
    ----------
    model : Sequential
    layer : int or str, optional
        The layer's place in the model, or a name in `Sequential.parameters`; by default the first
        one with weights.
    ax : matplotlib.axes.Axes, optional
        Drawn into; a new figure of pyplot's where none is given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        There is no such layer, or it has no matrix of weights.
    ImportError
        matplotlib is not installed.
    """
    matrices = {name: w for name, w in _model(model).parameters.items() if w.ndim == 2}
    if layer is None:
        name = next(iter(matrices))
    else:
        name = _layer_name(layer, "weight")
        if name not in matrices:
            raise unknown_name("layer", str(layer), matrices)
    axes = prepared(ax)
    _heatmap(axes, matrices[name], "unit", "input", name, symmetric=True)
    whole_numbers(axes.xaxis)
    whole_numbers(axes.yaxis)
    return axes


def _heatmap(
    axes: Axes, values: Array, x: str, y: str, label: str, symmetric: bool = False
) -> None:
    """Colors for a matrix: around 0 where it has numbers of both signs, or is to be symmetric."""
    kwargs: dict[str, Any] = {"cmap": "viridis"}
    if symmetric or values.min() < 0 < values.max():
        limit = float(np.abs(values).max()) or 1.0
        kwargs = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    image = axes.imshow(values, aspect="auto", interpolation="nearest", **kwargs)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    color_bar(axes, image, label)


def _layer_outputs(model: Sequential, X: object) -> dict[str, Array]:
    """The output of each layer by its name; a dropout, which does nothing here, is left out."""
    activations = model.activations(X)
    program = model.training_state.program
    dropped = {op.out for op in program.ops if op.training_only}
    names = [name for name, slot in program.records if slot not in dropped]
    return {name: activations[name] for name in names if name.endswith(".output")}


def _name_ticks(axes: Axes, names: list[str]) -> None:
    step = -(-len(names) // _MOST_TICKS)
    axes.set_xticks(range(0, len(names), step), names[::step])
    if sum(map(len, names[::step])) > 45:
        axes.tick_params("x", rotation=90)


def _wide(columns: int) -> tuple[float, float]:
    return max(SIZE[0], min(10.0, 0.35 * columns + 1.5)), SIZE[1]


def _layer_name(layer: object, part: str) -> str:
    """The name of a layer's part: its place was given, or the name itself."""
    if isinstance(layer, str):
        return layer
    if isinstance(layer, bool) or not isinstance(layer, Integral):
        raise TypeError(f"layer must be a layer's place or a name, got {describe(layer)}")
    return f"{layer}.{part}"


def _model(model: object) -> Sequential:
    if not isinstance(model, Sequential):
        raise TypeError(f"model must be a Sequential, got {describe(model)}")
    return model
