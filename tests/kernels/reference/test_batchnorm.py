"""Batch normalization by hand, against differences, and on columns that are nearly constant."""

from __future__ import annotations

import math

import numpy as np
import pytest
from differences import assert_gradient

from fastmlp.kernels import numpy as reference


def test_batchnorm_training() -> None:
    # Means (2, 5), biased variances (1, 9), unbiased (2, 18); with epsilon 0, inv_std (1, 1/3).
    x = np.array([[1.0, 2.0], [3.0, 8.0]])
    gamma, beta = np.array([2.0, 3.0]), np.array([10.0, 20.0])
    running_mean, running_var = np.array([0.0, 1.0]), np.array([1.0, 2.0])
    out, x_hat, inv_std = reference.batchnorm_forward(
        x, gamma, beta, running_mean, running_var, 0.25, 0.0, True
    )
    np.testing.assert_array_equal(x_hat, [[-1.0, -1.0], [1.0, 1.0]])
    np.testing.assert_array_equal(out, [[8.0, 17.0], [12.0, 23.0]])
    np.testing.assert_allclose(inv_std, [1.0, 1.0 / 3.0])
    np.testing.assert_array_equal(running_mean, [0.5, 2.0])
    np.testing.assert_array_equal(running_var, [1.25, 6.0])

    # Two rows at +-1 determine x_hat entirely, so that nothing can flow back to x.
    d_out = np.array([[1.0, 2.0], [5.0, 4.0]])
    d_x, d_gamma, d_beta = reference.batchnorm_backward(d_out, x_hat, inv_std, gamma)
    np.testing.assert_array_equal(d_beta, [6.0, 6.0])
    np.testing.assert_array_equal(d_gamma, [4.0, 2.0])
    np.testing.assert_allclose(d_x, np.zeros((2, 2)), atol=1e-15)


def test_batchnorm_backward_of_three_rows() -> None:
    # x = (-1, 0, 1): variance 2/3, inv_std s = sqrt(3/2), x_hat = s x. For d_out = (1, 0, 0):
    # d_beta = 1, d_gamma = -s, d_x = s (d_out - 1/3 + s^2 x / 3) = s (1/6, -1/3, 1/6).
    x = np.array([[-1.0], [0.0], [1.0]])
    one, zero = np.ones(1), np.zeros(1)
    _, x_hat, inv_std = reference.batchnorm_forward(
        x, one, zero, zero.copy(), one.copy(), 0.1, 0.0, True
    )
    d_out = np.array([[1.0], [0.0], [0.0]])
    d_x, d_gamma, d_beta = reference.batchnorm_backward(d_out, x_hat, inv_std, one)
    s = math.sqrt(1.5)
    np.testing.assert_allclose(d_beta, [1.0])
    np.testing.assert_allclose(d_gamma, [-s])
    np.testing.assert_allclose(d_x, [[s / 6], [-s / 3], [s / 6]])


def test_batchnorm_inference() -> None:
    mean, var = np.array([1.0]), np.array([3.0])
    out, x_hat, inv_std = reference.batchnorm_forward(
        np.array([[5.0]]), np.array([10.0]), np.array([1.0]), mean, var, 0.1, 1.0, False
    )
    assert (out.item(), x_hat.item(), inv_std.item()) == (21.0, 2.0, 0.5)
    assert (mean.item(), var.item()) == (1.0, 3.0)


def test_batchnorm_of_one_row_gives_beta_and_keeps_the_running_statistics() -> None:
    x = np.array([[0.1, -3e4]], dtype=np.float32)
    gamma = np.array([2.0, 3.0], dtype=np.float32)
    beta = np.array([0.7, -0.3], dtype=np.float32)
    mean, var = np.zeros(2, np.float32), np.ones(2, np.float32)
    out, x_hat, inv_std = reference.batchnorm_forward(x, gamma, beta, mean, var, 0.1, 1e-5, True)
    np.testing.assert_array_equal(out, beta[np.newaxis])
    np.testing.assert_array_equal((mean, var), ([0.0, 0.0], [1.0, 1.0]))
    d_x, _, _ = reference.batchnorm_backward(np.ones_like(x), x_hat, inv_std, gamma)
    np.testing.assert_array_equal(d_x, [[0.0, 0.0]])


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_batchnorm_against_differences(rows: int) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, 4)) * [1.0, 3.0, 0.5, 1.0] + [0.0, 5.0, -2.0, 1.0]
    gamma, beta = rng.standard_normal(4), rng.standard_normal(4)
    d_out = rng.standard_normal((rows, 4))

    def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, ...]:
        statistics = np.zeros(4), np.ones(4)
        return reference.batchnorm_forward(x, gamma, beta, *statistics, 0.1, 1e-3, True)

    _, x_hat, inv_std = forward(x, gamma, beta)
    d_x, d_gamma, d_beta = reference.batchnorm_backward(d_out, x_hat, inv_std, gamma)
    assert_gradient(lambda t: (forward(t, gamma, beta)[0] * d_out).sum(), x, d_x)
    assert_gradient(lambda t: (forward(x, t, beta)[0] * d_out).sum(), gamma, d_gamma)
    assert_gradient(lambda t: (forward(x, gamma, t)[0] * d_out).sum(), beta, d_beta)


BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@BOTH
@pytest.mark.parametrize("constant", [0.0, 0.1, -3e4, 1e9])
def test_batchnorm_of_a_constant_column(constant: float, dtype: type) -> None:
    x = np.full((37, 2), constant, dtype)
    x[:, 1] = np.arange(37)
    gamma, beta = np.array([2.0, 1.0], dtype), np.array([0.7, 0.0], dtype)
    statistics = np.zeros(2, dtype), np.ones(2, dtype)
    out, x_hat, inv_std = reference.batchnorm_forward(x, gamma, beta, *statistics, 0.1, 1e-5, True)
    np.testing.assert_array_equal(out[:, 0], np.full(37, beta[0]))
    d_out = np.random.default_rng(4).standard_normal((37, 2)).astype(dtype)
    for gradient in reference.batchnorm_backward(d_out, x_hat, inv_std, gamma):
        assert np.isfinite(gradient).all()
    assert np.isfinite(statistics).all()


def test_batchnorm_far_from_the_origin() -> None:
    x = 1e6 + np.random.default_rng(5).standard_normal((1000, 3))
    out, _, _ = reference.batchnorm_forward(
        x, np.ones(3), np.zeros(3), np.zeros(3), np.ones(3), 0.1, 1e-5, True
    )
    np.testing.assert_allclose(out.mean(axis=0), 0.0, atol=1e-8)
    np.testing.assert_allclose(out.std(axis=0), 1.0, atol=1e-4)
