"""Activations in C at extreme numbers, and their polynomials."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_harness import compile_header
from c_networks import (
    ACTIVATIONS,
    OK,
    assert_equal,
    every_activation,
    export,
    extreme_numbers,
    reference,
)

from fastmlp.export.c import math as c_math


@pytest.mark.parametrize("math", ["math.h", "inline"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_inputs(tmp_path: Path, dtype: str, math: str) -> None:
    frozen = every_activation(dtype)
    numbers = extreme_numbers(dtype)
    rng = np.random.default_rng(3)
    rows = np.stack([rng.permutation(numbers) for _ in range(4)], axis=1)
    expected = reference(frozen, rows)
    compiled = compile_header(export(frozen, tmp_path, math), dtype=dtype, flags=("-O3",))
    outputs, codes = compiled(rows)
    assert (codes == OK).all()
    assert_equal(outputs, expected, dtype)
    # Element by element too: huge outputs must not hide what happens to small ones.
    finite = np.isfinite(expected)
    error = np.abs(outputs[finite] - expected[finite])
    limit = 8 * np.finfo(dtype).eps * np.maximum(np.abs(expected[finite]), 1.0)
    assert (error <= limit).all()
    # elu and tanh keep all digits of the smallest numbers, and their signs.
    for name in ("elu", "tanh"):
        start = 4 * ACTIVATIONS.index(name)
        columns = slice(start, start + 4)
        tiny = np.abs(rows) < 1e-20
        np.testing.assert_array_equal(outputs[:, columns][tiny], rows[tiny])


def test_inline_functions_are_the_kernels_own() -> None:
    math = pytest.importorskip("fastmlp.kernels.compiled.machine.math")
    for c_type, kernel in (("float", math._FLOAT32), ("double", math._FLOAT64)):
        ours, _ = c_math._FORMATS[c_type]
        for name in vars(ours):
            assert getattr(ours, name) == getattr(kernel, name), name
