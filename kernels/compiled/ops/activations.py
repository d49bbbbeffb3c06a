# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Elementwise activations, compiled: scalar functions and the two ops that map them over rows.

A new activation is one row in `ELEMENTWISE`. Its backward function is told the gradient of the
output, the preactivation z and the output; `reads_z` says whether it needs z, for where it does
not, z is not kept. An activation of whole rows has ops of its own, in `ROWWISE`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from numba.extending import overload

from ... import custom
from ...constants import MISH_MAXIMUM, NORMAL_PEAK, ROOT_HALF, SELU_ALPHA, SELU_SCALE
from ..machine.arguments import Number, Pointer
from ..machine.custom import activation_functions
from ..machine.intrinsics import is_same, like
from ..machine.math import erf, exp, expm1, log1p, tanh
from ..machine.op import ROWS, CompiledOp, op
from ..machine.options import INLINED, device
from .rows import copied
from .softmax import softmax_backward, softmax_forward


@device
def _linear(z, parameter):
    return z


@device
def _linear_backward(d, z, out, parameter):
    return d


@device
def _relu(z, parameter):
    # Written so that NaN passes through.
    return like(z, 0.0) if z <= 0 else z


@device
def _relu_backward(d, z, out, parameter):
    return d if z > 0 else like(d, 0.0)


@device
def _leaky_relu(z, slope):
    return slope * z if z <= 0 else z


@device
def _leaky_relu_backward(d, z, out, slope):
    return d if z > 0 else slope * d


@device
def _tanh(z, parameter):
    return tanh(z)


@device
def _tanh_backward(d, z, out, parameter):
    return d * (like(d, 1.0) - out * out)


@device
def logistic(z):
    """1 / (1 + exp(-z)); exp overflows to infinity for very negative z, which gives 0."""
    return like(z, 1.0) / (like(z, 1.0) + exp(-z))


@device
def _sigmoid(z, parameter):
    return logistic(z)


@device
def _sigmoid_backward(d, z, out, parameter):
    return d * (out * (like(d, 1.0) - out))


@device
def _elu(z, alpha):
    return alpha * expm1(z) if z <= 0 else z


@device
def _elu_backward(d, z, out, alpha):
    return d if z > 0 else d * (out + alpha)


@device
def _selu(z, parameter):
    negative = like(z, SELU_SCALE * SELU_ALPHA) * expm1(z)
    return negative if z <= 0 else like(z, SELU_SCALE) * z


@device
def _selu_backward(d, z, out, parameter):
    return d * (like(d, SELU_SCALE) if z > 0 else out + like(d, SELU_SCALE * SELU_ALPHA))


@device
def _gelu(z, parameter):
    half = like(z, 0.5)
    return half * z * (like(z, 1.0) + erf(z * like(z, ROOT_HALF)))


@device
def _gelu_backward(d, z, out, parameter):
    half = like(z, 0.5)
    cumulative = half * (like(z, 1.0) + erf(z * like(z, ROOT_HALF)))
    density = like(z, NORMAL_PEAK) * exp(-half * z * z)
    return d * (cumulative + z * density)


@device
def _silu(z, parameter):
    return z / (like(z, 1.0) + exp(-z))


@device
def _silu_backward(d, z, out, parameter):
    one = like(z, 1.0)
    probability = logistic(z)
    return d * (probability * (one + z * (one - probability)))


@device
def _mish(z, parameter):
    # tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2) with e = exp(z).
    e = exp(min(z, like(z, MISH_MAXIMUM)))
    n = e * (e + like(z, 2.0))
    return z * (n / (n + like(z, 2.0)))


@device
def _mish_backward(d, z, out, parameter):
    one, two = like(z, 1.0), like(z, 2.0)
    e = exp(min(z, like(z, MISH_MAXIMUM)))
    n = e * (e + two)
    inverse = one / (n + two)
    probability = e / (one + e)
    bend = like(z, 4.0) * (n + one) * inverse * inverse
    bend = like(z, 0.0) if z > like(z, MISH_MAXIMUM) else bend
    return d * (n * inverse + z * probability * bend)


@device
def _softplus(z, parameter):
    return max(z, like(z, 0.0)) + log1p(exp(-abs(z)))


@device
def _softplus_backward(d, z, out, parameter):
    # sigmoid(z) = 1 - exp(-softplus(z)), exact for small values too.
    return d * -expm1(-out)


@device
def _exp(z, parameter):
    return exp(z)


@device
def _exp_backward(d, z, out, parameter):
    return d * out


class Elementwise(NamedTuple):
    """Scalar functions ``forward(z, parameter)`` and ``backward(d, z, out, parameter)``.

    Where `reads_z` is false, `backward` may be told `out` in place of z. It looks at the sign of z
    alone, and that is the sign of `out`, unless a slope or an alpha is below 0.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    reads_z: bool = False


ELEMENTWISE: dict[str, Elementwise] = {
    "linear": Elementwise(_linear, _linear_backward),
    "relu": Elementwise(_relu, _relu_backward),
    "leaky_relu": Elementwise(_leaky_relu, _leaky_relu_backward),
    "tanh": Elementwise(_tanh, _tanh_backward),
    "sigmoid": Elementwise(_sigmoid, _sigmoid_backward),
    "elu": Elementwise(_elu, _elu_backward),
    "selu": Elementwise(_selu, _selu_backward),
    "gelu": Elementwise(_gelu, _gelu_backward, reads_z=True),
    "silu": Elementwise(_silu, _silu_backward, reads_z=True),
    "mish": Elementwise(_mish, _mish_backward, reads_z=True),
    "softplus": Elementwise(_softplus, _softplus_backward),
    "exp": Elementwise(_exp, _exp_backward),
}


@functools.cache
def elementwise(member: str) -> Elementwise:
    """An activation of the table, or a registered one by its member."""
    if member in ELEMENTWISE:
        return ELEMENTWISE[member]
    return Elementwise(*activation_functions(custom.ACTIVATIONS[member]), reads_z=True)


def forward_of(variant, z, parameter):
    """Stand-in for the forward function that the variant names."""


def backward_of(variant, d, z, out, parameter):
    """Stand-in for the backward function that the variant names."""


@overload(forward_of, jit_options=INLINED)
def _choose_forward(variant, z, parameter):
    function = elementwise(variant.function).forward
    return lambda variant, z, parameter: function(z, parameter)


@overload(backward_of, jit_options=INLINED)
def _choose_backward(variant, d, z, out, parameter):
    function = elementwise(variant.function).backward
    return lambda variant, d, z, out, parameter: function(d, z, out, parameter)


@op(members=ELEMENTWISE)
def activation_forward(
    variant, *, rows=ROWS, z: Pointer, out: Pointer, ld: int, columns: int, parameter: Number
):
    """``out = f(z)``; in place where z and out are one."""
    if columns == ld:
        columns, rows = columns * rows, 1
    if not is_same(z, out):
        copied(0, rows, columns, ld, z, out)
    for i in range(rows):
        for j in range(i * ld, i * ld + columns):
            out[j] = forward_of(variant, out[j], parameter)


@op(members=ELEMENTWISE)
def activation_backward(
    variant,
    *,
    rows=ROWS,
    z: Pointer,
    out: Pointer,
    d: Pointer,
    ld: int,
    columns: int,
    parameter: Number,
):
    """``d *= f'(z)``, in place: the gradient of out becomes that of z.

    Where z was not kept, z and out are one.
    """
    if columns == ld:
        columns, rows = columns * rows, 1
    for i in range(rows):
        for j in range(i * ld, i * ld + columns):
            d[j] = backward_of(variant, d[j], z[j], out[j], parameter)


class ActivationOps(NamedTuple):
    """The ops of an activation.

    Attributes
    ----------
    forward, backward : CompiledOp
    member : str
        Which one it is, where they are families.
    is_rowwise : bool
        They take shards of rows, not of columns.
    reads_z : bool
        See `Elementwise`.
    """

    forward: CompiledOp[...]
    backward: CompiledOp[...]
    member: str = ""
    is_rowwise: bool = True
    reads_z: bool = False


ROWWISE = {"softmax": ActivationOps(softmax_forward, softmax_backward)}
"""Activations of whole rows."""


@functools.cache
def activation_ops(member: str) -> ActivationOps:
    """The ops of an activation."""
    if member in ROWWISE:
        return ROWWISE[member]
    reads_z = elementwise(member).reads_z
    return ActivationOps(activation_forward, activation_backward, member, False, reads_z)
