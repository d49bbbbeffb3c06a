"""Activations on plain arrays."""

from __future__ import annotations

from ..reference.activations import look_up
from ..typing import ActivationSpec, Array
from .buffers import buffer, copied
from .machine.call import call
from .ops import activations as ops
from .ops import softmax


def _resolve(activation: ActivationSpec) -> tuple[str, float]:
    """The member and the parameter of an activation, 0 where it has none."""
    rule, parameters = look_up(activation)
    name = activation if isinstance(activation, str) else activation[0]
    if rule.parameter is None and parameters:
        raise TypeError(f"{name} takes no parameter, but {parameters[0]!r} was given")
    return rule.member or name, parameters[0] if parameters else 0.0


def activation_forward(z: Array, activation: ActivationSpec, *, out: Array | None = None) -> Array:
    """Apply an activation; see the reference."""
    name, parameter = _resolve(activation)
    rows, columns = z.shape
    out = buffer(out, z.shape, z.dtype)
    if name == "softmax":
        call(
            softmax.softmax_forward,
            z.dtype,
            rows,
            z=z,
            out=out,
            ld=columns,
            columns=columns,
            shard=0,
            shards=1,
        )
    else:
        call(
            ops.activation_forward,
            z.dtype,
            rows,
            member=name,
            z=z,
            out=out,
            ld=columns,
            columns=columns,
            parameter=parameter,
        )
    return out


def activation_backward(
    d_out: Array, z: Array, out: Array, activation: ActivationSpec, *, d_z: Array | None = None
) -> Array:
    """Pull a gradient back through an activation; see the reference."""
    name, parameter = _resolve(activation)
    rows, columns = d_out.shape
    d_z = copied(d_out, d_z)
    if name == "softmax":
        call(
            softmax.softmax_backward,
            d_z.dtype,
            rows,
            out=out,
            d=d_z,
            ld=columns,
            columns=columns,
            shard=0,
            shards=1,
        )
    else:
        call(
            ops.activation_backward,
            d_z.dtype,
            rows,
            member=name,
            z=z,
            out=out,
            d=d_z,
            ld=columns,
            columns=columns,
            parameter=parameter,
        )
    return d_z
