"""One call of an op from Python, on plain arrays."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..typing import Array
from .op import N_COUNTERS, N_SCALARS, OPS, ROWS, STEP

_Prototype = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 4)


@functools.cache
def _function(name: str, member: str, dtype: str) -> Callable[..., None]:
    if dtype not in ("float32", "float64"):
        raise TypeError(f"kernels work on arrays of float32 or float64, not of {dtype}")
    return _Prototype(OPS[name].address(dtype, member))


def new_scalars(count: int) -> Array:
    """The scalars of a step, and `count` of the caller's own behind them."""
    return np.zeros(N_SCALARS + count)


def call(
    name: str,
    dtype: np.dtype[Any],
    rows: int = 0,
    *,
    member: str = "",
    step: int = 0,
    scalars: Array | None = None,
    **arguments: Any,
) -> None:
    """Call an op.

    Parameters
    ----------
    name : str
    dtype : dtype
        float32 or float64.
    rows : int
        Rows of the batch, for ops that work on one.
    member : str
        Which one it is, where the op is a family.
    step : int
        Updates done before this one.
    scalars : array, optional
        What `new_scalars` makes.
    **arguments : array, float or None
        Those that the op declares; an array stands for its address, None for 0.

    Raises
    ------
    TypeError
        The dtype is another one, or the arguments are not those of the op.
    """
    op, function = OPS[name], _function(name, member, dtype.name)
    if arguments.keys() != {*op.args, *op.attributes}:
        raise TypeError(f"{op!r} was called with {', '.join(arguments)}")
    integers = (ctypes.c_int64 * len(op.args))(*[_integer(arguments[key]) for key in op.args])
    floats = (ctypes.c_double * len(op.attributes))(*[arguments[key] for key in op.attributes])
    counters = (ctypes.c_int64 * N_COUNTERS)()
    counters[ROWS], counters[STEP] = rows, step
    function(0, integers, floats, counters, None if scalars is None else scalars.ctypes.data)


def _integer(value: Array | float | None) -> int:
    if isinstance(value, np.ndarray):
        return value.ctypes.data
    return 0 if value is None else int(value)
