"""What a layer learns from those that follow it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plain_models import network

import fastmlp as fm

AFTER = {
    "relu": "he",
    "leaky_relu": "he",
    "elu": "he",
    "gelu": "he",
    "silu": "he",
    "mish": "he",
    "softplus": "he",
    "selu": "lecun_normal",
    "tanh": "glorot",
    "sigmoid": "glorot",
    "softmax": "glorot",
    "linear": "glorot",
    "exp": "glorot",
}


@pytest.mark.parametrize("activation", AFTER)
@pytest.mark.parametrize("place", ["its own", "after", "past BatchNorm"])
def test_auto_looks_at_the_activation_that_follows(place: str, activation: str) -> None:
    def layers(initializer: str) -> list[Any]:
        if place == "its own":
            return [fm.Dense(30, activation, initializer=initializer), fm.Dense(2)]
        dense, after = fm.Dense(30, initializer=initializer), fm.Activation(activation)
        norm = [fm.BatchNorm()] if place == "past BatchNorm" else []
        return [dense, *norm, after, fm.Dense(2)]

    auto, chosen = (
        network("numpy", layers(name)).build(20).parameters["0.weight"]
        for name in ("auto", AFTER[activation])
    )
    np.testing.assert_array_equal(auto, chosen)


def test_auto_in_nested_layers() -> None:
    """What stands last in a residual meets no activation; an output layer meets its own."""

    def layers(*names: str) -> list[Any]:
        first, second, last = names
        return [
            fm.Residual([fm.Dense(9, "relu", first), fm.Dense(9, "linear", second)]),
            fm.Activation("relu"),
            fm.Dense(3, "softmax", last),
        ]

    auto = network("numpy", layers("auto", "auto", "auto")).build(9)
    chosen = network("numpy", layers("he", "glorot", "glorot")).build(9)
    for name, value in chosen.parameters.items():
        np.testing.assert_array_equal(auto.parameters[name], value, err_msg=name)
