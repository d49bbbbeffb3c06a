"""Arrays whose memory is their own."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def assert_own(array: Array) -> None:
    assert type(array) is np.ndarray
    assert array.flags.writeable
    assert array.flags.c_contiguous
    assert array.size == 0 or array.ctypes.data % 64 == 0
    assert array.dtype.isnative
