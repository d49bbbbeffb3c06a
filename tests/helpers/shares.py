"""Ops that work on a share of the columns, of the rows or of a vector, as threads do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import itertools

from fastmlp.kernels.compiled.machine.call import call
from fastmlp.kernels.compiled.machine.op import CompiledOp

Arrays = dict[str, np.ndarray]
ROWS, COLUMNS = 21, 37
BOUNDS = (0, 16, COLUMNS)


def draw(dtype: np.dtype, *shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    tolerance = 32 * np.finfo(expected.dtype).eps
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def by_columns(op: CompiledOp[...], dtype: np.dtype, arrays: Arrays, **others: Any) -> None:
    """Call an op on each range of columns of these arrays."""
    for first, last in itertools.pairwise(BOUNDS):
        parts = {name: array[..., first:last] for name, array in arrays.items()}
        if "first_column" in op.names:
            others["first_column"] = first
        call(op, dtype, ROWS, **parts, columns=last - first, **others)
