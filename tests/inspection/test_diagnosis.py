"""What is warned of: dead and saturated units, gradients, rates; and where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from recorded_fits import X, Y, fit, network

import fastmlp as fm
from fastmlp.kernels.typing import Array


def one_warning(messages: list[str], recorder: fm.Recorder, start: str, *words: str) -> None:
    (message,) = messages
    assert recorder.warnings == messages
    assert message.startswith(start)
    for word in words:
        assert word in message


def test_dead_relus(backend: str) -> None:
    model = network(backend, [fm.Dense(8, "relu"), fm.Dense(8, "relu"), fm.Dense(3, "softmax")])
    model.build(4).parameters["1.bias"][:5] = -100.0
    recorder = fm.Recorder()
    messages = fit(model, X, Y, recorder, epochs=4)
    one_warning(messages, recorder, "layer 1: 5 of 8 relu units are dead", "256 rows", "leaky_relu")


def test_some_dead_relus_are_none_to_speak_of() -> None:
    model = network(layers=[fm.Dense(8, "relu"), fm.Dense(3, "softmax")])
    model.build(4).parameters["0.bias"][:3] = -100.0
    assert fit(model, X, Y, fm.Recorder(), epochs=4) == []


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_saturated_units(activation: str) -> None:
    layers = [fm.Dense(6, activation), fm.Dense(6, "relu"), fm.Dense(3, "softmax")]
    recorder = fm.Recorder()
    messages = fit(network(layers=layers), 1e4 * X, Y, recorder, epochs=2)
    start = f"layer 0: 6 of 6 {activation} units are saturated"
    assert messages[0].startswith(start)
    assert sum(message.startswith(start) for message in messages) == 1
    assert recorder.warnings == messages


def test_a_sure_output_is_not_saturated() -> None:
    y = (X[:, 0] > 0).astype(int)
    X_apart = X + 3.0 * np.where(y, 1.0, -1.0)[:, np.newaxis]
    model = network(layers=[fm.Dense(8, "relu"), fm.Dense(1, "sigmoid")], optimizer=fm.Adam(0.05))
    assert fit(model, X_apart, y, fm.Recorder(), epochs=60) == []
    out = model.predict(X_apart)
    assert (np.minimum(out, 1 - out) < 0.01).mean() > 0.95


def test_vanishing_gradients(backend: str) -> None:
    layers = [*(fm.Dense(10, "sigmoid") for _ in range(12)), fm.Dense(3, "softmax")]
    recorder = fm.Recorder()
    messages = fit(network(backend, layers), X, Y, recorder, epochs=2)
    assert messages[0].startswith("layer 0: its gradient vanishes")
    assert "of 12.weight" in messages[0]
    places = [int(message.split()[1].rstrip(":")) for message in messages]
    assert sorted(places) == list(range(len(places)))
    assert 2 <= len(places) <= 9
    flow = [stats.norm for stats in (recorder.gradients[f"{i}.weight"][0] for i in range(13))]
    assert flow[0] < 1e-4 * flow[-1]


def test_exploding_gradients() -> None:
    model = network(layers=[*(fm.Dense(16, "relu") for _ in range(6)), fm.Dense(1)])
    model.build(4)
    for name, value in model.parameters.items():
        value[...] *= 4.0 if name.endswith("weight") else 1.0
    recorder = fm.Recorder()
    messages = fit(model, X, X[:, 0], recorder, epochs=1)
    found = [message for message in messages if "explodes" in message]
    assert found[0].startswith("layer 0: its gradient explodes, 0.weight has one of norm")
    assert recorder.gradients["0.weight"][0]["norm"] > 1e4


def test_a_learning_rate_that_is_too_large() -> None:
    model = network(layers=[fm.Dense(1)], optimizer=fm.SGD(1.05), dtype="float64")
    recorder = fm.Recorder()
    messages = fit(model, X, X[:, 0], recorder, epochs=12, batch_size=None)
    losses = model.history["loss"]
    assert losses[-1] > 3 * losses[0]
    one_warning(messages, recorder, "the learning rate looks too large", "fm.find_learning_rate")


def test_a_learning_rate_that_is_too_small(backend: str) -> None:
    model = network(backend, optimizer=fm.SGD(1e-7))
    recorder = fm.Recorder()
    assert fit(model, X, Y, recorder, epochs=9) == []
    messages = fit(network(backend, optimizer=fm.SGD(1e-7)), X, Y, recorder, epochs=30)
    one_warning(messages, recorder, "the learning rate looks too small", "10 epochs", "range test")


def test_a_network_that_has_learned_is_not_too_slow() -> None:
    """At the end of its training the loss does not fall either."""
    y = X @ [1.0, 2.0, -1.0, 0.5]
    model = network(layers=[fm.Dense(1)], optimizer=fm.SGD(fm.StepDecay(0.1, 1e-3, every=10)))
    recorder = fm.Recorder()
    assert fit(model, X, y, recorder, epochs=50) == []
    assert fit(model, X, y, recorder, epochs=25) == []


def test_each_warning_is_given_once_a_fit() -> None:
    model = network(layers=[fm.Dense(8, "relu"), fm.Dense(3, "softmax")])
    model.build(4).parameters["0.bias"][...] = -100.0
    recorder = fm.Recorder()
    for _ in range(2):
        dead = [m for m in fit(model, X, Y, recorder, epochs=3) if "dead" in m]
        assert len(dead) == 1
    assert sum("dead" in message for message in recorder.warnings) == 2


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "elu"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop", "adagrad", "nadam"])
def test_networks_that_train_well_give_none(activation: str, optimizer: str) -> None:
    from dataclasses import replace

    from fastmlp.declarations.optimizers import get_optimizer

    rate = {"sgd": 0.1, "momentum": 0.05, "adagrad": 0.05}.get(optimizer, 0.01)
    chosen = replace(get_optimizer(optimizer), learning_rate=rate)
    recorder = fm.Recorder()
    layers = [fm.Dense(16, activation), fm.Dense(16, activation), fm.Dense(3, "softmax")]
    model = network(layers=layers, optimizer=chosen)
    assert fit(model, X, Y, recorder, epochs=40, batch_size=32) == []
    assert model.history["loss"][-1] < 0.9 * model.history["loss"][0]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_real_tables_give_none(name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-6)
    regression = name == "diabetes"
    target: Array = (y - y.mean()) / y.std() if regression else y
    last = fm.Dense(1) if regression else fm.Dense(len(np.unique(y)), "softmax")
    layers = [fm.Dense(64, "relu"), fm.Dropout(0.1), fm.Dense(32), fm.BatchNorm()]
    model = network(layers=[*layers, fm.Activation("relu"), last], optimizer=fm.Adam(3e-3))
    assert fit(model, X, target, fm.Recorder(), epochs=30, batch_size=32) == []
    assert model.history["loss"][-1] < 0.7 * model.history["loss"][0]
