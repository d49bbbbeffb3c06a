"""Every picture is drawn into the Axes that were given, or into a new figure."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from pictured import CLASSES, LABELS, NUMBERS, X, binary, multiclass, regression

import fastmlp as fm

pytestmark = pytest.mark.usefixtures("headless")


def recorded() -> fm.Recorder:
    recorder = fm.Recorder()
    binary(callbacks=[recorder])
    return recorder


PLOTS: dict[str, Callable[..., Any]] = {
    "learning_curves of a history": lambda ax: fm.plot_learning_curves(binary().history, ax=ax),
    "learning_curves of a model": lambda ax: fm.plot_learning_curves(binary(), "accuracy", ax=ax),
    "gradient_flow": lambda ax: fm.plot_gradient_flow(recorded(), ax=ax),
    "activation_histograms": lambda ax: fm.plot_activation_histograms(binary(), X, ax=ax),
    "activation_heatmap": lambda ax: fm.plot_activation_heatmap(binary(), X, ax=ax),
    "weights": lambda ax: fm.plot_weights(binary(), ax=ax),
    "decision_boundary, two": lambda ax: fm.plot_decision_boundary(binary(), X, LABELS, ax=ax),
    "decision_boundary, 3": lambda ax: fm.plot_decision_boundary(multiclass(), X, CLASSES, ax=ax),
    "decision_boundary of numbers": lambda ax: fm.plot_decision_boundary(
        regression(), X, NUMBERS, ax=ax
    ),
    "feature_response": lambda ax: fm.plot_feature_response(multiclass(), X, 1, ax=ax),
    "confusion_matrix": lambda ax: fm.plot_confusion_matrix(binary(), X, LABELS, ax=ax),
    "confusion_matrix of labels": lambda ax: fm.plot_confusion_matrix([1, 2, 2], [1, 2, 1], ax=ax),
    "predictions": lambda ax: fm.plot_predictions(regression(), X, NUMBERS, ax=ax),
    "predictions of numbers": lambda ax: fm.plot_predictions([1.0, 2.0], [1.5, 2.5], ax=ax),
    "importance": lambda ax: fm.plot_importance(binary().attributions(X), [0.1, 0.2], ax=ax),
    "range_test": lambda ax: fm.find_learning_rate(regression(), X, NUMBERS, steps=30).plot(ax=ax),
}


@pytest.mark.parametrize("name", PLOTS)
def test_drawn_into_axes_or_a_new_figure(name: str) -> None:
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.subplots()
    assert PLOTS[name](ax) is ax
    assert pyplot.get_fignums() == []
    assert ax.has_data()
    assert ax.get_xlabel() or ax.get_xticklabels()
    figure.canvas.draw()

    alone = PLOTS[name](None)
    assert pyplot.gcf() is alone.figure
    alone.figure.canvas.draw()


@pytest.mark.parametrize("name", PLOTS)
def test_what_is_no_axes_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match="ax must be a matplotlib Axes or None, got 'x.png'"):
        PLOTS[name]("x.png")


@pytest.mark.parametrize("name", PLOTS)
def test_without_matplotlib(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(ImportError, match=r"fastmlp\[plot\]"):
        PLOTS[name](None)
