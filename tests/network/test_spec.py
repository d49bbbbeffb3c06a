"""Networks written as lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastmlp as fm

TUPLES = [(784, False, "relu", 1.0), (128, True, "relu", 0.8), (64, False, "tanh", 0.5)]
TUPLES.append((10, False, "softmax", 1.0))


def test_names() -> None:
    model = fm.Sequential.from_spec([2, 8, "relu", 8, 1, "sigmoid"], random_state=0)
    assert model.layers == (fm.Dense(8, "relu"), fm.Dense(8), fm.Dense(1, "sigmoid"))
    assert model.parameters["0.weight"].shape == (2, 8)


def test_activations_with_a_parameter() -> None:
    model = fm.Sequential.from_spec([2, 8, fm.LeakyReLU(0.2), 1])
    assert model.layers == (fm.Dense(8, fm.LeakyReLU(0.2)), fm.Dense(1))


def test_tuples() -> None:
    model = fm.Sequential.from_spec(TUPLES)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Dense", "BatchNorm", "Activation", "Dropout", "Dense", "Dropout", "Dense"]
    assert model.layers[2] == fm.Activation("relu")
    rates = [layer.rate for layer in model.layers if isinstance(layer, fm.Dropout)]
    assert rates == pytest.approx([0.2, 0.5])
    assert model.loss == fm.CategoricalCrossentropy()


def test_common_arguments() -> None:
    model = fm.Sequential.from_spec(
        [3, 4, "tanh", 1], 0.1, 0.2, "he_uniform", optimizer="sgd", dtype="float64", loss="mae"
    )
    assert model.layers[0] == fm.Dense(4, "tanh", "he_uniform", l1=0.1, l2=0.2)
    assert model.layers[1] == fm.Dense(1, "linear", "he_uniform", l1=0.1, l2=0.2)
    assert (model.dtype, model.loss, model.optimizer) == ("float64", fm.MAE(), fm.SGD())


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(
    "spec", [[2, 6, "tanh", 1], [(2, 0, "", 0), (6, True, "tanh", 0.9), (1, False, "linear", 1)]]
)
def test_they_train(spec: list[Any], backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    X = np.random.default_rng(0).normal(size=(100, 2))
    model = fm.Sequential.from_spec(spec, backend=backend, random_state=0, optimizer=fm.Adam(0.02))
    history = model.fit(X, X[:, 0], epochs=30, verbose=0)
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_the_width_is_checked_against_X() -> None:
    model = fm.Sequential.from_spec([2, 3, "relu", 1], backend="numpy")
    with pytest.raises(ValueError, match="X has 3 columns, expected 2"):
        model.fit(np.zeros((5, 3)), np.zeros(5))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ([2], "at least one layer"),
        ("2-8-1", "must be a list"),
        (None, "must be a list"),
        (["relu", 2], "entry 0 of spec"),
        ([2, "relu", 1], "entry 1 of spec"),
        ([2, 8, "relu", "relu", 1], "entry 3 of spec"),
        ([2, 0], "entry 1 of spec"),
        ([2, 8, "rellu", 1], "did you mean 'relu'"),
        ([(2, False, "relu", 1.0), 8], "entry 1 of spec must be"),
        ([(2, False, "relu", 1.0), (8, False, "relu")], "entry 1 of spec must be"),
        ([(2, False, "relu", 1.0), (8, 1, "relu", 1.0)], "batch_norm in entry 1"),
        ([(2, False, "relu", 1.0), (8, False, "relu", 0.0)], "keep_probability in entry 1"),
        ([(2, False, "relu", 1.0), (8, False, "relu", 1.5)], "keep_probability in entry 1"),
    ],
)
def test_errors(spec: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        fm.Sequential.from_spec(spec)
