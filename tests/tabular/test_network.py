"""The network of a table, made as the recipe says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp.tabular.network import measured, network
from fastmlp.tabular.plan import Recipe

X = np.random.default_rng(0).normal(size=(60, 3)).astype("f4")


def kinds(model: Any) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


def test_columns_of_two_numbers_are_not_measured() -> None:
    table = np.column_stack([X[:, 0], X[:, 1] > 0, np.ones(60), X[:, 2].round()]).astype("f4")
    assert measured(table) == [0, 3]
    # Of too many, none is embedded.
    assert measured(np.random.default_rng(0).normal(size=(20, 65))) == []


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({}, ()),
        ({"embeds": False}, ("PeriodicEmbedding",)),
        ({"scales": False}, ("Scale",)),
    ],
)
def test_each_part_can_be_left_out(changes: dict[str, Any], left_out: tuple[str, ...]) -> None:
    hidden = ["Dense", "ParametricActivation"]
    expected = ["PeriodicEmbedding", "Scale", *hidden, *hidden, "Dense"]
    model = network(0, 3, [0, 2], Recipe(hidden=(8, 4), **changes), 0)
    assert kinds(model) == [kind for kind in expected if kind not in left_out]


@pytest.mark.parametrize(("n_classes", "waves"), [(0, (0.1, 3.0)), (2, (0.03, 1.0))])
def test_waves_are_longer_in_a_network_alone(n_classes: int, waves: tuple[float, float]) -> None:
    averaged = network(n_classes, 3, [0], Recipe(hidden=(8,)), 0)
    assert averaged.layers[0].sigma == waves
    alone = network(n_classes, 3, [0], Recipe(hidden=(8,), alone=True), 0)
    assert alone.layers[0].sigma == pytest.approx((0.3 * waves[0], 0.3 * waves[1]))
    given = network(n_classes, 3, [0], Recipe(hidden=(8,), alone=True, waves=(1.0, 2.0)), 0)
    assert given.layers[0].sigma == (1.0, 2.0)


def test_many_columns_have_fewer_waves() -> None:
    for n_columns, n_waves in ((1, 16), (32, 16), (33, 8)):
        model = network(0, 40, list(range(n_columns)), Recipe(hidden=(8,)), 0)
        assert model.parameters["0.frequency"].shape == (n_columns, n_waves)


@pytest.mark.parametrize(
    ("n_classes", "loss", "units", "activation", "rate"),
    [
        (0, "mse", 1, "mish", 0.05),
        (2, "binary_crossentropy", 1, "selu", 0.04),
        (4, "categorical_crossentropy", 4, "selu", 0.04),
    ],
)
def test_the_task_decides(
    n_classes: int, loss: str, units: int, activation: str, rate: float
) -> None:
    model = network(n_classes, 3, [], Recipe(hidden=(8,)), 0)
    assert model.loss.name == loss
    assert model.layers[-1].units == units
    assert model.layers[2].activation_function.name == activation
    assert model.optimizer.learning_rate.maximum == rate
    fixed = network(n_classes, 3, [], Recipe(hidden=(8,), mixes=False, weight_decay=0.0), 0)
    assert kinds(fixed) == ["Scale", "Dense", "Activation", "Dense"]
    assert fixed.optimizer.weight_decay == 0
    other = Recipe(hidden=(8,), activation="relu", learning_rate=0.5, smoothing=0.0)
    chosen = network(n_classes, 3, [], other, 0)
    assert chosen.layers[2].activation_function.name == "relu"
    assert chosen.optimizer.learning_rate.maximum == 0.5
