"""Rows of buffers that lie further apart than they are long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.program.state import State
from fastmlp.runners.compiled.buffer_plan import BufferPlan
from fastmlp.runners.compiled.lowering import Lowering


def lowering_of(dtype: str, outputs: int = 3) -> Lowering:
    model = fm.Sequential([fm.Dense(outputs)], dtype=dtype, backend="numpy").build(4)
    state: State = model.training_state.state
    return Lowering(state, BufferPlan(), (), 8, training=True)


@pytest.mark.parametrize(
    ("dtype", "width", "distance"),
    [
        # Whole lines of 64 bytes, where that is at most an eighth longer.
        ("float64", 100, 104),
        ("float64", 104, 104),
        ("float64", 57, 64),
        ("float64", 10, 10),
        ("float32", 100, 112),
        ("float32", 97, 97),
        ("float32", 127, 128),
        # Rows at multiples of 4096 bytes push each other out of the caches.
        ("float64", 511, 511),
        ("float32", 1020, 1020),
    ],
)
def test_rows_begin_at_lines_where_that_costs_little(dtype: str, width: int, distance: int) -> None:
    memory = lowering_of(dtype).memory(width, ("buffer", 0))
    assert (memory.width, memory.ld) == (width, distance)


def test_what_the_loss_reads_has_no_gaps() -> None:
    assert lowering_of("float64", outputs=100).memory(100, ("buffer", 0)).ld == 100


def blocks(width: int) -> list[Any]:
    inner = [fm.Dense(width), fm.BatchNorm(), fm.Activation("gelu"), fm.Dropout(0.2)]
    return [
        fm.Dense(width, "relu"),
        fm.Residual(inner),
        fm.ParametricActivation("mish"),
        fm.Scale(),
        fm.Branch([fm.Dense(width, "tanh")], [fm.Activation("softplus")], merge="concat"),
        fm.Dense(width, "softmax"),
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [57, 100, 121])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_layers_of_all_kinds_train_alike(dtype: str, width: int, n_threads: int) -> None:
    rng = np.random.default_rng(width)
    X, y = rng.standard_normal((150, width)), rng.integers(0, 4, 150)
    found = {}
    for backend in ("numpy", "numba"):
        model = fm.Sequential(
            [*blocks(width), fm.Dense(4, "softmax")],
            dtype=dtype,
            backend=backend,
            n_threads=n_threads if backend == "numba" else 1,
            random_state=0,
        )
        model.fit(X, y, epochs=3, batch_size=64, verbose=0)
        found[backend] = model.predict(X)
    tolerance = {"float32": 2e-4, "float64": 1e-10}[dtype]
    np.testing.assert_allclose(found["numba"], found["numpy"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_output_layer_as_wide_as_the_hidden_ones(dtype: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 100))
    y = X @ rng.standard_normal((100, 100)) / 10
    found = {}
    for backend in ("numpy", "numba"):
        layers = [fm.Dense(100, "tanh"), fm.Dense(100, "tanh"), fm.Dense(100)]
        model = fm.Sequential(layers, dtype=dtype, backend=backend, random_state=0)
        model.fit(X, y, epochs=2, batch_size=32, verbose=0)
        found[backend] = model.predict(X)
    tolerance = {"float32": 1e-4, "float64": 1e-11}[dtype]
    np.testing.assert_allclose(found["numba"], found["numpy"], rtol=0, atol=tolerance)
