"""Activations by hand, against differences, and at extreme numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from differences import assert_gradient, away_from_kinks

from fastmlp.kernels import numpy as reference
from fastmlp.kernels.reference.activations import ACTIVATIONS


def test_relu_derivative_at_zero_is_zero() -> None:
    z = np.array([[-1.0, 0.0, 1.0]])
    out = reference.activation_forward(z, "relu")
    d_z = reference.activation_backward(np.full((1, 3), 5.0), z, out, "relu")
    np.testing.assert_array_equal(d_z, [[0.0, 0.0, 5.0]])


def test_activation_parameter_overrides_the_default() -> None:
    z = np.array([[-2.0, 3.0]])
    np.testing.assert_allclose(reference.activation_forward(z, "leaky_relu"), [[-0.02, 3.0]])
    np.testing.assert_array_equal(
        reference.activation_forward(z, ("leaky_relu", 0.5)), [[-1.0, 3.0]]
    )


def test_softmax_backward_is_the_full_jacobian() -> None:
    # p = (1/4, 3/4): J = [[3/16, -3/16], [-3/16, 3/16]].
    z = np.array([[0.0, math.log(3.0)]])
    out = reference.activation_forward(z, "softmax")
    np.testing.assert_allclose(out, [[0.25, 0.75]], rtol=1e-15)
    d_z = reference.activation_backward(np.array([[16.0, 0.0]]), z, out, "softmax")
    np.testing.assert_allclose(d_z, [[3.0, -3.0]], rtol=1e-14)


@pytest.mark.parametrize("name", ["rleu", "ReLU", ("prelu", 0.1)])
def test_unknown_activation(name: str | tuple[str, float]) -> None:
    z = np.zeros((1, 1))
    with pytest.raises(ValueError, match=r"unknown activation '(rleu|ReLU|prelu)'; known: elu, "):
        reference.activation_forward(z, name)
    with pytest.raises(ValueError, match="unknown activation"):
        reference.activation_backward(z, z, z, name)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, ("leaky_relu", 0.3), ("elu", 0.6)])
def test_activation_against_differences(activation: str | tuple[str, float]) -> None:
    rng = np.random.default_rng(1)
    z, d_out = away_from_kinks(rng, (6, 5)), rng.standard_normal((6, 5))
    out = reference.activation_forward(z, activation)
    d_z = reference.activation_backward(d_out, z, out, activation)
    assert_gradient(lambda t: (reference.activation_forward(t, activation) * d_out).sum(), z, d_z)


BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@BOTH
@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"exp"}))
def test_activation_stays_finite(activation: str, dtype: type) -> None:
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
