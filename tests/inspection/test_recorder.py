"""`Recorder` records what the model has."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from architectures import HEADS, Run, random_run
from recorded_fits import X, Y, fit, network
from states import contents

import fastmlp as fm
from fastmlp.inspection.recorder import Statistics


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
