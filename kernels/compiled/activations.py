# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Activations on plain arrays."""

from __future__ import annotations

from ..reference import activations as reference
from ..typing import ActivationSpec
from .buffers import buffer, copied
from .machine.call import call
from .ops.activations import ActivationOps, activation_ops
from .twins import twin

__all__ = reference.__all__


def _resolve(activation: ActivationSpec) -> tuple[ActivationOps, float]:
    """The ops of an activation and its parameter, 0 where it has none."""
    rule, parameters = reference.look_up(activation)
    name = activation if isinstance(activation, str) else activation[0]
    if rule.parameter is None and parameters:
        raise TypeError(f"{name} takes no parameter, but {parameters[0]!r} was given")
    return activation_ops(rule.member or name), parameters[0] if parameters else 0.0


def elementwise_member(activation: ActivationSpec) -> tuple[str, float]:
    """The member of families of elementwise functions, and the parameter.

    Raises
    ------
    ValueError
        The activation is one of whole rows.
    """
    ops, parameter = _resolve(activation)
    if ops.is_rowwise:
        raise ValueError(f"{activation!r} works on whole rows, not on single elements")
    return ops.member, parameter


@twin(reference.activation_forward)
def activation_forward(*, z, activation, out):
    ops, parameter = _resolve(activation)
    (rows, columns), out = z.shape, buffer(out, z.shape, z.dtype)
    given = {"z": z, "out": out, "columns": columns, "parameter": parameter}
    call(ops.forward, z.dtype, rows, member=ops.member, **ops.forward.select(given))
    return out


@twin(reference.activation_backward)
def activation_backward(*, d_out, z, out, activation, d_z):
    ops, parameter = _resolve(activation)
    (rows, columns), d_z = d_out.shape, copied(d_out, d_z)
    given = {"z": z, "out": out, "d": d_z, "columns": columns, "parameter": parameter}
    call(ops.backward, d_z.dtype, rows, member=ops.member, **ops.backward.select(given))
    return d_z
