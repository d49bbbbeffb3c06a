"""Dense layers by hand and against differences."""

from __future__ import annotations

import numpy as np
import pytest
from differences import assert_gradient

from fastmlp.kernels import numpy as reference


def test_dense_forward_and_backward() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    weight = np.array([[1.0, -1.0, 0.0], [2.0, 0.0, -3.0]])
    bias = np.array([0.5, 0.0, 7.0])
    out, z = reference.dense_forward(x, weight, bias, "relu")
    np.testing.assert_array_equal(z, [[5.5, -1.0, 1.0], [11.5, -3.0, -5.0]])
    np.testing.assert_array_equal(out, [[5.5, 0.0, 1.0], [11.5, 0.0, 0.0]])

    # d_z = [[1, 0, 3], [4, 0, 0]] after the ReLU.
    d_out = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    d_x, d_weight, d_bias = reference.dense_backward(d_out, x, weight, z, out, "relu")
    np.testing.assert_array_equal(d_x, [[1.0, -7.0], [4.0, 8.0]])
    np.testing.assert_array_equal(d_weight, [[13.0, 0.0, 3.0], [18.0, 0.0, 6.0]])
    np.testing.assert_array_equal(d_bias, [5.0, 0.0, 3.0])


def test_dense_without_bias_is_linear_by_default() -> None:
    out, z = reference.dense_forward(np.array([[2.0, 3.0]]), np.array([[5.0], [7.0]]), None)
    np.testing.assert_array_equal(z, [[31.0]])
    np.testing.assert_array_equal(out, z)


@pytest.mark.parametrize("activation", ["linear", "tanh", "softmax", ("elu", 0.6)])
@pytest.mark.parametrize("rows", [1, 6])
def test_dense_against_differences(activation: str | tuple[str, float], rows: int) -> None:
    rng = np.random.default_rng(2)
    x, weight, bias = (rng.standard_normal(shape) for shape in [(rows, 4), (4, 3), (3,)])
    d_out = rng.standard_normal((rows, 3))
    out, z = reference.dense_forward(x, weight, bias, activation)
    d_x, d_weight, d_bias = reference.dense_backward(d_out, x, weight, z, out, activation)

    def total(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> float:
        return float((reference.dense_forward(x, weight, bias, activation)[0] * d_out).sum())

    assert_gradient(lambda t: total(t, weight, bias), x, d_x)
    assert_gradient(lambda t: total(x, t, bias), weight, d_weight)
    assert_gradient(lambda t: total(x, weight, t), bias, d_bias)
