"""One call of an op from Python, on plain arrays."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...typing import Array
from .op import N_COUNTERS, N_SCALARS, OPS, ROWS, STEP

_Counters = ctypes.c_int64 * N_COUNTERS
_Prototype = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 4)


class _Prepared(NamedTuple):
    function: Callable[..., None]
    names: frozenset[str]
    args: tuple[str, ...]
    attributes: tuple[str, ...]
    integers: Callable[..., ctypes.Array[ctypes.c_int64]]
    floats: Callable[..., ctypes.Array[ctypes.c_double]]


# Hashing a dtype is many times faster than asking for its name.
@functools.cache
def _prepare(name: str, member: str, dtype: np.dtype[Any]) -> _Prepared:
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"kernels work on arrays of float32 or float64, not of {dtype}")
    op = OPS[name]
    return _Prepared(
        _Prototype(op.address(dtype.name, member)),
        frozenset((*op.args, *op.attributes)),
        op.args,
        op.attributes,
        ctypes.c_int64 * len(op.args),
        ctypes.c_double * len(op.attributes),
    )


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
        Those that the op declares: an array stands for the address of its first element, None
        for 0.

    Raises
    ------
    TypeError
        The dtype is another one, or the arguments are not those of the op.
    """
    function, names, args, attributes, integers, floats = _prepare(name, member, dtype)
    if arguments.keys() != names:
        raise TypeError(f"{OPS[name]!r} was called with {', '.join(arguments)}")
    counters = _Counters()
    counters[ROWS], counters[STEP] = rows, step
    function(
        0,
        integers(*[_integer(arguments[key]) for key in args]),
        floats(*[arguments[key] for key in attributes]),
        counters,
        None if scalars is None else scalars.ctypes.data,
    )


def _integer(value: Array | float | None) -> int:
    if isinstance(value, np.ndarray):
        return value.ctypes.data
    return 0 if value is None else int(value)
