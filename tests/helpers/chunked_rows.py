"""Rows cut into chunks, and networks for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)).astype(np.float32)
LABELS = np.array(["a", "b", "c"])[RNG.integers(0, 3, 200)]


def make(backend: str, units: int = 3, **more: Any) -> fm.Sequential:
    output = "softmax" if units > 1 else "linear"
    layers = [fm.Dense(8, "tanh"), fm.BatchNorm(), fm.Dropout(0.2), fm.Dense(units, output)]
    return fm.Sequential(layers, backend=backend, random_state=0, **more)


def cut(size: int, *arrays: Array) -> list[tuple[Array, ...]]:
    return [
        tuple(array[start : start + size] for array in arrays)
        for start in range(0, len(arrays[0]), size)
    ]


def assert_same(a: fm.Sequential, b: fm.Sequential) -> None:
    for name, values in {**b.parameters, **b.buffers}.items():
        np.testing.assert_array_equal({**a.parameters, **a.buffers}[name], values, err_msg=name)
    assert a.history["loss"] == pytest.approx(b.history["loss"], rel=1e-12)
