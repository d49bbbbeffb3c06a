"""What losses a model reports: penalties and smoothing are in all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plain_models import N, classes, data, network

import fastmlp as fm
from fastmlp.data.batches import Batches

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


@pytest.mark.parametrize("loss", [fm.MSE, fm.HalfSquaredError, fm.Huber, fm.Quantile, fm.MAE])
def test_sums_over_outputs(backend: str, loss: Any) -> None:
    """Value and gradient of a sum are those of the mean, times the number of outputs."""
    X, rng = data()[0], np.random.default_rng(0)
    Y, weight = rng.normal(size=(N, 3)), rng.random(N)
    layers = [fm.Dense(4, "tanh"), fm.Dense(3)]
    mean = network(backend, layers, loss=loss()).build(4)
    total = network(backend, layers, loss=loss(reduction="sum")).build(4)
    value = mean.evaluate(X, Y, weight)["loss"]
    assert total.evaluate(X, Y, weight)["loss"] == pytest.approx(3 * value, rel=1e-12)
    assert total.train_step(X, Y, weight) == pytest.approx(3 * value, rel=1e-12)
    total.reset()
    gradients = total.gradients(X, Y, weight)
    for name, gradient in mean.gradients(X, Y, weight).items():
        np.testing.assert_allclose(gradients[name], 3 * gradient, rtol=1e-10, atol=1e-14)
    assert "sum(" in str(total.explain(X[0], Y[0]))
    assert "mean(" in str(mean.explain(X[0], Y[0]))


def test_mean_penalties(backend: str) -> None:
    """They are divided by the weights of the batch, by its rows where there are none."""
    X, y = data()
    weight = np.random.default_rng(0).random(N)
    layers = [fm.Dense(5, "tanh", l1=0.1, l2=0.3, mean_penalty=True), fm.Dense(1)]
    model = network(backend, layers, optimizer=fm.SGD(0.0)).build(4)
    bare = network(backend, [fm.Dense(5, "tanh"), fm.Dense(1)], optimizer=fm.SGD(0.0)).build(4)
    w = model.parameters["0.weight"]
    penalty, slope = 0.1 * np.abs(w).sum() + 0.15 * np.square(w).sum(), 0.1 * np.sign(w) + 0.3 * w
    for given, total in ((None, N), (weight, weight.sum())):
        loss = bare.evaluate(X, y, given)["loss"] + penalty / total
        assert model.evaluate(X, y, given)["loss"] == pytest.approx(loss, rel=1e-12)
        assert model.train_step(X, y, given) == pytest.approx(loss, rel=1e-12)
        added = model.gradients(X, y, given)["0.weight"] - bare.gradients(X, y, given)["0.weight"]
        np.testing.assert_allclose(added, slope / total, rtol=1e-9, atol=1e-14)
    # Of an epoch, each batch bears the penalty over its own rows.
    parts = [(X[:16], y[:16]), (X[16:], y[16:])]
    losses = [bare.evaluate(*part)["loss"] + penalty / len(part[1]) for part in parts]
    expected = np.average(losses, weights=[len(part[1]) for part in parts])
    fit = {"epochs": 1, "shuffle": False, "verbose": 0}
    history = model.fit(parts, batch_size=None, **fit)
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)


def test_a_batch_is_evaluated_as_in_training(backend: str) -> None:
    X, y = data()
    y, weight = y.reshape(-1, 1), np.random.default_rng(0).random(N)
    model = network(backend, [fm.Dense(5, "tanh", l2=0.3), fm.Dense(1)]).build(4)
    before = model.get_weights().vectors
    found = model.runner.evaluate_batch(X, y, weight)
    assert found.loss == pytest.approx(model.evaluate(X, y, weight)["loss"], rel=1e-12)
    w = model.parameters["0.weight"]
    assert found.penalty == pytest.approx(0.15 * np.square(w).sum(), rel=1e-12)
    expected = model.runner.gradients(X, y, weight, True)
    np.testing.assert_array_equal(found.gradients, expected)
    np.testing.assert_array_equal(model.get_weights().vectors["parameters"], before["parameters"])


@pytest.mark.parametrize("stops", [True, False])
def test_sessions_stop_at_losses_that_are_not_finite(backend: str, stops: bool) -> None:
    X, y = data()
    y = y.reshape(-1, 1).copy()
    y[20] = np.nan
    model = network(backend, [fm.Dense(1, l2=0.5)], optimizer=fm.SGD(0.1)).build(4)
    session = model.runner.session(Batches(X, y, None, 16), [0.1], stops)
    session.start_epoch([0.1])

    def run() -> None:
        number = 0
        while number < -(-N // 16):
            number = session.run(number)

    if stops:
        with pytest.raises(FloatingPointError) as caught:
            run()
        assert caught.value.args == (1,)
        assert model.training_state.state.is_finite()
    else:
        run()
        assert session.rows_sum == N
        assert np.isnan(session.loss_sum)
        assert np.isnan(model.parameters["0.weight"]).all()
    session.close()
