"""Calls that take in the networks of other libraries."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np
from called import (
    NEAR,
    NUMBERS,
    WIDTH,
    WORDS,
    X,
    call,
)

import fastmlp as fm


@functools.cache
def sklearn_estimators() -> list[Any]:
    """Estimators that scikit-learn has fitted."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = NEAR[:, 1:].astype("f8")
    network = MLPClassifier((5,), learning_rate_init=0.1, max_iter=2000, random_state=0)
    return [
        network.fit(rows, WORDS),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, WORDS),
        TransformedTargetRegressor(Ridge(), transformer=StandardScaler()).fit(rows, NUMBERS),
    ]


@call
def from_sklearn(folder: Path) -> Any:
    rows = X[:, 1:]
    return [fm.from_sklearn(e, backend="numpy").predict(rows) for e in sklearn_estimators()]


@functools.cache
def sklearn_pipelines() -> list[Any]:
    """Pipelines that it has fitted, with columns of categories."""
    from sklearn.compose import ColumnTransformer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    encoder = OneHotEncoder(handle_unknown="ignore")
    parts = [("sizes", StandardScaler(), [2, 0, 3]), ("kind", encoder, [1])]
    network = MLPClassifier((5,), learning_rate_init=0.1, max_iter=2000, random_state=0)
    rows = of_kinds()
    return [make_pipeline(ColumnTransformer(parts), network).fit(rows, WORDS)]


def of_kinds() -> Any:
    """Rows with three kinds in their second column."""
    rows = NEAR[:, 1:].astype("f8")
    rows[:, 1] = np.arange(len(rows)) % 3
    return rows


@call
def freeze(folder: Path) -> Any:
    return [fm.freeze(pipeline)(of_kinds()) for pipeline in sklearn_pipelines()]


@functools.cache
def torch_modules() -> list[Any]:
    """Modules of PyTorch with weights that do not depend on how it is set."""
    import torch
    from torch import nn

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(WIDTH, 6), nn.GELU(), nn.Linear(6, WIDTH))

        def forward(self, x: Any) -> Any:
            return (x + self.inner(x)) * 0.5 - 1

    modules = [
        nn.Sequential(nn.Linear(WIDTH, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3)),
        nn.Sequential(nn.Linear(WIDTH, 4, dtype=torch.float64), nn.Sigmoid()).double(),
        nn.Sequential(nn.Linear(WIDTH, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 1)).eval(),
        Scaled(),
    ]
    rng = np.random.default_rng(0)
    for module in modules:
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                values = np.abs(rng.normal(size=tuple(tensor.shape)))
                tensor.data.copy_(torch.from_numpy(values))
    return modules


@call
def from_torch(folder: Path) -> Any:
    found: list[Any] = []
    for module in torch_modules():
        model = fm.from_torch(module, backend="numpy")
        found += [model.dtype, model.predict(NEAR), [type(x).__name__ for x in model.layers]]
        found.append([part.training for part in module.modules()])
    return found


@functools.cache
def keras_model() -> Any:
    """A model of Keras."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    rng = np.random.default_rng(0)
    model = keras.Sequential(
        [
            keras.layers.Input((WIDTH,), dtype="float32"),
            keras.layers.Dense(6, "gelu", dtype="float32"),
            keras.layers.BatchNormalization(dtype="float32"),
            keras.layers.Dense(3, "softmax", dtype="float32"),
        ]
    )
    model.set_weights([np.abs(rng.normal(size=w.shape)) for w in model.get_weights()])
    return model


@call
def from_keras(folder: Path) -> Any:
    model = fm.from_keras(keras_model(), backend="numpy")
    return model.dtype, model.predict(NEAR)


@functools.cache
def onnx_graph() -> str:
    """The path of a graph of a network with activations that have to be recognized."""
    import tempfile

    layers = [
        fm.Dense(6, "gelu"),
        fm.Dense(4, "mish"),
        fm.Dense(4, fm.ELU(0.3)),
        fm.Dense(3, "softmax"),
    ]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(WIDTH)
    path = Path(tempfile.mkdtemp()) / "graph.onnx"
    model.freeze().export_onnx(path)
    return str(path)


@call
def from_onnx(folder: Path) -> Any:
    model = fm.from_onnx(onnx_graph(), backend="numpy")
    return repr(model.layers), dict(model.parameters), model.predict(NEAR)
