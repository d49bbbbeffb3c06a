"""Threads share shards of a step, and do not change a bit of it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from architectures import (
    Run,
    train,
)
from comparisons import assert_same_bits

import fastmlp as fm

pytest.importorskip("numba")


def large_run(optimizer: Any, head: str) -> Run:
    """A network wide enough that a step is cut into several shards."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(600, 70))
    labels = rng.integers(0, 130, size=600)
    y = np.concatenate([np.arange(130), labels])[:600] if head == "softmax" else X[:, :3].sum(1)
    layers = [
        fm.Dense(256, l2=1e-3),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Residual([fm.Dense(192, "gelu"), fm.Dense(256, l1=1e-4)]),
        fm.Dense(130, "softmax" if head == "softmax" else "tanh"),
    ]
    if head != "softmax":
        layers = [fm.WideAndDeep(1, deep=layers, wide_optimizer="ftrl")]
    weights = rng.uniform(0.5, 1.5, size=600)
    return Run(layers, "auto", optimizer, X, y, {"epochs": 2, "sample_weight": weights})


LARGE = {
    "adam, norm clipped": (fm.Adam(clip_norm=0.5, clip_value=0.1), "softmax"),
    "nadam": (fm.Nadam(), "softmax"),
    "nesterov, wide": (fm.SGD(0.01, momentum=0.9, nesterov=True, clip_norm=1.0), "linear"),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LARGE)
def test_threads_do_not_change_a_bit(name: str, dtype: str) -> None:
    run = large_run(*LARGE[name])
    run.fit["batch_size"] = 128
    results = []
    for n_threads in (1, 2, 4):
        model = run.model("numba", dtype, n_threads=n_threads)
        results.append(train(model, run))
    for several in results[1:]:
        assert_same_bits(several, results[0])


# Inputs, layers, batch: what is measured, at its own sizes.
MEASURED: dict[str, tuple[int, list[Any], int]] = {
    "784-100-10": (784, [fm.Dense(100, "relu"), fm.Dense(10, "softmax")], 200),
    "784-128-64-10": (
        784,
        [fm.Dense(128, "relu"), fm.Dense(64, "relu"), fm.Dense(10, "softmax")],
        64,
    ),
    "784-128-64-10, BatchNorm, dropout": (
        784,
        [
            *[fm.Dense(128), fm.BatchNorm(), fm.Activation("relu"), fm.Dropout(0.2)],
            *[fm.Dense(64), fm.BatchNorm(), fm.Activation("relu"), fm.Dropout(0.2)],
            fm.Dense(10, "softmax"),
        ],
        64,
    ),
    "54-256-256-7": (
        54,
        [fm.Dense(256, "relu"), fm.Dense(256, "relu"), fm.Dense(7, "softmax")],
        256,
    ),
    "20-256-256-256-1, residual": (
        20,
        [
            fm.Dense(256, "silu"),
            fm.Residual([fm.Dense(256, "silu")]),
            fm.Residual([fm.Dense(256, "silu")]),
            fm.Dense(1),
        ],
        256,
    ),
}


@pytest.mark.parametrize("name", MEASURED)
def test_threads_do_not_change_a_bit_of_measured_networks(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps, the last of an epoch on fewer rows, and a prediction of more blocks than threads."""
    n_features, layers, batch = MEASURED[name]
    rng = np.random.default_rng(12)
    X = rng.normal(size=(4 * batch + batch // 2 + 1, n_features))
    kinds = layers[-1].units
    y = X[:, 0] if kinds == 1 else np.arange(len(X)) % kinds
    rows = rng.normal(size=(256 * 9 + 5, n_features)).astype(np.float32)
    run = Run(layers, "auto", fm.Adam(), X, y, {"epochs": 2, "batch_size": batch})
    started: list[str] = []
    start = threading.Thread.start

    def watched(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", watched)
    results = {}
    for n_threads in (1, 2, 3, 4):
        model = run.model("numba", "float32", n_threads=n_threads)
        started.clear()
        model.fit(X, y, verbose=0, **run.fit)
        helpers = [thread for thread in started if thread.startswith("fastmlp-")]
        assert len(helpers) == n_threads - 1
        started.clear()
        predicted = model.predict(rows)
        assert started == ["fastmlp-predict"] * (n_threads - 1)
        results[n_threads] = {**model.parameters, **model.buffers, "prediction": predicted}
    for n_threads in (2, 3, 4):
        assert_same_bits(results[n_threads], results[1])


def test_large_networks_are_cut_into_shards() -> None:
    from fastmlp.runners.compiled.shards import column_shards, flat_shards, row_shards

    assert column_shards(256, 128).count >= 4
    assert row_shards(130, 128).count >= 4
    assert flat_shards(0, 70 * 256).count >= 4
