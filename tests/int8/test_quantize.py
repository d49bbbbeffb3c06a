"""Quantized networks lose little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from int8_networks import (
    ACTIVATIONS,
    disturbed,
    freeze,
    register,
    rows_for,
    trained,
)

import fastmlp as fm


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_loses_little(name: str) -> None:
    register()
    network = freeze([fm.Dense(30, name), fm.Dense(30, "tanh"), fm.Dense(8, name)], 12)
    x = rows_for(12, 2000)
    quantized = network.quantize(x[:1000])
    expected = network(x[1000:])
    assert disturbed(quantized(x[1000:]), expected) < 0.03


@pytest.mark.parametrize("seed", range(10))
def test_residuals_and_branches_lose_little(seed: int) -> None:
    layers = [
        fm.BatchNorm(),
        fm.Dense(20, "relu"),
        fm.BatchNorm(),
        fm.Residual([fm.Dense(20, "gelu"), fm.Dense(20)]),
        fm.Activation("tanh"),
        fm.Branch([fm.Dense(6)], []),
        fm.Dense(3),
    ]
    network = freeze(layers, 10, seed=seed)
    x = rows_for(10, 2000, seed)
    assert disturbed(network.quantize(x[:1000])(x[1000:]), network(x[1000:])) < 0.03


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "gelu"])
def test_digits(name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    training, test = order[:1200], order[1200:]
    layers = [fm.Dense(64), fm.BatchNorm(), fm.Activation(name), fm.Dense(32, name)]
    network = trained(x[training], y[training], [*layers, fm.Dense(10, "softmax")], 20)
    quantized = network.quantize(x[training])
    before = np.mean(network.predict_classes(x[test]) == y[test])
    after = np.mean(quantized.predict_classes(x[test]) == y[test])
    assert before > 0.94
    assert after >= before - 0.005
    assert quantized.report.weight_bytes * 4 < quantized.report.float_bytes


@pytest.mark.slow
def test_mnist(sklearn_data: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    pytest.importorskip("pandas")
    data = datasets.fetch_openml(
        "mnist_784", version=1, as_frame=False, data_home=str(sklearn_data)
    )
    x, y = data.data.astype(np.float32) / 255, data.target
    layers = [fm.Dense(128, "relu"), fm.Dense(64, "relu"), fm.Dense(10, "softmax")]
    network = trained(x[:30000], y[:30000], layers, 3, "auto")
    quantized = network.quantize(x[:1000])
    before = np.mean(network.predict_classes(x[60000:]) == y[60000:])
    after = np.mean(quantized.predict_classes(x[60000:]) == y[60000:])
    assert before > 0.93
    assert after >= before - 0.005
    assert quantized.report.ratio < 0.26


def test_raw_features_with_a_scaler_folded_in() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 5)) * [1e-4, 1.0, 30.0, 5e5, 2.0] + [0.0, 3.0, 1990.0, 1e6, 0.0]
    scaler = preprocessing.StandardScaler().fit(x)
    standard = scaler.transform(x)
    y = np.sin(standard[:, 0]) + standard[:, 2] * standard[:, 3]
    model = fm.Sequential([fm.Dense(32, "tanh"), fm.Dense(1)], backend="numpy", random_state=0)
    model.fit(standard, y, epochs=30, verbose=0)
    network = model.freeze(scaler=scaler)
    assert disturbed(network.quantize(x)(x), network(x)) < 0.02
