"""Products of a share of the columns."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from shares import COLUMNS, ROWS, assert_close, by_columns, draw

from fastmlp.kernels.compiled.machine.call import call
from fastmlp.kernels.compiled.ops import dense

BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)


@BOTH
def test_dense(dtype: np.dtype) -> None:
    inputs = 9
    x, weight, bias = draw(dtype, ROWS, inputs), draw(dtype, inputs, COLUMNS), draw(dtype, COLUMNS)
    z, d_weight, d_bias = np.empty((ROWS, COLUMNS), dtype), np.empty_like(weight), bias.copy()
    d_z = draw(dtype, ROWS, COLUMNS)
    by_columns(
        dense.dense_forward,
        dtype,
        {"weight": weight, "bias": bias, "z": z},
        x=x,
        ld_x=inputs,
        ld_weight=COLUMNS,
        ld_z=COLUMNS,
        inputs=inputs,
        accumulate=0,
    )
    assert_close(z, x @ weight + bias)
    by_columns(
        dense.dense_backward_weight,
        dtype,
        {"d_z": d_z, "d_weight": d_weight, "d_bias": d_bias},
        x=x,
        ld_x=inputs,
        ld_weight=COLUMNS,
        ld_z=COLUMNS,
        inputs=inputs,
    )
    assert_close(d_weight, x.T @ d_z)
    assert_close(d_bias, d_z.sum(axis=0))
    d_x = np.ones((ROWS, inputs), dtype)
    for first, count in ((0, 4), (4, 5)):
        call(
            dense.dense_backward_input,
            dtype,
            ROWS,
            d_z=d_z,
            ld_z=COLUMNS,
            weight=weight[first:],
            ld_weight=COLUMNS,
            d_x=d_x[:, first:],
            ld_x=inputs,
            inputs=count,
            columns=COLUMNS,
            accumulate=1,
        )
    assert_close(d_x, 1.0 + d_z @ weight.T)
