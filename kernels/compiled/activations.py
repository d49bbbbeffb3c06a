# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Elementwise activations, compiled: scalar functions and the two ops that map them over rows.

A new activation is one row in `ELEMENTWISE`. Its derivative is told both the preactivation z and
the output; `reads_z` says whether it looks at z, for where it does not, z is not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numba.extending import overload

from .intrinsics import cast, like, pointer
from .math import erf, exp, expm1, log1p, tanh
from .op import ROWS, op
from .options import device

SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717


@device
def _linear(z, parameter):
    return z


@device
def _linear_derivative(z, out, parameter):
    return like(z, 1.0)


@device
def _relu(z, parameter):
    # Written so that NaN passes through.
    return like(z, 0.0) if z <= 0 else z


@device
def _relu_derivative(z, out, parameter):
    return like(z, 1.0) if out > 0 else like(z, 0.0)


@device
def _leaky_relu(z, slope):
    return slope * z if z <= 0 else z


@device
def _leaky_relu_derivative(z, out, slope):
    return like(z, 1.0) if out > 0 else slope


@device
def _tanh(z, parameter):
    return tanh(z)


@device
def _tanh_derivative(z, out, parameter):
    return like(z, 1.0) - out * out


@device
def logistic(z):
    """1 / (1 + exp(-z)); exp overflows to infinity for very negative z, which gives 0."""
    return like(z, 1.0) / (like(z, 1.0) + exp(-z))


@device
def _sigmoid(z, parameter):
    return logistic(z)


@device
def _sigmoid_derivative(z, out, parameter):
    return out * (like(z, 1.0) - out)


@device
def _elu(z, alpha):
    return alpha * expm1(z) if z <= 0 else z


@device
def _elu_derivative(z, out, alpha):
    return out + alpha if out <= 0 else like(z, 1.0)


@device
def _selu(z, parameter):
    negative = like(z, SELU_SCALE * SELU_ALPHA) * expm1(z)
    return negative if z <= 0 else like(z, SELU_SCALE) * z


@device
def _selu_derivative(z, out, parameter):
    return out + like(z, SELU_SCALE * SELU_ALPHA) if out <= 0 else like(z, SELU_SCALE)


@device
def _gelu(z, parameter):
    half = like(z, 0.5)
    return half * z * (like(z, 1.0) + erf(z * like(z, 0.7071067811865476)))


@device
def _gelu_derivative(z, out, parameter):
    half = like(z, 0.5)
    cumulative = half * (like(z, 1.0) + erf(z * like(z, 0.7071067811865476)))
    density = like(z, 0.3989422804014327) * exp(-half * z * z)
    return cumulative + z * density


@device
def _silu(z, parameter):
    return z / (like(z, 1.0) + exp(-z))


@device
def _silu_derivative(z, out, parameter):
    one = like(z, 1.0)
    probability = logistic(z)
    return probability * (one + z * (one - probability))


@device
def _mish(z, parameter):
    # tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2) with e = exp(z); it is 1 long before z = 20.
    e = exp(min(z, like(z, 20.0)))
    n = e * (e + like(z, 2.0))
    return z * (n / (n + like(z, 2.0)))


@device
def _mish_derivative(z, out, parameter):
    one, two = like(z, 1.0), like(z, 2.0)
    e = exp(min(z, like(z, 20.0)))
    n = e * (e + two)
    inverse = one / (n + two)
    probability = e / (one + e)
    return n * inverse + z * probability * (like(z, 4.0) * (n + one) * inverse * inverse)


@device
def _softplus(z, parameter):
    return max(z, like(z, 0.0)) + log1p(exp(-abs(z)))


@device
def _softplus_derivative(z, out, parameter):
    # sigmoid(z) = 1 - exp(-softplus(z)), exact for small values too.
    return -expm1(-out)


@device
def _exp(z, parameter):
    return exp(z)


@device
def _exp_derivative(z, out, parameter):
    return out


class Elementwise(NamedTuple):
    """Scalar functions ``forward(z, parameter)`` and ``derivative(z, out, parameter)``."""

    forward: Callable[..., Any]
    derivative: Callable[..., Any]
    reads_z: bool = False


ELEMENTWISE: dict[str, Elementwise] = {
    "linear": Elementwise(_linear, _linear_derivative),
    "relu": Elementwise(_relu, _relu_derivative),
    "leaky_relu": Elementwise(_leaky_relu, _leaky_relu_derivative),
    "tanh": Elementwise(_tanh, _tanh_derivative),
    "sigmoid": Elementwise(_sigmoid, _sigmoid_derivative),
    "elu": Elementwise(_elu, _elu_derivative),
    "selu": Elementwise(_selu, _selu_derivative),
    "gelu": Elementwise(_gelu, _gelu_derivative, reads_z=True),
    "silu": Elementwise(_silu, _silu_derivative, reads_z=True),
    "mish": Elementwise(_mish, _mish_derivative, reads_z=True),
    "softplus": Elementwise(_softplus, _softplus_derivative),
    "exp": Elementwise(_exp, _exp_derivative),
}


def _forward(variant, z, parameter):
    """Stand-in for the forward function that the variant names."""


def _derivative(variant, z, out, parameter):
    """Stand-in for the derivative that the variant names."""


@overload(_forward)
def _choose_forward(variant, z, parameter):
    function = ELEMENTWISE[variant.function].forward
    return lambda variant, z, parameter: function(z, parameter)


@overload(_derivative)
def _choose_derivative(variant, z, out, parameter):
    function = ELEMENTWISE[variant.function].derivative
    return lambda variant, z, out, parameter: function(z, out, parameter)


@op("z", "out", "ld", "columns", attributes=("parameter",))
def activation_forward(variant, args, attributes, counters, scalars):
    """``out = f(z)``; in place where z and out are one."""
    z, out = pointer(variant, args[0]), pointer(variant, args[1])
    ld, columns, rows = args[2], args[3], counters[ROWS]
    parameter = cast(variant, attributes[0])
    if columns == ld:
        columns, rows = columns * rows, 1
    for i in range(rows):
        if args[0] != args[1]:
            for j in range(i * ld, i * ld + columns):
                out[j] = z[j]
        for j in range(i * ld, i * ld + columns):
            out[j] = _forward(variant, out[j], parameter)


@op("z", "out", "d", "ld", "columns", attributes=("parameter",))
def activation_backward(variant, args, attributes, counters, scalars):
    """``d *= f'(z)``, in place: the gradient of out becomes that of z."""
    z, out, d = pointer(variant, args[0]), pointer(variant, args[1]), pointer(variant, args[2])
    ld, columns, rows = args[3], args[4], counters[ROWS]
    parameter = cast(variant, attributes[0])
    if columns == ld:
        columns, rows = columns * rows, 1
    for i in range(rows):
        for j in range(i * ld, i * ld + columns):
            d[j] *= _derivative(variant, z[j], out[j], parameter)
