"""Tasks that work on each row alone are carried out by blocks of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits

import fastmlp as fm
from fastmlp.kernels.compiled.machine.runner import MOST_ROWS, ROW, SHARD
from fastmlp.runners.compiled import tasks

pytest.importorskip("numba")

RNG = np.random.default_rng(0)


def tables_of(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The tables that are made from now on."""
    made: list[np.ndarray] = []
    table = tasks.Tasks.table

    def watched(self: tasks.Tasks) -> Any:
        found = table(self)
        made.append(found[0])
        return found

    monkeypatch.setattr(tasks.Tasks, "table", watched)
    return made


def trained(n: int, batch: int, n_threads: int = 1, **changes: Any) -> dict[str, np.ndarray]:
    X = np.random.default_rng(1).normal(size=(n, 9))
    layers = changes.get("layers") or [
        fm.Dense(100, "gelu"),
        fm.Residual([fm.Dense(16, "relu"), fm.Dense(100, "tanh")]),
        fm.Dense(1),
    ]
    model = fm.Sequential(
        layers, dtype=changes.get("dtype", "float64"), n_threads=n_threads, random_state=0
    )
    model.fit(X, np.sin(X).sum(axis=1), epochs=3, batch_size=batch, verbose=0)
    return {**model.parameters, "outputs": model.predict(X)}


def test_a_product_of_few_terms_and_its_activation_share_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = tables_of(monkeypatch)
    trained(200, 200, layers=[fm.Dense(100, "relu"), fm.Dense(1)])
    table = made[0]
    windows = table[table[:, MOST_ROWS] > 0]
    # Two shards, four blocks, a product and an activation: forward, and backward.
    assert len(windows) == 2 * 2 * 4 * 2
    assert windows[:8, ROW].tolist() == [0, 0, 64, 64, 128, 128, 192, 192]
    assert windows[:8, SHARD].tolist() == [0] * 8
    # Of a batch that fits as it is, there are none; nor of one that would make the table long.
    for batch in (64, 5000):
        made.clear()
        trained(5000, batch, layers=[fm.Dense(100, "relu"), fm.Dense(1)])
        assert not made[0][:, MOST_ROWS].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(("n", "batch"), [(200, 200), (330, 150), (201, 192), (65, 65), (97, 96)])
def test_blocks_change_no_bit(
    n: int, batch: int, n_threads: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = trained(n, batch, n_threads, dtype=dtype)
    monkeypatch.setattr(tasks, "_BLOCK_ROWS", 10**6)
    whole = trained(n, batch, n_threads, dtype=dtype)
    assert_same_bits(found, whole)


def test_backends_agree_where_rows_are_left_over() -> None:
    X, y = RNG.normal(size=(207, 5)), RNG.integers(0, 3, 207)
    found = {}
    for backend in ("numpy", "numba"):
        layers = [fm.Dense(64, "selu"), fm.Dense(16, "mish"), fm.Dense(3, "softmax")]
        model = fm.Sequential(layers, dtype="float64", backend=backend, random_state=0)
        model.fit(X, y, epochs=4, batch_size=70, verbose=0)
        found[backend] = model.predict(X)
    np.testing.assert_allclose(found["numba"], found["numpy"], rtol=0, atol=1e-11)
