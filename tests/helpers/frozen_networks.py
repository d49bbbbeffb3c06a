"""Networks to be frozen, and rows for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from random_weights import randomize

import fastmlp as fm
from fastmlp.inference.predictor import Predictor


def trained(layers: list[Any], n_features: int = 5, dtype: str = "float32", **given: Any) -> Any:
    """A network whose running statistics, biases and factors are none of those it starts with."""
    model = fm.Sequential(layers, dtype=dtype, backend="numpy", random_state=0, **given)
    model.build(n_features)
    randomize(model, np.random.default_rng(1))
    return model


def rows(n_features: int = 5, n: int = 2000, dtype: str = "float32") -> Any:
    X = np.random.default_rng(2).normal(size=(n, n_features)) * 3
    return X.astype(dtype)


def kinds(predictor: Predictor) -> list[str]:
    return [type(op).__name__ for op in predictor.program.ops]


def relative(found: Any, expected: Any) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def classifier(backend: str, dtype: str = "float32") -> tuple[Any, Any]:
    X = rows(dtype=dtype)
    labels = np.array(["low", "middle", "high"])[np.digitize(X[:, 0], [-1.0, 1.0])]
    model = fm.Sequential(
        [fm.Dense(16, "relu"), fm.BatchNorm(), fm.Dense(3, "softmax")],
        random_state=0,
        dtype=dtype,
        backend=backend,
    )
    model.fit(X, labels, epochs=3, verbose=0)
    return model, X
