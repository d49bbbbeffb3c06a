"""Periodic embeddings on plain arrays, of either backend."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp import kernels


def test_more_rows_than_a_block_has(backend: str) -> None:
    rng = np.random.default_rng(0)
    shapes = ((700, 3), (3, 4), (3, 4), (3, 4, 2), (3, 2))
    x, frequency, phase, weight, bias = (rng.normal(size=shape) for shape in shapes)
    functions, expected = kernels.get_backend(backend), np.zeros((700, 3, 2))
    for column in range(3):
        angles = 2 * np.pi * np.outer(x[:, column], frequency[column]) + phase[column]
        expected[:, column] = np.cos(angles) @ weight[column] + bias[column]
    found = functions.periodic_forward(x, frequency, phase, weight, bias)
    np.testing.assert_allclose(found, expected.reshape(700, 6), rtol=1e-10, atol=1e-12)
    d = rng.normal(size=(700, 6))
    whole = functions.periodic_backward(d, x, frequency, phase, weight)
    parts = [
        functions.periodic_backward(d[part].copy(), x[part].copy(), frequency, phase, weight)
        for part in (slice(0, 100), slice(100, 700))
    ]
    np.testing.assert_allclose(whole[0], np.concatenate([part[0] for part in parts]), rtol=1e-10)
    for total, *some in zip(whole[1:], *(part[1:] for part in parts), strict=True):
        np.testing.assert_allclose(total, sum(some), rtol=1e-9, atol=1e-10)


def test_no_rows(backend: str) -> None:
    functions = kernels.get_backend(backend)
    x, waves = np.zeros((0, 2)), np.ones((2, 3))
    weight, bias = np.ones((2, 3, 1)), np.ones((2, 1))
    assert functions.periodic_forward(x, waves, waves, weight, bias).shape == (0, 2)
    gradients = functions.periodic_backward(np.zeros((0, 2)), x, waves, waves, weight)
    assert all(not gradient.any() for gradient in gradients)


def test_read_only_results_are_refused() -> None:
    pytest.importorskip("numba")
    functions = kernels.get_backend("numba")
    x, waves = np.zeros((1, 2)), np.ones((2, 3))
    weight, bias, out = np.ones((2, 3, 1)), np.ones((2, 1)), np.zeros((1, 2))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        functions.periodic_forward(x, waves, waves, weight, bias, out=out)
