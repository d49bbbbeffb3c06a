"""The fully connected layer on plain arrays."""

from __future__ import annotations

from ..typing import ActivationSpec, Array
from .activations import activation_backward, activation_forward
from .buffers import buffer
from .machine.call import call
from .ops import dense as ops


def dense_forward(
    x: Array,
    weight: Array,
    bias: Array | None,
    activation: ActivationSpec = "linear",
    *,
    out: Array | None = None,
    z: Array | None = None,
) -> tuple[Array, Array]:
    """Compute ``z = x W + b`` and ``out = f(z)``; see the reference."""
    inputs, columns = weight.shape
    z = buffer(z, (len(x), columns), x.dtype)
    call(
        ops.dense_forward,
        x.dtype,
        len(x),
        x=x,
        ld_x=inputs,
        weight=weight,
        ld_weight=columns,
        bias=bias,
        z=z,
        ld_z=columns,
        inputs=inputs,
        columns=columns,
        accumulate=0,
    )
    return activation_forward(z, activation, out=out), z


def dense_backward(
    d_out: Array,
    x: Array,
    weight: Array,
    z: Array,
    out: Array,
    activation: ActivationSpec = "linear",
    *,
    d_x: Array | None = None,
    d_weight: Array | None = None,
    d_bias: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Compute the gradients of a dense layer; see the reference."""
    inputs, columns = weight.shape
    d_z = activation_backward(d_out, z, out, activation)
    d_x = buffer(d_x, x.shape, x.dtype)
    d_weight = buffer(d_weight, weight.shape, x.dtype)
    d_bias = buffer(d_bias, columns, x.dtype)
    call(
        ops.dense_backward_input,
        x.dtype,
        len(x),
        d_z=d_z,
        ld_z=columns,
        weight=weight,
        ld_weight=columns,
        d_x=d_x,
        ld_x=inputs,
        inputs=inputs,
        columns=columns,
        accumulate=0,
    )
    call(
        ops.dense_backward_weight,
        x.dtype,
        len(x),
        x=x,
        ld_x=inputs,
        d_z=d_z,
        ld_z=columns,
        d_weight=d_weight,
        ld_weight=columns,
        d_bias=d_bias,
        inputs=inputs,
        columns=columns,
    )
    return d_x, d_weight, d_bias
