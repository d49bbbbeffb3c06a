"""What holds for every network that was taken from another library."""

from __future__ import annotations

import numpy as np
from random_weights import TOLERANCE

import fastmlp as fm
from fastmlp.kernels.typing import Array


def rows(n_rows: int, n_features: int, dtype: str = "float32", seed: int = 0) -> Array:
    """Random rows, some of them far out, and one of zeros."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    X[::50] *= 20
    X[7] = 0
    return X.astype(dtype)


def assert_taken(model: fm.Sequential, X: Array, expected: Array) -> None:
    """The model and its predictor give what the source gives, to the last digits."""
    expected = np.asarray(expected).reshape(len(X), -1)
    allowed = TOLERANCE[model.dtype] * max(1.0, float(np.abs(expected).max()))
    assert len(np.unique(expected)) > len(X) / 20, "the rows would not show a difference"
    for found in (model.predict(X), model.freeze()(X)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=allowed)


def kinds(model: fm.Sequential) -> list[str]:
    """The classes of its layers."""
    return [type(layer).__name__ for layer in model.layers]
