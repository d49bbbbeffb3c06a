# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The fully connected layer on plain arrays."""

from __future__ import annotations

from ..reference import dense as reference
from .activations import activation_backward, activation_forward
from .buffers import buffer
from .machine.call import call
from .ops import dense as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.dense_forward)
def dense_forward(*, x, weight, activation, out, z, **unchanged):
    inputs, columns = weight.shape
    z = buffer(z, (len(x), columns), x.dtype)
    call(
        ops.dense_forward,
        x.dtype,
        len(x),
        x=x,
        weight=weight,
        z=z,
        inputs=inputs,
        columns=columns,
        accumulate=False,
        **unchanged,
    )
    return activation_forward(z, activation, out=out), z


@twin(reference.dense_backward)
def dense_backward(*, d_out, x, weight, z, out, activation, factor, d_x, d_weight, d_bias):
    inputs, columns = weight.shape
    d_z = activation_backward(d_out, z, out, activation)
    d_x = buffer(d_x, x.shape, x.dtype)
    d_weight = buffer(d_weight, weight.shape, x.dtype)
    d_bias = buffer(d_bias, columns, x.dtype)
    common = {"d_z": d_z, "inputs": inputs, "columns": columns, "factor": factor}
    call(
        ops.dense_backward_input,
        x.dtype,
        len(x),
        weight=weight,
        d_x=d_x,
        accumulate=False,
        **common,
    )
    call(
        ops.dense_backward_weight,
        x.dtype,
        len(x),
        x=x,
        d_weight=d_weight,
        d_bias=d_bias,
        **common,
    )
    return d_x, d_weight, d_bias
