"""Piecewise linear encodings on plain arrays, of either backend."""

from __future__ import annotations

import numpy as np

from fastmlp import kernels


def test_a_single_bin_is_a_scaled_column(backend: str) -> None:
    functions = kernels.get_backend(backend)
    x, edges = np.array([[-3.0], [0.5], [9.0]]), np.array([[1.0, 3.0]])
    found = functions.piecewise_linear_forward(x, edges)
    np.testing.assert_allclose(found, (x - 1) / 2)
    gradient = functions.piecewise_linear_backward(np.ones((3, 1)), x, edges)
    np.testing.assert_array_equal(gradient, np.full((3, 1), 0.5))


def test_a_number_at_an_edge_is_in_the_bin_above(backend: str) -> None:
    functions, edges = kernels.get_backend(backend), np.array([[0.0, 1.0, 3.0]])
    gradient = functions.piecewise_linear_backward(
        np.array([[10.0, 100.0]] * 3), np.array([[0.999], [1.0], [3.0]]), edges
    )
    np.testing.assert_allclose(gradient, [[10.0], [50.0], [50.0]])


def test_a_constant_column_gives_no_number_that_is_not_finite(backend: str) -> None:
    functions, edges = kernels.get_backend(backend), np.full((1, 4), 2.0)
    found = functions.piecewise_linear_forward(np.array([[1.0], [2.0], [3.0]]), edges)
    np.testing.assert_array_equal(found, [[0.0] * 3, [1.0] * 3, [1.0] * 3])
