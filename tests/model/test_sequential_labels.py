"""Labels through a whole model: from fit to predictions and metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.kernels.typing import Array

N = 90


def three() -> tuple[Array, Array]:
    """Three groups of rows, far from each other."""
    rng = np.random.default_rng(61)
    codes = np.arange(N) % 3
    return 3 * np.eye(3)[codes] + 0.3 * rng.normal(size=(N, 3)), codes


def classifier(backend: str, units: int = 3, activation: str = "softmax") -> fm.Sequential:
    return fm.Sequential(
        [fm.Dense(units, activation)],
        optimizer=fm.Adam(0.1),
        backend=backend,
        random_state=0,
    )


THREE = {
    "ints in range": np.array([0, 1, 2]),
    "other ints": np.array([3, 7, 40]),
    "negative ints": np.array([-1, 0, 1]),
    "strings": np.array(["cat", "dog", "elephant"]),
    "bytes": np.array([b"a", b"b", b"c"]),
    "floats": np.array([0.5, 1.5, 9.0]),
    "floats in range": np.array([0.0, 1.0, 2.0], dtype=np.float32),
    "small ints": np.array([0, 1, 2], dtype=np.uint8),
}


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("name", THREE)
def test_three_labels(backend: str, name: str, column: bool) -> None:
    X, codes = three()
    labels = THREE[name]
    y = labels[codes]
    model = classifier(backend)
    history = model.fit(X, y[:, np.newaxis] if column else y, epochs=20, verbose=0)
    assert model.predict(X).shape == (N, 3)
    np.testing.assert_allclose(model.predict(X).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict_classes(X), y)
    assert model.predict_classes(X).dtype == y.dtype
    np.testing.assert_array_equal(model.classes, np.sort(labels))
    assert history["accuracy"][-1] == model.evaluate(X, y)["accuracy"] == 1.0


def test_labels_in_lists_and_of_objects(backend: str) -> None:
    X, codes = three()
    words = ["x", "yy", "zzz"]
    listed = [words[code] for code in codes]
    for y in (listed, np.array(listed, dtype=object)):
        model = classifier(backend)
        model.fit(X, y, epochs=20, verbose=0)
        assert model.predict_classes(X).tolist() == listed


@pytest.mark.parametrize("smooth", [0.0, 0.1])
def test_one_hot_rows(backend: str, smooth: float) -> None:
    """Column numbers come back, and training is as by labels."""
    X, codes = three()
    y = (1 - smooth) * np.eye(3)[codes] + smooth / 3
    model = classifier(backend)
    model.fit(X, y, epochs=20, verbose=0)
    predicted = model.predict_classes(X)
    assert predicted.dtype.kind == "i"
    np.testing.assert_array_equal(predicted, codes)
    assert model.evaluate(X, y)["accuracy"] == 1.0
    loss = "cce" if not smooth else fm.CategoricalCrossentropy(smooth)
    by_labels = fm.Sequential(
        [fm.Dense(3, "softmax")], loss, fm.Adam(0.1), backend=backend, random_state=0
    )
    by_labels.fit(X, codes, epochs=20, verbose=0)
    np.testing.assert_allclose(by_labels.predict(X), model.predict(X), atol=1e-4)


def test_class_numbers_need_not_all_occur(backend: str) -> None:
    X, codes = three()
    model = classifier(backend, units=5)
    model.fit(X, codes, epochs=20, verbose=0)
    assert model.predict(X).shape == (N, 5)
    np.testing.assert_array_equal(model.predict_classes(X), codes)
    model.fit(X, np.where(codes == 2, 4, codes), epochs=1, verbose=0)


TWO = {
    "ints in range": np.array([0, 1]),
    "other ints": np.array([3, 7]),
    "minus one and one": np.array([-1, 1]),
    "booleans": np.array([False, True]),
    "strings": np.array(["ham", "spam"]),
    "floats": np.array([0.25, 10.0]),
}


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("name", TWO)
def test_two_labels(backend: str, name: str, activation: str) -> None:
    X, codes = three()
    y = TWO[name][(codes == 1).astype(int)]
    units = 1 if activation == "sigmoid" else 2
    model = classifier(backend, units, activation)
    history = model.fit(X, y, epochs=40, verbose=0)
    assert model.predict(X).shape == (N, units)
    assert ((model.predict(X)[:, -1] > 0.5) == (codes == 1)).all()
    np.testing.assert_array_equal(model.predict_classes(X), y)
    assert model.predict_classes(X).dtype == y.dtype
    assert history["accuracy"][-1] == 1.0


def test_a_half_counts_as_the_second_label(backend: str) -> None:
    X, codes = three()
    model = fm.Sequential(
        [fm.Dense(1, "sigmoid", initializer="zeros")], optimizer=fm.SGD(0.0), backend=backend
    )
    history = model.fit(X, np.where(codes == 1, "b", "a"), epochs=1, verbose=0)
    assert (model.predict(X) == 0.5).all()
    assert set(model.predict_classes(X)) == {"b"}
    assert history["accuracy"][0] == pytest.approx(1 / 3)


@pytest.mark.parametrize("loss", ["bce", "mse", "mae", "huber"])
def test_multilabel(backend: str, loss: str) -> None:
    X, codes = three()
    y = np.stack([codes == 1, codes != 2], axis=1).astype(int)
    model = fm.Sequential(
        [fm.Dense(2, "sigmoid")],
        loss=loss,
        optimizer=fm.Adam(0.1),
        backend=backend,
        random_state=0,
    )
    history = model.fit(X, y, epochs=60, verbose=0)
    assert model.predict(X).shape == (N, 2)
    np.testing.assert_array_equal(model.predict_classes(X), y)
    assert model.predict_classes(X).dtype.kind == "i"
    assert history["accuracy"][-1] == model.evaluate(X, y)["accuracy"] == 1.0


def test_a_later_fit_is_held_to_the_labels(backend: str) -> None:
    X, codes = three()
    model = classifier(backend)
    names = np.array(["a", "b", "c"])
    model.fit(X, names[codes], epochs=1, verbose=0)
    model.fit(X[codes != 0], names[codes[codes != 0]], epochs=1, verbose=0)
    np.testing.assert_array_equal(model.classes, names)
    before = model.predict(X)
    for use in (model.fit, model.train_step, model.evaluate, model.gradients):
        with pytest.raises(ValueError, match="'z'"):
            use(X, np.where(codes == 1, "z", "a"))
    np.testing.assert_array_equal(model.predict(X), before)


def test_validation_data_is_held_to_the_labels(backend: str) -> None:
    X, codes = three()
    model = classifier(backend)
    with pytest.raises(ValueError, match="17"):
        model.fit(X, codes, validation_data=(X, codes + 16), epochs=1, verbose=0)


METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss")


def test_keys_of_evaluate(backend: str) -> None:
    pytest.importorskip("sklearn")
    X, codes = three()
    macro = {f"{name}_macro" for name in ("precision", "recall", "f1", "roc_auc")}
    model = classifier(backend)
    model.fit(X, codes, epochs=1, verbose=0)
    assert set(model.evaluate(X, codes)) == {"loss", *METRICS, *macro}
    model = classifier(backend, 1, "sigmoid")
    model.fit(X, codes == 1, epochs=1, verbose=0)
    assert set(model.evaluate(X, codes == 1)) == {"loss", *METRICS}
    model = classifier(backend, 2, "linear")
    model.fit(X, X[:, :2], epochs=1, verbose=0)
    assert set(model.evaluate(X, X[:, :2])) == {
        *("loss", "mse", "rmse", "mae", "r2", "explained_variance", "pearson_r")
    }
    assert all(type(value) is float for value in model.evaluate(X, X[:, :2]).values())


def test_evaluate_is_scikit_learns(backend: str) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    X, codes = three()
    rng = np.random.default_rng(0)
    X = X + 2 * rng.normal(size=X.shape)
    names = np.array(["x", "y", "z"])
    model = classifier(backend)
    model.fit(X, names[codes], epochs=3, verbose=0)
    weights = rng.uniform(0.5, 2, N)
    result = model.evaluate(X, names[codes], weights)
    predicted, p = model.predict_classes(X), model.predict(X)
    assert result["accuracy"] == pytest.approx(
        metrics.accuracy_score(names[codes], predicted, sample_weight=weights)
    )
    assert result["f1"] == pytest.approx(
        metrics.f1_score(names[codes], predicted, average="weighted", sample_weight=weights)
    )
    assert result["recall_macro"] == pytest.approx(
        metrics.recall_score(names[codes], predicted, average="macro", sample_weight=weights)
    )
    log_loss = -(weights * np.log(p[np.arange(N), codes])).sum() / weights.sum()
    assert result["log_loss"] == pytest.approx(log_loss, rel=1e-5)
    assert result["loss"] == pytest.approx(log_loss, rel=1e-5)


@pytest.mark.parametrize(
    ("units", "y_shape"), [(1, (N,)), (1, (N, 1)), (2, (N, 2)), (1, "list")], ids=str
)
def test_numbers(backend: str, units: int, y_shape: Any) -> None:
    X, _ = three()
    y: Any = X[:, 0].tolist() if y_shape == "list" else X[:, :units].reshape(y_shape)
    model = classifier(backend, units, "linear")
    model.fit(X, y, epochs=300, verbose=0)
    assert model.predict(X).shape == (N, units)
    np.testing.assert_allclose(model.predict(X), X[:, :units], atol=0.05)
    assert model.evaluate(X, y)["r2"] > 0.99
    with pytest.raises(ValueError, match="predict_classes"):
        model.predict_classes(X)
    assert model.classes is None


def test_wrong_shapes_of_numbers(backend: str) -> None:
    X, _ = three()
    model = classifier(backend, 2, "linear")
    for y in (X[:, 0], X, X[:5, :2]):
        with pytest.raises(ValueError, match="y"):
            model.fit(X, y, verbose=0)
    with pytest.raises(ValueError, match="no parameters"):
        model.predict(X)
