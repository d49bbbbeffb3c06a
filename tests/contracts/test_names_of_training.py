"""Every name of training that users are promised, once, in both backends."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from promised import REQUIRED, assert_takes, model_of, names, target, trained

import fastmlp as fm

ROWS, FEATURES = 30, 4
FIT = {
    "X": REQUIRED,
    "y": None,
    "epochs": 10,
    "batch_size": 64,
    "validation_data": None,
    "validation_split": 0.0,
    "sample_weight": None,
    "class_weight": None,
    "shuffle": True,
    "callbacks": (),
    "verbose": 1,
}
METHODS: dict[str, dict[str, Any]] = {
    "build": {"n_features": REQUIRED},
    "fit": FIT,
    "predict": {"X": REQUIRED},
    "predict_classes": {"X": REQUIRED},
    "evaluate": {"X": REQUIRED, "y": REQUIRED},
    "train_step": {"X": REQUIRED, "y": REQUIRED},
    "summary": {},
    "save": {"path": REQUIRED},
    "reset": {},
    "gradients": {"X": REQUIRED, "y": REQUIRED, "sample_weight": None, "training": True},
    "activations": {"X": REQUIRED, "training": False},
    "explain": {"x": REQUIRED, "y": None},
}


@names(*METHODS)
def test_methods(name: str) -> None:
    assert_takes(getattr(fm.Sequential, name), **METHODS[name])


def test_sequential() -> None:
    assert_takes(
        fm.Sequential,
        layers=REQUIRED,
        loss="auto",
        optimizer="adam",
        dtype="float32",
        backend="auto",
        random_state=None,
        n_threads="auto",
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_threads", ["auto", 1, 2])
def test_dtypes_and_threads(
    dtype: str, n_threads: Any, backend: str, X: np.ndarray, y: np.ndarray
) -> None:
    model = trained([fm.Dense(3), fm.Dense(1)], X, y, backend, dtype=dtype, n_threads=n_threads)
    assert model.predict(X).dtype == dtype
    assert model.parameters["0.weight"].dtype == dtype


def test_any_backend(X: np.ndarray, y: np.ndarray) -> None:
    trained([fm.Dense(1)], X, y, "auto")
    with pytest.raises(ValueError, match="numba"):
        model_of([fm.Dense(1)], "torch")


def test_fit(backend: str, X: np.ndarray) -> None:
    labels = np.where(X[:, 0] > 0, "yes", "no")
    model = model_of([fm.Dense(3, "relu"), fm.Dense(2, "softmax")], backend)
    history = model.fit(
        X,
        labels,
        epochs=3,
        batch_size=None,
        validation_split=0.2,
        sample_weight=np.ones(ROWS),
        class_weight={"yes": 2.0, "no": 1.0},
        shuffle=False,
        callbacks=[],
        verbose=0,
    )
    expected = {"loss", "accuracy", "val_loss", "val_accuracy", "seconds", "learning_rate"}
    assert set(history.keys()) == expected
    assert all(len(history[name]) == 3 for name in expected)
    assert list(history.epochs) == [0, 1, 2]
    further = model.fit(X, labels, epochs=2, validation_data=(X, labels), verbose=0)
    assert len(further["loss"]) == 2
    assert len(model.history["loss"]) == 5
    model.fit(X, labels, epochs=1, class_weight="balanced", verbose=0)
    assert set(model.predict_classes(X)) <= {"yes", "no"}
    np.testing.assert_allclose(model.predict(X).sum(axis=1), 1.0)


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbose(
    verbose: int, X: np.ndarray, y: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    model_of([fm.Dense(1)], "numpy").fit(X, y, epochs=20, verbose=verbose)
    printed = capsys.readouterr()
    lines = len((printed.out + printed.err).splitlines())
    # The first epoch has a line beside the ten.
    assert lines == {0: 0, 1: 11, 2: 20}[verbose]


def test_chunks(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    chunks = [(X[start : start + 7], y[start : start + 7]) for start in range(0, ROWS, 7)]
    model = model_of([fm.Dense(1)], backend)
    history = model.fit(chunks, epochs=3, batch_size=4, verbose=0)
    assert history["loss"][-1] < history["loss"][0]


def test_history_files(X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib").use("agg")
    history = trained([fm.Dense(1)], X, y, "numpy").history
    history.to_csv(tmp_path / "history.csv")
    history.to_json(tmp_path / "history.json")
    history.plot(path=tmp_path / "history.png")
    header = (tmp_path / "history.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert "loss" in header
    assert json.loads((tmp_path / "history.json").read_text(encoding="utf-8"))
    assert (tmp_path / "history.png").stat().st_size > 0


CLASSIFICATION = {"loss", "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"}
MACRO = {"precision_macro", "recall_macro", "f1_macro"}
REGRESSION = {"loss", "mse", "rmse", "mae", "r2", "explained_variance", "pearson_r"}


@pytest.mark.parametrize(
    ("activation", "units", "expected"),
    [
        ("sigmoid", 1, CLASSIFICATION),
        ("softmax", 3, CLASSIFICATION | MACRO),
        ("linear", 1, REGRESSION),
    ],
)
def test_evaluate(
    activation: str, units: int, expected: set[str], backend: str, X: np.ndarray
) -> None:
    pytest.importorskip("sklearn")
    y = target(activation, "", X)
    scores = trained([fm.Dense(units, activation)], X, y, backend).evaluate(X, y)
    assert expected <= scores.keys()
    assert all(type(score) is float and math.isfinite(score) for score in scores.values())


def test_shapes(backend: str, X: np.ndarray) -> None:
    columns = (X[:, :3] > 0).astype(int)
    model = trained([fm.Dense(3, "sigmoid")], X, columns, backend)
    assert model.predict(X).shape == (ROWS, 3)
    assert set(model.predict_classes(X).ravel()) <= {0, 1}
    one_hot = np.eye(3)[target("softmax", "", X)]
    model = trained([fm.Dense(3, "softmax")], X, one_hot, backend)
    assert model.predict_classes(X).shape == (ROWS,)
    assert set(model.predict_classes(X)) <= {0, 1, 2}
    model = trained([fm.Dense(1)], X, X[:, :1], backend)
    assert model.predict(X).shape == (ROWS, 1)


def test_views_and_copies(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    layers = [fm.Dense(3), fm.BatchNorm(), fm.Residual([fm.Dense(3, "tanh")]), fm.Dense(1)]
    model = model_of(layers, backend).build(FEATURES)
    assert list(model.parameters) == [
        *("0.weight", "0.bias", "1.gamma", "1.beta", "2.0.weight", "2.0.bias"),
        *("3.weight", "3.bias"),
    ]
    assert list(model.buffers) == ["1.running_mean", "1.running_var"]
    assert model.parameters["0.weight"].shape == (FEATURES, 3)
    assert model.parameters["0.bias"].shape == (3,)
    weight, before = model.parameters["0.weight"], model.parameters["0.weight"].copy()
    gradients = model.gradients(X, y)
    assert list(gradients) == list(model.parameters)
    assert {"0.preactivation", "0.output", "3.output"} <= model.activations(X).keys()
    loss = model.train_step(X, y)
    assert type(loss) is float
    assert not np.array_equal(weight, before)
    model.fit(X, y, epochs=1, verbose=0)
    model.reset()
    np.testing.assert_array_equal(weight, before)
    weight[...] = 0.0
    assert not model.parameters["0.weight"].any()


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    text = model_of([fm.Dense(3, "relu"), fm.Dense(1)], "numpy").build(2).summary()
    assert text in capsys.readouterr().out
    assert "13" in text


def test_files(backend: str, X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    model = trained([fm.Dense(3, "tanh"), fm.Dense(1)], X, y, backend)
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = fm.load(path, backend=backend)
    for one in (model, loaded):
        one.fit(X, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    path.write_bytes(b"no model")
    with pytest.raises(fm.ModelFileError):
        fm.load(path)
    assert issubclass(fm.ModelFileError, ValueError)


def test_divergence(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert issubclass(fm.DivergenceError, ValueError)
    with pytest.raises(fm.DivergenceError):
        model_of([fm.Dense(1)], backend, optimizer=fm.SGD(1e200)).fit(X, y, verbose=0)


def test_from_spec(backend: str, X: np.ndarray) -> None:
    labels = (X[:, 0] > 0).astype(int)
    assert_takes(fm.Sequential.from_spec, spec=REQUIRED, l1=0, l2=0, initializer="auto")
    settings: dict[str, Any] = {"random_state": 0, "backend": backend, "dtype": "float64"}
    flat = fm.Sequential.from_spec([4, 8, "relu", 3, 1, "sigmoid"], l2=0.1, **settings)
    layers = [fm.Dense(8, "relu", l2=0.1), fm.Dense(3, l2=0.1), fm.Dense(1, "sigmoid", l2=0.1)]
    same = fm.Sequential(layers, **settings)
    losses = [m.fit(X, labels, epochs=2, verbose=0)["loss"] for m in (flat, same)]
    assert losses[0] == losses[1]
    spec = [(4, False, None, 1.0), (8, True, "relu", 0.8), (1, False, "sigmoid", 1.0)]
    tuples = fm.Sequential.from_spec(spec, **settings)
    layers = [
        *(fm.Dense(8), fm.BatchNorm(), fm.Activation("relu"), fm.Dropout(0.2)),
        fm.Dense(1, "sigmoid"),
    ]
    losses = [
        m.fit(X, labels, epochs=2, verbose=0)["loss"]
        for m in (tuples, fm.Sequential(layers, **settings))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    with pytest.raises(ValueError, match="4"):
        flat.fit(X[:, :3], labels, verbose=0)


def callbacks(folder: Path) -> Mapping[str, Callable[[], Any]]:
    return {
        "EarlyStopping": lambda: fm.EarlyStopping("loss", patience=1, min_delta=1e9),
        "ModelCheckpoint": lambda: fm.ModelCheckpoint(folder / "checkpoint.safetensors", every=1),
        "ProgressBar": lambda: fm.ProgressBar(),
        "CSVLogger": lambda: fm.CSVLogger(folder / "log.csv"),
        "LambdaCallback": lambda: fm.LambdaCallback(on_epoch_end=lambda model, epoch, logs: None),
        "Recorder": lambda: fm.Recorder(arrays=False),
        "Callback": lambda: fm.Callback(),
    }


@names(
    *("EarlyStopping", "ModelCheckpoint", "ProgressBar", "CSVLogger", "LambdaCallback"),
    *("Recorder", "Callback"),
)
def test_callbacks(name: str, backend: str, X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    if name == "ProgressBar":
        pytest.importorskip("tqdm")
    model = model_of([fm.Dense(1)], backend)
    history = model.fit(X, y, epochs=4, callbacks=[callbacks(tmp_path)[name]()], verbose=0)
    assert len(history["loss"]) == (2 if name == "EarlyStopping" else 4)
    written = {"ModelCheckpoint": "checkpoint.safetensors", "CSVLogger": "log.csv"}
    if name in written:
        assert (tmp_path / written[name]).stat().st_size > 0


@names("EarlyStopping", "ModelCheckpoint", "Recorder")
def test_arguments_of_callbacks(name: str) -> None:
    expected: dict[str, dict[str, Any]] = {
        "EarlyStopping": {
            "monitor": "val_loss",
            "patience": 10,
            "min_delta": 0.0,
            "restore_best": True,
            "mode": "auto",
        },
        "ModelCheckpoint": {"path": REQUIRED, "every": 1},
        "Recorder": {"arrays": False},
    }
    assert_takes(getattr(fm, name), **expected[name])


def test_early_stopping_needs_what_it_monitors(X: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(ValueError, match="monitor='loss'|monitor=\"loss\""):
        model_of([fm.Dense(1)], "numpy").fit(X, y, callbacks=[fm.EarlyStopping()], verbose=0)


@names("Recorder")
def test_recorder(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    for arrays in (False, True):
        recorder = fm.Recorder(arrays=arrays)
        model = model_of([fm.Dense(3, "tanh"), fm.Dense(1)], backend)
        model.fit(X, y, epochs=3, callbacks=[recorder], verbose=0)
        assert len(recorder.weights["0.weight"]) == 3
        assert len(recorder.gradients["0.weight"]) == 3
        assert len(recorder.activations["0.output"]) == 3


def test_methods_of_callbacks(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    calls: list[Any] = []

    class Log(fm.Callback):
        def on_fit_begin(self, model: Any) -> None:
            calls.append("fit begins")

        def on_epoch_begin(self, model: Any, epoch: int) -> None:
            calls.append(epoch)

        def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
            calls.append(sorted(logs.keys() & {"loss", "learning_rate"}))
            model.stop_training = epoch == 1

        def on_fit_end(self, model: Any) -> None:
            calls.append("fit ends")

    model_of([fm.Dense(1)], backend).fit(X, y, epochs=5, callbacks=[Log()], verbose=0)
    logged = ["learning_rate", "loss"]
    assert calls == ["fit begins", 0, logged, 1, logged, "fit ends"]


@names("resume")
def test_resume(name: str, backend: str, X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"

    class Crash(fm.Callback):
        def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
            if epoch == 1:
                raise RuntimeError("the power failed")

    whole = model_of([fm.Dense(1)], backend)
    whole.fit(X, y, epochs=4, batch_size=10, verbose=0)
    broken = model_of([fm.Dense(1)], backend)
    with pytest.raises(RuntimeError, match="the power failed"):
        broken.fit(
            X,
            y,
            epochs=4,
            batch_size=10,
            callbacks=[fm.ModelCheckpoint(path), Crash()],
            verbose=0,
        )
    finished = fm.resume(path, X, y, backend=backend)
    np.testing.assert_array_equal(finished.predict(X), whole.predict(X))
