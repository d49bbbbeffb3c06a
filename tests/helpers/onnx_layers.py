"""An ONNX graph of one dense layer to build upon, and graphs taken and held against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx_graphs import error, node, run

import fastmlp as fm
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(0)
SQUARE = RNG.normal(size=(4, 4)).astype(np.float32)
OTHER = RNG.normal(size=(4, 4)).astype(np.float32)
BIAS = RNG.normal(size=4).astype(np.float32)
DENSE = [node("Gemm", "x w b", "h")]
CONSTANTS = {"w": SQUARE, "v": OTHER, "b": BIAS}


def rows(n_features: int, dtype: str = "float32") -> Array:
    """Random rows, some far out."""
    X = np.random.default_rng(1).normal(size=(1000, n_features))
    X[::10] *= 10.0
    return X.astype(dtype)


def taken(model: Any, X: Array, output: str | None = None, **arguments: Any) -> fm.Sequential:
    """The model of a graph, whose outputs are those that onnxruntime gives."""
    found = run(model, X)
    expected = found[output] if output else next(iter(found.values()))
    made = fm.from_onnx(model, backend="numpy", **arguments)
    flat = X.reshape(len(X), -1)
    assert error(made.predict(flat), expected.reshape(len(X), -1)) < 1e-5
    assert error(made.freeze()(flat), expected.reshape(len(X), -1)) < 1e-5
    return made
