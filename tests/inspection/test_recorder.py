"""`Recorder`: it records what the model has, and warns where, and only where, it must."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from architectures import HEADS, Run, random_run
from states import contents

import fastmlp as fm
from fastmlp.inspection.recorder import Statistics
from fastmlp.kernels.typing import Array

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


# What is recorded


def test_arrays_are_those_of_the_model(backend: str) -> None:
    model, recorder = network(backend), fm.Recorder(arrays=True)
    for epoch in range(3):
        assert fit(model, X, Y, recorder, epochs=1) == []
        # A batch of the first 256 rows.
        for name, expected in (
            ("weights", model.parameters),
            ("gradients", model.gradients(X[:256], Y[:256])),
            ("activations", model.activations(X[:256])),
        ):
            recorded = getattr(recorder, name)
            assert list(recorded) == list(expected)
            for key, value in expected.items():
                assert len(recorded[key]) == epoch + 1
                np.testing.assert_array_equal(recorded[key][epoch], value, err_msg=key)
    assert recorder.epochs == [0, 1, 2]
    assert recorder.warnings == []


def test_statistics() -> None:
    values = np.array([[0.0, 3.0], [-4.0, 0.0]], np.float32)
    found = Statistics.of(values)
    assert (found.min, found.max, found.norm, found.zeros) == (-4.0, 3.0, 5.0, 0.5)
    assert found.mean == -0.25
    assert found.std == pytest.approx(np.std(values.astype(float)), rel=1e-15)
    assert dict(found) == {
        name: found[name] for name in ("mean", "std", "min", "max", "norm", "zeros")
    }
    with pytest.raises(KeyError, match="median"):
        found["median"]


def test_statistics_are_those_of_the_arrays(backend: str) -> None:
    with_arrays, with_statistics = fm.Recorder(arrays=True), fm.Recorder()
    for recorder in (with_arrays, with_statistics):
        fit(network(backend), X, Y, recorder, epochs=2)
    for kind in ("weights", "gradients", "activations"):
        arrays, statistics = getattr(with_arrays, kind), getattr(with_statistics, kind)
        assert arrays.keys() == statistics.keys()
        for name, recorded in arrays.items():
            assert [Statistics.of(array) for array in recorded] == statistics[name]


def test_recorded_arrays_are_copies() -> None:
    model, recorder = network(), fm.Recorder(arrays=True)
    fit(model, X, Y, recorder, epochs=1)
    before = model.predict(X)
    for records in (recorder.weights, recorder.gradients, recorder.activations):
        for recorded in records.values():
            array = recorded[0]
            assert isinstance(array, np.ndarray)
            array[...] = np.nan
    np.testing.assert_array_equal(model.predict(X), before)


def test_a_fit_with_a_recorder_is_the_same_fit(backend: str) -> None:
    model, plain = network(backend), network(backend)
    for each, callbacks in ((model, [fm.Recorder()]), (plain, [])):
        each.fit(X, Y, epochs=4, validation_split=0.2, verbose=0, callbacks=callbacks)
    np.testing.assert_equal(contents(model), contents(plain))


def test_the_sample_is_of_training_rows_with_weight() -> None:
    weights = np.where(np.arange(400) < 100, 0.0, 1.0 + np.arange(400) % 2)
    model, recorder = network(layers=[fm.Dense(3, "softmax")]), fm.Recorder(arrays=True)
    seen: list[Any] = []

    class Watch(fm.Callback):
        def on_fit_data(self, model: Any, data: Any) -> None:
            seen.append(data)

    model.fit(
        *(X, Y),
        sample_weight=weights,
        validation_split=0.25,
        epochs=1,
        callbacks=[Watch(), recorder],
        verbose=0,
    )
    (data,) = seen
    rows = [i for i in range(100, 400) if i not in set(data.held)][:256]
    assert len(rows) < 256
    gradients = model.gradients(X[rows], Y[rows], weights[rows])
    np.testing.assert_array_equal(recorder.gradients["0.weight"][0], gradients["0.weight"])


def test_labels_and_targets_of_any_kind() -> None:
    for y, last in (
        (np.array(["a", "b", "c"])[Y], fm.Dense(3, "softmax")),
        (Y > 0, fm.Dense(1, "sigmoid")),
        (X[:, :2], fm.Dense(2)),
    ):
        recorder = fm.Recorder()
        fit(network(layers=[fm.Dense(4, "tanh"), last]), X, y, recorder, epochs=2)
        assert len(recorder.gradients["1.weight"]) == 2


def test_a_network_without_dense_layers() -> None:
    assert fit(network(layers=[fm.BatchNorm()]), X, X, fm.Recorder(), epochs=2) == []


@pytest.mark.parametrize("number", range(len(HEADS)))
def test_random_networks_are_recorded(number: int) -> None:
    run: Run = random_run(number)
    recorder = fm.Recorder()
    model = run.model("numpy", "float32")
    fit(model, run.X, run.y, recorder, **{**run.fit, "epochs": 2})
    assert recorder.weights.keys() == recorder.gradients.keys() == model.parameters.keys()
    for records in (recorder.weights, recorder.gradients, recorder.activations):
        assert all(len(recorded) == 2 for recorded in records.values())


def test_chunks_give_a_sample_of_the_first() -> None:
    chunks = [(X[:50], Y[:50]), (X[50:], Y[50:])]
    model, recorder = network(), fm.Recorder(arrays=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(chunks, None, epochs=2, callbacks=[recorder], verbose=0)
    expected = model.gradients(X[:50], Y[:50])
    np.testing.assert_array_equal(recorder.gradients["0.weight"][1], expected["0.weight"])


def test_further_fits_go_on_and_others_start_anew() -> None:
    model, recorder = network(), fm.Recorder()
    fit(model, X, Y, recorder, epochs=2)
    fit(model, X, Y, recorder, epochs=1)
    assert recorder.epochs == [0, 1, 2]
    model.fit(X, Y, epochs=1, verbose=0)
    fit(model, X, Y, recorder, epochs=2)
    assert recorder.epochs == [4, 5]
    assert len(recorder.weights["0.weight"]) == 2
    fit(network(), X, Y, recorder, epochs=1)
    assert recorder.epochs == [0]


def test_refusals() -> None:
    with pytest.raises(TypeError, match="arrays must be True or False"):
        fm.Recorder(arrays=1)  # type: ignore[arg-type]


# What is warned of


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


def test_a_network_that_has_learnt_is_not_too_slow() -> None:
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
