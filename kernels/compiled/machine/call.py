"""One call of an op from Python, on plain arrays."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np

from ...typing import Array
from .op import N_COUNTERS, N_SCALARS, ROWS, STEP, CompiledOp

_Counters = ctypes.c_int64 * N_COUNTERS
_Nothing = ctypes.c_char * 0
_Prototype = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 4)
# One shard of all there is.
_WHOLE = {"shard": 0, "shards": 1}


class _Prepared(NamedTuple):
    function: Callable[..., None]
    integers: Callable[..., ctypes.Array[ctypes.c_int64]]
    floats: Callable[..., ctypes.Array[ctypes.c_double]]
    defaults: dict[str, float]
    row_lengths: tuple[tuple[str, str], ...]


# Hashing a dtype is many times faster than asking for its name.
@functools.cache
def _prepare(op: CompiledOp[...], member: str, dtype: np.dtype[Any]) -> _Prepared:
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"kernels work on arrays of float32 or float64, not of {dtype}")
    before = zip(op.args, op.args[1:], strict=False)
    return _Prepared(
        _Prototype(op.address(dtype.name, member)),
        ctypes.c_int64 * len(op.args),
        ctypes.c_double * len(op.attributes),
        {**op.defaults, **{name: _WHOLE[name] for name in op.args if name in _WHOLE}},
        tuple((name, array) for array, name in before if name.partition("_")[0] == "ld"),
    )


def new_scalars(count: int) -> Array:
    """The scalars of a step, and `count` of the caller's own behind them."""
    return np.zeros(N_SCALARS + count)


def call(
    op: CompiledOp[...],
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
    op : CompiledOp
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
        Those of the op: an array stands for the address of its first element, None for 0. Row
        lengths, ``ld`` and ``ld_x``, may be left out after C-contiguous arrays, and shards where
        there is one of all rows.

    Raises
    ------
    TypeError
        The dtype is another one, or the arguments are not those of the op.
    """
    prepared = _prepare(op, member, dtype)
    for name, array in prepared.row_lengths:
        if name not in arguments and array in arguments:
            arguments[name] = arguments[array].shape[-1]
    if prepared.defaults:
        arguments = {**prepared.defaults, **arguments}
    op.check(arguments.keys())
    counters = _Counters()
    counters[ROWS], counters[STEP] = rows, step
    prepared.function(
        0,
        prepared.integers(*[_integer(arguments[name]) for name in op.args]),
        prepared.floats(*[arguments[name] for name in op.attributes]),
        counters,
        _integer(scalars),
    )


def _integer(value: Any) -> int:
    if isinstance(value, np.ndarray):
        try:
            # A quarter of the time that NumPy takes to tell the address.
            return ctypes.addressof(_Nothing.from_buffer(cast(Any, value)))
        except (TypeError, ValueError):
            # It is read-only or not contiguous.
            return value.ctypes.data
    return 0 if value is None else int(value)
