# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Bounds for each column, on plain arrays."""

from __future__ import annotations

from ..reference import clip as reference
from .buffers import buffer
from .machine.call import call
from .ops import clip as ops
from .twins import twin

__all__ = reference.__all__


@twin(reference.clip_columns)
def clip_columns(*, x, out, **unchanged):
    (rows, columns), out = x.shape, buffer(out, x.shape, x.dtype)
    call(ops.clip_columns, x.dtype, rows, x=x, out=out, columns=columns, **unchanged)
    return out
