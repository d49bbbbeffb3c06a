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

# The options of a compiled callback: what `numba.cfunc` would be given.
OP_OPTIONS: dict[str, Any] = {"nopython": True, "nogil": True, "fastmath": set(FASTMATH), **OPTIONS}
REDUCTION_OPTIONS: dict[str, Any] = {**OP_OPTIONS, "fastmath": set(FASTMATH_REDUCTION)}


def device(function: Callable[..., Any]) -> Any:
    """Compile a function that is only called from other compiled code."""
    return numba.njit(nogil=True, fastmath=set(FASTMATH), **OPTIONS)(function)


def device_inlined(function: Callable[..., Any]) -> Any:
    """Like `device`, for what LLVM finds too long to inline, but whose caller must vectorise."""
    return numba.njit(nogil=True, forceinline=True, fastmath=set(FASTMATH), **OPTIONS)(function)


def device_reduction(function: Callable[..., Any]) -> Any:
    """Like `device`, for sums over rows or columns, whose terms may be reordered."""
    return numba.njit(nogil=True, fastmath=set(FASTMATH_REDUCTION), **OPTIONS)(function)
