"""What an epoch computes: reported losses, weights of rows, batches, what is printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plain_models import N, classes, data, everything, network
from states import contents

import fastmlp as fm


def test_loss_of_an_epoch_is_of_its_own_forward_passes(backend: str) -> None:
    """Each batch counts by its rows, with the parameters that it met."""
    X, y = classes()
    weights = np.linspace(0.2, 3.0, N)
    fitted, stepped = (network(backend, [fm.Dense(3, "softmax")]) for _ in range(2))
    history = fitted.fit(
        X, y, epochs=1, batch_size=16, shuffle=False, sample_weight=weights, verbose=0
    )
    losses, correct = [], []
    for start in range(0, N, 16):
        rows = slice(start, start + 16)
        correct += (stepped.build(4).predict(X[rows]).argmax(1) == y[rows]).tolist()
        loss = stepped.train_step(X[rows], y[rows], weights[rows])
        losses.append(loss * len(X[rows]))
    assert history["loss"][0] == pytest.approx(sum(losses) / N, rel=1e-14)
    assert history["accuracy"][0] == pytest.approx(np.mean(correct), rel=1e-14)
    assert 0 < history["accuracy"][0] < 1


def test_validation_is_evaluation_after_the_epoch(backend: str) -> None:
    X, y = classes()
    model = everything(backend, "float64")
    weights = np.linspace(0.5, 2.0, N)
    evaluated = []

    def remember(model: fm.Sequential, epoch: int, logs: dict[str, float]) -> None:
        evaluated.append((logs, model.evaluate(X, y, weights), model.evaluate(X, y)))

    model.fit(
        X,
        y,
        epochs=3,
        validation_data=(X, y, weights),
        callbacks=[fm.LambdaCallback(on_epoch_end=remember)],
        verbose=0,
    )
    for logs, weighted, unweighted in evaluated:
        assert logs["val_loss"] == pytest.approx(weighted["loss"], rel=1e-12)
        assert logs["val_accuracy"] == pytest.approx(unweighted["accuracy"], rel=1e-12)
        assert weighted["loss"] != unweighted["loss"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_whose_weights_sum_to_zero_is_skipped(backend: str, dtype: str) -> None:
    """As if its rows were not there: no update, no step, no statistics, no part in the loss."""
    X, y = classes()
    X, y = X[:64], y[:64]
    weights = np.linspace(0.5, 1.5, 64)
    weights[16:32] = 0.0
    without = np.r_[0:16, 32:64]
    model, shorter = everything(backend, dtype), everything(backend, dtype)
    fit: dict[str, Any] = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0}
    history = model.fit(X, y, sample_weight=weights, **fit)
    expected = shorter.fit(X[without], y[without], sample_weight=weights[without], **fit)
    tensors, description = contents(model)
    wanted, other = contents(shorter)
    np.testing.assert_equal(tensors, wanted)
    assert description["step"] == other["step"] == 9
    assert history["loss"] == expected["loss"]
    assert history["accuracy"] == expected["accuracy"]


def test_rows_of_weight_zero_do_not_count(backend: str) -> None:
    X, y = classes()
    weights = np.where(np.arange(N) % 3 == 0, 0.0, 1.7)
    some = weights > 0
    model = network(backend, [fm.Dense(5, "tanh"), fm.Dense(3, "softmax")]).build(4)
    gradients = model.gradients(X, y, weights)
    for name, value in model.gradients(X[some], y[some]).items():
        np.testing.assert_allclose(gradients[name], value, rtol=1e-10, atol=1e-14)


def test_class_and_sample_weights_multiply(backend: str) -> None:
    X, y = classes()
    weights = np.linspace(0.5, 2.0, N)
    factors = np.array([0.5, 4.0, 1.0])
    balanced = N / (3 * np.bincount(y))
    for given, product in (
        ({0: 0.5, 1: 4.0}, factors[y] * weights),
        ("balanced", balanced[y] * weights),
    ):
        model, other = everything(backend), everything(backend)
        model.fit(X, y, sample_weight=weights, class_weight=given, epochs=2, verbose=0)
        other.fit(X, y, sample_weight=product, epochs=2, verbose=0)
        np.testing.assert_equal(contents(model), contents(other))


@pytest.mark.parametrize("batch_size", [None, N, 1000])
def test_full_batches(backend: str, batch_size: int | None) -> None:
    X, y = data()
    model, stepped = network(backend), network(backend)
    model.fit(X, y, epochs=1, batch_size=batch_size, shuffle=False, verbose=0)
    stepped.train_step(X, y)
    np.testing.assert_equal(contents(model)[0], contents(stepped)[0])


def test_shuffles_visit_each_row_once(backend: str) -> None:
    """With one row for each weight, an epoch of single rows is one update of each weight."""
    n = 13
    X, y = np.eye(n), np.ones(n)
    model = network(
        backend, [fm.Dense(1, initializer="zeros", use_bias=False)], optimizer=fm.SGD(0.25)
    )
    model.fit(X, y, epochs=3, batch_size=1, verbose=0)
    np.testing.assert_array_equal(model.parameters["0.weight"], np.full((n, 1), 1 - 0.5**3))


def test_each_epoch_has_an_order_of_its_own(backend: str) -> None:
    X, y = data()
    model, unshuffled = network(backend), network(backend)
    losses = model.fit(X, y, epochs=2, batch_size=8, verbose=0)["loss"]
    assert losses != unshuffled.fit(X, y, epochs=2, batch_size=8, shuffle=False, verbose=0)["loss"]
    still = network(backend, optimizer=fm.SGD(0.0), layers=[fm.Dropout(0.5), fm.Dense(1)])
    losses = still.fit(X, y, epochs=3, batch_size=8, verbose=0)["loss"]
    assert len(set(losses)) == 3


def test_history_keys(backend: str) -> None:
    X, y = classes()
    model = everything(backend, optimizer=fm.Adam(fm.StepDecay(0.01, 0.5, 2)))
    history = model.fit(X, y, epochs=3, validation_split=0.25, verbose=0)
    assert set(history.keys()) == {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "seconds",
        "learning_rate",
    }
    assert all(len(values) == 3 for _, values in history.items())
    assert history.epochs == [0, 1, 2]
    assert history["learning_rate"] == [0.01, 0.01, 0.005]
    assert all(seconds > 0 for seconds in history["seconds"])
    regression = network(backend)
    assert set(regression.fit(*data(), epochs=1, verbose=0).keys()) == {
        "loss",
        "seconds",
        "learning_rate",
    }


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_printing(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    network("numpy").fit(*data(), epochs=40, verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    low, high = {0: (0, 0), 1: (8, 13), 2: (40, 40)}[verbose]
    assert low <= len(lines) <= high
