"""What losses a model reports: penalties and smoothing are in all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plain_models import N, classes, data, network

import fastmlp as fm

PENALIZED = {
    "regression": ([fm.Dense(5, "tanh", l1=0.1), fm.Dense(1, l1=0.2, l2=0.3)], "loss"),
    "classification": (
        [fm.Dense(5, "tanh", l2=0.1), fm.BatchNorm(), fm.Dense(3, "softmax", l1=0.2)],
        "log_loss",
    ),
}


@pytest.mark.parametrize("kind", PENALIZED)
def test_penalties_are_in_every_reported_loss(backend: str, kind: str) -> None:
    """They are those of the weights alone: biases, gamma and beta are excluded."""
    X, y = data() if kind == "regression" else classes()
    layers = PENALIZED[kind][0]
    bare = [fm.Dense(5, "tanh"), *layers[1:-1], fm.Dense(layers[-1].units, layers[-1].activation)]
    model = network(backend, layers, optimizer=fm.SGD(0.0)).build(4)
    without = network(backend, bare, optimizer=fm.SGD(0.0)).build(4)
    rng = np.random.default_rng(0)
    for name, value in model.parameters.items():
        value += rng.normal(size=value.shape)
        without.parameters[name][...] = value
    penalty = sum(
        layer.l1 * np.abs(model.parameters[f"{place}.weight"]).sum()
        + layer.l2 / 2 * np.square(model.parameters[f"{place}.weight"]).sum()
        for place, layer in enumerate(layers)
        if isinstance(layer, fm.Dense)
    )
    assert penalty > 1
    fit: dict[str, Any] = {"epochs": 1, "batch_size": 16, "validation_data": (X, y), "verbose": 0}
    history, other = model.fit(X, y, **fit), without.fit(X, y, **fit)
    for name in ("loss", "val_loss"):
        assert history[name][0] == pytest.approx(other[name][0] + penalty, rel=1e-12)
    evaluated, expected = model.evaluate(X, y), without.evaluate(X, y)
    assert evaluated["loss"] == pytest.approx(expected["loss"] + penalty, rel=1e-12)
    assert evaluated["loss"] == pytest.approx(history["val_loss"][0], rel=1e-12)
    assert {**evaluated, "loss": 0} == {**expected, "loss": 0}
    step = model.train_step(X, y)
    assert step == pytest.approx(without.train_step(X, y) + penalty, rel=1e-12)


def test_label_smoothing_is_in_reported_losses(backend: str) -> None:
    X, y = classes()
    layers, e = [fm.Dense(3, "softmax")], 0.3
    model = network(backend, layers, loss=fm.CategoricalCrossentropy(e), optimizer=fm.SGD(0.0))
    p = model.build(4).predict(X)
    smooth = (1 - e) * np.eye(3)[y] + e / 3
    expected = -(smooth * np.log(p)).sum(1).mean()
    history = model.fit(X, y, epochs=1, validation_data=(X, y), batch_size=16, verbose=0)
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)
    assert history["val_loss"][0] == pytest.approx(expected, rel=1e-12)
    evaluated = model.evaluate(X, y)
    assert evaluated["loss"] == pytest.approx(expected, rel=1e-12)
    assert evaluated["log_loss"] == pytest.approx(-np.log(p[np.arange(N), y]).mean(), rel=1e-9)
