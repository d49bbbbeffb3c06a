"""Initializers: spread, shape, stream of random numbers, what auto stands for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fastmlp.declarations.activations import LeakyReLU, get_activation
from fastmlp.declarations.initializers import INITIALIZERS, draw, get_initializer

SHAPES = [(400, 100), (100, 400)]

DEVIATIONS = {
    "he": lambda n_in, n_out: math.sqrt(2 / n_in),
    "he_uniform": lambda n_in, n_out: math.sqrt(2 / n_in),
    "glorot": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "glorot_normal": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "lecun_normal": lambda n_in, n_out: math.sqrt(1 / n_in),
    "random": lambda n_in, n_out: 0.01,
    "zeros": lambda n_in, n_out: 0.0,
}

LIMITS = {
    "he_uniform": lambda n_in, n_out: math.sqrt(6 / n_in),
    "glorot": lambda n_in, n_out: math.sqrt(6 / (n_in + n_out)),
}


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_and_deviation(name: str, n_in: int, n_out: int) -> None:
    weight = draw(name, np.random.default_rng(3), n_in, n_out)
    assert weight.shape == (n_in, n_out)
    assert weight.dtype == np.float64
    assert weight.flags.c_contiguous
    deviation = DEVIATIONS[name](n_in, n_out)
    # 40000 draws: the sample deviation lies within 2 % and the mean within 4 standard errors.
    assert weight.std() == pytest.approx(deviation, rel=0.02)
    assert abs(weight.mean()) <= 4 * deviation / 200


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_uniform_ones_are_bounded_and_normal_ones_are_not(name: str, n_in: int, n_out: int) -> None:
    weight = draw(name, np.random.default_rng(4), n_in, n_out)
    widest = float(np.abs(weight).max())
    if name in LIMITS:
        limit = LIMITS[name](n_in, n_out)
        assert 0.999 * limit < widest <= limit
        # A uniform distribution has a fourth moment of 9/5 of the squared variance.
        assert np.mean(weight**4) / weight.var() ** 2 == pytest.approx(1.8, rel=0.05)
    elif name != "zeros":
        assert widest > 3.5 * DEVIATIONS[name](n_in, n_out)
        assert np.mean(weight**4) / weight.var() ** 2 == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_generator_alone_decides(name: str) -> None:
    first = draw(name, np.random.default_rng(5), 6, 3)
    np.testing.assert_array_equal(first, draw(name, np.random.default_rng(5), 6, 3))
    if name != "zeros":
        assert not np.array_equal(first, draw(name, np.random.default_rng(6), 6, 3))


def test_zeros_take_no_draws() -> None:
    rng = np.random.default_rng(7)
    assert not draw("zeros", rng, 6, 3).any()
    assert rng.random() == np.random.default_rng(7).random()


def test_names() -> None:
    for name in (*INITIALIZERS, "auto"):
        assert get_initializer(name.upper()) == name
    assert get_initializer("Xavier") == "glorot"
    np.testing.assert_array_equal(
        draw("xavier", np.random.default_rng(0), 4, 2),
        draw("glorot", np.random.default_rng(0), 4, 2),
    )


def test_errors() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="unknown initializer 'glorto'; did you mean 'glorot'"):
        get_initializer("glorto")
    with pytest.raises(ValueError, match="unknown initializer to draw from 'auto'"):
        draw("auto", rng, 3, 2)
    with pytest.raises(ValueError, match="n_in must be an integer >= 1, got 0"):
        draw("he", rng, 0, 2)
    with pytest.raises(ValueError, match="n_out must be an integer >= 1, got 0"):
        draw("zeros", rng, 3, 0)
    not_a_name: Any = None
    with pytest.raises(TypeError, match="initializer must be a name, got None"):
        get_initializer(not_a_name)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", "he"),
        ("leaky_relu", "he"),
        ("elu", "he"),
        ("gelu", "he"),
        ("silu", "he"),
        ("mish", "he"),
        ("softplus", "he"),
        ("selu", "lecun_normal"),
        ("linear", "glorot"),
        ("tanh", "glorot"),
        ("sigmoid", "glorot"),
        ("softmax", "glorot"),
        ("exp", "glorot"),
    ],
)
def test_auto(activation: str, expected: str) -> None:
    assert get_activation(activation).traits.initializer == expected


def test_auto_with_a_parameter() -> None:
    assert LeakyReLU(0.4).traits.initializer == "he"
