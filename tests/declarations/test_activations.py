"""Activations: names, parameters, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from fastmlp.declarations.activations import (
    ACTIVATIONS,
    ELU,
    WITHOUT_PARAMETER,
    LeakyReLU,
    PlainActivation,
    get_activation,
)
from fastmlp.declarations.custom import CustomActivation

NAMES = [name for name, each in ACTIVATIONS.items() if not isinstance(each, CustomActivation)]


def test_activation_names() -> None:
    for name in NAMES:
        activation = get_activation(name.upper())
        assert activation.name == name
        assert get_activation(activation) is activation
        if name in WITHOUT_PARAMETER:
            assert activation == PlainActivation(name)
            assert activation.parameter is None
            assert activation.kernel == name
        else:
            assert activation.kernel == (name, activation.parameter)


def test_activations_with_a_parameter() -> None:
    assert get_activation("leaky_relu") == LeakyReLU() == LeakyReLU(slope=0.01)
    assert get_activation("elu") == ELU() == ELU(alpha=1.0)
    assert LeakyReLU(0.2).kernel == ("leaky_relu", 0.2)
    assert ELU(2).kernel == ("elu", 2.0)
    assert LeakyReLU(0.0).parameter == 0.0
    assert LeakyReLU(0.0).kernel == ("leaky_relu", 0.0)


def test_activation_errors() -> None:
    with pytest.raises(ValueError, match=r"unknown activation 'rleu'; did you mean 'relu'\? known"):
        get_activation("rleu")
    not_a_name: Any
    for not_a_name in (None, 3, LeakyReLU, ["relu"]):
        with pytest.raises(TypeError, match="activation must be a name, got "):
            get_activation(not_a_name)
    with pytest.raises(ValueError, match="alpha must be a finite number > 0, got 0"):
        ELU(0)
    with pytest.raises(ValueError, match="slope must be a finite number, got nan"):
        LeakyReLU(float("nan"))
    with pytest.raises(ValueError, match="activation without a parameter 'leaky_relu'"):
        PlainActivation("leaky_relu")
