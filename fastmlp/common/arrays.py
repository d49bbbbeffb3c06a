"""Memory of an object's own: what compiled code works on by its address."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array

_CACHE_LINE = 64


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros whose first element starts a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > sys.maxsize - _CACHE_LINE:
        raise MemoryError(f"an array of shape {shape} does not fit into memory")
    memory = np.zeros(size + _CACHE_LINE, dtype=np.uint8)
    offset = -memory.ctypes.data % _CACHE_LINE
    zeros: Array = memory[offset : offset + size].view(dtype).reshape(shape)
    return zeros


def own(array: Array) -> Array:
    """A copy that is writable and starts a cache line, whatever the array is part of."""
    copy = aligned_zeros(array.shape, array.dtype.newbyteorder("="))
    copy[...] = array
    return copy


class OwnsArrays:
    """Base of classes whose arrays stay as they are, whatever their object was read from.

    An array that is unpickled may lie in a file that is mapped into memory, where it is read-only
    or changes the file, and which ends the process once the file is cut short; or in a buffer that
    the caller goes on using.
    """

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update({name: _owned(value) for name, value in state.items()})


def _owned(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value if type(value) is np.ndarray and value.flags.owndata else np.array(value)
    if isinstance(value, tuple | list):
        return type(value)(_owned(part) for part in value)
    if isinstance(value, dict):
        return {name: _owned(part) for name, part in value.items()}
    return value
