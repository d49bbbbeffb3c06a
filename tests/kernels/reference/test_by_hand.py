"""Cases small enough to work out on paper, each step in the comments or the literals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastmlp.kernels import reference


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


def test_relu_derivative_at_zero_is_zero() -> None:
    z = np.array([[-1.0, 0.0, 1.0]])
    out = reference.activation_forward(z, "relu")
    d_z = reference.activation_backward(np.full((1, 3), 5.0), z, out, "relu")
    np.testing.assert_array_equal(d_z, [[0.0, 0.0, 5.0]])


def test_activation_parameter_overrides_the_default() -> None:
    z = np.array([[-2.0, 3.0]])
    np.testing.assert_allclose(reference.activation_forward(z, "leaky_relu"), [[-0.02, 3.0]])
    np.testing.assert_array_equal(
        reference.activation_forward(z, ("leaky_relu", 0.5)), [[-1.0, 3.0]]
    )


def test_softmax_backward_is_the_full_jacobian() -> None:
    # p = (1/4, 3/4): J = [[3/16, -3/16], [-3/16, 3/16]].
    z = np.array([[0.0, math.log(3.0)]])
    out = reference.activation_forward(z, "softmax")
    np.testing.assert_allclose(out, [[0.25, 0.75]], rtol=1e-15)
    d_z = reference.activation_backward(np.array([[16.0, 0.0]]), z, out, "softmax")
    np.testing.assert_allclose(d_z, [[3.0, -3.0]], rtol=1e-14)


@pytest.mark.parametrize("name", ["rleu", "ReLU", ("prelu", 0.1)])
def test_unknown_activation(name: str | tuple[str, float]) -> None:
    z = np.zeros((1, 1))
    with pytest.raises(ValueError, match=r"unknown activation '(rleu|ReLU|prelu)'; known: elu, "):
        reference.activation_forward(z, name)
    with pytest.raises(ValueError, match="unknown activation"):
        reference.activation_backward(z, z, z, name)


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


@pytest.mark.parametrize("y", [np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]])])
def test_softmax_cross_entropy(y: np.ndarray) -> None:
    # Probabilities (1/2, 1/2) and (1/4, 3/4): losses log 2 and log 4/3.
    logits = np.array([[0.0, 0.0], [0.0, math.log(3.0)]])
    loss, d_logits = reference.softmax_cross_entropy(logits, y)
    assert loss == pytest.approx((math.log(2.0) + math.log(4.0 / 3.0)) / 2, rel=1e-15)
    np.testing.assert_allclose(d_logits, [[-0.25, 0.25], [0.125, -0.125]], rtol=1e-14)

    weight = np.array([3.0, 1.0])
    loss, d_logits = reference.softmax_cross_entropy(logits, y, weight)
    assert loss == pytest.approx((3 * math.log(2.0) + math.log(4.0 / 3.0)) / 4, rel=1e-15)
    np.testing.assert_allclose(d_logits, [[-0.375, 0.375], [0.0625, -0.0625]], rtol=1e-14)

    # Smoothed by 1/2, the first row's target is (3/4, 1/4), the second's (1/4, 3/4).
    loss, d_logits = reference.softmax_cross_entropy(logits, y, None, 0.5)
    second = 0.25 * math.log(4.0) + 0.75 * math.log(4.0 / 3.0)
    assert loss == pytest.approx((math.log(2.0) + second) / 2, rel=1e-15)
    np.testing.assert_allclose(d_logits, [[-0.125, 0.125], [0.0, 0.0]], atol=1e-16)


def test_sigmoid_cross_entropy() -> None:
    # Probabilities 1/2 and 3/4 against 1 and 0: losses log 2 and log 4, slopes -1/2 and 3/4.
    logits = np.array([[0.0, math.log(3.0)]])
    loss, d_logits = reference.sigmoid_cross_entropy(logits, np.array([[1.0, 0.0]]))
    assert loss == pytest.approx(1.5 * math.log(2.0), rel=1e-15)
    np.testing.assert_allclose(d_logits, [[-0.25, 0.375]], rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "extra", "loss", "slopes"),
    [
        ("mean_squared_error", (), (1 + 9 + 0) / 3, (-2, 6, 0)),
        ("mean_absolute_error", (), (1 + 3 + 0) / 3, (-1, 1, 0)),
        ("huber_loss", (2.0,), (0.5 + 4 + 0) / 3, (-1, 2, 0)),
        ("quantile_loss", (0.75,), (0.75 + 0.75 + 0) / 3, (-0.75, 0.25, 0)),
    ],
)
def test_residual_losses(name: str, extra: tuple[float], loss: float, slopes: tuple) -> None:
    prediction, y = np.array([[1.0], [5.0], [4.0]]), np.array([[2.0], [2.0], [4.0]])
    value, d_prediction = getattr(reference, name)(prediction, y, None, *extra)
    assert value == pytest.approx(loss, rel=1e-15)
    np.testing.assert_allclose(d_prediction[:, 0], np.array(slopes) / 3, rtol=1e-15)


def test_poisson_loss() -> None:
    value, d_prediction = reference.poisson_loss(
        np.array([[1.0, math.e]]), np.array([[5.0, 2.0]]), np.array([4.0])
    )
    assert value == pytest.approx((1.0 + math.e - 2.0) / 2, rel=1e-15)
    np.testing.assert_allclose(d_prediction, [[-2.0, (1.0 - 2.0 / math.e) / 2]], rtol=1e-15)


def test_adam() -> None:
    # m = 0.1 g and v = 0.001 g^2 after one step; corrected, g and g^2.
    parameters, gradients = np.array([1.0, 1.0]), np.array([2.0, -0.5])
    m, v = np.zeros(2), np.zeros(2)
    reference.adam_update(parameters, gradients, m, v, 1, 0.01, 0.9, 0.999, 0.5)
    np.testing.assert_allclose(m, [0.2, -0.05], rtol=1e-14)
    np.testing.assert_allclose(v, [0.004, 0.00025], rtol=1e-14)
    np.testing.assert_allclose(
        parameters, [1.0 - 0.01 * 2.0 / 2.5, 1.0 + 0.01 * 0.5 / 1.0], rtol=1e-14
    )


def test_adamw_decays_by_the_learning_rate_times_the_weight_decay() -> None:
    parameters = np.array([10.0])
    zeros = [np.zeros(1) for _ in range(3)]
    reference.adamw_update(parameters, *zeros, 1, 0.1, 0.9, 0.999, 1e-8, 0.5)
    assert parameters.item() == pytest.approx(9.5, rel=1e-15)


def test_sgd_momentum() -> None:
    # Velocities 1 and 1.5; Nesterov's steps 1.5 and 1.75.
    for nesterov, expected in [(False, -2.5), (True, -3.25)]:
        parameters, velocity = np.zeros(1), np.zeros(1)
        for _ in range(2):
            reference.sgd_update(parameters, np.ones(1), velocity, 1.0, 0.5, nesterov)
        assert parameters.item() == expected
    parameters = np.zeros(1)
    reference.sgd_update(parameters, np.ones(1), None, 0.25, 0.0, False)
    assert parameters.item() == -0.25


def test_ftrl() -> None:
    # Algorithm 1 for g = 3, lr = 1/2, l1 = 1, l2 = 2, beta = 1 from p = 0: z = 3, n = 9,
    # p = -(3 - 1) / ((1 + 3) / 0.5 + 2) = -0.2. Then g = -4: sigma = (5 - 3) / 0.5 = 4,
    # z = 3 - 4 + 4 * 0.2 = -0.2, within l1.
    parameters, z, n = np.zeros(2), np.zeros(2), np.zeros(2)
    reference.ftrl_update(parameters, np.array([3.0, 0.0]), z, n, 0.5, 1.0, 2.0, 1.0)
    np.testing.assert_allclose((parameters, z, n), [[-0.2, 0.0], [3.0, 0.0], [9.0, 0.0]])
    reference.ftrl_update(parameters, np.array([-4.0, 0.0]), z, n, 0.5, 1.0, 2.0, 1.0)
    np.testing.assert_allclose(
        (parameters, z, n), [[0.0, 0.0], [-0.2, 0.0], [25.0, 0.0]], rtol=1e-14
    )


def test_ftrl_leaves_coordinates_without_a_gradient() -> None:
    parameters, z, n = np.array([0.3, 0.3]), np.zeros(2), np.zeros(2)
    reference.ftrl_update(parameters, np.array([0.0, 1.0]), z, n, 0.1, 0.5, 0.0, 1.0)
    assert parameters[0] == 0.3
    assert parameters[1] != 0.3


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
