"""Pictures: what is drawn is what the model says, in the Axes that were given."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.kernels.typing import Array

matplotlib = pytest.importorskip("matplotlib")

RNG = np.random.default_rng(9)
X = RNG.normal(size=(120, 2))
LABELS = np.array(["no", "yes"])[(X[:, 0] * X[:, 1] > 0).astype(int)]
CLASSES = np.digitize(X[:, 0], [-0.5, 0.5])
NUMBERS = np.sin(X[:, 0]) + X[:, 1]


@pytest.fixture(autouse=True)
def headless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from matplotlib import pyplot

    monkeypatch.setenv("MPLBACKEND", "Agg")
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


def fitted(y: Any, last: Any, X: Any = X, **arguments: Any) -> fm.Sequential:
    layers = [fm.Dense(8, "relu"), fm.Dropout(0.1), fm.Dense(6, "tanh"), last]
    model = fm.Sequential(layers, backend="numpy", random_state=0, optimizer=fm.Adam(0.01))
    model.fit(X, y, epochs=5, verbose=0, **arguments)
    return model


def binary(**arguments: Any) -> fm.Sequential:
    return fitted(LABELS, fm.Dense(1, "sigmoid"), **arguments)


def multiclass() -> fm.Sequential:
    return fitted(CLASSES, fm.Dense(3, "softmax"))


def regression() -> fm.Sequential:
    return fitted(NUMBERS, fm.Dense(1))


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


def drawn(ax: Any) -> list[str]:
    """All words in a picture."""
    from matplotlib.text import Text

    ax.figure.canvas.draw()
    return [text.get_text() for text in ax.figure.findobj(Text) if text.get_text()]


def ticks(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


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


def test_decision_boundary_of_two_classes() -> None:
    model = binary()
    ax = fm.plot_decision_boundary(model, X, LABELS)
    mesh, *scatter = ax.collections
    shade = np.asarray(mesh.get_array())
    xs = np.linspace(*ax.get_xlim(), shade.shape[1])
    assert shade.min() >= 0
    assert shade.max() <= 1
    middle = shade[shade.shape[0] // 2]
    y = np.mean(ax.get_ylim())
    np.testing.assert_allclose(
        middle, model.predict(np.column_stack([xs, np.full(len(xs), y)]))[:, 0], atol=0.05
    )
    assert {"no", "yes", "probability of yes", "feature 0", "feature 1"} <= set(drawn(ax))
    assert sum(len(each.get_offsets()) for each in scatter if len(each.get_offsets()) > 1) == 120


def test_decision_boundary_of_three_classes_and_names_of_columns() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["width", "height"])
    ax = fm.plot_decision_boundary(multiclass(), frame, CLASSES)
    assert {"width", "height", "class", "0", "1", "2"} <= set(drawn(ax))
    assert [len(each.get_offsets()) for each in ax.collections] == np.bincount(CLASSES).tolist()


def test_decision_boundary_refusals() -> None:
    wide = fitted(NUMBERS, fm.Dense(1), X=np.hstack([X, X]))
    with pytest.raises(ValueError, match="4 columns, expected 2"):
        fm.plot_decision_boundary(wide, np.hstack([X, X]), NUMBERS)
    several = fitted((X > 0).astype(float), fm.Dense(2, "sigmoid"))
    with pytest.raises(ValueError, match="one label a row"):
        fm.plot_decision_boundary(several, X, X > 0)
    with pytest.raises(ValueError, match="labels that the model does not know"):
        fm.plot_decision_boundary(binary(), X, CLASSES)
    with pytest.raises(TypeError, match="model must be a Sequential"):
        fm.plot_decision_boundary("model", X, CLASSES)  # type: ignore[arg-type]


def test_feature_response() -> None:
    pandas = pytest.importorskip("pandas")
    model = regression()
    ax = fm.plot_feature_response(model, X, 0)
    grid, response = ax.lines[0].get_data()
    assert (grid[0], grid[-1]) == (X[:, 0].min(), X[:, 0].max())
    rows = np.column_stack([grid, np.full(len(grid), X[:, 1].mean())])
    np.testing.assert_allclose(response, model.predict(rows)[:, 0], rtol=1e-5, atol=1e-6)
    frame = pandas.DataFrame(X, columns=["width", "height"])
    by_name = fm.plot_feature_response(model, frame, "width")
    np.testing.assert_array_equal(by_name.lines[0].get_ydata(), response)
    assert by_name.get_xlabel() == "width"
    with pytest.raises(ValueError, match="unknown feature 'widht'; did you mean 'width'"):
        fm.plot_feature_response(model, frame, "widht")
    with pytest.raises(ValueError, match="column number below 2, got 2"):
        fm.plot_feature_response(model, X, 2)


@pytest.mark.parametrize(
    ("make", "lines", "label"),
    [
        (binary, 1, "probability of yes"),
        (multiclass, 3, "probability"),
        (regression, 1, "prediction"),
    ],
)
def test_feature_response_of_each_kind(make: Any, lines: int, label: str) -> None:
    ax = fm.plot_feature_response(make(), X, 1)
    # The last line are the marks of the rows' values.
    assert len(ax.lines) == lines + 1
    assert ax.get_ylabel() == label


def test_a_constant_feature_has_a_response() -> None:
    constant = np.column_stack([np.full(120, 2.0), X[:, 1]])
    ax = fm.plot_feature_response(regression(), constant, 0)
    assert ax.lines[0].get_xdata().tolist() == [2.0]
    assert ax.lines[0].get_marker() == "o"


def test_confusion_matrix() -> None:
    right, found = ["b", "a", "b", "b"], ["b", "b", "b", "a"]
    ax = fm.plot_confusion_matrix(right, found)
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0, 1], [1, 2]])
    assert ticks(ax.xaxis) == ticks(ax.yaxis) == ["a", "b"]
    assert [text.get_text() for text in ax.texts] == ["0", "1", "1", "2"]
    shares = fm.plot_confusion_matrix(right, found, normalize=True)
    np.testing.assert_allclose(shares.images[0].get_array(), [[0, 1], [1 / 3, 2 / 3]])


def test_confusion_matrix_of_a_model() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    model = multiclass()
    expected = metrics.confusion_matrix(CLASSES, model.predict_classes(X))
    ax = fm.plot_confusion_matrix(model, X, CLASSES)
    np.testing.assert_array_equal(ax.images[0].get_array(), expected)


def test_confusion_matrix_of_many_classes_has_no_numbers() -> None:
    many = RNG.integers(40, size=300)
    assert not fm.plot_confusion_matrix(many, many).texts


def test_confusion_matrix_refusals() -> None:
    with pytest.raises(ValueError, match="this model is regression"):
        fm.plot_confusion_matrix(regression(), X, NUMBERS)
    with pytest.raises(ValueError, match=r"\(model, X, y\)"):
        fm.plot_confusion_matrix(binary(), X)
    with pytest.raises(TypeError, match="first must be a Sequential"):
        fm.plot_confusion_matrix(LABELS, X, LABELS)
    with pytest.raises(ValueError, match="2 right labels and 3 predicted"):
        fm.plot_confusion_matrix([1, 2], [1, 2, 3])


def test_predictions() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    model = regression()
    found: Array = model.predict(X)[:, 0]
    ax = fm.plot_predictions(model, X, NUMBERS)
    points = np.asarray(ax.collections[0].get_offsets())
    np.testing.assert_allclose(points, np.column_stack([NUMBERS, found]), rtol=1e-6)
    rmse = metrics.root_mean_squared_error(NUMBERS, found)
    assert (
        ax.texts[0].get_text() == f"RMSE {rmse:.4g}\n$R^2$ {metrics.r2_score(NUMBERS, found):.4f}"
    )
    several = fm.plot_predictions(np.ones((3, 2)), np.zeros((3, 2)))
    assert len(several.collections) == 2
    assert several.texts[0].get_text() == "RMSE 1"


def test_predictions_refusals() -> None:
    with pytest.raises(ValueError, match="use plot_confusion_matrix"):
        fm.plot_predictions(binary(), X, LABELS)
    with pytest.raises(ValueError, match=r"shape \(2, 1\), those predicted \(3, 1\)"):
        fm.plot_predictions([1.0, 2.0], [1.0, 2.0, 3.0])
