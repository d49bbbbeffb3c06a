"""Activations of a share of the columns."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from shares import COLUMNS, ROWS, assert_close, by_columns, draw

from fastmlp.kernels import numpy as reference
from fastmlp.kernels.compiled.ops import activations

BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)


@BOTH
@pytest.mark.parametrize("name", ["relu", "gelu"])
def test_activation(name: str, dtype: np.dtype) -> None:
    z, d = draw(dtype, ROWS, COLUMNS), draw(dtype, ROWS, COLUMNS)[::-1].copy()
    out = np.full_like(z, np.nan)
    expected = reference.activation_forward(z, name)
    expected_d = reference.activation_backward(d, z, expected, name)
    common = {"ld": COLUMNS, "parameter": 0.0, "member": name}
    by_columns(activations.activation_forward, dtype, {"z": z, "out": out}, **common)
    by_columns(activations.activation_backward, dtype, {"z": z, "out": out, "d": d}, **common)
    assert_close(out, expected)
    assert_close(d, expected_d)
