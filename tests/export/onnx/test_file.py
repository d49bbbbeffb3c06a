"""ONNX files of predictors, run by onnxruntime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_graphs import error, network, onnx, run, session
from random_weights import TOLERANCE

import fastmlp as fm
from fastmlp.export.onnx.file import make_model
from fastmlp.kernels.typing import Array


def classifier(units: int, activation: str, y: Any, dtype: str = "float32") -> Any:
    """A network that has seen some labels, and rows."""
    model = fm.Sequential(
        [fm.Dense(units, activation)], dtype=dtype, backend="numpy", random_state=0
    )
    X = np.random.default_rng(0).normal(size=(len(y), 3)).astype(dtype)
    model.fit(X, y, epochs=1, verbose=0)
    return model.freeze(), X


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(30))
def test_random_networks(seed: int, dtype: str) -> None:
    model, X = network(seed, dtype)
    predictor = model.freeze()
    exported = make_model(predictor)
    onnx.checker.check_model(exported, full_check=True)
    found = run(exported, X)
    expected = predictor(X)
    first = next(iter(found.values()))
    assert first.dtype == dtype
    # Rounding grows on its way through some of these networks.
    assert error(first, expected) < 30 * TOLERANCE[dtype]
    if predictor.task != "regression":
        labels = found["labels" if predictor.task == "multilabel" else "label"]
        # Where two classes are as probable as rounding can tell, either may be given.
        tie = np.abs(expected - 0.5).min(axis=1) < 1e-5
        if predictor.task == "multiclass":
            best = np.sort(expected, axis=1)
            tie = best[:, -1] - best[:, -2] < 1e-5
        assert tie.mean() < 0.5
        np.testing.assert_array_equal(labels[~tie], predictor.predict_classes(X)[~tie])


def test_standard_operators_and_what_the_file_says(tmp_path: Path) -> None:
    predictor, X = classifier(3, "softmax", np.array(["a", "b", "c"])[np.arange(60) % 3])
    predictor.export_onnx(tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 13)]
    assert {node.domain for node in model.graph.node} == {""}
    assert (model.producer_name, model.producer_version) == ("fastmlp", fm.__version__)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["task"] == "multiclass"
    assert json.loads(metadata["labels"]) == ["a", "b", "c"]
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    made = session(tmp_path / "model.onnx")
    [given] = made.get_inputs()
    assert (given.name, given.shape, given.type) == ("X", ["rows", 3], "tensor(float)")
    probabilities, label = made.get_outputs()
    assert (probabilities.name, probabilities.shape) == ("probabilities", ["rows", 3])
    assert (label.name, label.shape, label.type) == ("label", ["rows"], "tensor(string)")
    for n in (1, 0, 60):
        found = made.run(None, {"X": X[:n]})
        assert found[0].shape == (n, 3)
        assert found[1].tolist() == predictor.predict_classes(X)[:n].tolist()


@pytest.mark.parametrize(
    "classes",
    [
        np.array([0, 1, 2]),
        np.array([-5, 7, 2**40]),
        np.array([1, 2, 2**63], np.uint64),
        np.array([0.5, 1.5, -2.0], np.float32),
        np.array(["x", "ü €", ""]),
        np.array([b"x", b"\xff", b"z"]),
        np.array(["2020-01-01", "2021-05-05", "1999-12-31"], "M8[D]"),
    ],
    ids=lambda classes: str(classes.dtype),
)
@pytest.mark.parametrize("units", [1, 3])
def test_labels_of_every_kind(classes: Array, units: int) -> None:
    known = classes[:2] if units == 1 else classes
    y = known[np.arange(60) % len(known)]
    predictor, X = classifier(units, "sigmoid" if units == 1 else "softmax", y)
    expected = predictor.predict_classes(X)
    assert len(np.unique(expected)) > 1
    label = run(make_model(predictor), X)["label"]
    if classes.dtype.kind == "S":
        assert [text.encode("latin-1") for text in label] == expected.tolist()
    elif classes.dtype.kind == "M" or (known.dtype == np.uint64 and known.max() > 2):
        assert label.tolist() == expected.astype(str).tolist()
    else:
        np.testing.assert_array_equal(label, expected)


def test_booleans() -> None:
    predictor, X = classifier(1, "sigmoid", np.arange(60) % 2 == 1)
    label = run(make_model(predictor), X)["label"]
    assert label.dtype == bool
    np.testing.assert_array_equal(label, predictor.predict_classes(X))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ties(dtype: str) -> None:
    X = np.zeros((2, 3), dtype)
    for units, activation, y in (
        (1, "sigmoid", np.array(["no", "yes"])[np.arange(60) % 2]),
        (3, "softmax", np.arange(60) % 3 + 4),
        (2, "sigmoid", np.eye(2)[np.arange(60) % 2]),
    ):
        predictor, _ = classifier(units, activation, y, dtype)
        model = fm.Sequential([fm.Dense(units, activation)], dtype=dtype, backend="numpy").build(3)
        model.training_state.targets = predictor.targets
        found = run(make_model(model.freeze()), X)
        label = found["labels" if units == 2 else "label"]
        assert label.tolist() == model.predict_classes(X).tolist()
        assert label.tolist()[0] in ("yes", 4, [1, 1])


def test_two_inputs() -> None:
    layers = [fm.WideAndDeep(2, "tanh", deep=[fm.Dense(6, "silu"), fm.Dense(4, "relu")])]
    model = fm.Sequential(layers, backend="numpy", random_state=1).build((3, 5))
    rng = np.random.default_rng(2)
    model.parameters["0.wide_weight"][...] = rng.normal(size=(3, 2))
    wide, deep = (rng.normal(size=(500, n)).astype(np.float32) for n in (3, 5))
    exported = make_model(model.freeze())
    assert [value.name for value in exported.graph.input] == ["X_wide", "X_deep"]
    assert error(run(exported, wide, deep)["output"], model.predict((wide, deep))) < 1e-5


def test_codes_that_are_none_make_the_runtime_fail() -> None:
    layers = [fm.Embedding(3, 2, column=1), fm.Dense(2, "tanh")]
    model = fm.Sequential(layers, backend="numpy").build(2)
    exported = make_model(model.freeze())
    X = np.array([[0.5, 2.0]], np.float32)
    assert error(run(exported, X)["output"], model.predict(X)) < 1e-5
    for code in (3.0, -1.0, 1.5, -0.5, 1e20, np.nan):
        X[0, 1] = code
        with pytest.raises(Exception, match="(?i)gather"):
            run(exported, X)


def test_a_scaler_in_front() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    pandas = pytest.importorskip("pandas")
    X = np.random.default_rng(0).normal(5.0, 3.0, (300, 2))
    scaler = preprocessing.StandardScaler().fit(pandas.DataFrame(X, columns=["height", "w/ü"]))
    model = fm.Sequential([fm.Dense(4, "tanh"), fm.Dense(1)], backend="numpy").build(2)
    exported = make_model(model.freeze(scaler))
    found = run(exported, X.astype(np.float32))["output"]
    assert error(found, model.predict((X - scaler.mean_) / scaler.scale_)) < 1e-5
    metadata = {entry.key: entry.value for entry in exported.metadata_props}
    assert json.loads(metadata["feature_names"]) == ["height", "w/ü"]


def test_files_appear_when_they_are_complete(tmp_path: Path) -> None:
    predictor = fm.Sequential([fm.Dense(1)], backend="numpy").build(2).freeze()
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        predictor.export_onnx(tmp_path / "missing" / "model.onnx")
    predictor.export_onnx(tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
