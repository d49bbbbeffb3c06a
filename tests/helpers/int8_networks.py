"""Networks for the tests of int8: random ones of all kinds of layers, and rows for them."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.declarations.activations import TRAITS
from fastmlp.kernels.typing import Array

ACTIVATIONS = (*TRAITS, "int8_bump")


def register() -> None:
    """Make the registered activation among `ACTIVATIONS` known."""
    fm.register_activation(
        "int8_bump", lambda z: fm.math.exp(-z * z), lambda z: -2 * z * fm.math.exp(-z * z)
    )


def freeze(layers: list[Any], n_features: int, dtype: str = "float32", seed: int = 0) -> Any:
    """A network with random weights, biases and statistics, frozen; it predicts with NumPy."""
    model = fm.Sequential(layers, dtype=dtype, backend="numpy", random_state=seed)
    model.build(n_features)
    rng = np.random.default_rng(seed)
    for name, values in {**model.parameters, **model.buffers}.items():
        if name.endswith("var"):
            values[...] = rng.uniform(0.5, 2.0, values.shape)
        elif name.endswith(("bias", "beta", "mean")):
            values[...] = rng.normal(0.0, 0.5, values.shape)
    return model.freeze()


def random_network(seed: int) -> tuple[list[Any], int]:
    """Layers and the number of features."""
    rng = np.random.default_rng(seed)

    def name() -> str:
        return str(rng.choice(ACTIVATIONS))

    def units() -> int:
        return int(rng.integers(1, 24))

    n_features, width = int(rng.integers(1, 30)), units() + 1
    layers: list[Any] = [fm.BatchNorm()] if rng.random() < 0.3 else []
    layers.append(fm.Dense(width, name(), use_bias=bool(rng.random() < 0.8)))
    for _ in range(int(rng.integers(0, 4))):
        kind = rng.integers(5)
        if kind == 0:
            layers.append(fm.Residual([fm.Dense(units(), name()), fm.Dense(width)]))
        elif kind == 1:
            shared = units() + 1
            layers.append(fm.Residual([fm.Dense(shared, name())], shortcut=[fm.Dense(shared)]))
            width = shared
        elif kind == 2:
            one, other = units(), units()
            layers.append(fm.Branch([fm.Dense(one, name())], [fm.Dense(other, name())], []))
            width += one + other
        elif kind == 3:
            layers += [fm.Activation(name()), fm.BatchNorm(), fm.Activation(name())]
        else:
            width = units() + 1
            layers += [fm.Dense(width), fm.BatchNorm(), fm.Activation(name())]
    last = name()
    n_outputs = int(rng.choice([1, 2, 10, 64])) + (last == "softmax")
    if rng.random() < 0.8:
        layers.append(fm.Dense(n_outputs, last))
    return layers, n_features


def rows_for(n_features: int, n: int, seed: int = 0) -> Array:
    """Rows of features of different units and places."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-1.5, 0, n_features)
    return (rng.normal(size=(n, n_features)) * scale + rng.normal(size=n_features)).astype("f4")


def harsh_rows(x: Array, n: int, seed: int = 0) -> Array:
    """Rows within the range of x, far beyond it, and of numbers at the ends of float32."""
    rng = np.random.default_rng(seed)
    drawn = x[rng.integers(len(x), size=n)] * rng.choice([1.0, 3.0, -20.0], size=(n, 1))
    odd = np.array([0.0, -0.0, 1e30, -1e30, 3.4e38, -3.4e38, 1e-40, -1e-45, 1e9], "f4")
    return np.where(rng.random(drawn.shape) < 0.1, rng.choice(odd, drawn.shape), drawn).astype("f4")


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def clip(value: int, low: int = -128, high: int = 127) -> int:
    return min(max(value, low), high)


def disturbed(outputs: Array, expected: Array) -> float:
    return float(np.abs(outputs - expected).mean() / expected.std())


def trained(x: Array, y: Any, layers: list[Any], epochs: int, backend: str = "numpy") -> Any:
    model = fm.Sequential(layers, backend=backend, random_state=0)
    model.fit(x, y, epochs=epochs, verbose=0)
    return model.freeze()
