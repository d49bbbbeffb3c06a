# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Activations mixed with the identity, on plain arrays."""

from __future__ import annotations

from ..reference import parametric as reference
from .activations import elementwise_member
from .buffers import buffer, copied
from .machine.call import call
from .ops import parametric as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.parametric_forward)
def parametric_forward(*, z, activation, out, **unchanged):
    member, parameter = elementwise_member(activation)
    (rows, columns), out = z.shape, buffer(out, z.shape, z.dtype)
    given = {"z": z, "out": out, "columns": columns, "parameter": parameter, **unchanged}
    call(ops.parametric_forward, z.dtype, rows, member=member, **given)
    return out


@twin(reference.parametric_backward)
def parametric_backward(*, d_out, z, activation, d_z, d_weight, **unchanged):
    member, parameter = elementwise_member(activation)
    (rows, columns), d_z = d_out.shape, copied(d_out, d_z)
    d_weight = buffer(d_weight, columns, z.dtype)
    given = {"z": z, "d": d_z, "d_weight": d_weight, "columns": columns, "parameter": parameter}
    call(ops.parametric_backward, z.dtype, rows, member=member, **given, **unchanged)
    return d_z, d_weight
