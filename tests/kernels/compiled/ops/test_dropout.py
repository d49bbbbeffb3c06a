"""Masks of a share of the columns."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from shares import COLUMNS, ROWS, by_columns, draw

from fastmlp.kernels import numpy as reference
from fastmlp.kernels.compiled.ops import dropout

BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)


@BOTH
def test_dropout(dtype: np.dtype) -> None:
    x, mask = draw(dtype, ROWS, COLUMNS), np.full((ROWS, COLUMNS), np.nan, dtype)
    seed, out = 2**63 + 12345, np.empty((ROWS, COLUMNS), dtype)
    expected_out, expected = reference.dropout_forward(x, 0.4, seed, 11, 3)
    words = {"threshold": int(0.4 * 2**32), "seed_low": seed & 0xFFFFFFFF, "seed_high": seed >> 32}
    by_columns(
        dropout.dropout_mask, dtype, {"mask": mask}, ld=COLUMNS, layer=3, keep=0.6, step=11, **words
    )
    by_columns(dropout.apply_mask, dtype, {"x": x, "mask": mask, "out": out}, ld=COLUMNS)
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(out, expected_out)
