"""Memory of an object's own."""

from __future__ import annotations

import numpy as np
from own_memory import assert_own

from fastmlp.common.arrays import own


def test_own_memory_of_any_array() -> None:
    for given in (
        np.arange(6.0).reshape(2, 3).T,
        np.arange(6.0)[::2],
        np.frombuffer(b"\0" * 33, np.float64, 4, 1),
        np.arange(3, dtype=">f4"),
        np.empty((0, 3)),
    ):
        array = own(given)
        assert_own(array)
        np.testing.assert_array_equal(array, given)
        assert not np.may_share_memory(array, given)
