"""Penalties and clipping of gradients, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from differences import assert_gradient, away_from_kinks

from fastmlp.kernels import numpy as reference


def test_add_penalty() -> None:
    weight, d_weight = np.array([[1.0, -2.0, 0.0]]), np.array([[0.5, 0.5, 0.5]])
    assert reference.add_penalty(weight, d_weight, 0.1, 0.4) == pytest.approx(0.3 + 1.0)
    np.testing.assert_allclose(d_weight, [[1.0, -0.4, 0.5]])


def test_clipping() -> None:
    gradients = np.array([3.0, -4.0, 0.5])
    reference.clip_by_value(gradients, 3.5)
    np.testing.assert_array_equal(gradients, [3.0, -3.5, 0.5])

    gradients = np.array([3.0, -4.0])
    assert reference.clip_by_norm(gradients, 5.0) == 5.0
    np.testing.assert_array_equal(gradients, [3.0, -4.0])
    assert reference.clip_by_norm(gradients, 1.0) == 5.0
    np.testing.assert_allclose(gradients, [0.6, -0.8], rtol=1e-15)
    zeros = np.zeros(2)
    assert reference.clip_by_norm(zeros, 1.0) == 0.0


def test_penalty_against_differences() -> None:
    weight = away_from_kinks(np.random.default_rng(8), (4, 3))
    d_weight = np.zeros_like(weight)
    reference.add_penalty(weight, d_weight, 0.3, 0.7)
    assert_gradient(
        lambda t: reference.add_penalty(t, np.zeros_like(t), 0.3, 0.7), weight, d_weight
    )


BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@BOTH
def test_norm_of_large_gradients(dtype: type) -> None:
    gradients = np.full(4, 1e20, dtype)
    assert reference.clip_by_norm(gradients, 2.0) == pytest.approx(2e20, rel=1e-6)
    np.testing.assert_allclose(gradients, 1.0, rtol=1e-6)
