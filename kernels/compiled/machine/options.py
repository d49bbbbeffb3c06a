"""Every option that the compiled kernels are built with, in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

# Signed zeros and fused multiply-adds do not matter to any kernel. Reassociation merges the range
# reduction of exp (210 ulp in place of 1), so only reductions are built with it; arcp would turn
# 1 / sqrt(0) into NaN; nnan and ninf would remove the checks for NaN that divergence relies on.
FASTMATH = frozenset({"nsz", "contract"})
FASTMATH_REDUCTION = FASTMATH | {"reassoc"}

OPTIONS: dict[str, Any] = {"error_model": "numpy", "boundscheck": False}

# Kernels allocate nothing: without Numba's runtime their machine code stands alone.
_COMPILED: dict[str, Any] = {"nogil": True, "_nrt": False, **OPTIONS}

# The options of a compiled callback: what `numba.cfunc` would be given.
OP_OPTIONS: dict[str, Any] = {"nopython": True, "fastmath": set(FASTMATH), **_COMPILED}
REDUCTION_OPTIONS: dict[str, Any] = {**OP_OPTIONS, "fastmath": set(FASTMATH_REDUCTION)}

# Nor are they called from Python or C: wrappers are an eighth of the time to compile a network.
#
# They are always inlined. LLVM leaves long ones as calls, and a loop with a call is not vectorized:
# softplus in float64 took seven times as long. And a function that is called has one name in all
# ops that contain it: which op's copy runs, and so in which order its sums are taken, would depend
# on what has been compiled or loaded before.
INLINED: dict[str, Any] = {
    "forceinline": True,
    "fastmath": set(FASTMATH),
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    **_COMPILED,
}


def device(function: Callable[..., Any]) -> Any:
    """Compile a function that is only called from other compiled code."""
    return numba.njit(**INLINED)(function)


def device_reduction(function: Callable[..., Any]) -> Any:
    """Like `device`, for sums over rows or columns, whose terms may be reordered."""
    return numba.njit(**{**INLINED, "fastmath": set(FASTMATH_REDUCTION)})(function)
