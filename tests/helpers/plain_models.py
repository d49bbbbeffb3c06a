"""Rows with numbers or classes that depend on them, and plain networks for them."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.kernels.typing import Array

N = 70


def data(n_features: int = 4, n: int = N) -> tuple[Array, Array]:
    """Rows, and numbers that have something to do with them."""
    rng = np.random.default_rng(31)
    X = rng.normal(size=(n, n_features))
    return X, np.sin(X[:, 0]) + 0.3 * rng.normal(size=n)


def classes() -> tuple[Array, Array]:
    X, y = data()
    return X, np.digitize(y, [-0.4, 0.4])


def network(backend: str, layers: Any = None, **arguments: Any) -> fm.Sequential:
    layers = layers or [fm.Dense(6, "tanh"), fm.Dense(1)]
    arguments = {"dtype": "float64", "random_state": 3, **arguments}
    return fm.Sequential(layers, backend=backend, **arguments)


def copies(arrays: Any) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


def everything(backend: str, dtype: str = "float32", **arguments: Any) -> fm.Sequential:
    """A classifier with a layer of each kind."""
    layers = [
        fm.Dense(12),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Residual([fm.Dense(5, "gelu"), fm.Dropout(0.2), fm.Dense(12)]),
        fm.Dense(3, "softmax", l2=1e-3),
    ]
    return network(backend, layers, dtype=dtype, **arguments)
