"""Pictures of a network and its training are what the model says."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from pictured import NUMBERS, X, binary, drawn, ticks

import fastmlp as fm

pytestmark = pytest.mark.usefixtures("headless")


def test_learning_curves() -> None:
    model = binary(validation_split=0.25)
    ax = fm.plot_learning_curves(model, "accuracy")
    for line, name in zip(ax.lines, ("accuracy", "val_accuracy"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), model.history[name])
    assert {"training", "validation", "epoch", "accuracy"} <= set(drawn(ax))
    with pytest.raises(ValueError, match="unknown metric 'acuracy'; did you mean 'accuracy'"):
        fm.plot_learning_curves(model, "acuracy")
    with pytest.raises(ValueError, match="nothing to plot"):
        fm.plot_learning_curves(fm.Sequential([fm.Dense(1)], backend="numpy"))
    with pytest.raises(TypeError, match="must be a History or a Sequential"):
        fm.plot_learning_curves([1.0, 0.5])  # type: ignore[arg-type]


@pytest.mark.parametrize("arrays", [False, True])
def test_gradient_flow(arrays: bool) -> None:
    recorder = fm.Recorder(arrays=arrays)
    model = fm.Sequential([fm.Dense(4, "tanh"), fm.Dense(1)], backend="numpy", random_state=0)
    model.fit(X, NUMBERS, epochs=20, callbacks=[recorder], verbose=0)
    ax = fm.plot_gradient_flow(recorder)
    assert ticks(ax.xaxis) == ["0.weight", "1.weight"]
    assert ax.get_yscale() == "log"
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["0", "4", "8", "11", "15", "19"]
    last = model.gradients(X, NUMBERS)
    sizes = [np.sqrt(np.mean(last[name].astype(float) ** 2)) for name in ("0.weight", "1.weight")]
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), sizes, rtol=1e-6)


def test_gradient_flow_of_gradients_that_are_zero() -> None:
    recorder = fm.Recorder()
    layers = [fm.Dense(4, "relu", "zeros"), fm.Dense(1, initializer="zeros")]
    model = fm.Sequential(layers, backend="numpy", random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, NUMBERS, epochs=1, callbacks=[recorder], verbose=0)
    assert caught
    assert np.isnan(fm.plot_gradient_flow(recorder).lines[0].get_ydata()).all()


def test_gradient_flow_needs_a_recorder_with_epochs() -> None:
    with pytest.raises(ValueError, match="the recorder is empty"):
        fm.plot_gradient_flow(fm.Recorder())
    with pytest.raises(TypeError, match="must be a Recorder"):
        fm.plot_gradient_flow(binary())  # type: ignore[arg-type]


def test_activation_histograms() -> None:
    model = binary()
    ax = fm.plot_activation_histograms(model, X)
    # A dropout does nothing in prediction.
    assert ticks(ax.yaxis) == ["3.output", "2.output", "0.output"]
    out = model.activations(X)["0.output"]
    assert f"{np.mean(out == 0):.0%} zeros" in drawn(ax)
    heights = ax.patches[-1].get_data().values - 2
    edges = ax.patches[-1].get_data().edges
    counts, _ = np.histogram(out[out != 0], edges)
    np.testing.assert_allclose(heights, 0.85 * counts / counts.max(), atol=1e-12)


def test_activation_heatmap() -> None:
    model = binary()
    for layer, name in (
        (None, "2.output"),
        (0, "0.output"),
        ("2.preactivation", "2.preactivation"),
    ):
        ax = fm.plot_activation_heatmap(model, X, layer)
        np.testing.assert_array_equal(ax.images[0].get_array(), model.activations(X)[name][:100])
        assert name in drawn(ax)
    with pytest.raises(ValueError, match="unknown layer '7'"):
        fm.plot_activation_heatmap(model, X, 7)


def test_weights() -> None:
    model = binary()
    for layer, name in ((None, "0.weight"), (2, "2.weight"), ("3.weight", "3.weight")):
        ax = fm.plot_weights(model, layer)
        np.testing.assert_array_equal(ax.images[0].get_array(), model.parameters[name])
        low, high = ax.images[0].get_clim()
        assert low == -high
        assert name in drawn(ax)
    with pytest.raises(ValueError, match="unknown layer '1'"):
        fm.plot_weights(model, 1)
    with pytest.raises(ValueError, match=r"unknown layer '0.bias'.*known: 0.weight, 2.weight"):
        fm.plot_weights(model, "0.bias")
    with pytest.raises(TypeError, match="model must be a Sequential"):
        fm.plot_weights(model.parameters)  # type: ignore[arg-type]
