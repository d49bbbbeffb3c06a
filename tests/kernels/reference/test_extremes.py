"""Extreme but legal inputs: finite results, no warnings, no subnormal moments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastmlp.declarations.losses import OWN_LOSSES
from fastmlp.kernels import reference
from fastmlp.kernels.reference.activations import ACTIVATIONS

BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@BOTH
@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"exp"}))
def test_activation(activation: str, dtype: type) -> None:
    z = np.array([[-1e30, -1e4, -745.0, -104.0, -1e-30, 0.0, 1e-30, 89.0, 710.0, 1e4, 1e30]], dtype)
    out = reference.activation_forward(z, activation)
    d_z = reference.activation_backward(np.ones_like(z), z, out, activation)
    assert np.isfinite(out).all()
    assert np.isfinite(d_z).all()


@BOTH
def test_exp_overflows_to_infinity_without_a_warning(dtype: type) -> None:
    z = np.array([[-1e4, 0.0, 1e4]], dtype)
    np.testing.assert_array_equal(reference.activation_forward(z, "exp"), [[0.0, 1.0, np.inf]])


@pytest.mark.parametrize(
    ("activation", "asymptote"),
    [("sigmoid", 1.0), ("tanh", 1.0), ("softplus", 1e4), ("gelu", 1e4), ("mish", 1e4)],
)
def test_activation_asymptotes(activation: str, asymptote: float) -> None:
    z = np.array([[1e4, -1e4]])
    out = reference.activation_forward(z, activation)
    lower = -1.0 if activation == "tanh" else 0.0
    np.testing.assert_array_equal(out, [[asymptote, lower]])


def test_left_tails_keep_their_digits() -> None:
    z = np.array([[-30.0]])
    assert reference.activation_forward(z, "sigmoid").item() == pytest.approx(
        math.exp(-30.0) / (1.0 + math.exp(-30.0)), rel=1e-14
    )
    assert reference.activation_forward(z, "softplus").item() == pytest.approx(
        math.log1p(math.exp(-30.0)), rel=1e-14
    )
    assert reference.activation_forward(z, "gelu").item() == pytest.approx(
        -15.0 * math.erfc(30.0 / math.sqrt(2.0)), rel=1e-14
    )


@BOTH
def test_softmax_cross_entropy(dtype: type) -> None:
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, -1e4], [1e4, 1e4, 1e4]], dtype)
    for y in (np.array([1, 1, 2]), np.array([[0, 1, 0], [0, 1, 0], [0, 0, 1]], dtype)):
        loss, d_logits = reference.softmax_cross_entropy(logits, y)
        assert loss == pytest.approx((2e4 + 0.0 + math.log(3.0)) / 3, rel=1e-6)
        expected = np.array([[1, -1, 0], [0, 0, 0], [1 / 3, 1 / 3, -2 / 3]]) / 3
        np.testing.assert_allclose(d_logits, expected, atol=1e-6)


@BOTH
def test_sigmoid_cross_entropy(dtype: type) -> None:
    logits = np.array([[1e4, -1e4, 1e4, -1e4]], dtype)
    loss, d_logits = reference.sigmoid_cross_entropy(logits, np.array([[1, 0, 0, 1]], dtype))
    assert loss == 5000.0
    np.testing.assert_array_equal(d_logits, [[0.0, 0.0, 0.25, -0.25]])


@BOTH
def test_poisson_loss_where_the_mean_has_underflowed(dtype: type) -> None:
    tiny = float(np.finfo(dtype).smallest_normal)
    prediction = np.array([[0.0, tiny / 4, tiny, 1.0, 0.0]], dtype)
    y = np.array([[1e6, 1e6, 1e6, 0.0, 0.0]], dtype)
    loss, d_prediction = reference.poisson_loss(prediction, y)
    assert loss == pytest.approx((1.0 - 3e6 * math.log(tiny)) / 5, rel=1e-6)
    assert np.isfinite(d_prediction).all()
    assert (d_prediction[0, :3] < 0.0).all()
    np.testing.assert_allclose(d_prediction[0, 3:], [0.2, 0.2], rtol=1e-6)


LOSSES = [loss.kernel for loss in OWN_LOSSES]


@BOTH
@pytest.mark.parametrize("name", LOSSES)
def test_loss_of_weights_that_sum_to_zero(name: str, dtype: type) -> None:
    rng = np.random.default_rng(1)
    prediction, y = rng.random((4, 3)).astype(dtype), rng.random((4, 3)).astype(dtype)
    loss, gradient = getattr(reference, name)(prediction, y, np.zeros(4, dtype))
    assert loss == 0.0
    np.testing.assert_array_equal(gradient, np.zeros((4, 3)))


@pytest.mark.parametrize("name", LOSSES)
def test_rows_of_weight_zero_do_not_count(name: str) -> None:
    rng = np.random.default_rng(2)
    prediction, y = rng.random((4, 3)), rng.random((4, 3))
    kernel = getattr(reference, name)
    loss, gradient = kernel(prediction, y, np.array([1.0, 1.0, 0.0, 0.0]))
    expected_loss, expected_gradient = kernel(prediction[:2], y[:2])
    assert loss == pytest.approx(expected_loss, rel=1e-14)
    np.testing.assert_allclose(gradient[:2], expected_gradient, rtol=1e-14)
    np.testing.assert_array_equal(gradient[2:], np.zeros((2, 3)))


@BOTH
def test_a_class_that_never_occurs(dtype: type) -> None:
    logits = np.random.default_rng(3).standard_normal((5, 3)).astype(dtype)
    loss, d_logits = reference.softmax_cross_entropy(logits, np.array([0, 1, 1, 0, 0]))
    assert math.isfinite(loss)
    assert (d_logits[:, 2] > 0.0).all()


@BOTH
@pytest.mark.parametrize("constant", [0.0, 0.1, -3e4, 1e9])
def test_batchnorm_of_a_constant_column(constant: float, dtype: type) -> None:
    x = np.full((37, 2), constant, dtype)
    x[:, 1] = np.arange(37)
    gamma, beta = np.array([2.0, 1.0], dtype), np.array([0.7, 0.0], dtype)
    statistics = np.zeros(2, dtype), np.ones(2, dtype)
    out, x_hat, inv_std = reference.batchnorm_forward(x, gamma, beta, *statistics, 0.1, 1e-5, True)
    np.testing.assert_array_equal(out[:, 0], np.full(37, beta[0]))
    d_out = np.random.default_rng(4).standard_normal((37, 2)).astype(dtype)
    for gradient in reference.batchnorm_backward(d_out, x_hat, inv_std, gamma):
        assert np.isfinite(gradient).all()
    assert np.isfinite(statistics).all()


def test_batchnorm_far_from_the_origin() -> None:
    x = 1e6 + np.random.default_rng(5).standard_normal((1000, 3))
    out, _, _ = reference.batchnorm_forward(
        x, np.ones(3), np.zeros(3), np.zeros(3), np.ones(3), 0.1, 1e-5, True
    )
    np.testing.assert_allclose(out.mean(axis=0), 0.0, atol=1e-8)
    np.testing.assert_allclose(out.std(axis=0), 1.0, atol=1e-4)


def updates(moments: list[np.ndarray]) -> dict[str, tuple[Callable[..., None], tuple[Any, ...]]]:
    """Every optimizer with state: its kernel and what follows parameters and gradients."""
    first, second = moments
    mu_product = np.ones(1)
    return {
        "momentum": (reference.sgd_update, (first, 0.1, 0.9, False)),
        "nesterov": (reference.sgd_update, (first, 0.1, 0.9, True)),
        "rmsprop": (reference.rmsprop_update, (first, 0.1, 0.9, 1e-8)),
        "adagrad": (reference.adagrad_update, (first, 0.1, 1e-10)),
        "adam": (reference.adam_update, (first, second, 9, 0.1, 0.9, 0.99, 1e-8)),
        "adamw": (reference.adamw_update, (first, second, 9, 0.1, 0.9, 0.99, 1e-8, 0.01)),
        "nadam": (reference.nadam_update, (first, second, 9, mu_product, 0.1, 0.9, 0.99, 1e-8)),
        "ftrl": (reference.ftrl_update, (first, second, 0.1, 0.0, 0.0, 1.0)),
    }


OPTIMIZERS = sorted(updates([np.zeros(1), np.zeros(1)]))


@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_writes_no_subnormal_moments(name: str, dtype: type) -> None:
    tiny = float(np.finfo(dtype).smallest_normal)
    moments = [np.full(3, 0.5 * tiny, dtype) for _ in range(2)]
    kernel, arguments = updates(moments)[name]
    gradients = np.array([0.0, 0.1 * tiny, -0.1 * tiny], dtype)
    parameters = np.zeros(3, dtype)
    kernel(parameters, gradients, *arguments)
    touched = slice(1, None) if name == "ftrl" else slice(None)
    used = moments[: 1 if name in {"momentum", "nesterov", "rmsprop", "adagrad"} else 2]
    for moment in used:
        np.testing.assert_array_equal(moment[touched], 0.0)
    assert np.isfinite(parameters).all()


@BOTH
def test_adam_moments_of_a_dead_unit_end_at_zero(dtype: type) -> None:
    parameters, m, v = np.ones(1, dtype), np.ones(1, dtype), np.full(1, 1e-30, dtype)
    smallest = np.finfo(dtype).smallest_normal
    for step in range(1, 8000):
        reference.adam_update(parameters, np.zeros(1, dtype), m, v, step, 0.0, 0.9, 0.9, 1e-8)
        assert m[0] == 0.0 or m[0] >= smallest
        assert v[0] == 0.0 or v[0] >= smallest
    assert (m[0], v[0]) == (0.0, 0.0)


@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_of_zero_gradients(name: str, dtype: type) -> None:
    moments = [np.zeros(3, dtype), np.zeros(3, dtype)]
    kernel, arguments = updates(moments)[name]
    parameters = np.array([-1.0, 0.0, 2.0], dtype)
    before = parameters.copy()
    kernel(parameters, np.zeros(3, dtype), *arguments)
    expected = before * dtype(1.0 - 0.1 * 0.01) if name == "adamw" else before
    np.testing.assert_array_equal(parameters, expected)


@BOTH
def test_norm_of_large_gradients(dtype: type) -> None:
    gradients = np.full(4, 1e20, dtype)
    assert reference.clip_by_norm(gradients, 2.0) == pytest.approx(2e20, rel=1e-6)
    np.testing.assert_allclose(gradients, 1.0, rtol=1e-6)
