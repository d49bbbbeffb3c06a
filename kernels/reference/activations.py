"""Activation functions and their gradients, in one table."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .. import custom
from ..constants import SELU_ALPHA, SELU_SCALE
from ..typing import ActivationSpec, Array
from .buffers import store

__all__ = ["activation_backward", "activation_forward"]


def relu(z: Array) -> Array:
    """Return ``max(z, 0)`` (Nair & Hinton 2010)."""
    return np.maximum(z, 0.0)


def relu_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out`` where ``z > 0``, else 0; the derivative at 0 is 0."""
    return np.where(z > 0.0, d_out, 0.0)


def leaky_relu(z: Array, slope: float) -> Array:
    """Return ``z`` where ``z > 0``, else ``slope z`` (Maas, Hannun & Ng 2013)."""
    return np.where(z > 0.0, z, slope * z)


def leaky_relu_backward(d_out: Array, z: Array, out: Array, slope: float) -> Array:
    """Return ``d_out`` where ``z > 0``, else ``slope d_out``."""
    return np.where(z > 0.0, d_out, slope * d_out)


def tanh(z: Array) -> Array:
    """Return ``tanh z``."""
    return np.tanh(z)


def tanh_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out (1 - tanh^2 z)``."""
    d_z: Array = d_out * (1.0 - out * out)
    return d_z


def sigmoid(z: Array) -> Array:
    """Return ``1 / (1 + e^-z)``; the exponent is never positive, so nothing overflows."""
    exponential = np.exp(-np.abs(z))
    out: Array = np.where(z >= 0.0, 1.0, exponential) / (1.0 + exponential)
    return out


def sigmoid_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out s (1 - s)``, ``s = sigmoid(z)``."""
    d_z: Array = d_out * out * (1.0 - out)
    return d_z


def softmax(z: Array) -> Array:
    """Return ``e^z_j / sum_k e^z_k`` over the last axis, shifted by its largest entry."""
    exponential = np.exp(z - z.max(axis=-1, keepdims=True))
    out: Array = exponential / exponential.sum(axis=-1, keepdims=True)
    return out


def softmax_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``J^T d_out``, ``J = diag(p) - p p^T``: ``p_j (d_out_j - sum_k d_out_k p_k)``."""
    d_z: Array = out * (d_out - (d_out * out).sum(axis=-1, keepdims=True))
    return d_z


def linear(z: Array) -> Array:
    """Return a copy of ``z``."""
    return np.copy(z)


def linear_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return a copy of ``d_out``."""
    return np.copy(d_out)


def elu(z: Array, alpha: float) -> Array:
    """Return ``z`` where ``z > 0``, else ``alpha (e^z - 1)`` (Clevert et al. 2016)."""
    return np.where(z > 0.0, z, alpha * np.expm1(np.minimum(z, 0.0)))


def elu_backward(d_out: Array, z: Array, out: Array, alpha: float) -> Array:
    """Return ``d_out`` where ``z > 0``, else ``d_out alpha e^z``."""
    return d_out * np.where(z > 0.0, 1.0, alpha * np.exp(np.minimum(z, 0.0)))


def selu(z: Array) -> Array:
    """Return ``scale elu(z, alpha)`` with the constants of Klambauer et al. 2017."""
    return SELU_SCALE * elu(z, SELU_ALPHA)


def selu_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out scale elu'(z, alpha)``."""
    return SELU_SCALE * elu_backward(d_out, z, out, SELU_ALPHA)


def normal_cdf(z: Array) -> Array:
    """Return ``Phi(z) = (1 + erf(z / sqrt 2)) / 2``, the normal distribution function.

    Written as ``erfc(-z / sqrt 2) / 2``, which is the same and keeps its digits in the left tail.
    """
    values = np.frompyfunc(lambda t: 0.5 * math.erfc(-t / math.sqrt(2.0)), 1, 1)(z)
    return np.asarray(values, dtype=z.dtype)


def normal_pdf(z: Array) -> Array:
    """Return ``phi(z) = e^(-z^2 / 2) / sqrt(2 pi)``, the normal density."""
    # The density is 0 in both dtypes long before 40; the square of a huge z would overflow.
    bounded = np.clip(z, -40.0, 40.0)
    density: Array = np.exp(-0.5 * bounded * bounded) / math.sqrt(2.0 * math.pi)
    return density


def gelu(z: Array) -> Array:
    """Return ``z Phi(z)``, the exact form (Hendrycks & Gimpel 2016)."""
    return z * normal_cdf(z)


def gelu_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out (Phi(z) + z phi(z))``."""
    d_z: Array = d_out * (normal_cdf(z) + z * normal_pdf(z))
    return d_z


def silu(z: Array) -> Array:
    """Return ``z sigmoid(z)`` (Elfwing, Uchibe & Doya 2018)."""
    return z * sigmoid(z)


def silu_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out s (1 + z (1 - s))``, ``s = sigmoid(z)``."""
    s = sigmoid(z)
    d_z: Array = d_out * s * (1.0 + z * (1.0 - s))
    return d_z


def softplus(z: Array) -> Array:
    """Return ``log(1 + e^z) = max(z, 0) + log(1 + e^-|z|)`` (Dugas et al. 2001)."""
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def softplus_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out sigmoid(z)``."""
    return d_out * sigmoid(z)


def mish(z: Array) -> Array:
    """Return ``z tanh(softplus z)`` (Misra 2020)."""
    return z * np.tanh(softplus(z))


def mish_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out (t + z (1 - t^2) sigmoid(z))``, ``t = tanh(softplus z)``."""
    t = np.tanh(softplus(z))
    return d_out * (t + z * (1.0 - t * t) * sigmoid(z))


def exp(z: Array) -> Array:
    """Return ``e^z``, infinite where that exceeds the dtype."""
    with np.errstate(over="ignore"):
        return np.exp(z)


def exp_backward(d_out: Array, z: Array, out: Array) -> Array:
    """Return ``d_out e^z``."""
    return d_out * out


class ActivationRule(NamedTuple):
    """An activation: ``forward(z)``, ``backward(d_out, z, out)`` and its default parameter.

    An activation with a parameter takes it as the last argument of both functions.
    """

    forward: Callable[..., Array]
    backward: Callable[..., Array]
    parameter: float | None = None
    is_rowwise: bool = False
    """Each output depends on the whole row."""
    member: str = ""
    """Of a registered function: its name and a digest of its code."""


ACTIVATIONS: dict[str, ActivationRule] = {
    "relu": ActivationRule(relu, relu_backward),
    "leaky_relu": ActivationRule(leaky_relu, leaky_relu_backward, 0.01),
    "tanh": ActivationRule(tanh, tanh_backward),
    "sigmoid": ActivationRule(sigmoid, sigmoid_backward),
    "softmax": ActivationRule(softmax, softmax_backward, is_rowwise=True),
    "linear": ActivationRule(linear, linear_backward),
    "elu": ActivationRule(elu, elu_backward, 1.0),
    "selu": ActivationRule(selu, selu_backward),
    "gelu": ActivationRule(gelu, gelu_backward),
    "silu": ActivationRule(silu, silu_backward),
    "mish": ActivationRule(mish, mish_backward),
    "softplus": ActivationRule(softplus, softplus_backward),
    "exp": ActivationRule(exp, exp_backward),
}


def _registered(name: str) -> ActivationRule | None:
    """The rule of a function that users registered, one call of it for each element."""
    found = custom.ACTIVATIONS.get(name)
    if found is None:
        return None
    forward, slope = found.forward, custom.derivative_of(found)

    def backward(d_out: Array, z: Array, out: Array) -> Array:
        return d_out * custom.each(slope, *((z, out) if found.of_output else (z,)))

    return ActivationRule(lambda z: custom.each(forward, z), backward, member=found.member)


def look_up(activation: ActivationSpec) -> tuple[ActivationRule, tuple[float, ...]]:
    """Return the rule of an activation and the parameter to call it with, if it takes one.

    Raises
    ------
    ValueError
        Where no activation has this name.
    """
    name, *given = (activation,) if isinstance(activation, str) else activation
    rule = ACTIVATIONS.get(name) or _registered(name)
    if rule is None:
        raise ValueError(f"unknown activation {name!r}; known: {', '.join(sorted(ACTIVATIONS))}")
    if given or rule.parameter is None:
        return rule, tuple(given)
    return rule, (rule.parameter,)


def activation_forward(z: Array, activation: ActivationSpec, *, out: Array | None = None) -> Array:
    """Apply an activation.

    Parameters
    ----------
    z : (n, k) array
        Pre-activations.
    activation : str or (str, float)
        A name in `ACTIVATIONS`, or a name and its parameter.
    out : (n, k) array, optional
        Receives the result.

    Returns
    -------
    out : (n, k) array
        ``f(z)``; softmax works along each row.

    Raises
    ------
    ValueError
        Where the activation is unknown.
    """
    rule, parameter = look_up(activation)
    return store(rule.forward(z, *parameter), out)


def activation_backward(
    d_out: Array, z: Array, out: Array, activation: ActivationSpec, *, d_z: Array | None = None
) -> Array:
    """Pull a gradient back through an activation.

    Parameters
    ----------
    d_out : (n, k) array
        Gradient of the loss with respect to ``out``.
    z, out : (n, k) arrays
        Input and result of `activation_forward`.
    activation : str or (str, float)
        As in `activation_forward`.
    d_z : (n, k) array, optional
        Receives the result.

    Returns
    -------
    d_z : (n, k) array
        ``d_out f'(z)``; for softmax, the product with the transposed Jacobian of each row.

    Raises
    ------
    ValueError
        Where the activation is unknown.
    """
    rule, parameter = look_up(activation)
    return store(rule.backward(d_out, z, out, *parameter), d_z)
