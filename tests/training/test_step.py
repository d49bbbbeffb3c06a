"""Single steps are those of a fit."""

from __future__ import annotations

import numpy as np
import pytest
from plain_models import N, classes, copies, data, everything, network
from states import contents

import fastmlp as fm


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_those_of_the_next_step(backend: str, weighted: bool) -> None:
    """Dropout with the next step's mask, batch statistics: at a rate of 1 they are the step."""
    X, y = classes()
    model = everything(backend, "float64", optimizer=fm.SGD(1.0))
    weights = np.linspace(0.0, 2.0, N) if weighted else None
    for _ in range(3):
        gradients = model.build(4).gradients(X, y, weights)
        before = copies(model.parameters)
        model.train_step(X, y, weights)
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(model.parameters[name], before[name] - gradient)


def test_train_step_is_a_fit_of_one_batch(backend: str) -> None:
    X, y = classes()
    weights = np.linspace(0.5, 2.0, N)
    fitted, stepped = everything(backend), everything(backend)
    for _ in range(3):
        history = fitted.fit(
            X, y, sample_weight=weights, epochs=1, batch_size=None, shuffle=False, verbose=0
        )
        assert stepped.train_step(X, y, weights) == history["loss"][0]
    np.testing.assert_equal(contents(stepped)[0], contents(fitted)[0])
    assert len(stepped.history) == 0


def test_train_steps_are_the_batches_of_a_fit(backend: str) -> None:
    X, y = classes()
    fitted, stepped = everything(backend), everything(backend)
    fitted.fit(X, y, epochs=1, batch_size=16, shuffle=False, verbose=0)
    for start in range(0, N, 16):
        stepped.train_step(X[start : start + 16], y[start : start + 16])
    np.testing.assert_equal(contents(stepped)[0], contents(fitted)[0])
    assert contents(stepped)[1]["step"] == 5


def test_train_step_uses_the_rate_of_the_coming_epoch(backend: str) -> None:
    X, y = data()
    model = network(backend, [fm.Dense(1)], optimizer=fm.SGD(fm.ExponentialDecay(0.5, 0.1)))
    model.fit(X, y, epochs=2, verbose=0)
    gradient, before = model.gradients(X, y)["0.weight"], model.parameters["0.weight"].copy()
    model.train_step(X, y)
    expected = before - 0.5 * 0.1**2 * gradient
    np.testing.assert_allclose(model.parameters["0.weight"], expected, rtol=1e-12)
