# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Optimizer updates on plain arrays, in place, each made of the ops' table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..reference import optimizers as reference
from .buffers import writable
from .machine.call import call
from .ops.optimizers import UPDATES
from .twins import twin

if TYPE_CHECKING:
    # What is made of the table has the types of the reference.
    from ..reference.optimizers import *  # noqa: F403

__all__ = reference.__all__


def _update(name: str) -> Any:
    """The function of an update; arrays among its arguments are updated too."""
    op, advance = UPDATES[name]

    @twin(getattr(reference, name))
    def update(*, parameters, gradients, learning_rate, step=1, **unchanged):
        writable(parameters, *(x for x in unchanged.values() if isinstance(x, np.ndarray)))
        call(
            op,
            parameters.dtype,
            # It counts from 1, those of ops from 0.
            step=step - 1,
            parameters=parameters,
            gradients=gradients,
            count=parameters.size,
            rates=np.array([learning_rate], np.float64),
            rate_stride=0,
            **unchanged,
        )
        if advance is not None:
            call(advance, parameters.dtype, step=step - 1, **advance.select(unchanged))

    return update


globals().update({name: _update(name) for name in UPDATES})
