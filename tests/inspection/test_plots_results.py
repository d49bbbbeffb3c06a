"""Pictures of what a network has learned are what the model says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pictured import (
    CLASSES,
    LABELS,
    NUMBERS,
    RNG,
    X,
    binary,
    drawn,
    fitted,
    multiclass,
    regression,
    ticks,
)

import fastmlp as fm
from fastmlp.kernels.typing import Array

pytestmark = pytest.mark.usefixtures("headless")


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
