"""Gradients of outputs by inputs against central differences, for every layer."""

from __future__ import annotations

import numpy as np
import pytest
from layer_examples import LAYERS, X, trained

import fastmlp as fm
from fastmlp.kernels.typing import Array
from fastmlp.network.layers import Layer
from fastmlp.runners.input_gradients import InputGradients

H = 1e-6
ROWS = X[:12]
OUTPUTS = np.arange(12) % 3


def differences(model: fm.Sequential, rows: Array, outputs: Array) -> Array:
    """``(f(x + h) - f(x - h)) / 2 h`` for each column."""
    found = np.empty_like(rows)
    for column in range(rows.shape[1]):
        step = np.zeros(rows.shape[1])
        step[column] = H
        change = model.predict(rows + step) - model.predict(rows - step)
        found[:, column] = change[np.arange(len(rows)), outputs] / (2 * H)
    return found


@pytest.mark.parametrize(
    "kind", [kind for kind in LAYERS if kind is not fm.Embedding], ids=lambda kind: kind.__name__
)
def test_every_layer(kind: type[Layer], backend: str) -> None:
    model = trained(kind, backend)
    # Off the codes, of which one would stand at the edges of a piecewise linear encoding.
    rows = ROWS + 0.01
    found = InputGradients(model.training_state.state).of_rows(rows, OUTPUTS)
    expected = differences(model, rows, OUTPUTS)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


def test_two_inputs() -> None:
    layer = fm.WideAndDeep(2, deep=[fm.Dense(5, "tanh")])
    model = fm.Sequential([layer], dtype="float64", backend="numpy", random_state=0).build((2, 4))
    model.parameters["0.wide_weight"][...] = [[1.0, 2.0], [3.0, 4.0]]
    rows = np.random.default_rng(0).normal(size=(2, 6))
    found = InputGradients(model.training_state.state).of_rows(rows, np.array([0, 1]))
    np.testing.assert_array_equal(found[:, :2], [[1, 3], [2, 4]])
    step = np.eye(4)[1] * H
    change = model.predict((rows[:, :2], rows[:, 2:] + step))
    change -= model.predict((rows[:, :2], rows[:, 2:] - step))
    np.testing.assert_allclose(found[:, 3], np.diag(change) / (2 * H), rtol=1e-6)


def test_columns_that_nothing_reads() -> None:
    layer = fm.WideAndDeep(1, deep=[fm.Dense(5, "tanh")], wide=[2], deep_columns=[1])
    model = fm.Sequential([layer], dtype="float64", random_state=0).build(4)
    model.parameters["0.wide_weight"][...] = 1.0
    found = InputGradients(model.training_state.state).of_rows(np.ones((1, 4)), np.array([0]))
    assert np.flatnonzero(found[0]).tolist() == [1, 2]


def test_nothing_of_the_model_changes() -> None:
    model = trained(fm.BatchNorm, "numpy")
    state = model.training_state.state
    before = [vector.copy() for vector in (state.parameters, state.gradients, state.buffers)]
    InputGradients(state).of_rows(ROWS, OUTPUTS)
    after = (state.parameters, state.gradients, state.buffers)
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(new, old)
