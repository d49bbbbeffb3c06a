"""Every name of a tool that users are promised, once: plots, explanations, predictors, exports."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from promised import REQUIRED, assert_takes, defaults, model_of, names, trained

import fastmlp as fm

ROWS = 30


@names("exp", "log", "tanh", "erf")
def test_math(name: str) -> None:
    assert getattr(fm.math, name)(0.5) == pytest.approx(getattr(math, name)(0.5))


def plot(name: str, X: np.ndarray, y: np.ndarray, **where: Any) -> Any:
    """Draw one of the plots."""
    X, recorder = X[:, :2], fm.Recorder()
    model = model_of([fm.Dense(3, "tanh"), fm.Dense(1, "sigmoid")], "numpy")
    classes = (y > 0).astype(int)
    model.fit(X, classes, epochs=2, callbacks=[recorder], verbose=0)
    arguments: dict[str, tuple[Any, ...]] = {
        "plot_learning_curves": (model.history,),
        "plot_gradient_flow": (recorder,),
        "plot_activation_histograms": (model, X),
        "plot_activation_heatmap": (model, X),
        "plot_weights": (model,),
        "plot_decision_boundary": (model, X, classes),
        "plot_feature_response": (model, X, 0),
        "plot_confusion_matrix": (model, X, classes),
        "plot_predictions": (y, y + 0.1),
    }
    return getattr(fm, name)(*arguments[name], **where)


@names(
    *("plot_learning_curves", "plot_gradient_flow", "plot_activation_histograms"),
    *("plot_activation_heatmap", "plot_weights", "plot_decision_boundary"),
    *("plot_feature_response", "plot_confusion_matrix", "plot_predictions"),
)
def test_plots(name: str, X: np.ndarray, y: np.ndarray) -> None:
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    _, given = pyplot.subplots()
    try:
        assert plot(name, X, y, ax=given) is given
        own = plot(name, X, y)
        assert isinstance(own, Axes)
        assert own is not given
    finally:
        pyplot.close("all")


@names("explain")
def test_explain(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    model = trained([fm.Dense(3, "relu"), fm.Dense(1)], X, y, backend)
    assert str(model.explain(X[0]))
    assert str(model.explain(X[0], y[0]))


@names("check_gradients")
def test_check_gradients(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert_takes(fm.check_gradients, model=REQUIRED, X=REQUIRED, y=REQUIRED)
    model = trained([fm.Dense(3, "tanh"), fm.Dense(1)], X, y, backend)
    assert fm.check_gradients(model, X, y).ok


@names("find_learning_rate")
def test_find_learning_rate(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert_takes(fm.find_learning_rate, model=REQUIRED, X=REQUIRED, y=REQUIRED)
    fm.find_learning_rate(model_of([fm.Dense(3, "tanh"), fm.Dense(1)], backend), X, y)


@names("CrossedColumns")
def test_crossed_columns(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    pytest.importorskip("scipy")
    crossed = getattr(fm.preprocessing, name)([(0, 1)], n_buckets=16, bins={0: 3, 1: 3})
    wide = crossed.fit_transform(X)
    assert wide.shape == (ROWS, 16)
    trained([fm.WideAndDeep(1, deep=[fm.Dense(3, "relu")])], (wide, X), y, backend)


@names("warmup", "load", "resume")
def test_functions(name: str) -> None:
    assert callable(getattr(fm, name))


def predicting(backend: str) -> tuple[fm.Sequential, np.ndarray]:
    X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    layers = [fm.Dense(8, activation="relu"), fm.BatchNorm(), fm.Dense(3, activation="softmax")]
    model = fm.Sequential(layers, backend=backend, random_state=0)
    model.fit(X, np.array(["a", "b", "c"])[np.arange(60) % 3], epochs=1, verbose=0)
    return model, X


def test_predictors(backend: str, tmp_path: Path) -> None:
    model, X = predicting(backend)
    predictor = model.freeze(scaler=None)
    assert predictor(X).shape == (60, 3)
    out = np.zeros(3, "float32")
    assert predictor(X[0], out=out) is out
    assert np.array_equal(predictor.predict_classes(X), model.predict_classes(X))
    predictor.save(tmp_path / "p.safetensors")
    model.save(tmp_path / "m.safetensors")
    assert defaults(fm.load_predictor)["backend"] == "numpy"
    for name in ("p", "m"):
        loaded = fm.load_predictor(tmp_path / f"{name}.safetensors", backend=backend)
        assert np.allclose(loaded(X), model.predict(X), rtol=0, atol=1e-6)
    with pytest.raises(fm.ModelFileError, match="load_predictor"):
        fm.load(tmp_path / "p.safetensors")


def test_exports(backend: str, tmp_path: Path) -> None:
    model, X = predicting(backend)
    predictor = model.freeze()
    predictor.export_c(tmp_path / "model.h", prefix="net")
    text = (tmp_path / "model.h").read_text()
    assert "int net_predict(const float *x, float *y, float *scratch)" in " ".join(text.split())
    for name in ("NET_N_FEATURES 4", "NET_N_OUTPUTS 3", "NET_SCRATCH ", "net_labels[", '"b"'):
        assert name in text
    predictor.export_python(tmp_path / "model.py")
    scope: dict[str, Any] = {"__name__": "model", "__file__": str(tmp_path / "model.py")}
    exec((tmp_path / "model.py").read_text(), scope)
    assert np.allclose(scope["predict"](X), model.predict(X), rtol=0, atol=1e-6)
    onnx = pytest.importorskip("onnx")
    predictor.export_onnx(tmp_path / "model.onnx")
    onnx.checker.check_model(tmp_path / "model.onnx")
