"""Gradients against central differences along random directions, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fastmlp.declarations.losses import OWN_LOSSES
from fastmlp.kernels import reference
from fastmlp.kernels.reference.activations import ACTIVATIONS

STEP = 1e-5


def assert_gradient(
    function: Callable[[np.ndarray], float], x: np.ndarray, gradient: np.ndarray
) -> None:
    """Compare the slope of `function` along five directions with ``gradient . direction``."""
    rng = np.random.default_rng(7)
    for _ in range(5):
        direction = rng.standard_normal(x.shape)
        change = function(x + STEP * direction) - function(x - STEP * direction)
        slope = float((gradient * direction).sum())
        assert change / (2.0 * STEP) == pytest.approx(slope, rel=1e-7, abs=1e-8)


def away_from_kinks(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw normal numbers, none within 0.1 of 0."""
    z = rng.standard_normal(shape)
    return z + 0.1 * np.sign(z)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, ("leaky_relu", 0.3), ("elu", 0.6)])
def test_activation(activation: str | tuple[str, float]) -> None:
    rng = np.random.default_rng(1)
    z, d_out = away_from_kinks(rng, (6, 5)), rng.standard_normal((6, 5))
    out = reference.activation_forward(z, activation)
    d_z = reference.activation_backward(d_out, z, out, activation)
    assert_gradient(lambda t: (reference.activation_forward(t, activation) * d_out).sum(), z, d_z)


@pytest.mark.parametrize("activation", ["linear", "tanh", "softmax", ("elu", 0.6)])
@pytest.mark.parametrize("rows", [1, 6])
def test_dense(activation: str | tuple[str, float], rows: int) -> None:
    rng = np.random.default_rng(2)
    x, weight, bias = (rng.standard_normal(shape) for shape in [(rows, 4), (4, 3), (3,)])
    d_out = rng.standard_normal((rows, 3))
    out, z = reference.dense_forward(x, weight, bias, activation)
    d_x, d_weight, d_bias = reference.dense_backward(d_out, x, weight, z, out, activation)

    def total(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> float:
        return float((reference.dense_forward(x, weight, bias, activation)[0] * d_out).sum())

    assert_gradient(lambda t: total(t, weight, bias), x, d_x)
    assert_gradient(lambda t: total(x, t, bias), weight, d_weight)
    assert_gradient(lambda t: total(x, weight, t), bias, d_bias)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_batchnorm(rows: int) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, 4)) * [1.0, 3.0, 0.5, 1.0] + [0.0, 5.0, -2.0, 1.0]
    gamma, beta = rng.standard_normal(4), rng.standard_normal(4)
    d_out = rng.standard_normal((rows, 4))

    def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, ...]:
        statistics = np.zeros(4), np.ones(4)
        return reference.batchnorm_forward(x, gamma, beta, *statistics, 0.1, 1e-3, True)

    _, x_hat, inv_std = forward(x, gamma, beta)
    d_x, d_gamma, d_beta = reference.batchnorm_backward(d_out, x_hat, inv_std, gamma)
    assert_gradient(lambda t: (forward(t, gamma, beta)[0] * d_out).sum(), x, d_x)
    assert_gradient(lambda t: (forward(x, t, beta)[0] * d_out).sum(), gamma, d_gamma)
    assert_gradient(lambda t: (forward(x, gamma, t)[0] * d_out).sum(), beta, d_beta)


def test_dropout() -> None:
    rng = np.random.default_rng(4)
    x, d_out = rng.standard_normal((9, 5)), rng.standard_normal((9, 5))
    draw = (0.4, 11, 3, 2)
    _, mask = reference.dropout_forward(x, *draw)
    d_x = reference.dropout_backward(d_out, mask)
    assert_gradient(lambda t: (reference.dropout_forward(t, *draw)[0] * d_out).sum(), x, d_x)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("target", ["labels", "rows that sum to 1", "other rows"])
def test_softmax_cross_entropy(target: str, smoothing: float, weighted: bool) -> None:
    rng = np.random.default_rng(5)
    logits = rng.standard_normal((6, 4))
    y = rng.random((6, 4))
    if target == "labels":
        y = rng.integers(0, 3, 6)
    elif target == "rows that sum to 1":
        y /= y.sum(axis=1, keepdims=True)
    weight = rng.random(6) if weighted else None
    _, d_logits = reference.softmax_cross_entropy(logits, y, weight, smoothing)
    assert_gradient(
        lambda t: reference.softmax_cross_entropy(t, y, weight, smoothing)[0], logits, d_logits
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "extra"),
    [
        *((loss.kernel, ()) for loss in OWN_LOSSES if not loss.is_rowwise),
        *(("sigmoid_cross_entropy", (0.2,)), ("huber_loss", (0.4,)), ("quantile_loss", (0.8,))),
    ],
)
def test_elementwise_loss(name: str, extra: tuple[float, ...], weighted: bool) -> None:
    rng = np.random.default_rng(6)
    y = rng.random((6, 3))
    prediction = 2.0 * rng.random((6, 3)) + 0.1
    weight = rng.random(6) if weighted else None
    kernel = getattr(reference, name)
    _, d_prediction = kernel(prediction, y, weight, *extra)
    assert_gradient(lambda t: kernel(t, y, weight, *extra)[0], prediction, d_prediction)


def test_penalty() -> None:
    weight = away_from_kinks(np.random.default_rng(8), (4, 3))
    d_weight = np.zeros_like(weight)
    reference.add_penalty(weight, d_weight, 0.3, 0.7)
    assert_gradient(
        lambda t: reference.add_penalty(t, np.zeros_like(t), 0.3, 0.7), weight, d_weight
    )
