"""What is left of training that leaves the finite numbers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from ended_fits import Remember, classes, network, weights_of
from small_models import NUMBERS, X, assert_usable
from small_models import network as small_network
from states import assert_same, contents

import fastmlp as fm

BACKENDS = fm.kernels.available_backends()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["fit", "train_step"])
@pytest.mark.parametrize("scale", [1e25, 1e38])
def test_divergence_leaves_parameters_and_running_statistics(scale, method, backend):
    """At 1e25 the variance of a column overflows, at 1e38 its mean, and with it the loss."""
    model = fm.Sequential([fm.BatchNorm(), fm.Dense(1)], random_state=1, backend=backend)
    model.fit(X, NUMBERS, epochs=1, batch_size=4, verbose=0)
    before = copy.deepcopy((dict(model.parameters), dict(model.buffers), model.history.to_dict()))
    x = np.full_like(X, scale)
    x[0] = -scale
    arguments = {"epochs": 1, "verbose": 0} if method == "fit" else {}
    with pytest.raises(fm.DivergenceError, match=r"not finite in epoch 1, batch 0.* layer 0"):
        getattr(model, method)(x, NUMBERS, **arguments)
    after = dict(model.parameters), dict(model.buffers), model.history.to_dict()
    np.testing.assert_equal(after, before)
    assert_usable(model, "numbers")


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_update_that_diverges_is_undone(backend):
    """The loss of the batch is finite, the parameters after its update are not."""
    model = small_network("numbers", backend, optimizer=fm.SGD(1e38)).build(3)
    before = copy.deepcopy(dict(model.parameters))
    with pytest.raises(fm.DivergenceError, match="not finite"):
        model.train_step(100 * X, 100 * NUMBERS)
    np.testing.assert_equal(dict(model.parameters), before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_that_overflow_are_reported_by_results_not_warnings(backend):
    model = small_network("numbers", backend).build(3)
    assert not np.isfinite(model.evaluate(X, NUMBERS * 1e37)["loss"])
    for training in (True, False):
        model.gradients(X, NUMBERS * 1e37, training=training)
    model.parameters["0.weight"][...] *= 1e30
    model.activations(X * np.float32(1e30))
    model.predict(X * np.float32(1e30))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_divergence_keeps_the_last_finite_epoch(backend: str, dtype: str) -> None:
    """A rate somewhat too large grows for some epochs before it overflows."""
    X, y = classes()
    model = fm.Sequential(
        [fm.Dense(1)],
        optimizer=fm.SGD(4.0, momentum=0.5),
        dtype=dtype,
        backend=backend,
        random_state=0,
    )
    model.fit(X, y / 10, epochs=1, batch_size=32, verbose=0)
    remember = Remember()
    with pytest.raises(fm.DivergenceError, match=r"epoch \d+, batch [012].*kept") as caught:
        model.fit(X, y / 10, epochs=500, batch_size=32, callbacks=[remember], verbose=0)
    epochs = len(model.history)
    assert epochs > 3
    assert isinstance(caught.value, ValueError)
    assert f"epoch {epochs}," in str(caught.value)
    assert remember.calls[-1] == "fit end"
    for name, value in remember.weights[-1].items():
        np.testing.assert_array_equal(weights_of(model)[name], value, err_msg=name)
        assert np.isfinite(value).all()
    _, description = contents(model)
    assert (description["step"], description["epoch"]) == (3 * epochs, epochs)


def test_divergence_in_the_first_epoch_keeps_the_first_weights(backend: str) -> None:
    X, y = classes()
    model, built = network(backend, fm.SGD(1e38)), network(backend, fm.SGD(1e38)).build(4)
    with pytest.raises(fm.DivergenceError, match=r"epoch 0, batch [01]"):
        model.fit(1000 * X, y, epochs=3, verbose=0)
    for name, value in weights_of(built).items():
        np.testing.assert_array_equal(weights_of(model)[name], value, err_msg=name)
    assert contents(model)[1]["step"] == 0
    assert len(model.history) == 0


def test_divergence_restores_the_optimizers_state(backend: str) -> None:
    X, y = classes()
    model, other = network(backend, "nadam"), network(backend, "nadam")
    for each in (model, other):
        each.fit(X, y, epochs=2, batch_size=16, shuffle=False, verbose=0)
    bad = X.copy()
    bad[60:] = 1e38
    with pytest.raises(fm.DivergenceError, match=r"epoch 2, batch 3.*layer [01] "):
        model.fit(bad, y, epochs=1, batch_size=16, shuffle=False, verbose=0)
    assert_same(model, other)
    for each in (model, other):
        each.fit(X, y, epochs=2, batch_size=16, shuffle=False, verbose=0)
    assert_same(model, other)


OVERFLOWING = {
    "1": [fm.Dense(4, "tanh"), fm.Dense(4, "exp"), fm.Dense(1)],
    "1.1": [fm.Dense(4, "tanh"), fm.Residual([fm.Dense(4), fm.Activation("exp")]), fm.Dense(1)],
    "0.1": [fm.WideAndDeep(1, deep=[fm.Dense(4, "tanh"), fm.Dense(3, "exp")])],
}


@pytest.mark.parametrize("layer", OVERFLOWING)
def test_divergence_names_the_layer(backend: str, layer: str) -> None:
    X, y = classes()
    model = fm.Sequential(OVERFLOWING[layer], backend=backend, random_state=0).build(4)
    dense = {"1.1": "1.0"}.get(layer, layer)
    model.parameters[f"{dense}.bias"][...] = 200.0
    with pytest.raises(fm.DivergenceError, match=rf"layer {layer} \(its output\)"):
        model.fit(X, y, epochs=1, verbose=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_parameters_that_are_not_finite_are_named(backend: str, bad: float) -> None:
    X, y = classes()
    model = network(backend).build(4)
    model.parameters["4.weight"][1, 1] = bad
    with pytest.raises(fm.DivergenceError, match=r"layer 4 \(its weight\)"):
        model.fit(X, y, epochs=1, verbose=0)
