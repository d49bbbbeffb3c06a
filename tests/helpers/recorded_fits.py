"""Fits with a recorder, and the warnings that they give."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import fastmlp as fm

RNG = np.random.default_rng(5)
X = RNG.normal(size=(400, 4))
Y = np.digitize(np.sin(2 * X[:, 0]) + X[:, 1], [-0.6, 0.6])


def network(backend: str = "numpy", layers: Any = None, **arguments: Any) -> fm.Sequential:
    layers = layers or [
        fm.Dense(12),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.2),
        fm.Dense(3, "softmax", l2=1e-3),
    ]
    arguments = {"random_state": 3, **arguments}
    return fm.Sequential(layers, backend=backend, **arguments)


def fit(model: fm.Sequential, X: Any, y: Any, recorder: fm.Recorder, **arguments: Any) -> list[str]:
    """Fit with a recorder, and return the warnings that were given."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, callbacks=[recorder], verbose=0, **arguments)
    assert all(issubclass(warning.category, fm.TrainingWarning) for warning in caught)
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]
