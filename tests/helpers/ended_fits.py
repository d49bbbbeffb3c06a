"""Fits that end in one way or another, and the weights that they leave."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.kernels.typing import Array

N = 70


def classes() -> tuple[Array, Array]:
    rng = np.random.default_rng(51)
    X = rng.normal(size=(N, 4))
    return X, np.digitize(np.sin(X[:, 0]) + 0.3 * rng.normal(size=N), [-0.4, 0.4])


def network(backend: str, optimizer: Any = "adam") -> fm.Sequential:
    layers = [
        fm.Dense(12),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Dense(3, "softmax"),
    ]
    return fm.Sequential(layers, optimizer=optimizer, backend=backend, random_state=9)


def weights_of(model: fm.Sequential) -> dict[str, Array]:
    return {name: value.copy() for name, value in {**model.parameters, **model.buffers}.items()}


class Remember(fm.Callback):
    """Keeps the weights after each epoch and the order of the calls."""

    def __init__(self) -> None:
        self.weights: list[dict[str, Array]] = []
        self.calls: list[str] = []

    def on_fit_begin(self, model: fm.Sequential) -> None:
        self.calls.append("fit begin")

    def on_epoch_begin(self, model: fm.Sequential, epoch: int) -> None:
        self.calls.append(f"epoch {epoch} begin")

    def on_epoch_end(self, model: fm.Sequential, epoch: int, logs: dict[str, float]) -> None:
        self.calls.append(f"epoch {epoch} end")
        self.weights.append(weights_of(model))

    def on_fit_end(self, model: fm.Sequential) -> None:
        self.calls.append("fit end")
