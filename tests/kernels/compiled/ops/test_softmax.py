"""Softmax of a share of the rows."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from shares import COLUMNS, ROWS, assert_close, draw

from fastmlp.kernels import numpy as reference
from fastmlp.kernels.compiled.machine.call import call
from fastmlp.kernels.compiled.ops import softmax

BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)


@BOTH
def test_softmax(dtype: np.dtype) -> None:
    z, d = draw(dtype, ROWS, COLUMNS), draw(dtype, ROWS, COLUMNS)[::-1].copy()
    out = np.empty_like(z)
    expected = reference.activation_forward(z, "softmax")
    expected_d = reference.activation_backward(d, z, expected, "softmax")
    for shard in range(4):
        common = {"ld": COLUMNS, "columns": COLUMNS, "shard": shard, "shards": 4}
        call(softmax.softmax_forward, dtype, ROWS, z=z, out=out, **common)
        call(softmax.softmax_backward, dtype, ROWS, out=out, d=d, **common)
    assert_close(out, expected)
    assert_close(d, expected_d)
