"""Batch normalization of a share of the columns."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from shares import COLUMNS, ROWS, assert_close, by_columns, draw

from fastmlp.kernels import numpy as reference
from fastmlp.kernels.compiled.ops import batchnorm

BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)


@BOTH
def test_batchnorm(dtype: np.dtype) -> None:
    x, d = draw(dtype, ROWS, COLUMNS), draw(dtype, ROWS, COLUMNS)[::-1].copy()
    gamma, beta, mean, var = draw(dtype, 4, COLUMNS)
    var[:] = np.abs(var)
    kept_mean, kept_var = mean.copy(), var.copy()
    expected, x_hat, inv_std = reference.batchnorm_forward(
        x, gamma, beta, kept_mean, kept_var, 0.1, 1e-5, True
    )
    expected_d = reference.batchnorm_backward(d, x_hat, inv_std, gamma)
    out, own_inv_std = np.empty_like(x), np.empty_like(gamma)
    statistics = {"running_mean": mean, "running_var": var}
    by_columns(
        batchnorm.batchnorm_forward,
        dtype,
        {"x": x, "out": out, "gamma": gamma, "beta": beta, **statistics}
        | {"mean": np.empty_like(gamma), "inv_std": own_inv_std},
        ld=COLUMNS,
        momentum=0.1,
        epsilon=1e-5,
    )
    assert_close(out, expected)
    assert_close(x, x_hat)
    assert_close(mean, kept_mean)
    assert_close(var, kept_var)
    d_gamma, d_beta = np.empty_like(gamma), np.empty_like(gamma)
    by_columns(
        batchnorm.batchnorm_backward,
        dtype,
        {"d": d, "x_hat": x, "gamma": gamma, "inv_std": own_inv_std}
        | {"d_gamma": d_gamma, "d_beta": d_beta},
        ld=COLUMNS,
    )
    for actual, wanted in zip((d, d_gamma, d_beta), expected_d, strict=True):
        assert_close(actual / 8, wanted / 8)
